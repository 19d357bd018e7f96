//! One request, as an approver reads it: what is asked in the catalogue's words, and then all of it.

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
    /// The request's id
    request: String,
}

impl Show {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let path = format!("/v1/approvals/{}", encoded(&self.request));
        let json = self.server.ask(Method::GET, &path, (None, None))?;
        Ok(Answer::done(lines(&json), json))
    }
}

/// What people read of a request.
pub(super) fn lines(json: &Value) -> Vec<String> {
    let mut lines = vec![format!("{} {}", text(json, "grant"), text(json, "state"))];
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<12} {value}"));
        }
    };
    put("what", text(json, "sentence"));
    for name in ["action", "resource", "audience", "agent", "requester", "owner", "workflow"] {
        put(name, text(json, name));
    }
    put("purpose", json.get("request").map_or("", |request| text(request, "purpose")));
    put("until", text(json, "expires_at"));
    put("digest", text(json, "request_sha256"));
    for label in each(json, "labels") {
        put(text(label, "label"), text(label, "value"));
    }
    for word in each(json, "attested") {
        let [signer, name, value] = ["signer", "name", "value"].map(|name| text(word, name));
        put("attested", &format!("{name} {value}, by {signer}"));
    }
    for (name, list) in [("needs", "needs"), ("missing", "missing")] {
        let groups = each(json, list).iter().map(|need| {
            format!("{} of {}", need.get("count").unwrap_or(&Value::Null), text(need, "group"))
        });
        put(name, &groups.collect::<Vec<_>>().join(", "));
    }
    for decision in each(json, "decisions") {
        let [at, who, what, why] =
            ["at", "approver", "decision", "reason"].map(|name| text(decision, name));
        put(what, &format!("{who}, {at}: {why}"));
    }
    if let Some(request) = json.get("request") {
        // Whole, so that nothing is approved that nobody could see.
        let whole = serde_json::to_string_pretty(request).unwrap_or_default();
        lines.push("  request".to_owned());
        lines.extend(whole.lines().map(|line| format!("    {line}")));
    }
    lines
}

fn each<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
