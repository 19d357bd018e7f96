//! Authority blocks that issuer 1 signed and that say what the layout has no place for.

use biscuit_auth::BiscuitBuilder;
use biscuit_auth::builder::{Check, Fact, Scope};
use biscuit_auth::format::schema::{ExternalSignature, PublicKey, proof};
use farebox_verifier::{Caveat, Grant, GrantId, Resource, UnixSeconds, Window};

use super::biscuit::{self, build, builder, built, bytes, empty, encode, string};
use super::case::{Case, bad};
use super::fixture::{HOLDER, Key, NOW, STRANGER, at, bounded, grant, held, mint, text, with};
use super::forge;

/// The identity, of order 1: a signature of zeros is its signature on anything.
const IDENTITY: [u8; 32] = {
    let mut y = [0; 32];
    y[0] = 1;
    y
};

pub(super) fn cases() -> Vec<Case> {
    let kinds =
        [layouts(), facts(), datalog(), checks(), ties(), values(), varying(), keys(), symbols()];
    kinds.into_iter().flatten().collect()
}

/// A builder with these facts and checks in place of the grant's.
fn says(facts: Vec<Fact>, checks: Vec<Check>) -> BiscuitBuilder {
    let builder = facts.into_iter().fold(empty(), |b, fact| b.fact(fact).unwrap());
    checks.into_iter().fold(builder, |b, check| b.check(check).unwrap())
}

