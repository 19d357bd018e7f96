//! Grants, as a table.

use axum::http::Method;
use clap::Args;
use serde_json::Value;

use super::{Server, encoded, text};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    server: Server,
    /// Only those that stand so: issued, spent, succeeded, …
    #[arg(long)]
    state: Option<String>,
    /// Only this agent's
    #[arg(long)]
    agent: Option<String>,
    /// Only this workflow's
    #[arg(long)]
    workflow: Option<String>,
    /// Only those for this API
    #[arg(long)]
    audience: Option<String>,
    /// Only those for this action
    #[arg(long)]
    action: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Where the last page ended
    #[arg(long)]
    cursor: Option<String>,
}

impl List {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let asked = [
            ("state", &self.state),
            ("agent", &self.agent),
            ("workflow", &self.workflow),
            ("audience", &self.audience),
            ("action", &self.action),
            ("cursor", &self.cursor),
        ];
        let mut path = format!("/v1/grants?limit={}", self.limit);
        for (name, value) in asked {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let json = self.server.ask(Method::GET, &path, (None, None))?;
        let items = json.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut lines = vec![row("GRANT", "STATE", "AGENT", "ACTION", "RESOURCE")];
        lines.extend(items.iter().map(|item| {
            let [grant, state, agent] = ["grant", "state", "agent"].map(|name| text(item, name));
            row(grant, state, agent, text(item, "action"), text(item, "resource"))
        }));
        let total = json.get("total").and_then(Value::as_u64);
        let total = total.map_or("those of your tenant".to_owned(), |total| total.to_string());
        let next = match text(&json, "next") {
            "" => String::new(),
            next => format!("; go on with --cursor {next}"),
        };
        let note = format!("{} of {total}{next}", items.len());
        Ok(Answer::done(lines, json).with_note(note))
    }
}

fn row(grant: &str, state: &str, agent: &str, action: &str, resource: &str) -> String {
    format!("{grant:<32}  {state:<14}  {agent:<24}  {action:<24}  {resource}")
}
