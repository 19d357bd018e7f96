//! A request or an approval, taken back.

use axum::http::Method;
use clap::Args;

use super::{Server, encoded, text};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    server: Server,
    /// The request's id
    request: String,
}

impl Withdraw {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let path = format!("/v1/approvals/{}/withdraw", encoded(&self.request));
        let json = self.server.ask(Method::POST, &path, (None, None))?;
        let line = format!("{} {}", text(&json, "grant"), text(&json, "state"));
        Ok(Answer::done(vec![line], json))
    }
}