fn layouts() -> Vec<Case> {
    let plain = BiscuitBuilder::new().root_key_id(1).code(r#"user("alice"); check if user($u)"#);
    let version = forge::authority(mint(&grant()).expose(), |block| block.version = Some(5));
    let unnamed = forge::authority(mint(&grant()).expose(), |block| block.context = None);
    vec![
        bad("layout", "plain-biscuit", "a biscuit of another system", &built(plain.unwrap())),
        bad(
            "layout",
            "layout-2",
            "the same facts and checks under another layout's name",
            &built(builder(&grant()).context("farebox/2".to_owned())),
        ),
        bad("layout", "no-layout", "the layout is not named", &unnamed),
        bad("version", "datalog-version", "a version that the layout does not use", &version),
    ]
}

fn facts() -> Vec<Case> {
    let all = biscuit::facts(&grant());
    let without = |name: &str| {
        let kept = all.iter().filter(|fact| fact.predicate.name != name).cloned().collect();
        built(says(kept, biscuit::checks(&grant())))
    };
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    let second = biscuit::fact("grant", [bytes(&[8; 16])]);
    let admin = biscuit::fact("admin", [string("alice")]);
    let case = |name: &str, why: &str, token: String| bad("facts", name, why, &token);
    vec![
        case(
            "second-grant",
            "two grants in one token",
            built(builder(&grant()).fact(second).unwrap()),
        ),
        case(
            "more-facts",
            "a fact of another system",
            built(builder(&grant()).fact(admin).unwrap()),
        ),
        case("no-grant", "no grant", without("grant")),
        case("no-policy", "no policy's hash", without("policy")),
        case(
            "facts-in-another-order",
            "action and resource changed places",
            built(says(swapped, biscuit::checks(&grant()))),
        ),
        case(
            "facts-of-another-type",
            "the action is no text",
            built(says(
                all.iter()
                    .map(|fact| match fact.predicate.name.as_str() {
                        "action" => biscuit::fact("action", [bytes(b"payments.transfer")]),
                        _ => fact.clone(),
                    })
                    .collect(),
                biscuit::checks(&grant()),
            )),
        ),
    ]
}

fn datalog() -> Vec<Case> {
    let with_code = |code: &str| built(builder(&grant()).code(code).unwrap());
    vec![
        bad("rules", "rule", "the layout has no rules", &with_code("once($g) <- grant($g)")),
        bad(
            "scope",
            "block-scope",
            "a scope for the whole block",
            &built(builder(&grant()).scope(Scope::Previous)),
        ),
        bad(
            "scope",
            "check-trusts-previous",
            "a check's scope is one key, and nothing else",
            &with_code(r#"check if text("/to", "acme") trusting previous"#),
        ),
    ]
}

/// Checks that do not stand in the vocabulary, or are not written as the layout writes them.
fn checks() -> Vec<Case> {
    let with_code = |code: &str| built(builder(&grant()).code(code).unwrap());
    let check = |name: &str, why: &str, code: &str| bad("check", name, why, &with_code(code));
    let other =
        |name: &str, why: &str, code: &str| bad("not-canonical", name, why, &with_code(code));
    let signed = format!(
        r#"check if change_approved($x), $x.starts_with("CHG") trusting ed25519/{}"#,
        STRANGER.public()
    );
    vec![
        check("check-outside-the-vocabulary", "no such predicate", r#"check if user("alice")"#),
        check("check-of-a-token-fact", "its own fact satisfies it", r#"check if agent("a")"#),
        check(
            "check-all",
            "one kind of check, no other",
            r#"check all int("/amount", $v), $v <= 1"#,
        ),
        check(
            "signed-not-literal",
            "whoever trusts a key in a check trusts all its facts in it",
            &signed,
        ),
        other(
            "less-in-the-issuers-block",
            "an issuer writes at most, never less",
            r#"check if int("/amount", $v), $v < 41"#,
        ),
        other(
            "another-variable",
            "an issuer names the variable v",
            r#"check if int("/amount", $w), $w <= 40"#,
        ),
    ]
}

/// Ties that do not tie the token to its own facts.
fn ties() -> Vec<Case> {
    let tied = |facts: &Grant, checks: Vec<Check>| built(says(biscuit::facts(facts), checks));
    let to = |other: Grant| tied(&grant(), biscuit::checks(&other));
    let resource = Resource::parse("account/1").unwrap();
    let window = Window::minted(NOW, 3600).unwrap();
    let id = GrantId::from_bytes([8; 16]);
    let mut untied = biscuit::checks(&grant());
    untied.remove(2);
    let case = |name: &str, why: &str, token: String| bad("not-canonical", name, why, &token);
    let why = "checks and facts say different things";
    vec![
        bad("check", "no-once", "nobody would have to spend it", &tied(&grant(), untied)),
        bad(
            "check",
            "holder-unchecked",
            "bound to a holder whom no check asks for",
            &tied(&held(), biscuit::checks(&grant())),
        ),
        case("check-of-another-resource", why, to(Grant { resource, ..grant() })),
        case("check-of-a-longer-window", why, to(Grant { window, ..grant() })),
        case(
            "once-of-another-grant",
            "to spend one grant would be enough for another",
            to(Grant { id, ..grant() }),
        ),
    ]
}

fn values() -> Vec<Case> {
    let swap = |name: &str, fact: Fact| {
        let kept = biscuit::facts(&grant()).into_iter();
        let facts = kept.map(|f| if f.predicate.name == name { fact.clone() } else { f });
        built(says(facts.collect(), biscuit::checks(&grant())))
    };
    let late = UnixSeconds(253_402_300_800);
    let window = |from: UnixSeconds, end: UnixSeconds| {
        let terms = [from, end].map(|at| biscuit_auth::builder::Term::Date(at.0));
        biscuit::fact("window", terms)
    };
    let case = |name: &str, why: &str, token: String| bad("value", name, why, &token);
    let typed = |code: &str| built(builder(&grant()).code(code).unwrap());
    let long = Caveat::TextIs(at("/note"), text(&"x".repeat(512)));
    let large =
        with(std::iter::repeat_n(long, 2).chain((0..8).map(|i| {
            Caveat::TextIs(at(&format!("/note/{i}")), text(&format!("{i}").repeat(512)))
        })));
    vec![
        case(
            "grant-of-15-bytes",
            "a grant's id has 16 bytes",
            swap("grant", biscuit::fact("grant", [bytes(&[7; 15])])),
        ),
        case(
            "action-with-a-space",
            "an action holds no white space",
            swap("action", biscuit::fact("action", [string("payments transfer")])),
        ),
        case(
            "agent-that-misleads",
            "a name holds no direction mark",
            swap("agent", biscuit::fact("agent", [string("a\u{202e}b")])),
        ),
        case(
            "window-of-a-day",
            "no token lives for so long",
            swap("window", window(NOW, NOW.plus(86_400))),
        ),
        case(
            "window-backwards",
            "it ends before it begins",
            swap("window", window(NOW, NOW.minus(1))),
        ),
        case(
            "window-after-9999",
            "RFC 3339 ends with the year 9999",
            swap("window", window(late, UnixSeconds(late.0 + 60))),
        ),
        case("pointer-without-slash", "no JSON Pointer", typed(r#"check if text("to", "acme")"#)),
        case("bool", "the layout has no booleans", typed(r#"check if text("/to", true)"#)),
        bad("too-long", "too-long", "more than 4,096 bytes", &built(builder(&large))),
    ]
}

fn varying() -> Vec<Case> {
    let unbounded = Grant { caveats: Vec::new(), ..bounded() };
    let nested = Grant {
        varies: vec![at("/to"), at("/to/name")],
        ..with([
            Caveat::TextIs(at("/to"), text("acme")),
            Caveat::TextIs(at("/to/name"), text("acme")),
        ])
    };
    vec![
        bad(
            "facts",
            "varying-unbounded",
            "a member that varies needs a caveat",
            &built(builder(&unbounded)),
        ),
        bad(
            "facts",
            "varying-nested",
            "one member that varies stands within another",
            &built(builder(&nested)),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let p256 = biscuit_auth::PrivateKey::from_bytes(&[7; 32], biscuit_auth::Algorithm::Secp256r1);
    let p256 = biscuit_auth::KeyPair::from(&p256.unwrap());
    let symbols = biscuit_auth::datalog::SymbolTable::new();
    let by_p256 = builder(&grant()).build_with_key_pair(&p256, symbols, &Key(0x10).biscuit());
    let weak = forge::resigned(mint(&grant()).expose(), |signed| {
        signed.next_key.key = IDENTITY.to_vec();
    });
    let mut weak = forge::decode(&weak);
    let forged = [IDENTITY.as_slice(), &[0; 32]].concat();
    weak.proof.content = Some(proof::Content::FinalSignature(forged));
    let holder = biscuit::fact("holder", [bytes(&IDENTITY)]);
    let bound = says(
        biscuit::facts(&grant()).into_iter().chain([holder]).collect(),
        biscuit::checks(&grant()),
    );
    let proved = builder(&grant()).check(biscuit::literal("proved", [bytes(&IDENTITY)])).unwrap();
    let external = forge::resigned(mint(&grant()).expose(), |signed| {
        let key = HOLDER.public().as_bytes().to_vec();
        let public_key = PublicKey { algorithm: 0, key };
        let signature = HOLDER.private().sign(&signed.block).to_vec();
        signed.external_signature = Some(ExternalSignature { signature, public_key });
    });
    vec![
        bad(
            "algorithm",
            "p256-next-key",
            "the next key is of P-256",
            &encode(&build(builder(&grant()), &p256)),
        ),
        bad("algorithm", "p256-signature", "signed by P-256", &encode(&by_p256.unwrap())),
        bad(
            "small-order",
            "small-order-next-key",
            "anybody can sign for the next key",
            &forge::encode(&weak),
        ),
        bad(
            "small-order",
            "small-order-holder",
            "anybody can prove the holder's key",
            &built(bound),
        ),
        bad(
            "small-order",
            "small-order-proved",
            "anybody can prove the key of the caveat",
            &built(proved),
        ),
        bad(
            "third-party",
            "authority-by-a-third-party",
            "the issuer's block has one signer",
            &external,
        ),
    ]
}

fn symbols() -> Vec<Case> {
    let base = mint(&grant());
    let base = base.expose();
    let add = |symbol: &str| forge::authority(base, |block| block.symbols.push(symbol.to_owned()));
    let missing = forge::authority(base, |block| block.symbols.truncate(5));
    let many = forge::authority(base, |block| {
        block.symbols.extend((0..192).map(|i| format!("s{i}")));
    });
    let case = |name: &str, why: &str, token: &str| bad("symbols", name, why, token);
    vec![
        case("symbol-of-every-biscuit", "`time` has a number already", &add("time")),
        case("symbol-twice", "two numbers for one text", &add("action")),
        case("symbol-missing", "a number without a text", &missing),
        case("many-symbols", "more symbols than the layout allows", &many),
    ]
}
