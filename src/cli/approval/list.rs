//! The queue.

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
    /// Only those that stand so: pending, approved, refused, expired, withdrawn, cancelled, collected
    #[arg(long, default_value = "pending")]
    state: String,
    /// Only those that this group is asked about
    #[arg(long)]
    group: Option<String>,
    /// Only this agent's
    #[arg(long)]
    agent: Option<String>,
    /// Only this workflow's
    #[arg(long)]
    workflow: Option<String>,
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
            ("group", &self.group),
            ("agent", &self.agent),
            ("workflow", &self.workflow),
            ("action", &self.action),
            ("cursor", &self.cursor),
        ];
        let mut path = format!("/v1/approvals?limit={}&state={}", self.limit, encoded(&self.state));
        for (name, value) in asked {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let json = self.server.ask(Method::GET, &path, (None, None))?;
        let items = json.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut lines = vec![row(["REQUEST", "UNTIL", "AGENT", "ACTION", "RESOURCE"])];
        lines.extend(items.iter().map(|item| {
            row(["grant", "expires_at", "agent", "action", "resource"].map(|name| text(item, name)))
        }));
        let next = match text(&json, "next") {
            "" => String::new(),
            next => format!("; go on with --cursor {next}"),
        };
        let note = format!("{} {}{next}", items.len(), self.state);
        Ok(Answer::done(lines, json).with_note(note))
    }
}

fn row([grant, until, agent, action, resource]: [&str; 5]) -> String {
    format!("{grant:<32}  {until:<20}  {agent:<24}  {action:<24}  {resource}")
}
