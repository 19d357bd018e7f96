//! Minting by hand: what is bound, what may vary, and what is refused.

use super::desk::{Desk, REQUEST, Said};

fn try_mint(desk: &Desk, more: &[&str]) -> Said {
    let start = ["token", "mint", "--key", "keys/private/1.pem", "--agent", "key:billing"];
    desk.run(&[&start, REQUEST.as_slice(), more].concat())
}

#[test]
fn the_token_alone_is_printed_and_the_note_goes_elsewhere() {
    let desk = Desk::with_key();
    let said = try_mint(&desk, &[]);
    assert_eq!(said.out.lines().count(), 1);
    assert!(said.out.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    assert!(said.err.contains("registered in no store"), "{}", said.err);
    assert!(!said.err.contains(said.out.trim()));
}

#[test]
fn members_in_the_bounds_may_vary_within_them_and_all_others_are_exact() {
    let desk = Desk::with_key();
    let bounds = r#"{"/amount":{"max":4000},"/to":{"one_of":["acme"]}}"#;
    let token = desk.mint(&["--params", r#"{"memo":"x"}"#, "--bounds", bounds]);
    let verify = |params: &str| desk.verify(&token, &["--params", params]).code;
    assert_eq!(verify(r#"{"memo":"x","amount":4000,"to":"acme"}"#), 0);
    assert_eq!(verify(r#"{"memo":"x","amount":1,"to":"acme"}"#), 0);
    assert_eq!(verify(r#"{"memo":"x","amount":4001,"to":"acme"}"#), 1);
    assert_eq!(verify(r#"{"memo":"y","amount":1,"to":"acme"}"#), 1);
    assert_eq!(verify(r#"{"memo":"x","to":"acme"}"#), 1);
}

#[test]
fn a_member_cannot_be_exact_and_vary() {
    let desk = Desk::with_key();
    let params = ["--params", r#"{"amount":5}"#, "--bounds", r#"{"/amount":{"max":9}}"#];
    let said = try_mint(&desk, &params);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("/amount stands in the parameters and in the bounds"),
        "{}",
        said.err
    );
}

#[test]
fn every_caveat_flag_is_said_as_a_sentence() {
    let desk = Desk::with_key();
    let made = desk.run(&["keys", "new", "--third-party", "sre", "--json"]).json();
    let key = made["key"].as_str().unwrap();
    let token = desk.mint(&[
        "--before",
        "2999-01-01T00:00:00Z",
        "--max",
        "/a=4",
        "--min",
        "/a=-4",
        "--is",
        "/b=x=y",
        "--one-of",
        "/c=p,q",
        "--prefix",
        "/d=src/",
        "--proved",
        key,
        "--output-max",
        "rows=100",
        "--output-one-of",
        "class=public,internal",
        "--signed",
        "ok=yes@sre",
        "--keys",
        "keys",
    ]);
    let seen = desk.pipe(&token, &["token", "inspect", "--json"]).json();
    let caveats: Vec<&str> =
        seen["caveats"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    let (proved, signed) = (
        format!("whoever presents it holds key {key}"),
        format!("the holder of key {key} says ok of \"yes\""),
    );
    let want = [
        "only before 2999-01-01T00:00:00Z",
        "/a is at most 4",
        "/a is at least -4",
        "/b is \"x=y\"",
        "/c is one of \"p\", \"q\"",
        "/d starts with \"src/\"",
        proved.as_str(),
        "the result's rows is at most 100",
        "the result's class is one of \"internal\", \"public\"",
        signed.as_str(),
    ];
    assert_eq!(caveats, want);
}

#[test]
fn the_same_grant_at_the_same_time_is_the_same_token() {
    let desk = Desk::with_key();
    let grant = "00112233445566778899aabbccddeeff";
    let again = ["--grant", grant, "--at", "2026-11-21T12:00:00Z"];
    let (first, second) = (desk.mint(&again), desk.mint(&again));
    assert_eq!(first, second);
    let other = ["--grant", "ff112233445566778899aabbccddeeff", "--at", "2026-11-21T12:00:00Z"];
    assert_ne!(first, desk.mint(&other));
    assert_ne!(desk.mint(&[]), desk.mint(&[]), "a grant that nobody names is a fresh one");
}

#[test]
fn parameters_come_from_a_file_from_standard_input_or_as_a_digest() {
    let desk = Desk::with_key();
    desk.write("params.json", "{\"b\": 1, \"a\": 2}\n");
    let token = desk.mint(&["--params", "@params.json"]);
    assert_eq!(desk.verify(&token, &["--params", r#"{"a":2,"b":1}"#]).code, 0);
    desk.write("token", &token);
    let start = ["token", "verify", "@token", "--keys", "keys", "--params", "-"];
    let said = desk.pipe("{\"a\":2,\"b\":1}", &[&start, REQUEST.as_slice()].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let seen = desk.pipe(&token, &["token", "inspect", "--json"]).json();
    let digest = seen["grant"]["params_sha256"].as_str().unwrap();
    assert_eq!(desk.verify(&token, &["--params-sha256", digest, "--engine"]).code, 0);
}

#[test]
fn a_token_from_the_environment_is_read_and_never_shown_in_help() {
    let desk = Desk::with_key();
    let token = desk.mint(&[]);
    let variables = [("FAREBOX_TOKEN", token.as_str())];
    assert_eq!(desk.pipe_with("", &["token", "inspect"], &variables).code, 0);
    let help = desk.pipe_with("", &["token", "inspect", "--help"], &variables);
    assert!(help.code == 0 && !help.out.contains(&token));
}

#[test]
fn a_third_party_that_nobody_knows_is_named_with_those_who_are_known() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--third-party", "change-mgmt"]);
    let said = try_mint(&desk, &["--signed", "ok=yes@chang-mgmt", "--keys", "keys"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("chang-mgmt; known: change-mgmt"), "{}", said.err);
}

#[test]
fn a_holder_is_no_private_key_and_no_weak_one() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--holder", "worker.pem"]);
    let private = try_mint(&desk, &["--holder", "worker.pem"]);
    assert_eq!(private.code, 1);
    assert!(private.err.contains("this is a private key"), "{}", private.err);
    let weak = try_mint(&desk, &["--holder", &"00".repeat(32)]);
    assert_eq!(weak.code, 2);
    assert!(weak.err.contains("small order"), "{}", weak.err);
    assert_eq!(try_mint(&desk, &["--holder", "nobody.pem"]).code, 2);
}
