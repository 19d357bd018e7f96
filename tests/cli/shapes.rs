//! What programs read: the members of every answer in JSON.

use serde_json::Value;

use super::desk::{Desk, REQUEST};

fn members(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_answer_has_its_members() {
    let desk = Desk::empty();
    let issuer = desk.run(&["keys", "new", "--json"]).json();
    assert_eq!(members(&issuer), ["id", "key", "private_path", "public_path"]);
    assert_eq!(issuer["id"], "1");
    let holder = desk.run(&["keys", "new", "--holder", "w.pem", "--json"]).json();
    assert_eq!(members(&holder), ["holder", "key", "private_path", "public_path"]);
    let third = desk.run(&["keys", "new", "--third-party", "sre", "--json"]).json();
    assert_eq!(members(&third), ["key", "private_path", "public_path", "third_party"]);

    let listed = desk.run(&["keys", "list", "--format", "jwk", "--json"]).json();
    assert_eq!(members(&listed), ["items", "next", "third_parties"]);
    assert_eq!(members(&listed["items"][0]), ["id", "key", "state"]);
    assert_eq!(listed["items"][0]["key"]["crv"], "Ed25519");
    assert_eq!(listed["third_parties"][0]["name"], "sre");

    let retired = desk.run(&["keys", "retire", "1", "--json"]).json();
    assert_eq!(members(&retired), ["id", "notes", "private", "state"]);
    assert_eq!(retired["private"], "kept");
}

#[test]
fn every_answer_about_a_token_has_its_members() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--holder", "w.pem"]);
    let start = ["token", "mint", "--key", "keys/private/1.pem", "--agent", "key:a", "--json"];
    let minted = desk.run(&[&start, REQUEST.as_slice()].concat());
    assert_eq!(minted.err, "", "a program gets all in one place");
    let minted = minted.json();
    assert_eq!(members(&minted), ["expires_at", "grant", "note", "registered", "token"]);
    assert_eq!(minted["registered"], false);
    let token = minted["token"].as_str().unwrap();

    let seen = desk.pipe(token, &["token", "inspect", "--json"]).json();
    let want = [
        "block_bytes",
        "caveats",
        "characters",
        "grant",
        "key_id",
        "narrowing",
        "statements",
        "verified",
        "warning",
    ];
    assert_eq!(members(&seen), want);
    assert_eq!((&seen["verified"], &seen["grant"]["id"]), (&Value::Bool(false), &minted["grant"]));

    let narrowed = desk.pipe(token, &["token", "attenuate", "--ttl", "9", "--json"]).json();
    assert_eq!(members(&narrowed), ["added", "grant", "token"]);

    let start = ["token", "prove", "--holder-key", "w.pem", "--json"];
    let proved = desk.pipe(token, &[&start, REQUEST.as_slice()].concat()).json();
    assert_eq!(members(&proved), ["asked", "at", "fresh_until", "key", "proof"]);
    assert_eq!(proved["asked"], false);

    let verified = desk.verify(token, &["--json", "--engine"]).json();
    let want =
        ["agent", "agreed", "engine", "grant", "note", "outputs", "spent", "until", "verified"];
    assert_eq!(members(&verified), want);
    assert_eq!(
        (&verified["verified"], &verified["spent"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let refused = desk.verify(token, &["--json", "--params", r#"{"a":1}"#]);
    assert_eq!(refused.code, 1);
    assert_eq!(members(&refused.json()), ["code", "detail", "verified"]);
    assert_eq!(refused.json()["code"], "wrong-params");
}

#[test]
fn every_failure_has_a_code_and_a_detail() {
    let desk = Desk::with_key();
    let table: [(&[&str], i32, &str); 7] = [
        (&["tokens"], 2, "usage"),
        (&["token", "attenuate"], 2, "usage"),
        (&["keys", "retire", "9"], 1, "no-such-key"),
        (&["keys", "new", "--id", "1"], 1, "key-taken"),
        (&["keys", "list", "--dir", "absent"], 1, "public-key"),
        (&["token", "inspect", "AAAA"], 1, "bad-token"),
        (&["token", "inspect", "@absent"], 1, "file"),
    ];
    for (arguments, exit, code) in table {
        let said = desk.run(&[arguments, &["--json"]].concat());
        let json = said.json();
        assert_eq!(members(&json), ["code", "detail"], "{arguments:?}");
        assert_eq!((said.code, &json["code"]), (exit, &Value::from(code)), "{arguments:?}");
    }
}
