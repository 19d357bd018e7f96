//! A token for one action, asked of a running issuer.

use axum::http::Method;
use clap::Args;
use serde_json::{Map, Value, json};

use super::Server;
use super::token::token;
use crate::cli::answer::Answer;
use crate::cli::argument::{Source, Stdin};
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Mint {
    #[command(flatten)]
    server: Server,
    /// What is to be done: payments.transfer
    #[arg(long)]
    action: String,
    /// To what: account/42
    #[arg(long)]
    resource: String,
    /// By which API: payments-api
    #[arg(long)]
    audience: String,
    /// The parameters, as JSON: text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    params: Option<Source>,
    /// Members that may vary, as JSON: {"/amount": {"max": 4000}}
    #[arg(long, value_name = "JSON")]
    bounds: Option<Source>,
    /// What it is for
    #[arg(long)]
    purpose: Option<String>,
    /// The workflow it belongs to
    #[arg(long, requires = "step")]
    workflow: Option<String>,
    /// The step of the workflow
    #[arg(long, requires = "workflow")]
    step: Option<String>,
    /// A grant that must succeed first; may be given several times
    #[arg(long, value_name = "GRANT")]
    after: Vec<String>,
    /// The grant of a try of which nobody can tell what came
    #[arg(long, value_name = "GRANT")]
    retry_of: Option<String>,
    /// A word on the task: key=value; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// A statement that a third party signed; may be given several times
    #[arg(long, value_name = "JWS")]
    evidence: Vec<String>,
    /// How many seconds it may live
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// The public key, in hexadecimal, whose holder alone may use it
    #[arg(long, value_name = "HEXKEY")]
    holder: Option<String>,
    /// A key of your own, under which asking again is safe
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Mint {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let body = self.body(stdin)?;
        let sent = (Some(&body), self.idempotency_key.as_deref());
        let json = self.server.ask(Method::POST, "/v1/grants", sent)?;
        Ok(token(json))
    }

    fn body(&self, stdin: &mut Stdin) -> Result<Value, Failure> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("action", json!(self.action));
        put("resource", json!(self.resource));
        put("audience", json!(self.audience));
        for (name, source) in [("params", &self.params), ("bounds", &self.bounds)] {
            if let Some(source) = source {
                let value = serde_json::from_slice(&source.read(stdin)?);
                put(name, value.map_err(|source| Failure::Json { name, source })?);
            }
        }
        let texts = [
            ("purpose", &self.purpose),
            ("workflow", &self.workflow),
            ("step", &self.step),
            ("retry_of", &self.retry_of),
            ("holder", &self.holder),
        ];
        for (name, value) in
            texts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
        {
            put(name, json!(value));
        }
        for (name, values) in [("after", &self.after), ("evidence", &self.evidence)] {
            if !values.is_empty() {
                put(name, json!(values));
            }
        }
        if let Some(ttl) = self.ttl {
            put("ttl_seconds", json!(ttl));
        }
        if !self.context.is_empty() {
            let pair = |word: &String| {
                let (name, value) = word.split_once('=').unwrap_or((word, ""));
                (name.to_owned(), json!(value))
            };
            put("context", Value::Object(self.context.iter().map(pair).collect()));
        }
        Ok(Value::Object(body))
    }
}
