//! Terms: all ways in which the rule that decides holds count, and the strictest of each.

use farebox::policy::{Decision, Why, Zone};

use crate::folder::{asked, decide, folder, load, set, word};

fn terms(policy: &str, json: &str) -> Vec<String> {
    match decide(&set(policy), json) {
        Decision::Allowed { terms, .. } => terms.lines(),
        other => panic!("{other}"),
    }
}

#[test]
fn of_several_ways_the_strictest_counts() {
    let policy = "
limit(\"key:bot\", 60, 1, 500, 2026-11-24T00:00:00Z);
limit(\"key:bot\", 30, 2, 900, 2026-11-23T12:00:00Z);
allow if action(\"act\"), agent($a), limit($a, $ttl, $n, $max, $end), int(\"/x\", $x),
         ttl($ttl), approval(\"finance\", $n), param_max(\"/x\", $max), not_after($end),
         budget(\"b\", $a, $x, $max, 60);";
    let want = [
        "ttl 30",
        "not after 2026-11-23T12:00:00Z",
        "approval finance 2",
        "budget b of \"key:bot\": 7 of 500 in 60 s",
        "/x is at most 500",
    ];
    assert_eq!(terms(policy, r#"{"params":{"x":7}}"#), want);
}

#[test]
fn the_first_rule_that_holds_says_the_terms_and_no_other() {
    let policy = "allow if action(\"act\"), int(\"/x\", $x), $x <= 5, ttl(9);\nallow if action(\"act\"), int(\"/x\", $_x), approval(\"f\", 1);";
    assert_eq!(terms(policy, r#"{"params":{"x":5}}"#), ["ttl 9"]);
    assert_eq!(terms(policy, r#"{"params":{"x":6}}"#), ["approval f 1"]);
    let either =
        "allow if action(\"b\"), ttl(1) or action(\"act\"), ttl(2) or action(\"act\"), ttl(3);";
    assert_eq!(terms(either, "{}"), ["ttl 2"]);
}

#[test]
fn every_refusal_comes_before_every_permission_whatever_its_file() {
    let (set, _) = load(&[
        ("a.datalog", "allow if action(\"act\");"),
        ("z.datalog", "deny if action(\"act\"), context(\"stop\", $_why);"),
    ]);
    assert_eq!(word(&set, "{}"), "allow");
    let answer = decide(&set, r#"{"context":{"stop":"now"}}"#);
    assert_eq!(answer.rule().map(|rule| rule.file.as_str()), Some("z.datalog"));
}

#[test]
fn a_minute_of_the_day_ends_a_token_on_the_wall_of_the_zone() {
    let files =
        folder(&[("a.datalog", "allow if minute_of_day($m), $m < 720, until_minute(720);")]);
    let question = asked("{}");
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let (set, _) = farebox::policy::PolicySet::load(files.path(), &berlin).unwrap();
    // Ten o'clock UTC is eleven in Berlin, so noon there is eleven here.
    let answer = set.decide(&question.question()).to_string();
    assert!(answer.ends_with("not after 2026-11-23T11:00:00Z"), "{answer}");
    let (utc, _) = farebox::policy::PolicySet::load(files.path(), &Zone::utc()).unwrap();
    assert!(utc.decide(&question.question()).to_string().ends_with("12:00:00Z"));
    assert_ne!(set.hash(), utc.hash());
}

#[test]
fn a_time_that_is_over_allows_nothing() {
    let set = set("allow if action(\"act\"), not_after(2026-11-23T10:00:00Z);");
    let answer = decide(&set, "{}");
    assert!(matches!(answer, Decision::Denied { why: Why::Over(_), .. }), "{answer}");
    assert_eq!(word(&set, r#"{"now":"2026-11-23T09:59:59Z"}"#), "allow");
}

#[test]
fn what_is_no_amount_is_denied_and_widens_no_budget() {
    let set = set("allow if action(\"act\"), int(\"/x\", $x), budget(\"b\", \"all\", $x, 10, 60);");
    for (params, want) in [("0", "allow"), ("9007199254740991", "allow"), ("-1", "deny")] {
        assert_eq!(word(&set, &format!(r#"{{"params":{{"x":{params}}}}}"#)), want, "{params}");
    }
}

#[test]
fn a_caveat_that_the_request_itself_breaks_is_denied_at_once() {
    let set = set(
        "allow if action(\"act\"), param_max(\"/x\", 5), param_one_of(\"/to\", {\"a\", \"b\"});",
    );
    for (params, want) in [
        (r#"{"x":5,"to":"a"}"#, "allow"),
        (r#"{"x":6,"to":"a"}"#, "deny"),
        (r#"{"x":5,"to":"c"}"#, "deny"),
        (r#"{"x":"5","to":"a"}"#, "deny"),
        (r#"{"to":"a"}"#, "deny"),
    ] {
        assert_eq!(word(&set, &format!(r#"{{"params":{params}}}"#)), want, "{params}");
    }
}

#[test]
fn the_hash_is_of_what_decides_and_of_nothing_else() {
    let hash = |files: &[(&str, &str)]| load(files).0.hash();
    let one = "allow if action(\"act\"), ttl(5);";
    let same = hash(&[("a.datalog", one)]);
    assert_eq!(
        hash(&[("b.datalog", "// said\nallow if   action(\"act\"),\n  ttl(5); // more")]),
        same
    );
    assert_ne!(hash(&[("a.datalog", "allow if action(\"act\"), ttl(6);")]), same);
    assert_ne!(hash(&[("a.datalog", "allow if action(\"a ct\"), ttl(5);")]), same);
    let table = |text| hash(&[("a.datalog", one), ("data/t.csv", text)]);
    assert_ne!(table("k\na\n"), same);
    assert_ne!(table("k\na\n"), table("k\nb\n"));
    assert_eq!(table("k\na\nb\n"), table("k\nb\na\n"));
    assert_ne!(table("k:int\n5\n"), table("k\n5\n"));
}
