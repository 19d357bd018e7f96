//! Statements that do not hold, each for its own reason.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::{Action, Audience, Params, Resource};
use serde_json::{Value, json};

use super::*;
use crate::signer::PrivateKey;

const NOW: u64 = 1_795_000_000;

/// What makes another statement of a good one.
type Change<'a> = &'a dyn Fn(&mut Statement);

struct Ground {
    key: PrivateKey,
    keys: KeyRing,
    request: RequestDigest,
    agent: Agent,
}

fn request(amount: u32) -> RequestDigest {
    let params = Params::parse(format!("{{\"amount\":{amount}}}").as_bytes()).unwrap();
    RequestDigest::of(
        &Action::parse("payments.transfer").unwrap(),
        &Resource::parse("account/42").unwrap(),
        &Audience::parse("payments-api").unwrap(),
        params.digest(),
        None,
    )
}

fn party(name: &str) -> ThirdParty {
    ThirdParty::parse(name).unwrap()
}

impl Ground {
    fn new() -> Ground {
        let key = PrivateKey::generate().unwrap();
        let mut keys = KeyRing::default();
        keys.add_third_party(party("change-mgmt"), key.public());
        keys.add_third_party(party("other"), PrivateKey::generate().unwrap().public());
        let agent = Agent::parse("spiffe://acme/agents/deploy").unwrap();
        Ground { key, keys, request: request(7), agent }
    }

    fn statement(&self) -> Statement {
        Statement {
            request: self.request,
            agent: self.agent.clone(),
            name: StatementName::parse("change_approved").unwrap(),
            value: CaveatText::parse("CHG-17").unwrap(),
            made: UnixSeconds(NOW - 5),
            end: UnixSeconds(NOW + 60),
            nonce: None,
        }
    }

    fn signed(&self, statement: &Statement) -> String {
        statement.sign(&party("change-mgmt"), |message| self.key.sign(message))
    }

    fn about(&self) -> About<'_> {
        let now = UnixSeconds(NOW);
        About { request: self.request, agent: &self.agent, idempotency_key: None, now }
    }

    fn verdict(&self, text: &str) -> Result<Vec<Attested>, EvidenceFlaw> {
        verify(&[text], &self.keys, self.about()).map_err(|invalid| {
            assert_eq!((invalid.number, invalid.code()), (1, "evidence-invalid"));
            invalid.why
        })
    }

    /// A text signed over any head and payload.
    fn forged(&self, head: &Value, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(&head.to_string()), part(payload));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes())))
    }
}

fn head() -> Value {
    json!({ "alg": "EdDSA", "kid": "change-mgmt", "typ": TYPE })
}

#[test]
fn a_statement_about_this_request_and_this_agent_holds() {
    let ground = Ground::new();
    let attested = ground.verdict(&ground.signed(&ground.statement())).unwrap();
    let [one] = &attested[..] else { panic!("one statement was made") };
    assert_eq!((one.signer.as_str(), one.name.as_str()), ("change-mgmt", "change_approved"));
    assert_eq!(one.value.as_str(), "CHG-17");
    let none: [&str; 0] = [];
    assert_eq!(verify(&none, &ground.keys, ground.about()), Ok(Vec::new()));
}

