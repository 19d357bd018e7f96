//! Tokens of the layout that are refused for who signed them, for the time, the request or its proofs.

use farebox::signer::Signer;
use farebox_verifier::{Caveat, Grant, UnixSeconds, Uses};

use super::biscuit;
use super::case::{Asked, Case, Settings, asked, bad, issuer_key, prove, refused, sending};
use super::fixture::{
    self, HOLDER, ISSUER, NEXT, NOW, RETIRED_ISSUER, SECOND_ISSUER, STRANGER, WORKER, at, bounded,
    grant, held, mint, one_of, output, text, with,
};
use super::forge;
use super::verified::{holder_block, seats};

pub(super) fn cases() -> Vec<Case> {
    let kinds = [keys(), kinds(), times(), requests(), bounds(), caveats(), proofs()];
    kinds.into_iter().flatten().collect()
}

fn keys() -> Vec<Case> {
    let token = mint(&grant());
    let of = |id, key: fixture::Key| Signer::new(id, key.private()).mint(&grant()).unwrap();
    let mut anonymous = forge::decode(token.expose());
    anonymous.root_key_id = None;
    let mut renamed = forge::decode(token.expose());
    renamed.root_key_id = Some(2);
    let both = vec![issuer_key(1, ISSUER, "trusted"), issuer_key(2, SECOND_ISSUER, "trusted")];
    vec![
        refused(
            "unknown-key",
            "unknown-key",
            "no trusted issuer has this number",
            of(8, STRANGER).expose(),
        ),
        Case {
            issuer_keys: vec![
                issuer_key(1, ISSUER, "trusted"),
                issuer_key(3, RETIRED_ISSUER, "retired"),
            ],
            ..refused(
                "unknown-key",
                "retired-key",
                "a retired key's tokens are dead",
                of(3, RETIRED_ISSUER).expose(),
            )
        },
        refused(
            "unknown-key",
            "no-key-id",
            "the number is outside of the signature, and one who removes it gains nothing",
            &forge::encode(&anonymous),
        ),
        Case {
            issuer_keys: both,
            ..bad(
                "signature",
                "key-id-rewritten",
                "the number names another trusted key, which did not sign",
                &forge::encode(&renamed),
            )
        },
        bad(
            "signature",
            "another-issuer-under-this-number",
            "signed by a stranger who gives the trusted number",
            of(1, STRANGER).expose(),
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let registered = mint(&Grant { stores: Some(seats(2, 3)), ..grant() });
    let unregistered = mint(&grant());
    let fresh = mint(&Grant { uses: Uses::Fresh, ..grant() });
    let one = Settings { stores: Some(1), fresh: "refused".to_owned() };
    vec![
        Case {
            verifier: one.clone(),
            ..bad(
                "stores",
                "other-stores",
                "two of its three stores must agree, at a verifier that has one",
                registered.expose(),
            )
        },
        Case {
            verifier: one,
            ..bad("stores", "no-store", "registered nowhere", unregistered.expose())
        },
        bad(
            "fresh",
            "fresh-refused",
            "a token that needs no store is refused by default",
            fresh.expose(),
        ),
    ]
}

fn times() -> Vec<Case> {
    let token = mint(&grant());
    let token = token.expose();
    let narrowed = biscuit::append(token, holder_block(&[Caveat::Before(NOW.plus(10))]), NEXT[0]);
    vec![
        Case {
            now: NOW.plus(60).to_string(),
            ..refused("expired", "expired", "the end itself is outside of the window", token)
        },
        Case {
            now: NOW.minus(31).to_string(),
            ..refused("not-yet-valid", "not-yet-valid", "one second before the window", token)
        },
        Case {
            now: NOW.plus(10).to_string(),
            ..refused("expired", "expired-by-holder", "a holder gave it an earlier end", &narrowed)
        },
    ]
}

fn requests() -> Vec<Case> {
    let token = mint(&grant());
    let case = |code: &str, name: &str, why: &str, request| Case {
        request,
        ..refused(code, name, why, token.expose())
    };
    let owned = str::to_owned;
    vec![
        case(
            "wrong-audience",
            "wrong-audience",
            "at another API",
            Asked { audience: owned("ledger-api"), ..asked() },
        ),
        case(
            "wrong-action",
            "wrong-action",
            "for another action",
            Asked { action: owned("payments.refund"), ..asked() },
        ),
        case(
            "wrong-resource",
            "wrong-resource",
            "names are compared by their bytes",
            Asked { resource: owned("account/042"), ..asked() },
        ),
        case(
            "wrong-params",
            "wrong-params",
            "another amount",
            sending(r#"{"amount": 41, "to": "acme"}"#),
        ),
        case(
            "wrong-params",
            "more-params",
            "one member more",
            sending(r#"{"amount": 40, "to": "acme", "urgent": true}"#),
        ),
        case(
            "wrong-params",
            "wrong-digest",
            "another digest",
            Asked { params: None, params_sha256: Some("5a".repeat(32)), ..asked() },
        ),
    ]
}

fn bounds() -> Vec<Case> {
    let token = mint(&bounded());
    let case = |code: &str, name: &str, why: &str, params: &str| Case {
        request: sending(params),
        ..refused(code, name, why, token.expose())
    };
    let caveat = |name: &str, why: &str, params: &str| case("caveat-failed", name, why, params);
    vec![
        caveat(
            "bound-above",
            "more than at most",
            r#"{"amount": 101, "to": "acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-below",
            "less than at least",
            r#"{"amount": 0, "to": "acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-other-text",
            "none of the texts",
            r#"{"amount": 1, "to": "Acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-other-type",
            "a text is no integer",
            r#"{"amount": "1", "to": "acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-fraction",
            "a fraction is no integer",
            r#"{"amount": 1.5, "to": "acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-null",
            "null is no integer",
            r#"{"amount": null, "to": "acme", "note": "rent"}"#,
        ),
        caveat(
            "bound-absent",
            "a member that varies must be there",
            r#"{"to": "acme", "note": "rent"}"#,
        ),
        case(
            "wrong-params",
            "beside-the-bounds",
            "what does not vary is bound exactly",
            r#"{"amount": 1, "to": "acme", "note": "loan"}"#,
        ),
        Case {
            request: Asked {
                params: None,
                params_sha256: Some(fixture::params(r#"{"note": "rent"}"#).digest().to_string()),
                ..asked()
            },
            ..refused(
                "wrong-params",
                "bounds-by-digest",
                "of a digest nobody can read the members that vary",
                token.expose(),
            )
        },
    ]
}

fn caveats() -> Vec<Case> {
    let case = |name: &str, why: &str, caveat: Caveat| {
        refused("caveat-failed", name, why, mint(&with([caveat])).expose())
    };
    let narrowed = |name: &str, code: &str| {
        let token = biscuit::typed(mint(&grant()).expose(), code, NEXT[0]);
        refused("caveat-failed", name, "narrowed by Datalog typed by hand", &token)
    };
    let by_digest = case(
        "caveat-by-digest",
        "of a digest nobody can read a member",
        Caveat::IntAtMost(at("/amount"), 40),
    );
    let digest = Some(grant().params.to_string());
    vec![
        case("at-most-failed", "more", Caveat::IntAtMost(at("/amount"), 39)),
        case("at-least-failed", "less", Caveat::IntAtLeast(at("/amount"), 41)),
        case("no-such-member", "nothing stands there", Caveat::IntAtLeast(at("/sum"), 0)),
        case("text-is-failed", "another text", Caveat::TextIs(at("/to"), text("globex"))),
        case("one-of-failed", "none of them", Caveat::TextOneOf(at("/to"), one_of(["a", "b"]))),
        case("prefix-failed", "another beginning", Caveat::TextPrefix(at("/to"), text("cme"))),
        case("text-is-no-int", "an integer is no text", Caveat::TextIs(at("/amount"), text("40"))),
        case("output-unseen", "nobody sees the result", Caveat::OutputMax(output("rows"), 10)),
        Case { request: Asked { params: None, params_sha256: digest, ..asked() }, ..by_digest },
        refused(
            "caveat-failed",
            "third-party-silent",
            "the third party has said nothing",
            mint(&fixture::signed()).expose(),
        ),
        narrowed("typed-less-failed", r#"check if int("/amount", $v), $v < 40"#),
        narrowed("typed-more-failed", r#"check if int("/amount", $v), $v > 40"#),
        narrowed("typed-equal-failed", r#"check if text("/to", $v), $v === "globex""#),
    ]
}

fn proofs() -> Vec<Case> {
    let (bound, plain) = (mint(&held()), mint(&grant()));
    let bound = bound.expose();
    let handed =
        biscuit::append(plain.expose(), holder_block(&[Caveat::Proved(WORKER.public())]), NEXT[0]);
    let narrowed = biscuit::append(bound, holder_block(&[Caveat::Before(NOW.plus(10))]), NEXT[0]);
    let missing = |name: &str, why: &str, token: &str, request| Case {
        request,
        ..refused("holder-proof-missing", name, why, token)
    };
    let invalid = |name: &str, why: &str, token: &str, request| Case {
        request,
        ..refused("holder-proof-invalid", name, why, token)
    };
    let other = Asked { resource: "account/43".to_owned(), ..asked() };
    let elsewhere = Asked { audience: "ledger-api".to_owned(), ..asked() };
    let swap = |proof: String| Asked { proofs: vec![proof], ..asked() };
    let made_at = |at: UnixSeconds| asked().proved(bound, HOLDER, at);
    let doubled = swap(prove(bound, &other, HOLDER, NOW)).proved(bound, HOLDER, NOW);
    vec![
        missing("proof-missing", "nobody proved anything", bound, asked()),
        missing(
            "proof-by-another",
            "a stranger proved",
            bound,
            asked().proved(bound, STRANGER, NOW),
        ),
        missing(
            "worker-proof-missing",
            "only the holder proved",
            &handed,
            asked().proved(&handed, HOLDER, NOW),
        ),
        invalid("proof-stale", "31 seconds old", bound, made_at(NOW.minus(31))),
        invalid("proof-of-tomorrow", "31 seconds ahead", bound, made_at(NOW.plus(31))),
        invalid(
            "proof-for-another-request",
            "for account/43",
            bound,
            swap(prove(bound, &other, HOLDER, NOW)),
        ),
        invalid(
            "proof-for-another-audience",
            "for another API",
            bound,
            swap(prove(bound, &elsewhere, HOLDER, NOW)),
        ),
        invalid(
            "proof-for-another-token",
            "for the token before it was narrowed",
            &narrowed,
            asked().proved(bound, HOLDER, NOW),
        ),
        invalid(
            "proof-after-a-false-one",
            "the first proof of a key is the one that counts",
            bound,
            doubled,
        ),
    ]
}
