//! The token of a request that people have approved.

use axum::http::Method;
use clap::Args;

use super::{Server, encoded, text};
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::limits;

#[derive(Args)]
pub(crate) struct Token {
    #[command(flatten)]
    server: Server,
    /// The request's id
    grant: String,
    /// How many seconds to wait for people
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

impl Token {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let path = format!("/v1/grants/{}", encoded(&self.grant));
        let mut left = self.wait;
        while left > 0 {
            let some = left.min(limits::WAIT_SECONDS_MAX - 5);
            let asked = format!("{path}?wait_seconds={some}");
            let json = self.server.ask(Method::GET, &asked, (None, None))?;
            if text(&json, "state") != "pending" {
                break;
            }
            left -= some;
        }
        let json = self.server.ask(Method::POST, &format!("{path}/token"), (None, None))?;
        Ok(token(json))
    }
}

/// A token on standard output, and what is to be known of it beside. Where there is none yet, the exit code says so.
pub(super) fn token(json: serde_json::Value) -> Answer {
    let [grant, state, end] = ["grant", "state", "expires_at"].map(|name| text(&json, name));
    let by = match text(&json, "rule") {
        "" => String::new(),
        rule => format!(", by {rule}"),
    };
    let note = format!("grant {grant} {state}, until {end}{by}");
    let lines = match text(&json, "token") {
        "" => Vec::new(),
        token => vec![token.to_owned()],
    };
    let exit = if lines.is_empty() { Exit::Refused } else { Exit::Done };
    Answer { exit, ..Answer::done(lines, json).with_note(note) }
}
