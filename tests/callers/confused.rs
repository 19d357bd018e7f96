//! Tokens that are confused on purpose: about who signed them, with what, for whom and until when.

use farebox::callers::{Reason, Role};
use serde_json::{Value, json};

use super::ground::{Ground, NOW, at, oidc, rule};
use super::provider::{Answer, Provider};
use super::signing::{Key, claims, claims_but, head, text};

/// A ground whose provider has an RSA key `r`, a P-256 key `p` and an Ed25519 key `e`.
async fn ground() -> (Ground, Provider, [Key; 3]) {
    let keys = [Key::rsa(0), Key::p256(), Key::ed25519(1)];
    let jwks = keys.iter().zip(["r", "p", "e"]).map(|(key, kid)| key.jwk(kid)).collect();
    let provider = Provider::start(Answer::Keys(jwks)).await;
    (Ground::taking(oidc(at(&provider.url()))), provider, keys)
}

#[tokio::test]
async fn a_good_token_is_taken_whatever_it_is_signed_with() {
    let (ground, _provider, [r, p, e]) = ground().await;
    for (key, alg, kid) in
        [(&r, "RS256", "r"), (&r, "PS256", "r"), (&p, "ES256", "p"), (&e, "EdDSA", "e")]
    {
        let caller = ground.who(&key.token(&head(alg, kid), &claims())).await.unwrap();
        assert_eq!(caller.name.as_str(), "oidc:corp:alice", "{alg}");
        assert!(caller.roles.holds(Role::Mint));
        assert_eq!(caller.authenticated.0, NOW - 10);
        assert_eq!(caller.credential.word(), "oidc");
    }
}

#[tokio::test]
async fn an_algorithm_is_the_source_s_choice_and_never_the_token_s() {
    let (ground, _provider, [r, p, e]) = ground().await;
    let message = |head: &Value| {
        format!("{}.{}", text(head.to_string().as_bytes()), text(claims().to_string().as_bytes()))
    };
    // No signature at all.
    for alg in ["none", "None", "NONE", "nOnE"] {
        let unsigned = message(&head(alg, "r"));
        assert_eq!(ground.who(&format!("{unsigned}.")).await, Err(Reason::Neither));
        assert_eq!(ground.who(&format!("{unsigned}.AA")).await, Err(Reason::Algorithm), "{alg}");
    }
    // The public key, which everybody has, as a shared secret: in each of the forms in which people do it.
    let jwk = r.jwk("r");
    let n = jwk["n"].as_str().unwrap();
    for secret in [n.as_bytes().to_vec(), jwk.to_string().into_bytes()] {
        let message = message(&head("HS256", "r"));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let tag = text(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref());
        assert_eq!(ground.who(&format!("{message}.{tag}")).await, Err(Reason::Algorithm));
    }
    // One that the library knows and the source is not pinned to.
    let other = r.token(&head("RS512", "r"), &claims());
    assert_eq!(ground.who(&other).await, Err(Reason::Algorithm));
    // A key of another kind than the algorithm needs.
    for (key, alg, kid) in
        [(&r, "ES256", "r"), (&p, "RS256", "p"), (&e, "RS256", "e"), (&p, "EdDSA", "p")]
    {
        let token = key.token(&head(alg, kid), &claims());
        assert_eq!(ground.who(&token).await, Err(Reason::KeyKind), "{alg} {kid}");
    }
    // PKCS #1 where PSS is said.
    let token = r.token(&head("RS256", "r"), &claims());
    let signature = token.rsplit('.').next().unwrap();
    let swapped = format!("{}.{signature}", message(&head("PS256", "r")));
    assert_eq!(ground.who(&swapped).await, Err(Reason::Signature));
}

#[tokio::test]
async fn a_token_brings_no_key_of_its_own() {
    let (ground, provider, _) = ground().await;
    let thief = Key::ed25519(66);
    let theirs = Provider::start(Answer::Keys(vec![thief.jwk("e")])).await;
    for more in [
        json!({ "jwk": thief.jwk("e") }),
        json!({ "jku": theirs.url() }),
        json!({ "x5u": theirs.url() }),
        json!({ "x5c": ["MIIB"] }),
    ] {
        let mut head = head("EdDSA", "e");
        head.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let token = thief.token(&head, &claims());
        assert_eq!(ground.who(&token).await, Err(Reason::Signature), "{more}");
    }
    assert_eq!(theirs.asked(), 0, "nobody looks where a token points");
    // Nor a name that leads elsewhere.
    for kid in
        ["../../etc/passwd", "/dev/null", "e' OR '1'='1", "e\u{0}", "https://evil/k", "", "E"]
    {
        let token = thief.token(&head("EdDSA", kid), &claims());
        assert_eq!(ground.who(&token).await, Err(Reason::UnknownKey), "{kid:?}");
    }
    for kid in [json!(7), json!(["e"]), json!("k".repeat(257))] {
        let token = thief.token(&json!({ "alg": "EdDSA", "kid": kid }), &claims());
        assert_eq!(ground.who(&token).await, Err(Reason::Malformed));
    }
    assert_eq!(provider.asked(), 1, "unknown names do not make us ask again and again");
}