#[test]
fn a_statement_is_not_brought_by_another_or_for_something_else_or_later() {
    let ground = Ground::new();
    let with = |change: &dyn Fn(&mut Statement)| {
        let mut statement = ground.statement();
        change(&mut statement);
        ground.verdict(&ground.signed(&statement))
    };
    let table: [(Change<'_>, EvidenceFlaw); 7] = [
        (&|s| s.request = request(8), EvidenceFlaw::OtherRequest),
        (&|s| s.agent = Agent::parse("key:thief").unwrap(), EvidenceFlaw::OtherAgent),
        (&|s| s.end = UnixSeconds(NOW), EvidenceFlaw::Expired { end: UnixSeconds(NOW) }),
        (&|s| s.end = UnixSeconds(0), EvidenceFlaw::Expired { end: UnixSeconds(0) }),
        (&|s| s.made = UnixSeconds(NOW + 31), EvidenceFlaw::NotYet),
        (
            &|s| s.end = UnixSeconds(NOW - 5 + limits::EVIDENCE_SECONDS_MAX + 1),
            EvidenceFlaw::TooLasting,
        ),
        (&|s| s.nonce = Some("key-1".into()), EvidenceFlaw::OtherNonce),
    ];
    for (change, why) in table {
        assert_eq!(with(change), Err(why));
    }
    assert!(with(&|s| s.end = UnixSeconds(NOW + 1)).is_ok());
    assert!(with(&|s| s.made = UnixSeconds(NOW + 30)).is_ok());
    assert!(with(&|s| s.end = UnixSeconds(NOW - 5 + limits::EVIDENCE_SECONDS_MAX)).is_ok());
}

#[test]
fn a_statement_with_a_nonce_counts_for_the_request_that_has_it_and_for_no_other() {
    let ground = Ground::new();
    let statement = Statement { nonce: Some("key-1".into()), ..ground.statement() };
    let text = ground.signed(&statement);
    let verdict = |key| {
        let about = About { idempotency_key: key, ..ground.about() };
        verify(&[text.as_str()], &ground.keys, about).map_err(|invalid| invalid.why)
    };
    assert!(verdict(Some("key-1")).is_ok());
    assert_eq!(verdict(Some("key-2")), Err(EvidenceFlaw::OtherNonce));
    assert_eq!(verdict(None), Err(EvidenceFlaw::OtherNonce));
}

#[test]
fn only_the_key_of_that_name_signs_under_it() {
    let ground = Ground::new();
    let statement = ground.statement();
    let thief = PrivateKey::generate().unwrap();
    let text = statement.sign(&party("change-mgmt"), |message| thief.sign(message));
    assert_eq!(ground.verdict(&text), Err(EvidenceFlaw::Signature));
    let text = statement.sign(&party("other"), |message| ground.key.sign(message));
    assert_eq!(ground.verdict(&text), Err(EvidenceFlaw::Signature));
    let text = statement.sign(&party("nobody"), |message| ground.key.sign(message));
    let unknown = EvidenceFlaw::UnknownSigner { name: party("nobody") };
    assert_eq!(ground.verdict(&text), Err(unknown));
}

#[test]
fn a_head_that_says_anything_else_is_refused() {
    let ground = Ground::new();
    let payload = ground.statement().json().to_string();
    assert!(ground.verdict(&ground.forged(&head(), &payload)).is_ok());
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", json!("eddsa")),
        ("alg", json!(null)),
        ("typ", json!("JWT")),
        ("typ", json!(null)),
        ("kid", json!(7)),
        ("kid", json!("a b")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("jwk", json!({ "kty": "OKP" })),
        ("jku", json!("https://evil.example")),
    ] {
        let mut head = head();
        head[name] = value.clone();
        let text = ground.forged(&head, &payload);
        assert_eq!(ground.verdict(&text), Err(EvidenceFlaw::Head), "{name} {value}");
    }
    // A shared secret made of the public key, which everybody has.
    let mut head = head();
    head["alg"] = json!("HS256");
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", part(&head.to_string()), part(&payload));
    let public = ground.key.public();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    assert_eq!(ground.verdict(&format!("{message}.{tag}")), Err(EvidenceFlaw::Head));
}

#[test]
fn a_payload_that_says_less_or_more_or_otherwise_is_refused() {
    let ground = Ground::new();
    let good = ground.statement().json();
    for (name, value) in [
        ("request", json!(null)),
        ("request", json!("9F".repeat(32))),
        ("request", json!("9f")),
        ("agent", json!("a b")),
        ("name", json!("time")),
        ("name", json!("Change")),
        ("value", json!("a\u{202e}b")),
        ("value", json!(17)),
        ("iat", json!(null)),
        ("iat", json!("now")),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1_795_000_000.5)),
        ("nonce", json!("")),
        ("nonce", json!(null)),
        ("only_if", json!("amount < 5")),
    ] {
        let mut payload = good.clone();
        payload[name] = value.clone();
        let verdict = ground.verdict(&ground.forged(&head(), &payload.to_string()));
        assert!(matches!(verdict, Err(EvidenceFlaw::Member { .. })), "{name} {value}: {verdict:?}");
    }
    let twice = good.to_string().replacen('{', "{\"value\":\"CHG-1\",", 1);
    let verdict = ground.verdict(&ground.forged(&head(), &twice));
    assert_eq!(verdict, Err(EvidenceFlaw::Malformed));
}

#[test]
fn one_letter_changed_anywhere_ends_it() {
    let ground = Ground::new();
    let text = ground.signed(&ground.statement());
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(odd) = String::from_utf8(bytes) else { continue };
        assert!(ground.verdict(&odd).is_err(), "letter {at}");
    }
    for odd in
        ["", ".", "..", "...", &format!("{text}."), &format!("{text}="), text.get(1..).unwrap()]
    {
        assert!(ground.verdict(odd).is_err(), "{odd}");
    }
}

#[test]
fn one_statement_that_does_not_hold_refuses_all_and_so_does_one_too_many() {
    let ground = Ground::new();
    let good = ground.signed(&ground.statement());
    let named = |number: usize| {
        let name = StatementName::parse(&format!("s{number}")).unwrap();
        ground.signed(&Statement { name, ..ground.statement() })
    };
    let late = Statement { end: UnixSeconds(NOW), ..ground.statement() };
    let invalid =
        verify(&[good.clone(), named(1), ground.signed(&late)], &ground.keys, ground.about());
    assert_eq!(invalid.unwrap_err().number, 3);
    let denied = Statement { value: CaveatText::parse("CHG-18").unwrap(), ..ground.statement() };
    for second in [good.clone(), ground.signed(&denied)] {
        let invalid = verify(&[good.clone(), second], &ground.keys, ground.about()).unwrap_err();
        assert_eq!((invalid.number, invalid.why), (2, EvidenceFlaw::Twice));
    }
    let many: Vec<String> = (0..limits::EVIDENCE_MAX).map(named).collect();
    assert_eq!(verify(&many, &ground.keys, ground.about()).unwrap().len(), limits::EVIDENCE_MAX);
    let many: Vec<String> = (0..=limits::EVIDENCE_MAX).map(named).collect();
    let invalid = verify(&many, &ground.keys, ground.about()).unwrap_err();
    assert_eq!(invalid.why, EvidenceFlaw::TooMany);
    let long = format!("{good}{}", "A".repeat(limits::EVIDENCE_BYTES_MAX));
    assert_eq!(ground.verdict(&long), Err(EvidenceFlaw::TooLong));
}
