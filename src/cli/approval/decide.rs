//! An approver's decision, signed with a key of its own where it has one.

use std::path::PathBuf;

use axum::http::Method;
use clap::Args;
use farebox_verifier::params::json::Json;
use farebox_verifier::{
    Action, Agent, Audience, Bounds, GrantId, Params, PolicyHash, RequestDigest, Resource,
    UnixSeconds,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Server, encoded, text};
use crate::approval::Statement;
use crate::cli::answer::Answer;
use crate::cli::argument::PassphraseArgs;
use crate::cli::failure::Failure;
use crate::signer::PrivateKey;
use crate::store::desk::{Caller, Group, RequestHash, Verdict};

#[derive(Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    server: Server,
    /// The request's id
    request: String,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// For which of your groups
    #[arg(long)]
    group: Option<String>,
    /// The file with the private key that you sign decisions with; it needs --as, --group and --digest
    #[arg(long, value_name = "FILE", requires = "name", requires = "group", requires = "digest")]
    key: Option<PathBuf>,
    /// The digest of what `approval show` has shown: nothing else is signed
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Who you are to the issuer: key:alice
    #[arg(long = "as", value_name = "CALLER", id = "name", value_parser = Caller::parse)]
    name: Option<Caller>,
}

impl Decide {
    pub(super) fn run(&self, verdict: Verdict) -> Result<Answer, Failure> {
        let path = format!("/v1/approvals/{}", encoded(&self.request));
        let mut body = json!({ "decision": verdict.word(), "reason": self.reason });
        if let Value::Object(members) = &mut body {
            if let Some(group) = &self.group {
                members.insert("group".to_owned(), json!(group));
            }
            if let (Some(path_of_key), Some(name)) = (&self.key, &self.name) {
                let key = self.passphrase.private_key(path_of_key)?;
                let shown = self.server.ask(Method::GET, &path, (None, None))?;
                let signed = self.signed(&shown, name, verdict, &key);
                members.insert("signature".to_owned(), json!(signed.ok_or(Failure::OtherRequest)?));
            }
        }
        let path = format!("{path}/decisions");
        let json = self.server.ask(Method::POST, &path, (Some(&body), None))?;
        let line = format!("{} {}", text(&json, "grant"), text(&json, "state"));
        Ok(Answer::done(vec![line], json))
    }

    /// The decision on what is shown, and on nothing else: the digest that is signed is made here from the request
    /// as it can be read. Nothing where the issuer shows one thing and asks to sign another.
    fn signed(
        &self,
        shown: &Value,
        approver: &Caller,
        verdict: Verdict,
        key: &PrivateKey,
    ) -> Option<String> {
        let digest = digest(shown.get("request")?)?;
        let request = RequestHash(*digest.as_bytes());
        let seen = self.digest.as_deref()?;
        if text(shown, "request_sha256") != request.to_string() || request.to_string() != seen {
            return None;
        }
        let agent = Agent::parse(text(shown, "agent")).ok()?;
        let group = Group::parse(self.group.as_deref()?).ok()?;
        let until = OffsetDateTime::parse(text(shown, "expires_at"), &Rfc3339).ok()?;
        let grant = GrantId::from_hex(&self.request)?;
        let statement = Statement {
            grant,
            request,
            agent: &agent,
            policy: PolicyHash::from_hex(text(shown, "policy"))?,
            until: UnixSeconds::from(until),
            approver,
            group: &group,
            verdict,
        };
        Some(statement.sign(approver.as_str(), |message| key.sign(message)))
    }
}

/// What a request asks for, to the last parameter.
fn digest(request: &Value) -> Option<RequestDigest> {
    let part = |name: &str| match request.get(name) {
        None | Some(Value::Null) => None,
        Some(part) => Some(part.to_string()),
    };
    let params = match part("params") {
        Some(text) => Params::parse(text.as_bytes()).ok()?,
        None => Params::empty(),
    };
    let bounds = match part("bounds") {
        Some(text) => Some(Bounds::from_json(&Json::parse(text.as_bytes()).ok()?).ok()?),
        None => None,
    };
    Some(RequestDigest::of(
        &Action::parse(text(request, "action")).ok()?,
        &Resource::parse(text(request, "resource")).ok()?,
        &Audience::parse(text(request, "audience")).ok()?,
        params.digest(),
        bounds.as_ref(),
    ))
}
