//! `farebox caller` as people and programs meet it.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farebox"));
        command.arg("caller").args(arguments).current_dir(self.0.path()).env_clear();
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(!output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_key_is_shown_once_and_alone_on_standard_output() {
    let desk = Desk::new();
    let made = desk.run(&["new", "billing", "--role", "mint,read", "--expires", "90d"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let key = text(&made.stdout);
    assert!(key.starts_with("fbk_") && key.trim_end().len() == 64, "{key}");
    assert!(text(&made.stderr).contains("the only time that the key is shown"));
    assert!(!text(&made.stderr).contains(key.trim_end()));
    let listed = desk.run(&["list"]);
    let shown = text(&listed.stdout);
    assert!(
        shown.contains("billing")
            && shown.contains("mint, read")
            && !shown.contains(key.get(21..60).unwrap())
    );
}

#[test]
fn every_answer_has_its_members() {
    let desk = Desk::new();
    let new = [
        "new",
        "pay",
        "--role",
        "spend",
        "--spends-for",
        "payments-api",
        "--owner",
        "ops",
        "--group",
        "sre",
        "--tenant",
        "acme",
        "--attribute",
        "team=pay",
        "--attribute",
        "note=a=b",
    ];
    let made = desk.json(&new);
    let members: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["agent", "caller", "expires_at", "key", "key_id", "note"]);
    assert_eq!((&made["agent"], &made["expires_at"]), (&"key:pay".into(), &Value::Null));
    let rotated = desk.json(&["rotate", "pay", "--overlap", "2h"]);
    assert_ne!(rotated["key"], made["key"]);
    assert!(rotated["earlier_keys_end_at"].is_string());
    let list = desk.json(&["list"]);
    let pay = &list["items"][0];
    assert_eq!(list["next"], Value::Null);
    assert_eq!(pay["attributes"][1], serde_json::json!({ "name": "note", "value": "a=b" }));
    assert_eq!(
        (&pay["tenant"], &pay["owner"], &pay["groups"][0]),
        (&"acme".into(), &"ops".into(), &"sre".into())
    );
    assert_eq!(pay["keys"].as_array().unwrap().len(), 2);
    assert!(pay["keys"][0]["expires_at"].is_string() && pay["keys"][1]["expires_at"].is_null());
    let ended = desk.json(&["retire", "pay", "--key", made["key_id"].as_str().unwrap()]);
    assert_eq!(ended["state"], "active");
    assert_eq!(desk.json(&["retire", "pay"])["state"], "retired");
}

#[test]
fn what_cannot_be_done_is_named_with_its_exit_code() {
    let desk = Desk::new();
    desk.run(&["new", "ci", "--role", "mint"]);
    desk.run(&["new", "gone", "--role", "mint"]);
    desk.run(&["retire", "gone"]);
    for (arguments, exit, want) in [
        (&["new", "ci", "--role", "mint"][..], 1, "a name is never used twice"),
        (&["new", "gone", "--role", "mint"], 1, "a name is never used twice"),
        (&["new", "x"], 2, "--role"),
        (&["new", "x", "--role", "root"], 2, "a role is mint"),
        (&["new", "../x", "--role", "mint"], 2, "a caller's name has"),
        (&["new", "x", "--role", "spend"], 2, "--spends-for go together"),
        (&["new", "x", "--role", "mint", "--spends-for", "a"], 2, "--spends-for go together"),
        (&["new", "x", "--role", "mint", "--attribute", "team"], 2, "NAME=VALUE"),
        (&["new", "x", "--role", "mint", "--expires", "tomorrow"], 2, "a date such as"),
        (
            &["new", "x", "--role", "mint", "--expires", "2020-01-01T00:00:00Z"],
            2,
            "would have ended",
        ),
        (&["rotate", "x"], 1, "there is no caller x"),
        (&["rotate", "gone"], 1, "caller gone is retired"),
        (&["retire", "gone"], 1, "caller gone is retired"),
        (&["retire", "ci", "--key", "0000000000000000"], 1, "no living key"),
        (&["rotate", "ci", "--overlap", "1w"], 2, "a span of time"),
    ] {
        let output = desk.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        assert!(said.contains(want), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(desk.json(&["new", "ci", "--role", "mint"])["code"], "caller-taken");
    assert_eq!(desk.json(&["rotate", "x"])["code"], "no-such-caller");
}
