//! One request, explained.

use clap::Args;
use farebox_verifier::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::{Folder, rule_json, unusable};
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::argument::{Source, Stdin};
use crate::cli::failure::Failure;
use crate::policy::{Asked, Case, Decision, Explanation, Nearest, PolicySet, Written};

#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    folder: Folder,
    /// The request, as JSON, as @FILE or as - for standard input: action, resource, audience, agent, params, …
    #[arg(long, value_name = "JSON", conflicts_with = "test")]
    request: Option<Source>,
    /// A test of the policies, by its name
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let (set, cases) = match (self.folder.set()?, self.folder.cases()) {
            (Err(errors), _) | (Ok(_), Err(errors)) => return Ok(unusable(&errors)),
            (Ok((set, _)), Ok(cases)) => (set, cases),
        };
        let asked = match (&self.request, &self.test) {
            (Some(source), _) => {
                let bytes = source.read(stdin)?;
                let written: Written =
                    serde_json::from_slice(&bytes).map_err(Failure::RequestJson)?;
                written.read(SystemClock.now())?
            }
            (None, Some(name)) => named(cases, name)?,
            (None, None) => return Err(Failure::NothingAsked),
        };
        Ok(self.folder.noted(explained(&set, &asked)))
    }
}

fn named(cases: Vec<Case>, name: &str) -> Result<Asked, Failure> {
    let hint = cases.iter().find(|case| case.name.contains(name));
    let hint = hint.map_or(String::new(), |case| format!(": did you mean {:?}?", case.name));
    let found = cases.into_iter().find(|case| case.name == name);
    found.map(|case| case.asked).ok_or(Failure::NoSuchTest { name: name.to_owned(), hint })
}

fn explained(set: &PolicySet, asked: &Asked) -> Answer {
    let question = asked.question();
    if let Err(why) = set.fits(&question) {
        let lines = vec![format!("bad-request: {why}")];
        let json = json!({ "decision": "bad-request", "why": why.to_string() });
        return Answer { exit: Exit::Refused, lines, notes: Vec::new(), json };
    }
    let explanation = set.explain(&question);
    let allowed = matches!(explanation.decision, Decision::Allowed { .. });
    let exit = if allowed { Exit::Done } else { Exit::Refused };
    Answer { exit, lines: lines(&explanation), notes: Vec::new(), json: told(&explanation) }
}

fn lines(explanation: &Explanation) -> Vec<String> {
    let mut lines = vec![explanation.decision.to_string()];
    if let Some(text) = &explanation.text {
        lines.push(String::new());
        lines.extend(text.lines().map(|line| format!("  {line}")));
    }
    if !explanation.facts.is_empty() {
        lines.push(String::new());
        lines.push("it rests on".to_owned());
        lines.extend(explanation.facts.iter().map(|fact| format!("  {fact}")));
    }
    if let Some(nearest) = &explanation.nearest {
        lines.push(String::new());
        lines.push(format!(
            "nearest is {}: {} of {} hold",
            nearest.rule,
            nearest.held.len(),
            nearest.of
        ));
        lines.extend(nearest.held.iter().map(|held| format!("  yes  {held}")));
        let bindings = match nearest.bindings.as_slice() {
            [] => String::new(),
            bindings => format!("   where {}", bindings.join(", ")),
        };
        lines.push(format!("  no   {}{bindings}", nearest.stopped));
    }
    lines
}

fn told(explanation: &Explanation) -> Value {
    let (terms, why) = match &explanation.decision {
        Decision::Allowed { terms, .. } => (Some(terms.lines()), None),
        Decision::Denied { why, .. } => (None, Some(why.to_string())),
        Decision::Error { error, .. } => (None, Some(error.to_string())),
        Decision::Timeout => (None, None),
    };
    json!({
        "decision": explanation.decision.word(),
        "rule": explanation.decision.rule().map(rule_json),
        "terms": terms,
        "why": why,
        "text": explanation.text,
        "facts": explanation.facts,
        "nearest": explanation.nearest.as_ref().map(nearest),
    })
}

fn nearest(nearest: &Nearest) -> Value {
    json!({
        "rule": rule_json(&nearest.rule),
        "text": nearest.text,
        "held": nearest.held,
        "stopped": nearest.stopped,
        "bindings": nearest.bindings,
        "of": nearest.of,
    })
}
