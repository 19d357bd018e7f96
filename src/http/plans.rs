//! Plans: the steps of a workflow, proposed at once and approved at once.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::{GrantId, limits};
use serde_json::{Value, json};

use super::Shared;
use super::approvals::{SHOWN, VERDICTS, id, shown, word};
use super::call::{self, Call};
use super::codes;
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::fields::Fields;
use crate::issuer::{Plan, Refused};
use crate::limits::PLAN_STEPS_MAX;
use crate::store::desk::Request;

const PLAN: &[Field] = &[
    must("plan", Kind::Text, "The plan's id."),
    must("steps", Kind::Items(SHOWN), "Its steps, in order; each is collected by itself."),
];

pub(super) static PROPOSE: Doc = Doc {
    does: "Propose the steps of a workflow at once",
    body: Some(&[
        must("workflow", Kind::Name(limits::WORKFLOW_BYTES_MAX), "The workflow of all of them."),
        must(
            "steps",
            Kind::Objects(PLAN_STEPS_MAX),
            "Each as a request for a grant, with its `step`; `after` names steps that stand before it.",
        ),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 202,
        says: "Every step waits; one that asks nobody is approved already.",
        form: Form::Json(PLAN),
    }],
    problems: &[codes::DENIED, codes::POLICY_TIMEOUT, codes::STORE_DOWN, codes::INTERNAL],
};

/// All steps of a workflow, or none of them.
pub(super) async fn propose(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let caller = Arc::clone(call.caller()?);
    let plan = Plan::read(&caller, &call.json()?)?;
    let (plan, steps) = shared.issuer.propose_plan(caller, plan).await?;
    Ok(call::json(StatusCode::ACCEPTED, &json_of(&shared, plan, &steps)))
}

fn json_of(shared: &Shared, plan: GrantId, steps: &[Request]) -> Value {
    let steps: Vec<Value> = steps.iter().map(|step| shown(shared, step)).collect();
    json!({ "plan": plan.to_string(), "steps": steps })
}

pub(super) static SHOW: Doc = Doc {
    does: "Look at a plan",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "Its steps.", form: Form::Json(PLAN) }],
    problems: &[codes::UNKNOWN_GRANT],
};

/// The steps of a plan that the caller may see.
pub(super) async fn show(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let (plan, steps) = steps(&shared, &call)?;
    Ok(call::json(StatusCode::OK, &json_of(&shared, plan, &steps)))
}

fn steps(shared: &Shared, call: &Call) -> Result<(GrantId, Vec<Request>), Problem> {
    let plan = id(call)?;
    let steps = shared.issuer.steps_of(call.caller()?, plan);
    if steps.is_empty() { Err(Refused::Unknown.into()) } else { Ok((plan, steps)) }
}

pub(super) static DECIDE: Doc = Doc {
    does: "Approve all steps of a plan, or refuse them",
    body: Some(&[
        must("decision", Kind::Word(VERDICTS), "What is decided."),
        must("reason", Kind::Line(limits::RESOURCE_BYTES_MAX), "Why, for the record."),
        may("group", Kind::Name(limits::WORD_BYTES_MAX), "For which of the approver's groups."),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "It counts for every step that still waited for the approver's group.",
        form: Form::Json(PLAN),
    }],
    problems: &[
        codes::UNKNOWN_GRANT,
        codes::APPROVAL_EXPIRED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// What an approver says of every step that waits for its group. Asked again after a failure, it goes on.
pub(super) async fn decide(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let said = word(&mut fields)?;
    fields.end()?;
    if said.signature.is_some() {
        let what = "who signs with a key of its own signs each step by itself";
        return Err(Problem::bad_request(what));
    }
    let (plan, _) = steps(&shared, &call)?;
    let caller = call.caller()?;
    shared.issuer.say_to_all(caller, plan, &said).await?;
    let steps = shared.issuer.steps_of(caller, plan);
    Ok(call::json(StatusCode::OK, &json_of(&shared, plan, &steps)))
}
