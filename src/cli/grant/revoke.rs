//! Revoking what is outstanding.

use axum::http::Method;
use clap::Args;
use serde_json::{Value, json};

use super::{Server, text};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    server: Server,
    /// By what they are selected
    #[arg(value_parser = ["grant", "agent", "workflow", "audience", "action", "policy", "key", "all"])]
    by: String,
    /// Which; nothing for `all`
    #[arg(default_value = "")]
    value: String,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// Grant nothing more for it, until that is lifted
    #[arg(long)]
    block: bool,
    /// Only say how many there are
    #[arg(long)]
    dry_run: bool,
}

impl Revoke {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let mut body = json!({
            "by": self.by, "reason": self.reason, "block": self.block, "dry_run": self.dry_run,
        });
        if let (Value::Object(body), false) = (&mut body, self.value.is_empty()) {
            body.insert("value".to_owned(), json!(self.value));
        }
        let json = self.server.ask(Method::POST, "/v1/revocations", (Some(&body), None))?;
        let count = json.get("revoked").and_then(Value::as_u64).unwrap_or_default();
        let done = if self.dry_run { "would be revoked" } else { "revoked" };
        let mut lines = vec![format!("{count} outstanding {done}")];
        let unreached =
            json.get("unreached").and_then(Value::as_array).cloned().unwrap_or_default();
        lines.extend(unreached.iter().map(|store| {
            let (name, until) = (text(store, "store"), text(store, "until"));
            format!("store {name} has not heard: tokens of it may be spent until {until}")
        }));
        Ok(Answer::done(lines, json))
    }
}
