//! What loading refuses: everything at once, each with its place, its line, a caret and a hint.

use farebox::policy::FlawKind;

use crate::folder::{flaws, folder, write};

fn one(policy: &str) -> (FlawKind, String) {
    let found = flaws(&[("a.datalog", policy)]);
    assert_eq!(found.len(), 1, "{policy}\n{found:#?}");
    (found[0].kind, found[0].to_string())
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let found = flaws(&[
        ("a.datalog", "allow if action(\"act\"), vendr(\"x\");\nvendor(\"x\");\n"),
        (
            "b.datalog",
            "// above\nallow if action(\"act\"), int(\"/a\", $a), $b <= 5;\ncheck if true;",
        ),
        ("data/t.csv", "k,n:int\na,b\n"),
        ("typo.datalgo", ""),
    ]);
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    let want = [
        "a.datalog:1:25: no fact, rule or table makes vendr\n  allow if action(\"act\"), vendr(\"x\");\n  \
         \u{20}                       ^\n  hint: did you mean vendor?",
        "b.datalog:2:40: nothing binds $b\n  allow if action(\"act\"), int(\"/a\", $a), $b <= 5;\n  \
         \u{20}                                      ^\n  hint: let a predicate bind it",
        "b.datalog:3:1: a policy has no check if\n  check if true;\n  ^\n  \
         hint: say what is refused with deny if, and what is allowed with allow if",
        "data/t.csv:2: n is no integer\n  a,b",
        "typo.datalgo: is neither NAME.datalog, data/NAME.csv, tests/NAME.toml nor actions.toml\n  \
         hint: rename it, or let its name begin with a dot",
    ];
    assert_eq!(said, want);
}

#[test]
fn what_farebox_gives_or_takes_is_made_by_no_policy() {
    for made in [
        "approval(\"finance\", 2) <- action(\"act\");",
        "ttl(3000);",
        "agent(\"key:root\");",
        "attested($s, \"ok\", \"yes\") <- context($s, $_x);",
        "now(2026-11-21T00:00:00Z);",
    ] {
        assert_eq!(one(made).0, FlawKind::Reserved, "{made}");
    }
    let table = flaws(&[("a.datalog", "allow if true;"), ("data/agent.csv", "id\nkey:root\n")]);
    assert!(table[0].to_string().contains("a word of the language"), "{table:?}");
}

#[test]
fn what_could_only_fail_in_a_decision_is_refused_before_one() {
    let table = [
        ("allow if action(\"act\") trusting previous;", FlawKind::Refused),
        ("check all action(\"act\");", FlawKind::Refused),
        ("reject if action(\"act\");", FlawKind::Refused),
        ("deny if action(\"act\"), ttl(5);", FlawKind::Term),
        ("f($a) <- agent($a), approval(\"x\", 1);", FlawKind::Term),
        ("allow if action(\"act\"), ttl(0);", FlawKind::Term),
        ("allow if action(\"act\"), ttl(3601);", FlawKind::Term),
        ("allow if action(\"act\"), holder(\"optional\");", FlawKind::Term),
        ("allow if text(\"/p\", $p), vary($p);", FlawKind::Term),
        ("allow if action(\"act\"), vary(\"amount\");", FlawKind::Term),
        ("allow if action(\"act\"), approval(\"x\", 0);", FlawKind::Term),
        ("allow if action(\"act\"), budget(\"b\", \"k\", -1, 5, 60);", FlawKind::Term),
        ("allow if action(\"act\"), output_one_of(\"c\", {1, 2});", FlawKind::Term),
        ("allow if action(\"act\"), ttl(\"60\");", FlawKind::Type),
        ("allow if int(\"/a\", \"5\");", FlawKind::Type),
        ("allow if int(\"a\", $_a);", FlawKind::Type),
        ("allow if action(\"act\", \"b\");", FlawKind::Arity),
        ("allow if ttl(5, 6), action(\"act\");", FlawKind::Arity),
        ("allow if weekday(\"sunnday\");", FlawKind::Unknown),
        ("allow if predecessor($_a, $_r, $_s, \"success\");", FlawKind::Unknown),
        ("allow if agent({name});", FlawKind::Refused),
        ("allow if agent($a), $a.matches(\"^key:\");", FlawKind::Refused),
        ("allow if agent($a), (1 / 0 > 0).try_or(true), $a == $a;", FlawKind::Refused),
        ("allow if agent($a), $a.extern::f();", FlawKind::Refused),
        ("allow if agent(hex:00);", FlawKind::Type),
        ("f([1, 2]);", FlawKind::Refused),
        ("f($a, $b) <- agent($a);", FlawKind::Syntax),
        ("f(1);\nf(1, 2);\nallow if f($_a);", FlawKind::Arity),
    ];
    for (policy, kind) in table {
        let found = flaws(&[("a.datalog", policy)]);
        let kinds: Vec<FlawKind> = found.iter().map(|flaw| flaw.kind).collect();
        let refused =
            kinds.contains(&kind) || (kind == FlawKind::Type && kinds == [FlawKind::Refused]);
        assert!(refused, "{policy}: {found:?}");
    }
}

