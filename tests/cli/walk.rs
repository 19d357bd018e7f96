//! Whole walks, from the first key to the last refusal.

use super::desk::{Desk, REQUEST};

const PARAMS: [&str; 2] = ["--params", r#"{"amount":4000,"to":"acme"}"#];

#[test]
fn a_token_is_minted_looked_at_verified_narrowed_and_dead_with_its_key() {
    let desk = Desk::with_key();
    let token = desk.mint(&PARAMS);
    let seen = desk.done_with(&token, &["token", "inspect"]);
    assert!(seen.starts_with("NOTHING HERE IS VERIFIED"), "{seen}");
    assert!(seen.contains("payments.transfer"), "{seen}");
    assert_eq!(desk.verify(&token, &PARAMS).brief(), (0, "verified"));

    let narrow = ["token", "attenuate", "--max", "/amount=4000", "--ttl", "30"];
    let narrowed = desk.done_with(&token, &narrow);
    assert_eq!(desk.verify(&narrowed, &PARAMS).brief(), (0, "verified"));
    let tighter = desk.done_with(&narrowed, &["token", "attenuate", "--max", "/amount=3999"]);
    let wider = desk.verify(&tighter, &PARAMS);
    let want = "refused: caveat-failed: caveat does not hold: /amount is at most 3999";
    assert_eq!(wider.brief(), (1, want));

    desk.done(&["keys", "new"]);
    desk.done(&["keys", "retire", "1"]);
    let dead = desk.verify(&token, &PARAMS);
    assert_eq!(dead.brief(), (1, "refused: unknown-key: no trusted issuer has key 1"));
}

#[test]
fn a_bound_token_is_verified_with_its_holders_proof_and_with_no_other() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--holder", "worker.pem"]);
    desk.done(&["keys", "new", "--holder", "thief.pem"]);
    let token = desk.mint(&["--holder", "worker.pub.pem"]);
    let bare = desk.verify(&token, &[]);
    assert!(bare.out.starts_with("refused: holder-proof-missing"), "{}", bare.out);

    let prove = |key: &str, token: &str| {
        let start = ["token", "prove", "--holder-key", key];
        desk.done_with(token, &[&start, REQUEST.as_slice()].concat())
    };
    let proof = prove("worker.pem", &token);
    assert_eq!(desk.verify(&token, &["--proof", &proof]).brief(), (0, "verified"));
    let stolen = prove("thief.pem", &token);
    assert_eq!(desk.verify(&token, &["--proof", &stolen]).code, 1);
    let other = desk.verify(&token, &["--proof", &proof, "--params", r#"{"a":1}"#]);
    assert_eq!(other.code, 1);
    let narrowed = desk.done_with(&token, &["token", "attenuate", "--ttl", "30"]);
    let late = desk.verify(&narrowed, &["--proof", &proof]);
    assert!(late.out.starts_with("refused: holder-proof-invalid"), "{}", late.out);
}

#[test]
fn a_token_handed_to_a_worker_asks_for_the_workers_proof() {
    let desk = Desk::with_key();
    let made = desk.run(&["keys", "new", "--holder", "worker.pem", "--json"]).json();
    let handed = desk.done_with(
        &desk.mint(&[]),
        &["token", "attenuate", "--proved", made["key"].as_str().unwrap()],
    );
    assert_eq!(desk.verify(&handed, &[]).code, 1);
    let start = ["token", "prove", "--holder-key", "worker.pem"];
    let proof = desk.done_with(&handed, &[&start, REQUEST.as_slice()].concat());
    assert_eq!(desk.verify(&handed, &["--proof", &proof, "--engine"]).brief(), (0, "verified"));
}

#[test]
fn a_token_that_asks_for_a_third_partys_word_is_verified_with_it_alone() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--third-party", "change-mgmt"]);
    let demand = "change_approved=CHG-17@change-mgmt";
    let token = desk.mint(&["--signed", demand, "--keys", "keys"]);
    assert_eq!(desk.verify(&token, &[]).code, 1);

    let attest = |key: &str, value: &str| {
        let by = ["token", "attest", "--third-party-key", key];
        let what = ["--name", "change_approved", "--value", value];
        desk.pipe(&token, &[by.as_slice(), &what].concat())
    };
    let key = "keys/private/third-parties/change-mgmt.pem";
    let attested = attest(key, "CHG-17");
    assert_eq!(attested.code, 0, "{}", attested.err);
    let verified = desk.verify(attested.out.trim(), &["--engine"]);
    assert_eq!(verified.brief(), (0, "verified"));
    let other = attest(key, "CHG-18");
    assert_eq!(desk.verify(other.out.trim(), &["--engine"]).code, 1);
    let uninvited = attest("keys/private/1.pem", "CHG-17");
    assert_eq!(uninvited.code, 1);
    assert!(uninvited.err.contains("was not asked for"), "{}", uninvited.err);
}

#[test]
fn every_refusal_of_verify_has_its_code() {
    let desk = Desk::with_key();
    let token = desk.mint(&PARAMS);
    let rest = ["--action", "payments.transfer", "--resource", "account/42"];
    let verify = |more: &[&str]| {
        let said = desk.pipe(&token, &[&["token", "verify", "--keys", "keys"], more].concat());
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        let code = said.out.strip_prefix("refused: ").unwrap().split(':').next().unwrap();
        code.to_owned()
    };
    assert_eq!(verify(&[&["--audience", "mail-api"], rest.as_slice()].concat()), "wrong-audience");
    let action = ["--audience", "payments-api", "--action", "x", "--resource", "account/42"];
    assert_eq!(verify(&action), "wrong-action");
    let resource =
        ["--audience", "payments-api", "--action", "payments.transfer", "--resource", "x"];
    assert_eq!(verify(&resource), "wrong-resource");
    assert_eq!(verify(&REQUEST), "wrong-params");
    let at = |date: &'static str| [REQUEST.as_slice(), &PARAMS, &["--at", date]].concat();
    assert_eq!(verify(&at("2020-01-01T00:00:00Z")), "not-yet-valid");
    assert_eq!(verify(&at("2999-01-01T00:00:00Z")), "expired");
    assert!(desk.verify("nonsense", &[]).out.starts_with("refused: bad-token"));
}

#[test]
fn the_engine_says_the_same_of_tokens_that_hold_and_that_do_not() {
    let desk = Desk::with_key();
    let bounds = r#"{"/amount":{"min":1,"max":4000},"/to":{"one_of":["acme","globex"]},
        "/path":{"prefix":"src/"}}"#;
    let token = desk.mint(&["--bounds", bounds, "--output-max", "rows=10"]);
    let good = r#"{"amount":7,"to":"globex","path":"src/\"\\\n{a}"}"#;
    let table = [
        (good, 0),
        (r#"{"amount":0,"to":"globex","path":"src/"}"#, 1),
        (r#"{"amount":7,"to":"initech","path":"src/"}"#, 1),
        (r#"{"amount":7,"to":"globex","path":"/src"}"#, 1),
        (r#"{"amount":7,"to":"globex"}"#, 1),
        (r#"{"amount":7,"to":"globex","path":"src/","more":1}"#, 1),
    ];
    for (params, code) in table {
        let flags = ["--engine", "--output-enforced", "--json", "--params", params];
        let said = desk.verify(&token, &flags);
        assert_eq!(said.code, code, "{params}: {}", said.out);
        assert_eq!(said.json()["agreed"], true, "{params}: {}", said.out);
    }
    let unseen = desk.verify(&token, &["--engine", "--params", good]);
    assert_eq!(unseen.code, 1, "output caveats are refused where nobody enforces them");
    let shapeless = desk.verify("AAAA", &["--engine"]);
    assert!(shapeless.out.contains("engine: not asked"), "{}", shapeless.out);
}
