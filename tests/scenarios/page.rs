//! The page that is made of what was seen: `docs/scenarios.md`, a section for each scenario. A test that sees something
//! else than the page says fails, and `FAREBOX_REGENERATE=1` writes the page anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::play::Seen;

/// One section is written at a time.
static PAGE: Mutex<()> = Mutex::new(());

const HEAD: &str = "\
# The scenarios

Twenty-four steps that people want to give to machines, each played end to end: a real issuer with the policies of
`policies/`, on the store in a file and on Redis, and APIs that embed the verifier. What stands here is what was seen,
the same on both stores; `tests/scenarios` plays it again in each run, and fails where it comes otherwise.

The rules are those of the five files in `policies/`, with tables for the day of the test. *Who* is the caller of the
issuer, or the API that a token is presented to. The last lines of each say what the record has of each grant, in turn.
";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios.md")
}

/// Whether the page says what was seen.
pub(super) fn holds(row: &str, title: &str, seen: &Seen) {
    let section = section(row, title, seen);
    let _alone = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(path()).unwrap_or_else(|_| HEAD.to_owned());
    let mut sections = split(&page);
    let found = sections.iter().position(|text| number(text) == Some(row.to_owned()));
    if std::env::vars().any(|(name, _)| name == "FAREBOX_REGENERATE") {
        match found {
            Some(at) => sections[at] = section.clone(),
            None => sections.push(section.clone()),
        }
        sections.sort_by_key(|text| number(text).unwrap_or_default());
        HEAD.clone_into(&mut sections[0]);
        fs::write(path(), sections.join("\n")).unwrap();
    }
    let page = fs::read_to_string(path()).unwrap_or_default();
    let said = split(&page).into_iter().find(|text| number(text) == Some(row.to_owned()));
    assert_eq!(said.unwrap_or_default().trim_end(), section.trim_end(), "docs/scenarios.md");
}

fn split(page: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in page.lines() {
        if line.starts_with("## ") {
            sections.push(String::new());
        }
        let last = sections.last_mut().unwrap();
        last.push_str(line);
        last.push('\n');
    }
    sections.into_iter().map(|text| text.trim_end().to_owned() + "\n").collect()
}

fn number(section: &str) -> Option<String> {
    let number = section.strip_prefix("## ")?.split(' ').next()?;
    Some(number.to_owned())
}

fn section(row: &str, title: &str, seen: &Seen) -> String {
    let rules = match rules(row) {
        rules if rules.is_empty() => String::new(),
        rules => format!(
            "```
{rules}```

"
        ),
    };
    let mut text = format!(
        "## {row} {title}

{rules}| who | does | and |
|---|---|---|
"
    );
    for [who, what, came] in &seen.steps {
        text.push_str(&format!("| `{who}` | {what} | {came} |\n"));
    }
    text.push('\n');
    for (n, line) in (1..).zip(&seen.trail) {
        text.push_str(&format!("{n}. {line}\n"));
    }
    text
}

/// The statements whose comment names the row.
fn rules(row: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "datalog"));
    files.sort();
    let mut found = String::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        for block in text.split("\n\n") {
            let comment = block.lines().next().unwrap_or_default();
            let names = comment.split([' ', ',']).any(|word| word == row);
            if comment.starts_with("//") && names {
                if !found.is_empty() {
                    found.push('\n');
                }
                found.push_str(block.trim_end());
                found.push('\n');
            }
        }
    }
    // Of the response team nobody asks for a token: it reads.
    assert!(!found.is_empty() || row == "1.5", "no policy names {row}");
    found
}
