//! The tests that stand beside policies.

use clap::Args;
use serde_json::{Value, json};

use super::{Folder, unusable};
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::policy::CaseResult;

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    folder: Folder,
    /// Only tests whose name holds this
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

impl Test {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let answer = match (self.folder.set()?, self.folder.cases()) {
            (Err(errors), _) | (Ok(_), Err(errors)) => unusable(&errors),
            (Ok((set, _)), Ok(cases)) => {
                let wanted = |name: &str| self.name.as_ref().is_none_or(|part| name.contains(part));
                let cases = cases.iter().filter(|case| wanted(&case.name));
                let results: Vec<CaseResult> = cases.map(|case| case.run(&set)).collect();
                told(&results)
            }
        };
        Ok(self.folder.noted(answer))
    }
}

fn told(results: &[CaseResult]) -> Answer {
    let mut lines = Vec::new();
    for result in results {
        let word = if result.mismatch.is_some() { "FAILED" } else { "ok" };
        lines.push(format!("{word:<7} {}", result.name));
        if let Some(mismatch) = &result.mismatch {
            lines.push(format!("        {}: {mismatch}", result.place));
            lines.push(format!("        decided: {}", result.decided));
        }
    }
    let failed = results.iter().filter(|result| result.mismatch.is_some()).count();
    lines.push(format!("{} tests, {failed} failed", results.len()));
    let items: Vec<Value> = results.iter().map(item).collect();
    let json = json!({ "ok": failed == 0, "items": items, "next": null });
    // No test at all shows nothing, and a name that holds none is most likely misspelt.
    let exit = if failed == 0 && !results.is_empty() { Exit::Done } else { Exit::Refused };
    Answer { exit, lines, notes: Vec::new(), json }
}

fn item(result: &CaseResult) -> Value {
    json!({
        "name": result.name,
        "file": result.place.file,
        "line": result.place.line,
        "ok": result.mismatch.is_none(),
        "decided": result.decided,
        "mismatch": result.mismatch,
    })
}
