//! Members that may vary: a rule about exact values does not see them, and every value must satisfy the rule.

use farebox::policy::{Decision, Why};

use crate::folder::{decide, load, set, word};

const TABLE: (&str, &str) =
    ("data/vendor.csv", "vendor,status\nacme,active\nglobex,active\ninitech,suspended\n");

#[test]
fn a_rule_about_an_exact_value_does_not_match_one_that_may_vary() {
    let set = set("allow if action(\"act\"), int(\"/x\", $x), $x <= 5, vary(\"/x\");");
    assert_eq!(word(&set, r#"{"params":{"x":5}}"#), "allow");
    assert_eq!(word(&set, r#"{"bounds":{"/x":{"max":5}}}"#), "deny");
}

#[test]
fn every_value_of_a_one_of_must_satisfy_the_rule() {
    let policy = "allow if action(\"act\"), text_one_of(\"/to\", $v), vendor($v, \"active\"), vary(\"/to\");";
    let (set, _) = load(&[("a.datalog", policy), TABLE]);
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["acme"]}}}"#), "allow");
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["acme","globex"]}}}"#), "allow");
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["acme","initech"]}}}"#), "deny");
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["acme","unheard-of"]}}}"#), "deny");
}

#[test]
fn one_value_that_is_refused_refuses_them_all() {
    let set =
        set("deny if text_one_of(\"/to\", \"evil\");\nallow if action(\"act\"), vary(\"/to\");");
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["good","fine"]}}}"#), "allow");
    assert_eq!(word(&set, r#"{"bounds":{"/to":{"one_of":["good","evil"]}}}"#), "deny");
}

#[test]
fn the_values_of_two_members_are_tried_in_every_combination() {
    let set = set("pair(\"a\", \"1\");\npair(\"a\", \"2\");\npair(\"b\", \"1\");\n
allow if action(\"act\"), text_one_of(\"/x\", $x), text_one_of(\"/y\", $y), pair($x, $y), vary(\"/x\"), vary(\"/y\");");
    let two = |x: &str, y: &str| {
        word(&set, &format!(r#"{{"bounds":{{"/x":{{"one_of":{x}}},"/y":{{"one_of":{y}}}}}}}"#))
    };
    assert_eq!(two(r#"["a"]"#, r#"["1","2"]"#), "allow");
    assert_eq!(two(r#"["a","b"]"#, r#"["1"]"#), "allow");
    assert_eq!(two(r#"["a","b"]"#, r#"["1","2"]"#), "deny");
}

#[test]
fn too_many_combinations_are_denied_and_members_that_no_rule_reads_are_none() {
    let many: Vec<String> = (0..20).map(|n| format!("\"v{n}\"")).collect();
    let many = many.join(",");
    let question =
        format!(r#"{{"bounds":{{"/x":{{"one_of":[{many}]}},"/y":{{"one_of":[{many}]}}}}}}"#);
    let reads = set(
        "allow if text_one_of(\"/x\", $_x), text_one_of(\"/y\", $_y), vary(\"/x\"), vary(\"/y\");",
    );
    let answer = decide(&reads, &question);
    assert!(matches!(answer, Decision::Denied { why: Why::TooOpen, .. }), "{answer}");
    let blind = set("allow if action(\"act\"), vary(\"/x\"), vary(\"/y\");");
    assert_eq!(word(&blind, &question), "allow");
}

#[test]
fn what_the_rule_does_not_let_vary_is_denied_even_if_a_later_rule_would() {
    let set = set(
        "allow if action(\"act\"), approval(\"f\", 1);\nallow if action(\"act\"), vary(\"/x\"), ttl(5);",
    );
    let answer = decide(&set, r#"{"bounds":{"/x":{"max":5}}}"#);
    assert!(matches!(answer, Decision::Denied { why: Why::Varies(_), .. }), "{answer}");
}

#[test]
fn bounds_and_terms_both_apply_and_what_leaves_nothing_is_denied() {
    let set = set(
        "allow if int_at_most(\"/x\", $m), $m <= 100, vary(\"/x\"), param_max(\"/x\", 50), param_min(\"/x\", 10);",
    );
    assert_eq!(word(&set, r#"{"bounds":{"/x":{"max":100}}}"#), "allow");
    assert_eq!(word(&set, r#"{"bounds":{"/x":{"max":101}}}"#), "deny");
    assert_eq!(word(&set, r#"{"bounds":{"/x":{"min":60,"max":100}}}"#), "deny");
    assert_eq!(word(&set, r#"{"bounds":{"/x":{"max":9}}}"#), "deny");
}
