//! Tokens of the right shape, for another request, time, key or holder.

use farebox_verifier::token::{narrow, unverified_statement_payload};
use farebox_verifier::{
    Action, Audience, Caveat, CaveatText, Grant, Issuer, KeyRing, OneOf, OutputName, Outputs,
    Pointer, Refusal, Resource, Sent, StatementName, TokenText, UnixSeconds, Uses,
};

use crate::forge;
use crate::world::{Asked, KEY_ID, NOW, World, asked, grant, key, world};

pub(crate) fn code(world: &World, token: &TokenText, asked: &Asked) -> &'static str {
    world.code(token.expose(), asked)
}

fn at(pointer: &str) -> Pointer {
    Pointer::parse(pointer).unwrap()
}

fn text(text: &str) -> CaveatText {
    CaveatText::parse(text).unwrap()
}

/// A grant whose amount and receiver may vary.
pub(crate) fn bounded() -> Grant {
    let (amount, to) = (at("/amount"), at("/to"));
    let caveats = vec![
        Caveat::IntAtLeast(amount.clone(), 1),
        Caveat::IntAtMost(amount.clone(), 5000),
        Caveat::TextOneOf(to.clone(), OneOf::new(["acme", "globex"].map(text)).unwrap()),
    ];
    let varies = vec![amount, to];
    let params = asked().params.digest_without(&varies).unwrap();
    Grant { params, varies, caveats, ..grant() }
}

pub(crate) fn bound_to_holder(world: &World) -> Grant {
    Grant { holder: Some(world.holder.public()), ..grant() }
}

#[test]
fn a_token_covers_its_own_request() {
    let world = world();
    assert_eq!(code(&world, &world.mint(&grant()), &asked()), "verified");
}

