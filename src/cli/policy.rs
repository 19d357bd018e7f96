//! Policies: checked, tested and explained, all offline.
//!
//! ```text
//! --policies DIR ─→ a set ─→ check: what is wrong with it, what is odd about it
//!                       ├──→ test: its tables of tests
//!                       └──→ explain: one request, and why it is decided so
//! ```

mod check;
mod explain;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Exit;
use super::answer::Answer;
use super::argument::Stdin;
use super::failure::Failure;
use crate::policy::{Case, Flaw, PolicyErrors, PolicySet, RuleRef, Warning, Zone};

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Say what is wrong with policies, and what is odd about them
    Check(check::Check),
    /// Run the tests that stand beside policies
    Test(test::Test),
    /// Say how a request is decided, by which rule, and why
    Explain(explain::Explain),
}

impl PolicyCommand {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        match self {
            PolicyCommand::Check(check) => check.run(),
            PolicyCommand::Test(test) => test.run(),
            PolicyCommand::Explain(explain) => explain.run(stdin),
        }
    }
}

/// Which policies.
#[derive(Args)]
struct Folder {
    /// The folder of policies; ./policies where it exists, else the examples that come with farebox
    #[arg(long, value_name = "DIR", env = "FAREBOX_POLICIES")]
    policies: Option<PathBuf>,
    /// The time zone in which policies read the day and the hour
    #[arg(long, value_name = "NAME", default_value = "UTC", env = "FAREBOX_ZONE")]
    zone: String,
}

impl Folder {
    fn path(&self) -> Option<PathBuf> {
        let usual = || Some(PathBuf::from("policies")).filter(|path| path.is_dir());
        self.policies.clone().or_else(usual)
    }

    fn zone(&self) -> Result<Zone, Failure> {
        Ok(Zone::parse(&self.zone)?)
    }

    fn set(&self) -> Result<Result<(PolicySet, Vec<Warning>), PolicyErrors>, Failure> {
        let zone = self.zone()?;
        Ok(match self.path() {
            Some(path) => PolicySet::load(&path, &zone),
            None => PolicySet::built_in(&zone),
        })
    }

    fn cases(&self) -> Result<Vec<Case>, PolicyErrors> {
        match self.path() {
            Some(path) => Case::load(&path),
            None => Case::built_in(),
        }
    }

    /// Says so where no folder was looked at.
    fn noted(&self, answer: Answer) -> Answer {
        match self.path() {
            Some(_) => answer,
            None => answer.with_note(
                "there is no folder ./policies: these are the examples that come with farebox",
            ),
        }
    }
}

/// The answer for policies that cannot be used.
fn unusable(errors: &PolicyErrors) -> Answer {
    let flaws = errors.flaws();
    let mut lines: Vec<String> = flaws.iter().flat_map(|flaw| shown("error", flaw)).collect();
    let count = flaws.len();
    lines.push(format!("{count} {}", if count == 1 { "error" } else { "errors" }));
    let errors: Vec<Value> = flaws.iter().map(flaw_json).collect();
    let json = json!({ "ok": false, "errors": errors, "warnings": [] });
    Answer { exit: Exit::Refused, lines, notes: Vec::new(), json }
}

fn shown(word: &str, flaw: &Flaw) -> Vec<String> {
    let text = flaw.to_string();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, &format!("{word}: "));
    }
    lines
}

fn flaw_json(flaw: &Flaw) -> Value {
    let place = &flaw.place;
    json!({
        "kind": flaw.kind.word(),
        "file": place.file,
        "line": (place.line > 0).then_some(place.line),
        "column": (place.column > 0).then_some(place.column),
        "source": (!place.source.is_empty()).then_some(&place.source),
        "message": flaw.message,
        "hint": flaw.hint,
    })
}

fn rule_json(rule: &RuleRef) -> Value {
    json!({ "file": rule.file, "line": rule.line, "label": rule.label })
}
