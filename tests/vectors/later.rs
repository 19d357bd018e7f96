//! Blocks that holders appended, signed as they should be, which say what no holder may say.

use biscuit_auth::builder::{BlockBuilder, Scope};
use farebox_verifier::{Caveat, UnixSeconds};

use super::biscuit::{self, append, typed};
use super::case::{Case, bad};
use super::fixture::{NEXT, NOW, STRANGER, at, grant, held, mint};
use super::forge;
use super::verified::holder_block;

pub(super) fn cases() -> Vec<Case> {
    let kinds = [widening(), checks(), expressions(), blocks()];
    kinds.into_iter().flatten().collect()
}

/// A case for a block typed by hand, on the plain token.
fn case(flaw: &str, name: &str, why: &str, code: &str) -> Case {
    bad(flaw, name, why, &typed(mint(&grant()).expose(), code, NEXT[0]))
}

/// Whatever could make a check hold, of this block or of another.
fn widening() -> Vec<Case> {
    let scoped = BlockBuilder::new().code(r#"check if text("/to", "acme")"#).unwrap();
    let scoped = append(mint(&grant()).expose(), scoped.scope(Scope::Previous), NEXT[0]);
    let key = STRANGER.public();
    let time = "time(2027-01-15T08:00:00Z); check if time($t), $t < 2027-01-15T08:00:30Z;";
    let trusting = format!(r#"check if change_approved("CHG-17") trusting ed25519/{key}"#);
    let own = typed(mint(&held()).expose(), &format!("proved(hex:{key})"), NEXT[0]);
    vec![
        case("facts", "later-fact", "a holder gives itself time", time),
        case("facts", "later-grant", "a holder gives itself another grant", "grant(hex:08)"),
        bad("facts", "later-proved", "a holder proves by saying so", &own),
        case("rules", "later-rule", "a holder derives what was not given", "once($g) <- grant($g)"),
        bad("scope", "later-block-scope", "a scope for the whole block", &scoped),
        case(
            "scope",
            "later-trusts-authority",
            "a check's scope",
            r#"check if text("/to", "acme") trusting authority"#,
        ),
        case("scope", "later-names-a-signer", "only the issuer names third parties", &trusting),
    ]
}

fn checks() -> Vec<Case> {
    let nine = (0..9).map(|i| format!(r#"check if int("/amount", $v), $v <= {};"#, 90 - i));
    let nine: String = nine.collect();
    let three = r#"check if int("/amount", $v), $v > 0, $v < 100, $v <= 99"#;
    vec![
        case("check", "later-user", "no such predicate", r#"check if user("alice")"#),
        case("check", "later-once", "a tie is the issuer's alone", "check if once($g)"),
        case(
            "check",
            "later-join",
            "a join is where a small token burns a big CPU",
            r#"check if int("/amount", $v), int("/max", $w), $v <= $w"#,
        ),
        case(
            "check",
            "later-or",
            "one query for each check",
            r#"check if text("/to", "acme") or text("/to", "globex")"#,
        ),
        case("check", "later-all", "`check all`", r#"check all int("/amount", $v), $v <= 100"#),
        case("check", "later-reject", "`reject if`", r#"reject if text("/to", "globex")"#),
        case("check", "later-nine", "more checks than a holder may append", &nine),
        case("check", "later-three-comparisons", "more comparisons than two", three),
        bad(
            "check",
            "later-empty",
            "a block that says nothing",
            &append(mint(&grant()).expose(), BlockBuilder::new(), NEXT[0]),
        ),
    ]
}

/// Comparisons that the vocabulary has no word for.
fn expressions() -> Vec<Case> {
    let table = [
        (
            "later-lenient-equal",
            "`==` is true or false of any two types",
            r#"check if text("/to", $v), $v == "acme""#,
        ),
        ("later-not-equal", "no negation", r#"check if text("/to", $v), $v !== "globex""#),
        ("later-regex", "no patterns", r#"check if text("/to", $v), $v.matches("a.*")"#),
        ("later-suffix", "no endings", r#"check if text("/to", $v), $v.ends_with("me")"#),
        ("later-or-within", "no `or`", r#"check if int("/amount", $v), $v < 41 || $v > 1000"#),
        ("later-sum", "no arithmetic", r#"check if int("/amount", $v), $v + 1 < 42"#),
        (
            "later-turned",
            "the bound stands on the right",
            r#"check if int("/amount", $v), 41 > $v"#,
        ),
        (
            "later-time-after",
            "no holder postpones a token",
            "check if time($t), $t >= 2027-01-15T08:00:00Z",
        ),
        ("later-any-path", "the pointer is a text", r#"check if int($p, $v), $v <= 100"#),
        (
            "later-int-as-text",
            "a text is compared with a text",
            r#"check if text("/to", $v), $v === 40"#,
        ),
    ];
    let mut cases: Vec<Case> =
        table.into_iter().map(|(name, why, code)| case("check", name, why, code)).collect();
    let never = r#"check if int("/amount", $v), $v < -9223372036854775808"#;
    cases.push(case("value", "later-less-than-least", "no integer is less", never));
    let late = [("later-after-9999", UnixSeconds(253_402_300_800))];
    cases.extend(late.map(|(name, end)| {
        let block = holder_block(&[Caveat::Before(end)]);
        bad(
            "value",
            name,
            "RFC 3339 ends with the year 9999",
            &append(mint(&grant()).expose(), block, NEXT[0]),
        )
    }));
    cases
}

fn blocks() -> Vec<Case> {
    let base = mint(&grant());
    let base = base.expose();
    let block = || holder_block(&[Caveat::IntAtMost(at("/amount"), 40)]);
    let narrower = |seconds| holder_block(&[Caveat::Before(NOW.plus(seconds))]);
    let one = append(base, block(), NEXT[0]);
    let two = append(&one, narrower(20), NEXT[1]);
    let three = append(&two, narrower(10), NEXT[2]);
    let four = append(&three, narrower(5), NEXT[3]);
    let named = append(base, block().context("farebox/1".to_owned()), NEXT[0]);
    let newer = forge::last(base, &one, |block| block.version = Some(6));
    let older = forge::last(base, &one, |block| block.version = None);
    let many = (0..6).map(|i| {
        let members: Vec<String> = (0..8).map(|j| format!(r#""m{i}{j}""#)).collect();
        format!(r#"check if text("/to", $v), {{"acme", {}}}.contains($v);"#, members.join(", "))
    });
    vec![
        bad("blocks", "three-holder-blocks", "more holder blocks than two", &three),
        bad("blocks", "five-blocks", "more blocks than four", &four),
        bad("layout", "later-context", "only the issuer's block names a layout", &named),
        bad("version", "later-version", "a version that other libraries do not read", &newer),
        bad("version", "later-no-version", "no version", &older),
        bad(
            "symbols",
            "later-many-symbols",
            "more symbols than a holder may bring",
            &biscuit::typed(base, &many.collect::<String>(), NEXT[0]),
        ),
    ]
}
