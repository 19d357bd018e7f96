//! Uses: taken and settled over HTTP, by APIs that do not embed the verifier.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::params::json::Json;
use farebox_verifier::{Action, Audience, Outcome, ParamsDigest, Proof, Resource, limits};
use serde_json::{Value, json};

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::openapi::{Answers, Doc, Form, Kind, may, must};
use super::problem::Problem;
use crate::fields::Fields;
use crate::issuer::{Presentation, Together};
use crate::limits::KEY_BYTES_MAX;

const OUTCOMES: &[&str] = &["succeeded", "failed", "void", "output-refused", "unknown"];

pub(super) static SPEND: Doc = Doc {
    does: "Take a token's one use",
    body: Some(&[
        must("token", Kind::Text, "The token."),
        must("action", Kind::Name(limits::ACTION_BYTES_MAX), "What the request asks to be done."),
        must("resource", Kind::Line(limits::RESOURCE_BYTES_MAX), "To what."),
        must(
            "audience",
            Kind::Name(limits::AUDIENCE_BYTES_MAX),
            "The API that asks: one that its caller may spend for.",
        ),
        may("params", Kind::Object, "With which parameters."),
        may(
            "params_sha256",
            Kind::Hex(64),
            "Or their digest, which is enough where nothing varies.",
        ),
        must(
            "attempt",
            Kind::Short(KEY_BYTES_MAX),
            "A name of the caller's for this execution: the same again is a repeat.",
        ),
        may(
            "proof",
            Kind::TextOrTexts(limits::PROOFS_MAX),
            "Proofs of the keys that the token is bound to.",
        ),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "The use is taken. If `repeat`, it was taken by this attempt before: act only if you never heard.",
        form: Form::Json(&[
            must("grant", Kind::Text, "The grant's id."),
            must("attempt", Kind::Text, "The attempt, as it was sent."),
            must("agent", Kind::Text, "Who asked for the grant."),
            may("workflow", Kind::Text, "The workflow it belongs to."),
            may("step", Kind::Text, "The step of the workflow."),
            must("repeat", Kind::Flag, "Whether this attempt was answered before."),
            must("spent_at", Kind::Date, "When it was taken."),
        ]),
    }],
    problems: &[
        codes::WRONG_AUDIENCE,
        codes::ALREADY_SPENT,
        codes::PREDECESSOR_UNSETTLED,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// The right to act, for an API that asks.
pub(super) async fn spend(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let token = fields.required_text("token")?;
    let proofs = match fields.json("proof") {
        Some(Json::Text(text)) => vec![&**text],
        _ => fields.texts("proof", limits::PROOFS_MAX)?,
    };
    let wrong = || Problem::bad_request("proof is no proof");
    let proofs = proofs.into_iter().map(|text| Proof::parse(text).or(Err(wrong())));
    let digest =
        fields.parsed("params_sha256", "a SHA-256 in hexadecimal", ParamsDigest::from_hex)?;
    let together = match digest {
        Some(_) if fields.json("params").is_some() => {
            return Err(Problem::bad_request("params and params_sha256 say the same twice"));
        }
        Some(digest) => Together::Digest(digest),
        None => Together::Params(fields.params("params")?),
    };
    let attempt = attempt(&mut fields)?;
    let presented = Presentation {
        token: token.to_owned(),
        action: fields.required_name("action", Action::parse)?,
        resource: fields.required_name("resource", Resource::parse)?,
        audience: fields.required_name("audience", Audience::parse)?,
        sent: together,
        attempt: attempt.clone(),
        proofs: proofs.collect::<Result<_, _>>()?,
    };
    fields.end()?;
    let taken = shared.issuer.spend(Arc::clone(call.caller()?), presented).await;
    shared.metrics.spent(&taken);
    let taken = taken?;
    let mut answer = json!({
        "grant": taken.grant.to_string(),
        "attempt": attempt,
        "agent": taken.agent.as_str(),
        "repeat": taken.repeat,
        "spent_at": taken.spent_at.to_string(),
    });
    if let (Value::Object(answer), Some((workflow, step))) = (&mut answer, &taken.workflow) {
        answer.insert("workflow".to_owned(), json!(workflow.as_str()));
        answer.insert("step".to_owned(), json!(step.as_str()));
    }
    Ok(call::json(StatusCode::OK, &answer))
}

fn attempt(fields: &mut Fields<'_>) -> Result<String, Problem> {
    let attempt = fields.required_text("attempt")?;
    let max = KEY_BYTES_MAX;
    if attempt.is_empty() || attempt.len() > max {
        return Err(Problem::bad_request(format!("attempt is not 1 to {max} bytes")));
    }
    Ok(attempt.to_owned())
}

pub(super) static SETTLE: Doc = Doc {
    does: "Report what came of an action, and end its grant",
    body: Some(&[
        must("attempt", Kind::Short(KEY_BYTES_MAX), "The attempt that took the use."),
        must(
            "outcome",
            Kind::Word(OUTCOMES),
            "What came of it; `void` says that nothing was done.",
        ),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "It is settled.",
        form: Form::Json(&[
            must("grant", Kind::Text, "The grant's id."),
            must("state", Kind::Word(OUTCOMES), "What it was settled as."),
        ]),
    }],
    problems: &[
        codes::UNKNOWN_GRANT,
        codes::FENCED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// What came of it.
pub(super) async fn settle(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let grant = farebox_verifier::GrantId::from_hex(call.captured("id"));
    let grant = grant.ok_or_else(|| Problem::from(crate::issuer::Refused::Unknown))?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let attempt = attempt(&mut fields)?;
    let outcome = fields.parsed("outcome", "one of the outcomes", outcome)?;
    let outcome = outcome.ok_or_else(|| Problem::bad_request("outcome is missing"))?;
    fields.end()?;
    shared.issuer.settle(Arc::clone(call.caller()?), grant, attempt, outcome).await?;
    let answer = json!({ "grant": grant.to_string(), "state": outcome.word() });
    Ok(call::json(StatusCode::OK, &answer))
}

fn outcome(word: &str) -> Option<Outcome> {
    use Outcome::{Failed, OutputRefused, Succeeded, Unknown, Void};
    [Succeeded, Failed, Void, OutputRefused, Unknown].into_iter().find(|o| o.word() == word)
}
