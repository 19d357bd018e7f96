//! The demonstration, told to people.

use serde_json::json;

use super::Exit;
use super::answer::Answer;
use super::failure::Failure;
use crate::demo::{self, Step};

/// Walks, and answers with every step; a step that came out otherwise is a refusal of the whole.
pub(super) fn run() -> Result<Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let steps = runtime.map_err(Failure::Runtime)?.block_on(demo::walk())?;
    let as_told = steps.iter().filter(|step| step.expected == step.came).count();
    let mut lines: Vec<String> = steps.iter().map(line).collect();
    lines.push(format!("{as_told} of {} steps came out as told", steps.len()));
    let json = steps
        .iter()
        .map(|step| json!({ "what": step.what, "expected": step.expected, "came": step.came }));
    let answer = Answer::done(lines, json!({ "steps": json.collect::<Vec<_>>() }));
    let exit = if as_told == steps.len() { Exit::Done } else { Exit::Refused };
    Ok(Answer { exit, ..answer })
}

fn line(step: &Step) -> String {
    let Step { what, expected, came } = step;
    if expected == came {
        format!("  {what:<32} {came}")
    } else {
        format!("✗ {what:<32} {came}, and should be {expected}")
    }
}
