//! Tokens that must be taken.

use farebox_verifier::{
    ApprovalDigest, Caveat, Generation, Grant, ParamsDigest, Purpose, Seat, Seats, Shard, Step,
    StoreName, UnixSeconds, Uses, Workflow,
};

use super::biscuit;
use super::case::{Asked, Case, Settings, asked, issuer_key, sending, verified};
use super::fixture::{
    self, HOLDER, ISSUER, NEXT, NOW, SECOND_ISSUER, WORKER, at, bounded, grant, held, mint, one_of,
    output, signed, text, with,
};

pub(super) fn cases() -> Vec<Case> {
    let kinds = [plain(), caveats(), bounds(), holders(), blocks(), typed()];
    kinds.into_iter().flatten().collect()
}

fn plain() -> Vec<Case> {
    let token = mint(&grant());
    let token = token.expose();
    vec![
        verified("plain", "nothing but a request, a window and one use", token),
        Case {
            now: NOW.minus(30).to_string(),
            ..verified("first-second", "the window's first second is inside of it", token)
        },
        Case {
            now: NOW.plus(59).to_string(),
            ..verified("last-second", "the second before the end is inside of the window", token)
        },
        Case {
            issuer_keys: vec![
                issuer_key(1, ISSUER, "trusted"),
                issuer_key(2, SECOND_ISSUER, "trusted"),
            ],
            ..verified("two-issuer-keys", "several keys are trusted while one takes over", token)
        },
        Case {
            request: Asked {
                params: None,
                params_sha256: Some(grant().params.to_string()),
                ..asked()
            },
            ..verified("by-digest", "a digest is enough where nothing varies", token)
        },
        Case {
            request: sending(r#"{"to": "acme", "amount": 40.0}"#),
            ..verified(
                "same-digest",
                "40 and 40.0 are one number, and members have no order",
                token,
            )
        },
        everything(),
        no_params(),
        raw_body(),
        stores(),
        fresh(),
    ]
}

fn everything() -> Case {
    let grant = Grant {
        approval: Some(ApprovalDigest::from_bytes([0xcd; 32])),
        workflow: Some((Workflow::parse("run-81").unwrap(), Step::parse("3").unwrap())),
        purpose: Some(Purpose::parse("invoice \"inv-7\" ü").unwrap()),
        stores: Some(seats(1, 1)),
        ..grant()
    };
    let why = "every fact that a grant may have, but a holder's key and members that vary";
    verified("every-fact", why, mint(&grant).expose())
}

fn no_params() -> Case {
    let grant = Grant { params: fixture::params("").digest(), ..grant() };
    let why = "no body at all is {}, and {} is bound like any other";
    Case { request: sending("{}"), ..verified("no-params", why, mint(&grant).expose()) }
}

fn raw_body() -> Case {
    let digest = ParamsDigest::of_bytes(b"name,amount\nacme,40\n");
    let request = Asked { params: None, params_sha256: Some(digest.to_string()), ..asked() };
    let token = mint(&Grant { params: digest, ..grant() });
    let why = "a body that is no JSON is bound by the SHA-256 of its bytes";
    Case { request, ..verified("raw-body", why, token.expose()) }
}

fn stores() -> Case {
    let token = mint(&Grant { stores: Some(seats(2, 3)), ..grant() });
    let verifier = Settings { stores: Some(2), fresh: "refused".to_owned() };
    let why = "registered in three stores, of which two must say OK";
    Case { verifier, ..verified("several-stores", why, token.expose()) }
}

pub(super) fn seats(needed: u8, count: u8) -> Seats {
    let seat = |number: u8| Seat {
        store: StoreName::parse(&format!("r{number}")).unwrap(),
        shard: Shard::parse("00").unwrap(),
        generation: Generation::from_bytes([0xe0 | number; 16]),
        sequence: 16 + u64::from(number),
    };
    Seats::new(needed, (1..=count).map(seat).collect()).unwrap()
}

fn fresh() -> Case {
    let token = mint(&Grant { uses: Uses::Fresh, ..grant() });
    let verifier = Settings { stores: None, fresh: "taken".to_owned() };
    let why = "a token that needs no store, at a verifier that takes such tokens";
    Case { verifier, ..verified("fresh", why, token.expose()) }
}

/// One case for each kind of caveat in the issuer's block.
fn caveats() -> Vec<Case> {
    let sent =
        r#"{"amount": 40, "to": "acme", "path": "src/main.rs", "items": [{"n": -3}], "a/b~": ""}"#;
    let digest = fixture::params(sent).digest();
    let case = |name: &str, why: &str, caveat: Caveat| {
        let token = mint(&Grant { params: digest, ..with([caveat]) });
        Case { request: sending(sent), ..verified(name, why, token.expose()) }
    };
    let enforced = |case: Case| {
        let request = Asked { outputs: "enforced".to_owned(), ..case.request.clone() };
        Case { request, ..case }
    };
    let rows = output("rows");
    vec![
        case("before", "an earlier end", Caveat::Before(NOW.plus(1))),
        case("int-at-most", "equal is at most", Caveat::IntAtMost(at("/amount"), 40)),
        case("int-at-least", "equal is at least", Caveat::IntAtLeast(at("/amount"), 40)),
        case(
            "int-in-a-list",
            "a JSON Pointer leads into lists, and integers may be negative",
            Caveat::IntAtMost(at("/items/0/n"), -3),
        ),
        case("text-is", "one text", Caveat::TextIs(at("/to"), text("acme"))),
        case(
            "text-is-empty",
            "the empty text is a text, at a pointer with both escapes",
            Caveat::TextIs(at("/a~1b~0"), text("")),
        ),
        case(
            "text-one-of",
            "one of several texts, some of which every biscuit knows by number",
            Caveat::TextOneOf(at("/to"), one_of(["write", "acme", "read"])),
        ),
        case("text-prefix", "a beginning", Caveat::TextPrefix(at("/path"), text("src/"))),
        enforced(case("output-max", "a promise", Caveat::OutputMax(rows, 10))),
        enforced(case(
            "output-one-of",
            "a promise about texts",
            Caveat::OutputOneOf(output("/class"), one_of(["public", "internal"])),
        )),
    ]
}

fn bounds() -> Vec<Case> {
    let token = mint(&bounded());
    let case = |name: &str, why: &str, params: &str| Case {
        request: sending(params),
        ..verified(name, why, token.expose())
    };
    vec![
        case(
            "varying",
            "members that vary are outside of the digest and within their bounds",
            r#"{"amount": 40, "to": "acme", "note": "rent"}"#,
        ),
        case(
            "varying-least",
            "the bounds are inside",
            r#"{"amount": 1, "to": "globex", "note": "rent"}"#,
        ),
        case(
            "varying-most",
            "the bounds are inside",
            r#"{"amount": 100, "to": "acme", "note": "rent"}"#,
        ),
    ]
}

fn holders() -> Vec<Case> {
    let bound = mint(&held());
    let bound = bound.expose();
    let plain = mint(&grant());
    let handed =
        biscuit::append(plain.expose(), holder_block(&[Caveat::Proved(WORKER.public())]), NEXT[0]);
    let relayed = biscuit::append(bound, holder_block(&[Caveat::Proved(WORKER.public())]), NEXT[0]);
    let digest = Asked { params: None, params_sha256: Some(grant().params.to_string()), ..asked() };
    let old = |seconds| asked().proved(bound, HOLDER, UnixSeconds(NOW.0 - seconds));
    vec![
        Case {
            request: asked().proved(bound, HOLDER, NOW),
            ..verified("holder", "bound to a key, whose holder proves it", bound)
        },
        Case {
            request: old(30),
            ..verified("proof-30-seconds-old", "the last second of a proof", bound)
        },
        Case {
            request: digest.proved(bound, HOLDER, NOW),
            ..verified("proof-by-digest", "a proof needs no more than the digest", bound)
        },
        Case {
            request: asked().proved(&handed, WORKER, NOW),
            ..verified(
                "handed-to-a-worker",
                "an unbound token that its holder tied to one key",
                &handed,
            )
        },
        Case {
            request: asked().proved(&relayed, WORKER, NOW).proved(&relayed, HOLDER, NOW),
            ..verified("two-proofs", "holder and worker prove, in whatever order", &relayed)
        },
    ]
}

/// A holder's block with these caveats.
pub(super) fn holder_block(caveats: &[Caveat]) -> biscuit_auth::BlockBuilder {
    let block = biscuit_auth::BlockBuilder::new();
    caveats.iter().map(biscuit::caveat).fold(block, |block, check| block.check(check).unwrap())
}

fn blocks() -> Vec<Case> {
    let base = mint(&grant());
    let base = base.expose();
    let narrow =
        |token: &str, caveats: &[Caveat], next| biscuit::append(token, holder_block(caveats), next);
    let one = narrow(
        base,
        &[Caveat::Before(NOW.plus(10)), Caveat::IntAtMost(at("/amount"), 40)],
        NEXT[0],
    );
    let two = narrow(
        &one,
        &[Caveat::TextIs(at("/to"), text("acme")), Caveat::Before(NOW.plus(5))],
        NEXT[1],
    );
    let approved = mint(&signed());
    let third = biscuit::append_third(approved.expose(), APPROVED, fixture::CHANGE_MGMT, NEXT[0]);
    let after = narrow(&third, &[Caveat::IntAtMost(at("/amount"), 50)], NEXT[1]);
    let full = narrow(&after, &[Caveat::Before(NOW.plus(20))], NEXT[2]);
    let first = narrow(approved.expose(), &[Caveat::IntAtMost(at("/amount"), 50)], NEXT[0]);
    let between = biscuit::append_third(&first, APPROVED, fixture::CHANGE_MGMT, NEXT[1]);
    let seal = |token: &str| biscuit::encode(&biscuit::read(token).seal().unwrap());
    vec![
        verified("holder-block", "a holder narrowed it", &one),
        verified("two-holder-blocks", "two holders narrowed it, one after the other", &two),
        verified("third-party", "a third party said what was asked for", &third),
        verified("third-party-and-two-holder-blocks", "as many blocks as a token has", &full),
        verified("third-party-after-a-holder", "a third party signs what stands before", &between),
        verified("sealed", "nobody can append to it", &seal(base)),
        verified("sealed-with-blocks", "sealed after it was narrowed", &seal(&full)),
    ]
}

/// What change management says of a token that asks for it.
pub(super) const APPROVED: &str = r#"change_approved("CHG-17")"#;

/// Narrowed in Datalog typed by hand, as other libraries' users do.
fn typed() -> Vec<Case> {
    let base = mint(&grant());
    let table = [
        ("typed-less", r#"check if int("/amount", $amount), $amount < 41"#),
        ("typed-at-most", r#"check if int("/amount", $v), $v <= 40"#),
        ("typed-more", r#"check if int("/amount", $v), $v > 39"#),
        ("typed-at-least", r#"check if int("/amount", $v), $v >= 40"#),
        ("typed-between", r#"check if int("/amount", $v), $v > 0, $v <= 100"#),
        ("typed-equal", r#"check if text("/to", $v), $v === "acme""#),
        ("typed-literal", r#"check if text("/to", "acme")"#),
        ("typed-set", r#"check if text("/to", $v), {"acme", "globex"}.contains($v)"#),
        ("typed-prefix", r#"check if text("/to", $v), $v.starts_with("ac")"#),
        ("typed-before", "check if time($now), $now < 2027-01-15T08:00:01Z"),
        ("typed-until", "check if time($t), $t <= 2027-01-15T08:00:00Z"),
        (
            "typed-several",
            r#"check if time($t), $t < 2027-01-15T08:00:30Z; check if int("/amount", $v), $v < 50;"#,
        ),
    ];
    let why = "narrowed by Datalog typed by hand";
    let case = |(name, code): (&str, &str)| {
        verified(name, why, &biscuit::typed(base.expose(), code, NEXT[0]))
    };
    table.map(case).into()
}
