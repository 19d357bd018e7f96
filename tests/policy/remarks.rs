//! What loading remarks on: what a policy may have, and what its author most likely did not mean.

use farebox::policy::FlawKind;

use crate::folder::load;

fn remarks(policy: &str) -> Vec<(FlawKind, usize)> {
    let tables = ("data/vendor.csv", "vendor,status\nacme,active\nglobex,suspended\n");
    let (_, warnings) = load(&[("a.datalog", policy), tables]);
    let odd = warnings.into_iter().filter(|warning| warning.kind != FlawKind::NoCatalogue);
    odd.map(|warning| (warning.kind, warning.place.line)).collect()
}

#[test]
fn a_sound_policy_is_not_remarked_on() {
    let sound = "allow if action(\"pay\"), text(\"/v\", $v), vendor($v, \"active\"), int(\"/a\", $a), $a <= 5, ttl(9);
deny if action(\"pay\"), int(\"/a\", $a), $a < 0;
allow if action(\"pay\"), text(\"/v\", $v), vendor($v, \"active\"), int(\"/a\", $a), $a <= 50, approval(\"f\", 1);";
    assert_eq!(remarks(sound), []);
}

#[test]
fn a_variable_that_stands_once_is_remarked_on_and_an_underscore_says_that_it_is_meant() {
    let policy = "allow if action(\"act\"), context(\"k\", $v);\nallow if action(\"b\"), context(\"k\", $_v);";
    assert_eq!(remarks(policy), [(FlawKind::UsedOnce, 1)]);
}

#[test]
fn a_value_that_no_row_has_is_remarked_on() {
    let policy = "allow if text(\"/v\", $v), vendor($v, \"actve\");";
    assert_eq!(remarks(policy), [(FlawKind::NeverMatches, 1)]);
}

#[test]
fn a_rule_that_wants_two_of_what_there_is_one_of_never_matches() {
    let policy = "allow if action(\"a\"), action(\"b\");\nallow if action(\"a\"), attribute(\"r\", \"x\"), attribute(\"r\", \"y\");";
    assert_eq!(remarks(policy), [(FlawKind::NeverMatches, 1)]);
}

#[test]
fn a_rule_behind_a_wider_one_is_shadowed_and_one_behind_a_narrower_one_is_not() {
    let wide = "allow if action(\"pay\"), int(\"/a\", $a), $a <= 500";
    let narrow = "allow if action(\"pay\"), int(\"/a\", $x), $x <= 100, agent(\"key:b\")";
    let two = |first: &str, second: &str| remarks(&format!("{first};\n{second};"));
    assert_eq!(two(wide, narrow), [(FlawKind::Shadowed, 2)]);
    assert_eq!(two(narrow, wide), []);
    assert_eq!(two("deny if action(\"pay\")", wide), [(FlawKind::Shadowed, 2)]);
    let other = "allow if action(\"get\"), int(\"/a\", $x), $x <= 100";
    assert_eq!(two(wide, other), []);
}

#[test]
fn a_refusal_that_another_type_walks_past_is_remarked_on() {
    let deny = "deny if action(\"pay\"), int(\"/a\", $a), $a > 5";
    let open = format!("{deny};\nallow if action(\"pay\"), agent(\"key:b\");");
    assert_eq!(remarks(&open), [(FlawKind::UntypedDeny, 1)]);
    let typed = format!("{deny};\nallow if action(\"pay\"), int(\"/a\", $_a);");
    assert_eq!(remarks(&typed), []);
    let varied = format!(
        "{deny};\nallow if action(\"pay\"), int_at_most(\"/a\", $a), $a < 9, vary(\"/a\");"
    );
    assert_eq!(remarks(&varied), [(FlawKind::VariedDeny, 1)]);
}

#[test]
fn a_set_that_allows_nothing_and_a_missing_catalogue_are_remarked_on() {
    let (_, warnings) = load(&[("a.datalog", "deny if action(\"act\");")]);
    let kinds: Vec<FlawKind> = warnings.iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [FlawKind::AllowsNothing, FlawKind::NoCatalogue]);
}
