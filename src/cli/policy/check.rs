//! The check of policies: everything that is wrong with them, at once.

use clap::Args;
use serde_json::{Value, json};

use super::{Folder, flaw_json, shown, unusable};
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::policy::{PolicySet, Warning};

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    folder: Folder,
    /// Take what is odd for what is wrong
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let answer = match (self.folder.set()?, self.folder.cases()) {
            (Err(errors), _) | (Ok(_), Err(errors)) => unusable(&errors),
            (Ok((set, warnings)), Ok(cases)) => self.usable(&set, &warnings, cases.len()),
        };
        Ok(self.folder.noted(answer))
    }

    fn usable(&self, set: &PolicySet, warnings: &[Warning], tests: usize) -> Answer {
        let mut lines: Vec<String> =
            warnings.iter().flat_map(|warning| shown("warning", warning)).collect();
        let (rules, hash) = (set.rulings(), set.hash());
        let rows: usize = set.tables().iter().map(|(_, rows)| rows).sum();
        let (count, tables) = (warnings.len(), set.tables().len());
        lines.push(format!(
            "{rules} rules, {tables} tables of {rows} rows, {tests} tests, {count} warnings"
        ));
        lines.push(format!("policy set {hash}"));
        let refused = self.strict && !warnings.is_empty();
        let warnings: Vec<Value> = warnings.iter().map(flaw_json).collect();
        let json = json!({
            "ok": !refused,
            "errors": [],
            "warnings": warnings,
            "policy": hash.to_string(),
            "rules": rules,
            "tables": set.tables().iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect::<Vec<_>>(),
            "tests": tests,
        });
        let exit = if refused { Exit::Refused } else { Exit::Done };
        Answer { exit, lines, notes: Vec::new(), json }
    }
}