#[tokio::test]
async fn a_token_is_for_us_from_whom_we_know_and_of_now() {
    let (ground, _provider, [_, _, e]) = ground().await;
    let from = || farebox::callers::SourceName::parse("corp").unwrap();
    let ended = |end| Reason::Expired { from: from(), end: farebox_verifier::UnixSeconds(end) };
    let late = || Reason::NotYet { from: from() };
    for (name, value, why) in [
        ("aud", json!("https://other.example"), Reason::Audience),
        ("aud", json!(["https://other.example", "https://farebox.example.evil"]), Reason::Audience),
        ("aud", json!("https://farebox.example/"), Reason::Audience),
        ("aud", json!(null), Reason::Audience),
        ("aud", json!({ "https://farebox.example": true }), Reason::Audience),
        ("iss", json!("https://corp.example/"), Reason::UnknownIssuer),
        ("iss", json!("https://CORP.example"), Reason::UnknownIssuer),
        ("iss", json!(["https://corp.example"]), Reason::UnknownIssuer),
        ("iss", json!(null), Reason::UnknownIssuer),
        ("exp", json!(NOW), ended(NOW)),
        ("exp", json!(NOW - 1), ended(NOW - 1)),
        ("exp", json!(0), ended(0)),
        ("exp", json!(null), Reason::Endless { from: from() }),
        ("exp", json!("2099"), Reason::Malformed),
        ("exp", json!(-1), Reason::Malformed),
        ("exp", json!([NOW + 60]), Reason::Malformed),
        ("nbf", json!(NOW + 1), late()),
        ("iat", json!(NOW + 1), late()),
        ("sub", json!(null), Reason::Name),
        ("sub", json!(""), Reason::Name),
        ("sub", json!("a\u{202e}b"), Reason::Name),
        ("sub", json!("a b"), Reason::Name),
        ("sub", json!(["alice"]), Reason::Name),
        ("sub", json!("a".repeat(600)), Reason::Name),
        ("team", json!("sales"), Reason::NoRule { from: from() }),
        ("team", json!(null), Reason::NoRule { from: from() }),
    ] {
        let token = e.token(&head("EdDSA", "e"), &claims_but(name, value.clone()));
        assert_eq!(ground.who(&token).await, Err(why), "{name} {value}");
    }
    for (name, value) in [
        ("aud", json!(["https://other.example", "https://farebox.example"])),
        ("exp", json!(NOW + 1)),
        ("exp", json!(1_795_000_001.5)),
        ("nbf", json!(NOW)),
        ("iat", json!(NOW)),
        ("iat", json!(null)),
        ("team", json!(["sales", "billing"])),
    ] {
        let token = e.token(&head("EdDSA", "e"), &claims_but(name, value.clone()));
        assert!(ground.who(&token).await.is_ok(), "{name} {value}");
    }
}

