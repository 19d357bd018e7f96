//! One grant, with what happened to it.

use axum::http::Method;
use clap::Args;
use serde_json::Value;

use super::{Server, encoded, text};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    server: Server,
    /// The grant's id
    grant: String,
}

impl Show {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let path = format!("/v1/grants/{}", encoded(&self.grant));
        let json = self.server.ask(Method::GET, &path, (None, None))?;
        let names =
            ["grant", "state", "agent", "action", "resource", "audience", "workflow", "expires_at"];
        let mut lines: Vec<String> = names
            .iter()
            .filter(|name| !text(&json, name).is_empty())
            .map(|name| format!("{:<12} {}", name.replace('_', " "), text(&json, name)))
            .collect();
        let history = json.get("history").and_then(Value::as_array).cloned().unwrap_or_default();
        lines.extend(
            history.iter().map(|step| format!("  {}  {}", text(step, "at"), text(step, "state"))),
        );
        Ok(Answer::done(lines, json))
    }
}