#[test]
fn a_text_that_cannot_be_read_is_shown_where_it_ends_with_what_may_mend_it() {
    let table = [
        ("allow if action('act');", 17, "double quotes"),
        ("allow if action(\"a\")\nallow if action(\"b\");", 1, "; missing"),
        ("allow if int(\"/a\", $a), $a <= 1.5;", 28, "smallest unit"),
        ("allow if int(\"/a\", $a), $a = 5;", 28, "equal is =="),
        ("allow if action(\"a\") and agent(\"b\");", 22, "comma"),
        ("allow  if action(\"a\");", 1, "one space"),
        ("allow if f();", 12, "at least one value"),
    ];
    for (policy, column, hint) in table {
        let found = flaws(&[("a.datalog", policy)]);
        assert_eq!(found[0].kind, FlawKind::Syntax, "{found:?}");
        let said = found[0].hint.clone().unwrap_or_default();
        assert!(said.contains(hint), "{policy}: {said}");
        assert_eq!(found[0].place.column, column, "{policy}: {}", found[0]);
    }
}

#[test]
fn a_table_whose_key_nothing_binds_is_refused() {
    let table = |policy: &str| {
        flaws(&[("a.datalog", policy), ("data/t.csv", "k,v\na,b\n"), ("data/u.csv", "k,v\nb,a\n")])
    };
    for policy in [
        "deny if t($_k, \"b\");",
        "allow if t($a, $b), u($b, $a);",
        "f($k) <- t($k, $_v);\nallow if f($_k);",
        "allow if agent($a), t($k, $_v), $k == $a;",
    ] {
        let found = table(policy);
        assert_eq!(found[0].kind, FlawKind::UnboundKey, "{policy}: {found:?}");
    }
}