#[test]
fn a_token_covers_no_other_request() {
    let world = world();
    let token = world.mint(&grant());
    let audience = Asked { audience: Audience::parse("ledger-api").unwrap(), ..asked() };
    let action = Asked { action: Action::parse("payments.refund").unwrap(), ..asked() };
    let resource = Asked { resource: Resource::parse("account/43").unwrap(), ..asked() };
    let amount = asked().params(r#"{"amount":4001,"to":"acme"}"#);
    let more = asked().params(r#"{"amount":4000,"to":"acme","fee":1}"#);
    let none = asked().params("{}");
    for (asked, expected) in [
        (audience, "wrong-audience"),
        (action, "wrong-action"),
        (resource, "wrong-resource"),
        (amount, "wrong-params"),
        (more, "wrong-params"),
        (none, "wrong-params"),
    ] {
        assert_eq!(code(&world, &token, &asked), expected);
    }
}

#[test]
fn the_order_of_members_is_no_other_request() {
    let world = world();
    let asked = asked().params(r#"{ "to": "acme", "amount": 4000.0 }"#);
    assert_eq!(code(&world, &world.mint(&grant()), &asked), "verified");
}

#[test]
fn a_token_is_worth_nothing_outside_its_window() {
    let world = world();
    let token = world.mint(&grant());
    let (begin, end) = (NOW.minus(30), NOW.plus(60));
    for (now, expected) in [
        (begin.minus(1), "not-yet-valid"),
        (begin, "verified"),
        (end.minus(1), "verified"),
        (end, "expired"),
        (end.plus(1), "expired"),
        (UnixSeconds(0), "not-yet-valid"),
        (UnixSeconds(u64::MAX), "expired"),
    ] {
        world.clock.set(now);
        assert_eq!(code(&world, &token, &asked()), expected, "{now:?}");
    }
}

#[test]
fn a_token_narrowed_in_time_ends_earlier_and_never_later() {
    let world = world();
    let token = world.mint(&grant());
    let earlier = narrow(&token, &[Caveat::Before(NOW.plus(10))]).unwrap();
    let later = narrow(&token, &[Caveat::Before(NOW.plus(3000))]).unwrap();
    world.clock.set(NOW.plus(10));
    assert_eq!(code(&world, &earlier, &asked()), "expired");
    assert_eq!(code(&world, &later, &asked()), "verified");
    world.clock.set(NOW.plus(60));
    assert_eq!(code(&world, &later, &asked()), "expired");
}

#[test]
fn only_a_trusted_issuer_is_believed() {
    let world = world();
    let token = world.mint(&grant());
    let unknown = forge::changed(token.expose(), |t| t.root_key_id = Some(99));
    assert_eq!(world.code(&unknown, &asked()), "unknown-key");
    let unnamed = forge::changed(token.expose(), |t| t.root_key_id = None);
    assert_eq!(world.code(&unnamed, &asked()), "unknown-key");

    let mut ring = KeyRing::default();
    ring.add_issuer(KEY_ID, Issuer::Trusted(key(9).public())).unwrap();
    ring.add_issuer(18, Issuer::Trusted(key(1).public())).unwrap();
    world.keys.swap(ring);
    // The number stands for another key now, and the old key for another number.
    assert_eq!(code(&world, &token, &asked()), "bad-token");
    // The key's number is outside the signature: it only says which key to try.
    let renumbered = forge::changed(token.expose(), |t| t.root_key_id = Some(18));
    assert_eq!(world.code(&renumbered, &asked()), "verified");
}

#[test]
fn retiring_a_key_kills_its_tokens_at_once() {
    let world = world();
    let token = world.mint(&grant());
    assert_eq!(code(&world, &token, &asked()), "verified");
    let mut ring = KeyRing::default();
    ring.add_issuer(KEY_ID, Issuer::Retired(world.signer.public())).unwrap();
    world.keys.swap(ring);
    let refused = world.verify(token.expose(), &asked()).err();
    assert_eq!(refused, Some(Refusal::UnknownKey { key_id: Some(KEY_ID), retired: true }));
}

#[test]
fn a_bounded_member_stays_within_its_bounds() {
    let world = world();
    let token = world.mint(&bounded());
    for (params, expected) in [
        (r#"{"amount":5000,"to":"globex"}"#, "verified"),
        (r#"{"amount":1,"to":"acme"}"#, "verified"),
        (r#"{"amount":5001,"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":0,"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":-4000,"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":"4000","to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":4000.5,"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":[4000],"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":4000,"to":"thief"}"#, "caveat-failed"),
        (r#"{"amount":4000,"to":null}"#, "caveat-failed"),
        (r#"{"amount":4000}"#, "caveat-failed"),
        (r#"{"to":"acme"}"#, "caveat-failed"),
        (r#"{"amount":4000,"to":"acme","cc":"thief"}"#, "wrong-params"),
    ] {
        assert_eq!(code(&world, &token, &asked().params(params)), expected, "{params}");
    }
}

#[test]
fn a_bounded_member_sent_twice_reaches_no_verifier() {
    let twice = farebox_verifier::Params::parse(br#"{"amount":1,"amount":9000,"to":"acme"}"#);
    assert!(twice.is_err());
}

#[test]
fn a_digest_alone_is_enough_for_exact_parameters_only() {
    let world = world();
    let asked = asked();
    let sent = Sent::Digest(asked.params.digest());
    for (grant, expected) in [(grant(), None), (bounded(), Some("wrong-params"))] {
        let presented = farebox_verifier::Presented::read(world.mint(&grant).expose()).unwrap();
        let request = farebox_verifier::Request { sent, ..asked.request() };
        let refused = world.verifier.verify(presented, &request).err();
        assert_eq!(refused.map(|refusal| refusal.code()), expected);
    }
}

#[test]
fn a_narrowed_token_allows_less_and_cannot_be_widened_again() {
    let world = world();
    let token = world.mint(&bounded());
    let narrow_1 = narrow(&token, &[Caveat::IntAtMost(at("/amount"), 100)]).unwrap();
    let narrow_2 = narrow(&narrow_1, &[Caveat::IntAtMost(at("/amount"), 9000)]).unwrap();
    let cheap = asked().params(r#"{"amount":100,"to":"acme"}"#);
    for token in [&narrow_1, &narrow_2] {
        assert_eq!(code(&world, token, &cheap), "verified");
        assert_eq!(code(&world, token, &asked()), "caveat-failed");
    }
    assert!(narrow(&narrow_2, &[Caveat::Before(NOW)]).is_err(), "a third holder's block");
    // Dropping the block leaves the wrong secret at the end, and a foreign one helps nobody.
    let cut = forge::changed(narrow_1.expose(), |t| t.blocks.clear());
    assert_eq!(world.code(&cut, &asked()), "bad-token");
    let spliced = forge::changed(narrow_1.expose(), |t| {
        t.blocks.clear();
        t.proof = schema_of(token.expose()).proof;
    });
    // Whoever has the token as it was before has no less than that token, and no more.
    assert_eq!(spliced, token.expose());
}

fn schema_of(token: &str) -> biscuit_auth::format::schema::Biscuit {
    use prost::Message as _;
    biscuit_auth::format::schema::Biscuit::decode(forge::bytes(token).as_slice()).unwrap()
}

#[test]
fn a_third_party_s_word_counts_for_this_token_and_this_value_only() {
    let (world, change_mgmt) = (world(), key(3));
    let name = StatementName::parse("change_approved").unwrap();
    let signed = Caveat::Signed(name.clone(), text("CHG-17"), change_mgmt.public());
    let token = world.mint(&Grant { caveats: vec![signed.clone()], ..grant() });
    assert_eq!(code(&world, &token, &asked()), "caveat-failed");

    let statement = |of: &TokenText, value: &str, by: u8| {
        let (name, value, by) = (name.clone(), text(value), key(by));
        let signature = by.sign(&unverified_statement_payload(of, &name, &value).unwrap());
        farebox_verifier::token::Statement { name, value, key: by.public(), signature }
    };
    let append = farebox_verifier::token::append_statement;
    let good = append(&token, &statement(&token, "CHG-17", 3)).unwrap();
    assert_eq!(code(&world, &good, &asked()), "verified");
    let other_change = append(&token, &statement(&token, "CHG-18", 3)).unwrap();
    assert_eq!(code(&world, &other_change, &asked()), "caveat-failed");
    assert!(append(&token, &statement(&token, "CHG-17", 4)).is_err(), "a signer nobody asked");
    assert!(append(&good, &statement(&good, "CHG-17", 3)).is_err(), "a second statement");

    let id = farebox_verifier::GrantId::from_bytes([8; 16]);
    let other = world.mint(&Grant { id, caveats: vec![signed], ..grant() });
    let moved = append(&other, &statement(&token, "CHG-17", 3)).unwrap();
    assert_eq!(code(&world, &moved, &asked()), "bad-token");
}

#[test]
fn output_caveats_are_for_who_enforces_them() {
    let world = world();
    let rows = Caveat::OutputMax(OutputName::parse("rows").unwrap(), 1);
    let token = world.mint(&Grant { caveats: vec![rows], ..grant() });
    assert_eq!(code(&world, &token, &asked()), "verified");
    let unseen = Asked { outputs: Outputs::Unseen, ..asked() };
    assert_eq!(code(&world, &token, &unseen), "caveat-failed");
}

#[test]
fn a_token_that_needs_no_store_is_taken_only_where_that_is_configured() {
    let world = world();
    let token = world.mint(&Grant { uses: Uses::Fresh, ..grant() });
    assert_eq!(code(&world, &token, &asked()), "bad-token");
    let taken = farebox_verifier::FreshTokens::Taken;
    let lenient = World { verifier: world.verifier.clone().with_fresh_tokens(taken), ..world };
    assert_eq!(code(&lenient, &token, &asked()), "verified");
}

#[test]
fn a_token_of_another_number_of_stores_is_refused() {
    use farebox_verifier::{Keys, Registered, Verifier};
    let world = world();
    let mut ring = KeyRing::default();
    ring.add_issuer(KEY_ID, Issuer::Trusted(world.signer.public())).unwrap();
    let verifier =
        Verifier::new(Keys::new(ring).into(), Registered::In(std::num::NonZeroUsize::MIN));
    let token = world.mint(&grant());
    let strict = World { verifier: verifier.with_clock(world.clock.clone() as _), ..world };
    assert_eq!(code(&strict, &token, &asked()), "bad-token");
}

#[test]
fn a_third_party_states_nothing_of_a_token_that_says_other_than_was_signed() {
    let world = world();
    let (name, value) = (StatementName::parse("change_approved").unwrap(), text("CHG-17"));
    let signed = Caveat::Signed(name.clone(), value.clone(), key(3).public());
    let real = world.mint(&Grant { caveats: vec![signed.clone()], ..grant() });
    let resource = Resource::parse("account/harmless").unwrap();
    let shown = Grant { resource, caveats: vec![signed], ..grant() };
    let shown = farebox::signer::Signer::new(KEY_ID, key(66)).mint(&shown).unwrap();
    // Shown to the third party: harmless words, over the signature of the real token.
    let signature = schema_of(real.expose()).authority.signature;
    let shown = forge::changed(shown.expose(), |t| t.authority.signature = signature);
    let ask = |token: &str| {
        let presented = farebox_verifier::Presented::read(token).unwrap();
        world.verifier.statement_payload(presented, &name, &value)
    };
    assert_eq!(ask(&shown).err().map(|refusal| refusal.code()), Some("bad-token"));
    assert!(ask(real.expose()).is_ok());
}

#[test]
fn a_key_has_one_number() {
    let mut ring = KeyRing::default();
    ring.add_issuer(16, Issuer::Retired(key(1).public())).unwrap();
    // Its tokens would be taken again by the other number.
    assert!(ring.add_issuer(17, Issuer::Trusted(key(1).public())).is_err());
    assert!(ring.add_issuer(16, Issuer::Trusted(key(2).public())).is_err());
}

#[test]
fn what_no_reader_takes_is_not_minted() {
    let world = world();
    let empty = Caveat::TextPrefix(at("/to"), text(""));
    let params = asked().params.digest_without(&[at("/to")]).unwrap();
    for grant in [
        Grant { caveats: vec![Caveat::Before(UnixSeconds(u64::MAX))], ..grant() },
        Grant { caveats: vec![empty], varies: vec![at("/to")], params, ..grant() },
        Grant { varies: vec![at("/to")], params, ..grant() },
    ] {
        assert!(world.signer.mint(&grant).is_err(), "{:?}", grant.caveats);
    }
}
