//! What came of an action.

use axum::http::Method;
use clap::Args;
use serde_json::json;

use super::{Server, encoded, text};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Settle {
    #[command(flatten)]
    server: Server,
    /// The grant's id
    grant: String,
    /// The attempt that took the use
    #[arg(long)]
    attempt: String,
    /// What came of it; void says that nothing was done
    #[arg(value_parser = ["succeeded", "failed", "void", "output-refused", "unknown"])]
    outcome: String,
}

impl Settle {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let body = json!({ "attempt": self.attempt, "outcome": self.outcome });
        let path = format!("/v1/grants/{}/settle", encoded(&self.grant));
        let json = self.server.ask(Method::POST, &path, (Some(&body), None))?;
        Ok(Answer::done(vec![format!("{} {}", text(&json, "grant"), text(&json, "state"))], json))
    }
}
