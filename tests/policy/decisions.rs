//! The example policies decide what their tests say, and what the golden table says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use farebox::policy::{Case, PolicySet, Zone};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

#[test]
fn the_example_policies_decide_what_their_tests_expect() {
    let (set, warnings) =
        PolicySet::load(&root().join("policies"), &Zone::utc()).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        warnings.is_empty(),
        "{}",
        warnings.iter().map(|w| format!("{w}\n")).collect::<String>()
    );
    let cases = Case::load(&root().join("policies")).unwrap_or_else(|e| panic!("{e}"));
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| case.run(&set))
        .filter_map(|result| {
            let why = result.mismatch?;
            Some(format!("{} {}: {why}, but {}", result.place, result.name, result.decided))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_decision_of_the_example_policies_changes_only_with_the_golden_table() {
    let golden = root().join("tests/golden/decisions.txt");
    let (set, _) = PolicySet::load(&root().join("policies"), &Zone::utc()).unwrap();
    let mut table = String::new();
    for case in Case::load(&root().join("policies")).unwrap() {
        let result = case.run(&set);
        writeln!(table, "{}\n    {}", result.name, result.decided).unwrap();
    }
    if env::var_os("FAREBOX_REGENERATE").is_some() {
        fs::write(&golden, &table).unwrap();
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    let differs = known.lines().zip(table.lines()).find(|(known, now)| known != now);
    assert_eq!(differs, None, "set FAREBOX_REGENERATE=1 where this is meant");
    assert_eq!(known.lines().count(), table.lines().count());
}

#[test]
fn the_policies_in_the_program_are_those_of_the_folder() {
    let (folder, _) = PolicySet::load(&root().join("policies"), &Zone::utc()).unwrap();
    let (built_in, _) = PolicySet::built_in(&Zone::utc()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(built_in.hash(), folder.hash());
    let (cases, own) = (Case::load(&root().join("policies")).unwrap(), Case::built_in().unwrap());
    assert_eq!(own.len(), cases.len());
}

#[test]
fn people_read_labels_and_amounts_of_money_in_the_order_of_the_catalogue() {
    let (set, _) = PolicySet::built_in(&Zone::utc()).unwrap();
    let pay = set.catalogue().unwrap().action("erp.pay-invoice").unwrap();
    let read = |json: &str| {
        let asked = crate::folder::asked(json);
        let labels = pay.labels(&asked.question()).into_iter();
        labels.map(|label| format!("{}: {}", label.label, label.value)).collect::<Vec<_>>()
    };
    let exact = read(r#"{"params":{"amount":123456,"vendor":"acme","x":true}}"#);
    assert_eq!(exact, ["Vendor: acme", "Amount: 1,234.56 EUR", "/x: yes"]);
    let open = read(r#"{"params":{"vendor":"acme"},"bounds":{"/amount":{"max":400000}}}"#);
    assert_eq!(open, ["Vendor: acme", "Amount: at most 4,000.00 EUR"]);
    assert_eq!(set.catalogue().unwrap().actions().count(), 34);
}