#[test]
fn what_is_over_a_limit_is_refused() {
    let set: Vec<String> = (0..300).map(|n| format!("\"{n}\"")).collect();
    let set = format!("allow if agent($a), {{{}}}.contains($a);", set.join(", "));
    assert_eq!(one(&set).0, FlawKind::Limit);
    let facts: String = (0..1_001).map(|n| format!("f({n});\n")).collect();
    assert_eq!(one(&facts).0, FlawKind::Limit);
    let body: Vec<String> = (0..40).map(|n| format!("context(\"{n}\", $_v)")).collect();
    assert_eq!(one(&format!("allow if {};", body.join(", "))).0, FlawKind::Limit);
    let deep = format!("allow if {}true{};", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(one(&deep).0, FlawKind::Limit);
    let long = format!("allow if agent(\"{}\");", "x".repeat(20_000));
    assert_eq!(one(&long).0, FlawKind::Limit);
}

#[test]
fn a_folder_without_policies_is_none() {
    assert_eq!(flaws(&[("README.md", "")])[0].kind, FlawKind::Unreadable);
    let missing =
        farebox::policy::PolicySet::load("/nowhere/at/all".as_ref(), &farebox::policy::Zone::utc());
    assert!(missing.unwrap_err().to_string().contains("cannot be read"));
    let binary = folder(&[]);
    std::fs::write(binary.path().join("a.datalog"), [0xff, 0xfe]).unwrap();
    write(binary.path(), "b.datalog", "allow if true;");
    let found = farebox::policy::PolicySet::load(binary.path(), &farebox::policy::Zone::utc());
    assert!(found.unwrap_err().to_string().contains("is not UTF-8"));
}

#[test]
fn what_the_catalogue_has_not_is_an_error_with_its_place() {
    let catalogue = "[action.pay]\nsentence = \"Pay\"\naudience = \"erp\"\nresource = \"*\"\n[action.pay.params]\n\
                     \"/amount\" = { type = \"money\", unit = \"EUR\" }\n";
    let check = |policy: &str| flaws(&[("a.datalog", policy), ("actions.toml", catalogue)]);
    let table = [
        ("deny if action(\"pya\");", "a.datalog:1:16: the catalogue has no action pya", "pay"),
        (
            "allow if action(\"pay\"), audience(\"epr\");",
            "a.datalog:1:34: pay is not done by epr",
            "erp",
        ),
        (
            "allow if action(\"pay\"), int(\"/amuont\", $_a);",
            "a.datalog:1:29: pay has no parameter /amuont",
            "/amount",
        ),
        (
            "allow if action(\"pay\"), text(\"/amount\", $_a);",
            "a.datalog:1:30: /amount of pay is of the type money",
            "text",
        ),
    ];
    for (policy, message, hint) in table {
        let found = check(policy);
        assert!(found[0].to_string().starts_with(message), "{}", found[0]);
        assert!(found[0].hint.as_ref().unwrap().contains(hint), "{found:?}");
    }
}

#[test]
fn a_catalogue_that_is_none_says_where() {
    let found = flaws(&[
        ("a.datalog", "allow if true;"),
        ("actions.toml", "[action.pay]\nsentence = \"Pay\"\naudiance = \"erp\"\n"),
    ]);
    assert!(
        found[0].to_string().starts_with("actions.toml:3:1: unknown field `audiance`"),
        "{}",
        found[0]
    );
}

#[test]
fn what_is_at_the_limits_is_read_at_once_and_on_a_small_stack() {
    let read = || {
        let open = [("(", ")"), ("{", "}"), ("[", "]"), ("!", "")];
        let whole =
            open.map(|(left, right)| format!("{}true{}", left.repeat(31), right.repeat(31)));
        let broken = open.map(|(left, _)| format!("{}true", left.repeat(31)));
        let methods = format!("\"a\"{}{}", ".contains(\"a\"".repeat(31), ")".repeat(31));
        let sums = format!("1{} > 0", " + 1".repeat(120));
        for text in whole.into_iter().chain(broken).chain([methods, sums]) {
            let policy = format!("allow if agent($_a), {text};");
            let files = folder(&[("a.datalog", &policy)]);
            let zone = farebox::policy::Zone::utc();
            let _either = farebox::policy::PolicySet::load(files.path(), &zone);
        }
    };
    #[expect(clippy::disallowed_methods, reason = "what it costs is what is tested")]
    let start = std::time::Instant::now();
    let small = std::thread::Builder::new().stack_size(1 << 20);
    small.spawn(read).unwrap().join().unwrap();
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_rule_that_asks_nothing_allows_everything_and_says_so_by_true() {
    let set = crate::folder::set("allow if true;");
    assert_eq!(crate::folder::word(&set, "{}"), "allow");
    let never = crate::folder::set("allow if false;");
    assert_eq!(crate::folder::word(&never, "{}"), "deny");
}
