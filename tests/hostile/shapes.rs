//! Blocks that say what the layout cannot, and bytes that are no token.

use farebox_verifier::{Presented, Refusal, token::Flaw};

use crate::forge::{self, changed, encode, signed, source, with_block};
use crate::world::{asked, grant, world};

fn flaw(token: &str) -> Option<Flaw> {
    match Presented::read(token) {
        Err(Refusal::BadToken(flaw)) => Some(flaw),
        Err(other) => unreachable_code(&other),
        Ok(_) => None,
    }
}

fn unreachable_code(refusal: &Refusal) -> Option<Flaw> {
    assert_eq!(refusal.code(), "bad-token", "reading gives no other refusal");
    None
}

#[test]
fn a_holder_s_block_says_nothing_but_its_vocabulary() {
    let world = world();
    let token = world.mint(&grant());
    let joins = "check if time($a), time($b), time($c), time($d), time($e), $a < $b";
    let facts: String = (0..24).map(|i| format!("x({i});")).collect();
    let burner = format!("{facts} check if x($a), x($b), x($c), x($d), x($e), $a < 0");
    for (code, expected) in [
        ("grant(hex:00000000000000000000000000000000)", Flaw::Facts),
        (r#"action("payments.refund")"#, Flaw::Facts),
        ("time(2000-01-01T00:00:00Z)", Flaw::Facts),
        (r#"request("payments-api", "payments.transfer", "account/43", hex:00)"#, Flaw::Facts),
        ("once($g) <- grant($g)", Flaw::Rules),
        (&burner, Flaw::Facts),
        (joins, Flaw::Check),
        ("check if 1 === 1", Flaw::Check),
        (r#"check if text("/to", $v), $v.matches("(?:[a-z]{1000}){8}x")"#, Flaw::Check),
        (r#"check if text("/to", $v), ($v + "a") === "ab""#, Flaw::Check),
        (r#"check if text("/to", $v), $v.ends_with("a")"#, Flaw::Check),
        (r#"check if text("/to", $v), $v.length() < 3"#, Flaw::Check),
        (r#"check if text("/to", $v), !$v.starts_with("a")"#, Flaw::Check),
        (r#"check if int("/amount", $v), $v < 1 || true"#, Flaw::Check),
        (r#"check if int("/amount", $v), $v == 1"#, Flaw::Check),
        (r#"check if int("/amount", $v), $v.extern::even()"#, Flaw::Check),
        (r#"check if int("/amount", $v), 5 > $v"#, Flaw::Check),
        (r#"check if int("/amount", "x")"#, Flaw::Check),
        (r#"check if int("/amount", $v), $v <= 5 or int("/amount", $v), $v >= 1"#, Flaw::Check),
        (r#"check if int("amount", $v), $v <= 5"#, Flaw::Value),
        (r#"check all int("/amount", $v), $v <= 5"#, Flaw::Check),
        (r#"reject if int("/amount", $v), $v <= 5"#, Flaw::Check),
        (r#"check if int("/amount", $v), $v <= 5 trusting previous"#, Flaw::Scope),
        ("check if change_approved(\"CHG-17\")", Flaw::Check),
        (r#"check if once(hex:07070707070707070707070707070707)"#, Flaw::Check),
        (r#"check if proved(hex:00)"#, Flaw::Value),
        ("check if [1, 2].any($x -> $x === 1)", Flaw::Check),
    ] {
        let token = with_block(&world, &token, code);
        assert_eq!(flaw(&token), Some(expected), "{code}");
        assert_eq!(world.code(&token, &asked()), "bad-token");
    }
}

#[test]
fn a_block_that_trusts_others_is_refused() {
    use biscuit_auth::builder::{BlockBuilder, Scope};
    let world = world();
    let token = forge::foreign(&world, &world.mint(&grant()));
    for scope in [Scope::Authority, Scope::Previous, Scope::PublicKey(forge::pair(9).public())] {
        let block =
            BlockBuilder::new().scope(scope).code("check if time($t), $t < 2030-01-01T00:00:00Z");
        let token = forge::text(&token.append(block.unwrap()).unwrap());
        assert_eq!(flaw(&token), Some(Flaw::Scope));
    }
}

#[test]
fn a_check_typed_by_hand_in_another_library_is_read() {
    let world = world();
    let token = world.mint(&grant());
    for (code, expected) in [
        ("check if time($now), $now <= 2027-01-15T08:00:10Z", "verified"),
        ("check if time($now), $now < 2027-01-15T08:00:00Z", "expired"),
        (r#"check if int("/amount", $a), $a > 0, $a < 4001"#, "verified"),
        (r#"check if int("/amount", $a), $a > 4000"#, "caveat-failed"),
        (r#"check if int("/amount", $a), $a >= 4000"#, "verified"),
        (r#"check if text("/to", $to), $to === "acme""#, "verified"),
        (r#"check if text("/to", "globex")"#, "caveat-failed"),
        (r#"check if text("/to", $to), {"acme", "globex"}.contains($to)"#, "verified"),
        (r#"check if text("/to", $to), $to.starts_with("ac")"#, "verified"),
    ] {
        let token = with_block(&world, &token, code);
        assert_eq!(world.code(&token, &asked()), expected, "{code}");
    }
}

#[test]
fn an_authority_block_is_the_layout_s_even_under_the_issuer_s_own_signature() {
    let world = world();
    let code = source(&world, &world.mint(&grant()));
    assert_eq!(flaw(&signed("farebox/1", &code)), None, "the layout itself");
    let with = |more: &str| signed("farebox/1", &format!("{code} {more}"));
    let without = |line: &str| {
        let (whole, kept): (Vec<_>, Vec<_>) = code.lines().partition(|l| l.starts_with(line));
        assert_eq!(whole.len(), 1, "{line}");
        signed("farebox/1", &kept.join("\n"))
    };
    let once = "check if once(hex:07070707070707070707070707070707)";
    let other_once = code.replace(once, "check if once(hex:08080808080808080808080808080808)");
    assert_ne!(other_once, code);
    for (token, expected) in [
        (signed("farebox/2", &code), Flaw::Layout),
        (signed("", &code), Flaw::Layout),
        (signed("", r#"user("alice"); check if operation("read");"#), Flaw::Layout),
        (with("grant(hex:08080808080808080808080808080808);"), Flaw::Facts),
        (with(r#"action("payments.refund");"#), Flaw::Facts),
        (with(r#"admin("yes");"#), Flaw::Facts),
        (with("once($g) <- grant($g);"), Flaw::Rules),
        (with("check if time($t), $t > 2000-01-01T00:00:00Z;"), Flaw::Check),
        (with("check if true;"), Flaw::Check),
        (without("grant("), Flaw::Facts),
        (without("audience("), Flaw::Facts),
        (without("check if request("), Flaw::Check),
        (without("check if once("), Flaw::Check),
        (signed("farebox/1", &other_once), Flaw::NotCanonical),
    ] {
        assert_eq!(flaw(&token), Some(expected), "{token}");
    }
}

#[test]
fn a_token_of_other_keys_or_more_blocks_is_no_token() {
    let world = world();
    let token = world.mint(&grant());
    let token = token.expose();
    let p256 = changed(token, |t| t.authority.next_key.algorithm = 1);
    let weak = changed(token, |t| t.authority.next_key.key = vec![0; 32]);
    let short = changed(token, |t| t.authority.signature.truncate(63));
    let crowd = changed(token, |t| t.blocks = vec![t.authority.clone(); 4]);
    let three = changed(token, |t| t.blocks = vec![t.authority.clone(); 3]);
    let unproved = changed(token, |t| t.proof.content = None);
    for (token, expected) in [
        (p256, Flaw::Algorithm),
        (weak, Flaw::SmallOrder),
        (short, Flaw::Algorithm),
        (crowd, Flaw::Blocks),
        (three, Flaw::Blocks),
        (unproved, Flaw::Protobuf),
    ] {
        assert_eq!(flaw(&token), Some(expected));
    }
}

#[test]
fn bytes_that_mean_nothing_have_no_place() {
    let world = world();
    let token = world.mint(&grant());
    let bytes = forge::bytes(token.expose());
    let unknown_field = [bytes.as_slice(), &[0x98, 0x06, 0x01]].concat();
    // The key's number, 17, spelled with a spare byte.
    let spare = [&[0x08, 0x91, 0x00], &bytes[2..]].concat();
    let twice = [&bytes[..2], bytes.as_slice()].concat();
    for bytes in [unknown_field, spare, twice] {
        assert_eq!(flaw(&encode(&bytes)), Some(Flaw::Protobuf));
    }
}

#[test]
fn a_text_has_one_spelling() {
    let world = world();
    let token = world.mint(&grant());
    let token = token.expose();
    let (padded, spaced) = (format!("{token}="), format!(" {token}"));
    let standard = token.replace('-', "+").replace('_', "/");
    for text in [padded.as_str(), &spaced, "", "é", "biscuit:AAAA"] {
        let flaw = flaw(text);
        assert!(matches!(flaw, Some(Flaw::Text | Flaw::Protobuf)), "{text:.20}: {flaw:?}");
    }
    if standard != token {
        assert_eq!(flaw(&standard), Some(Flaw::Text));
    }
}

#[test]
fn a_token_cut_anywhere_is_no_token() {
    let world = world();
    let token = world.mint(&grant());
    let bytes = forge::bytes(token.expose());
    for length in 0..bytes.len() {
        assert!(flaw(&encode(&bytes[..length])).is_some(), "{length}");
    }
}

#[test]
fn a_token_is_at_most_four_kibibytes() {
    assert_eq!(flaw(&"A".repeat(5465)), Some(Flaw::TooLong));
    assert_eq!(flaw(&"A".repeat(10_000_000)), Some(Flaw::TooLong));
}
