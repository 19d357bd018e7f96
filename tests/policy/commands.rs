//! The command line: `policy check`, `test` and `explain`, their exit codes and their JSON.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::folder::folder;

/// What a command says, and its exit code.
fn run(arguments: &[&str], folder: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farebox"));
    command.env_remove("FAREBOX_POLICIES").env_remove("FAREBOX_ZONE").arg("policy").args(arguments);
    let output = command.current_dir(folder).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn json(arguments: &[&str], folder: &Path) -> (i32, Value) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (code, out) = run(&arguments, folder);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{out}: {error}")))
}

const POLICY: &str = "// mine\nallow if action(\"act\"), int(\"/x\", $x), $x <= 5, ttl(9);\n";
const TESTS: &str = "[defaults]\naction = \"act\"\nresource = \"r\"\naudience = \"api\"\nagent = \"key:a\"\n\
                     [[test]]\nname = \"five\"\nparams = { x = 5 }\nexpect = \"allow\"\nrule = \"mine\"\nterms = [\"ttl 9\"]\n\
                     [[test]]\nname = \"six\"\nparams = { x = 6 }\nexpect = \"deny\"\n";

#[test]
fn good_policies_are_checked_and_tested_and_bad_ones_say_where() {
    let good = folder(&[("policies/a.datalog", POLICY), ("policies/tests/t.toml", TESTS)]);
    let (code, checked) = json(&["check"], good.path());
    assert_eq!((code, &checked["ok"], &checked["tests"]), (0, &Value::Bool(true), &Value::from(2)));
    // The missing catalogue is odd, and wrong only to whoever is strict.
    assert_eq!(json(&["check", "--strict"], good.path()).0, 1);
    let (code, tested) = json(&["test"], good.path());
    assert_eq!((code, tested["items"].as_array().unwrap().len()), (0, 2));
    assert_eq!(run(&["test", "--name", "no such"], good.path()).0, 1);

    let bad = folder(&[("policies/a.datalog", "allow if acton(\"act\");\n")]);
    let (code, out) = run(&["check"], bad.path());
    assert_eq!(code, 1);
    let want = "error: a.datalog:1:10: no fact, rule or table makes acton\n  allow if acton(\"act\");\n           ^\n  hint: did you mean action?\n1 error\n";
    assert_eq!(out, want);
    let (code, refused) = json(&["explain", "--request", "{}"], bad.path());
    assert_eq!((code, refused["errors"][0]["kind"].as_str()), (1, Some("unknown-name")));
}

#[test]
fn a_test_that_fails_says_what_was_decided_instead() {
    let tests = TESTS.replace("expect = \"deny\"", "expect = \"allow\"");
    let files = folder(&[("policies/a.datalog", POLICY), ("policies/tests/t.toml", &tests)]);
    let (code, tested) = json(&["test"], files.path());
    assert_eq!((code, &tested["ok"]), (1, &Value::Bool(false)));
    assert_eq!(tested["items"][1]["mismatch"], "expected allow");
    assert_eq!(tested["items"][1]["decided"], "deny: no rule allows it");
}

#[test]
fn a_request_is_explained_by_the_facts_of_its_rule_or_by_where_the_nearest_stopped() {
    let files = folder(&[("policies/a.datalog", POLICY), ("policies/tests/t.toml", TESTS)]);
    let (code, allowed) = json(&["explain", "--test", "five"], files.path());
    assert_eq!((code, &allowed["rule"]["line"]), (0, &Value::from(2)));
    assert_eq!(allowed["facts"], serde_json::json!(["action(\"act\")", "int(\"/x\", 5)"]));
    let request =
        r#"{"action":"act","resource":"r","audience":"api","agent":"key:a","params":{"x":6}}"#;
    let (code, denied) = json(&["explain", "--request", request], files.path());
    assert_eq!((code, &denied["nearest"]["stopped"]), (1, &Value::from("$x <= 5")));
    assert_eq!(denied["nearest"]["bindings"], serde_json::json!(["$x = 6"]));
    assert_eq!(run(&["explain"], files.path()).0, 2);
    assert_eq!(run(&["explain", "--request", "{"], files.path()).0, 2);
    assert_eq!(run(&["explain", "--request", r#"{"prams":1}"#], files.path()).0, 2);
    assert_eq!(run(&["check", "--zone", "Moon"], files.path()).0, 2);
}

#[test]
fn where_there_is_no_folder_the_examples_are_looked_at() {
    let empty = folder(&[]);
    let (code, out) = run(&["test"], empty.path());
    assert_eq!(code, 0, "{out}");
    assert!(out.trim_end().ends_with("0 failed"), "{out}");
    assert_eq!(run(&["check", "--strict"], empty.path()).0, 0);
}
