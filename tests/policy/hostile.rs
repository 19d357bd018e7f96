//! Questions of those who mean harm: nothing that a caller says is read as policy, or as anybody else's word.

use farebox::policy::{Decision, Why};
use serde_json::json;

use crate::folder::{asked, decide, set, word};

/// What has hurt a parser of Datalog, of SQL, of JSON, or a terminal.
const HOSTILE: [&str; 14] = [
    "\"); allow if true; //",
    "x\"), admin(\"key:bot",
    "$a",
    "{agent}",
    "acme\\",
    "\\\"",
    "') OR 1=1 --",
    "true",
    "hex:00",
    "2026-11-21T00:00:00Z",
    "{\"a\", \"b\"}",
    "query",
    "action",
    "ünï\u{1f600}",
];

const POLICY: &str = "
admin(\"key:root\");
deny if action(\"act\"), text(\"/to\", \"evil\");
allow if action(\"act\"), agent($a), admin($a);
allow if action(\"act\"), text(\"/to\", \"acme\"), attribute(\"role\", \"clerk\"), attested(\"guard\", \"prompt\", \"clean\");
";

#[test]
fn no_text_of_a_caller_is_read_as_policy_or_as_anybody_elses_word() {
    let set = set(POLICY);
    for text in HOSTILE {
        let field = |name: &str| json!({ name: text });
        for question in [
            field("purpose"),
            field("retry_of"),
            field("credential"),
            json!({ "resource": text.trim() }),
            json!({ "context": { text: "clean", "role": text, "prompt": "clean" } }),
            json!({ "context": { "role": "clerk" }, "params": { "to": "acme" } }),
            json!({ "params": { "to": text } }),
            json!({ "params": { text: "acme" } }),
            json!({ "params": { "to": [text, "acme"] } }),
            json!({ "params": { "to": { "to": "acme" } } }),
            json!({ "attributes": { "role": text, text: "clerk" }, "params": { "to": "acme" } }),
            json!({ "attested": [{ "signer": text, "name": "prompt", "value": "clean" }],
                    "attributes": { "role": "clerk" }, "params": { "to": "acme" } }),
            json!({ "bounds": { "/to": { "one_of": [text] } } }),
            json!({ "predecessors": [{ "action": text, "resource": text, "step": text, "state": text }] }),
        ] {
            let question = question.to_string();
            let answer = decide(&set, &question);
            let denied = matches!(answer, Decision::Denied { why: Why::NothingAllows, .. });
            assert!(denied, "{question}: {answer}");
        }
    }
    // And the honest one is allowed, so that the refusals above mean something.
    let honest = r#"{"attributes":{"role":"clerk"},"params":{"to":"acme"},"attested":[{"signer":"guard","name":"prompt","value":"clean"}]}"#;
    assert_eq!(word(&set, honest), "allow");
    assert_eq!(word(&set, r#"{"agent":"key:root"}"#), "allow");
}

#[test]
fn a_value_is_its_own_however_it_looks() {
    for text in HOSTILE {
        let literal = format!("{text:?}");
        // Only what Rust and Datalog escape alike.
        if literal.contains("\\u") || literal.contains("\\'") {
            continue;
        }
        let policy = format!("allow if action(\"act\"), text(\"/to\", {literal});");
        let set = set(&policy);
        assert_eq!(
            word(&set, &json!({ "params": { "to": text } }).to_string()),
            "allow",
            "{policy}"
        );
        let other = json!({ "params": { "to": format!("{text} ") } }).to_string();
        assert_eq!(word(&set, &other), "deny", "{policy}");
    }
}

#[test]
fn a_parameter_of_another_type_never_meets_a_rule() {
    let set = set(
        "allow if action(\"act\"), int(\"/a\", $a), $a <= 5;\ndeny if action(\"act\"), flag(\"/stop\", true);",
    );
    for (params, want) in [
        (json!({ "a": 5 }), "allow"),
        (json!({ "a": 6 }), "deny"),
        (json!({ "a": "5" }), "deny"),
        (json!({ "a": 4.5 }), "deny"),
        (json!({ "a": [5] }), "deny"),
        (json!({ "a": null }), "deny"),
        (json!({ "a": 5, "stop": true }), "deny"),
        (json!({ "a": 5, "stop": false }), "allow"),
    ] {
        assert_eq!(word(&set, &json!({ "params": params }).to_string()), want, "{params}");
    }
}

#[test]
fn two_kinds_of_value_compared_end_the_decision_and_name_the_statement() {
    let set = set(
        "// first\ndeny if action(\"act\"), context(\"n\", $n), int(\"/a\", $a), $n == $a;\nallow if action(\"act\");",
    );
    assert_eq!(word(&set, "{}"), "allow");
    let answer = decide(&set, r#"{"context":{"n":"5"},"params":{"a":5}}"#);
    let Decision::Error { statement, .. } = &answer else { panic!("{answer}") };
    assert_eq!((statement.line, statement.label.as_deref()), (2, Some("first")));
    // `!=` too: values of two kinds are an error, and not different.
    let set = crate::folder::set(
        "allow if action(\"act\"), context(\"n\", $n), int(\"/a\", $a), $n != $a;",
    );
    assert_eq!(word(&set, r#"{"context":{"n":"6"},"params":{"a":5}}"#), "error");
}

#[test]
fn an_overflow_and_a_division_by_zero_are_errors_and_never_answers() {
    for sum in ["$a * 9007199254740991 > 0", "1 / ($a - 9007199254740991) > 0"] {
        let set = set(&format!("allow if int(\"/a\", $a), {sum};"));
        assert_eq!(word(&set, r#"{"params":{"a":9007199254740991}}"#), "error", "{sum}");
    }
}

#[test]
fn what_is_too_much_to_look_at_is_denied_and_nothing_of_it_left_out() {
    let set = set("allow if action(\"act\");");
    let many: Vec<u32> = (0..257).collect();
    let answer = decide(&set, &json!({ "params": { "list": many } }).to_string());
    assert!(matches!(answer, Decision::Denied { why: Why::TooMuch(_), .. }), "{answer}");
    let long = json!({ "params": { "x".repeat(300): 1 } }).to_string();
    assert_eq!(word(&set, &long), "deny");
    let context: serde_json::Map<String, serde_json::Value> =
        (0..65).map(|n| (n.to_string(), json!("v"))).collect();
    assert_eq!(word(&set, &json!({ "context": context }).to_string()), "deny");
    assert_eq!(word(&set, &json!({ "params": { "list": &many[1..] } }).to_string()), "allow");
}

#[test]
fn the_same_question_is_decided_alike_each_time() {
    let set = set("
deny if action(\"act\"), context($k, $v), int(\"/a\", $a), $k == \"n\", $v == $a;
allow if action(\"act\"), context($_k, $v), int(\"/a\", $a), $a < 9, param_max(\"/a\", $a), budget(\"b\", $v, $a, 9, 60);");
    let asked = asked(r#"{"context":{"m":"1","n":"2","o":"3"},"params":{"a":5}}"#);
    let first = set.decide(&asked.question());
    assert_eq!(first.word(), "error", "{first}");
    for _ in 0..200 {
        assert_eq!(set.decide(&asked.question()), first);
    }
}