#[tokio::test]
async fn a_token_that_could_be_read_in_two_ways_is_not_read() {
    let (ground, _provider, [_, _, e]) = ground().await;
    let good = claims().to_string();
    let twice = good.replacen('{', r#"{"sub":"admin","#, 1);
    for (head, claims, why) in [
        (r#"{"alg":"EdDSA","kid":"e"}"#, twice.as_str(), Reason::Malformed),
        (r#"{"alg":"none","alg":"EdDSA","kid":"e"}"#, &good, Reason::Malformed),
        (r#"{"alg":"EdDSA","kid":"e","crit":["exp"]}"#, &good, Reason::Critical),
        (r#"{"alg":"EdDSA","kid":"e","b64":false,"crit":["b64"]}"#, &good, Reason::Critical),
        (r#"{"alg":"EdDSA","kid":"e","typ":"logout+jwt"}"#, &good, Reason::Type),
        (r#"{"alg":"EdDSA","kid":"e","typ":"dpop+jwt"}"#, &good, Reason::Type),
        (r#"{"alg":"EdDSA","kid":"e","typ":7}"#, &good, Reason::Type),
        (r#"{"kid":"e"}"#, &good, Reason::Malformed),
        (r#"["EdDSA"]"#, &good, Reason::Malformed),
        (r#"{"alg":"EdDSA","kid":"e"}"#, "[]", Reason::Malformed),
        (r#"{"alg":"EdDSA","kid":"e"}"#, "{}", Reason::UnknownIssuer),
        (r#"{"alg":"EdDSA","kid":"e"} x"#, &good, Reason::Malformed),
    ] {
        let token = e.token_of(head, claims);
        assert_eq!(ground.who(&token).await, Err(why), "{head}");
    }
    let token = e.token(&head("EdDSA", "e"), &claims());
    let parts: Vec<&str> = token.split('.').collect();
    for odd in [
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.x"),
        format!("{token}.x.y"),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}=", parts[0], parts[1], parts[2]),
        format!("{token}A"),
        format!(" {token}"),
        token.get(..token.len() - 1).unwrap().to_owned(),
    ] {
        assert!(ground.who(&odd).await.is_err(), "{odd}");
    }
    let huge = e.token(&head("EdDSA", "e"), &claims_but("x", json!("x".repeat(8_192))));
    assert_eq!(ground.who(&huge).await, Err(Reason::TooLong));
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let deep = good.replacen('{', &format!(r#"{{"x":{deep},"#), 1);
    assert_eq!(
        ground.who(&e.token_of(r#"{"alg":"EdDSA","kid":"e"}"#, &deep)).await,
        Err(Reason::Malformed)
    );
}

#[tokio::test]
async fn one_bit_changed_anywhere_is_another_token() {
    let (ground, _provider, [_, _, e]) = ground().await;
    let token = e.token(&head("EdDSA", "e"), &claims());
    assert!(ground.who(&token).await.is_ok());
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(odd) = String::from_utf8(bytes) else { continue };
        assert!(ground.who(&odd).await.is_err(), "letter {at}");
    }
}

#[tokio::test]
async fn a_token_without_a_key_s_name_is_taken_only_where_one_key_can_be_meant() {
    let (ground, provider, [r, p, e]) = ground().await;
    let head = json!({ "alg": "EdDSA" });
    assert!(ground.who(&e.token(&head, &claims())).await.is_ok());
    let more = [(&r, "r"), (&p, "p"), (&e, "e")].map(|(key, kid)| key.jwk(kid));
    let more = more.into_iter().chain([Key::ed25519(2).jwk("e2")]).collect();
    provider.answers(Answer::Keys(more));
    ground.clock.advance(11);
    ground.callers.tend().map(drop).unwrap();
    let token = e.token(&json!({ "alg": "EdDSA", "kid": "e2" }), &claims());
    assert_eq!(ground.who(&token).await, Err(Reason::Signature));
    assert_eq!(ground.who(&e.token(&head, &claims())).await, Err(Reason::UnknownKey));
}

#[tokio::test]
async fn no_source_takes_the_word_of_another() {
    let (ours, theirs) = (Key::ed25519(1), Key::ed25519(2));
    let good = Provider::start(Answer::Keys(vec![ours.jwk("e")])).await;
    let evil = Provider::start(Answer::Keys(vec![theirs.jwk("e")])).await;
    let mut other = oidc(at(&evil.url()));
    other.name = farebox::callers::SourceName::parse("evil").unwrap();
    other.kind = farebox::callers::jwt::SourceKind::Oidc {
        issuer: "https://evil.example".into(),
        subject: super::ground::path("sub"),
    };
    other.rules = vec![rule(&[("team", &["billing"])], &[Role::Read])];
    let jwt = vec![oidc(at(&good.url())), other];
    let ground = Ground::with(farebox::callers::Settings { jwt, ..Default::default() });
    // Signed by the one, and saying that it is the other's.
    let token = theirs.token(&head("EdDSA", "e"), &claims());
    assert_eq!(ground.who(&token).await, Err(Reason::Signature));
    let token =
        theirs.token(&head("EdDSA", "e"), &claims_but("iss", json!("https://evil.example")));
    let caller = ground.who(&token).await.unwrap();
    assert_eq!(caller.name.as_str(), "oidc:evil:alice");
    assert!(!caller.roles.holds(Role::Mint));
}
