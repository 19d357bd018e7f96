//! Approvals: what waits for people, what they say, and the token that comes of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::{Action, Agent, Audience, GrantId, limits};
use serde_json::{Value, json};

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::grants::{NEEDS, REQUEST_STATES, WAITING, answer, needs};
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::fields::Fields;
use crate::issuer::{Put, Refused, Word};
use crate::limits::{DECISION_SIGNATURE_BYTES_MAX, WAIT_SECONDS_MAX};
use crate::store::desk::{Caller, Group, Reason, Request, RequestFilter, RequestState, Verdict};

pub(super) const VERDICTS: &[&str] = &["approve", "refuse"];

pub(super) const SHOWN: &[Field] = &[
    must("grant", Kind::Text, "The request's id; its grant has it too, as a rule."),
    must("state", Kind::Word(REQUEST_STATES), "Where it stands."),
    must("action", Kind::Text, "What is to be done."),
    may("sentence", Kind::Text, "What that does, in the catalogue's words."),
    must("resource", Kind::Text, "To what."),
    must("audience", Kind::Text, "By which API."),
    must("agent", Kind::Text, "Who will act."),
    must("requester", Kind::Text, "Who asked."),
    must("owner", Kind::Text, "The person behind it, who decides on nothing of this."),
    may("workflow", Kind::Text, "The workflow it belongs to."),
    may("plan", Kind::Text, "The plan that it is a step of."),
    may(
        "labels",
        Kind::Items(&[
            must("label", Kind::Text, "What the parameter is called."),
            must("value", Kind::Text, "What it is, or within what it may vary."),
        ]),
        "The parameters, as the catalogue words them; not in a list.",
    ),
    may(
        "attested",
        Kind::Items(&[
            must("signer", Kind::Text, "Who signed."),
            must("name", Kind::Text, "What they speak of."),
            must("value", Kind::Text, "What they say of it."),
        ]),
        "What third parties signed about it; not in a list.",
    ),
    may(
        "request",
        Kind::Object,
        "All of it, as it was asked, while something may come of it; not in a list.",
    ),
    must("request_sha256", Kind::Text, "The digest that a decision names."),
    must("policy", Kind::Text, "The hash of the policies that asked for people."),
    must("needs", NEEDS, "Who must approve."),
    must("missing", NEEDS, "Who has not."),
    must(
        "decisions",
        Kind::Items(&[
            must("at", Kind::Date, "When."),
            must("approver", Kind::Text, "Who."),
            must("group", Kind::Text, "For which group."),
            must("decision", Kind::Word(VERDICTS), "What."),
            must("reason", Kind::Text, "Why."),
        ]),
        "Who has decided.",
    ),
    must("proposed_at", Kind::Date, "Since when it waits."),
    must(
        "expires_at",
        Kind::Date,
        "The first second in which it can be neither decided nor collected.",
    ),
    may("collected", Kind::Text, "The grant that it paid for."),
];

pub(super) fn id(call: &Call) -> Result<GrantId, Problem> {
    GrantId::from_hex(call.captured("id")).ok_or_else(|| Problem::from(Refused::Unknown))
}

pub(super) static LIST: Doc = Doc {
    does: "List what waits for people, or has",
    body: None,
    query: &[
        may(
            "group",
            Kind::Name(limits::WORD_BYTES_MAX),
            "Only those that this group is asked about.",
        ),
        may("requester", Kind::Name(limits::AGENT_BYTES_MAX), "Only this caller's."),
        may("agent", Kind::Name(limits::AGENT_BYTES_MAX), "Only this agent's."),
        may("workflow", Kind::Name(limits::WORKFLOW_BYTES_MAX), "Only this workflow's."),
        may("plan", Kind::Hex(32), "Only the steps of this plan."),
        may("audience", Kind::Name(limits::AUDIENCE_BYTES_MAX), "Only those for this API."),
        may("action", Kind::Name(limits::ACTION_BYTES_MAX), "Only those for this action."),
        may("state", Kind::Word(REQUEST_STATES), "Only those that stand so."),
        may("cursor", Kind::Count, "Where the last page ended."),
        may("limit", Kind::From(1), "How many at most."),
    ],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "A page of requests, in the order in which they came. One may be empty, and not the last.",
        form: Form::Json(&[
            must("items", Kind::Items(SHOWN), "The requests."),
            may("next", Kind::Text, "Where the next page begins, if there may be one."),
        ]),
    }],
    problems: &[],
};

/// What the caller's groups are asked about, or for staff everything.
pub(super) async fn list(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let asked = call.query(&[
        "group",
        "requester",
        "agent",
        "workflow",
        "plan",
        "audience",
        "action",
        "state",
        "cursor",
        "limit",
    ])?;
    let caller = call.caller()?;
    let what = "one that can be";
    let group = asked.parsed("group", what, |text| Group::parse(text).ok())?;
    let filter = RequestFilter {
        groups: group.into_iter().collect(),
        requester: asked.parsed("requester", what, |text| Caller::parse(text).ok())?,
        agent: asked.parsed("agent", what, |text| Agent::parse(text).ok())?,
        workflow: asked.parsed("workflow", what, |text| call::workflow(caller, text))?,
        plan: asked.parsed("plan", "a plan's id", GrantId::from_hex)?,
        audience: asked.parsed("audience", what, |text| Audience::parse(text).ok())?,
        action: asked.parsed("action", what, |text| Action::parse(text).ok())?,
        state: asked.parsed("state", "where a request can stand", state)?,
    };
    let after = asked.parsed("cursor", "one of our cursors", |text| text.parse().ok())?;
    let limit = asked.limit(shared.limits.list_items)?;
    let page = shared.issuer.requests(caller, filter, after.unwrap_or(0), limit);
    // Of each what it is about, and no more: a page of whole requests would be as long as all of them.
    let items: Vec<Value> = page.items.iter().map(summary).collect();
    let mut answer = json!({ "items": items });
    if let (Value::Object(answer), Some(next)) = (&mut answer, page.next) {
        answer.insert("next".to_owned(), json!(next.to_string()));
    }
    Ok(call::json(StatusCode::OK, &answer))
}

fn state(word: &str) -> Option<RequestState> {
    RequestState::ALL.into_iter().find(|state| state.word() == word)
}

pub(super) static SHOW: Doc = Doc {
    does: "Look at one request for people",
    body: None,
    query: &[WAIT],
    headers: &[],
    answers: &[Answers { status: 200, says: "The request.", form: Form::Json(SHOWN) }],
    problems: &[codes::UNKNOWN_GRANT],
};

/// Waiting for people: one call that is answered when they have decided.
pub(super) const WAIT: Field = may(
    "wait_seconds",
    Kind::Within(0, WAIT_SECONDS_MAX),
    "How long to wait for a decision where none has been made.",
);

/// One request, whole; where it waits, not before somebody has decided or the caller's patience ends.
pub(super) async fn show(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let patience = patience(&call)?;
    let grant = id(&call)?;
    shared.issuer.request(call.caller()?, grant)?;
    shared.issuer.wait_for(grant, RequestState::Pending, patience).await;
    let request = shared.issuer.request(call.caller()?, grant)?;
    Ok(call::json(StatusCode::OK, &shown(&shared, &request)))
}

/// How long the caller would wait.
pub(super) fn patience(call: &Call) -> Result<Duration, Problem> {
    let asked = call.query(&["wait_seconds"])?;
    let what = "a number of seconds from 0 to 30";
    let seconds = asked.parsed("wait_seconds", what, |text| {
        text.parse().ok().filter(|seconds: &u64| *seconds <= WAIT_SECONDS_MAX)
    })?;
    Ok(Duration::from_secs(seconds.unwrap_or(0)))
}

/// A request, whole.
pub(super) fn shown(shared: &Shared, request: &Request) -> Value {
    let mut json = summary(request);
    if let (Value::Object(members), Some(put)) = (&mut json, shared.issuer.put(request)) {
        members.extend(read_by_people(&put));
    }
    json
}

/// A request, but for what it asks for in detail.
fn summary(request: &Request) -> Value {
    let proposal = &request.proposal;
    let mut json = json!({
        "grant": proposal.grant.to_string(),
        "state": request.state.word(),
        "action": proposal.action.as_str(),
        "resource": proposal.resource.as_str(),
        "audience": proposal.audience.as_str(),
        "agent": proposal.agent.as_str(),
        "requester": proposal.requester.as_str(),
        "owner": proposal.owner.as_str(),
        "request_sha256": proposal.request.to_string(),
        "policy": proposal.policy.to_string(),
        "needs": needs(proposal.needs.each()),
        "missing": needs(&request.missing()),
        "decisions": decisions(request),
        "proposed_at": request.proposed_at.to_string(),
        "expires_at": proposal.until.to_string(),
    });
    let Value::Object(members) = &mut json else { return json };
    if let Some(workflow) = &proposal.workflow {
        members.insert("workflow".to_owned(), json!(workflow.as_str()));
    }
    if let Some(plan) = proposal.plan {
        members.insert("plan".to_owned(), json!(plan.to_string()));
    }
    if let Some(grant) = request.collected {
        members.insert("collected".to_owned(), json!(grant.to_string()));
    }
    json
}

fn read_by_people(put: &Put) -> Vec<(String, Value)> {
    let labels = put.labels.iter();
    let labels = labels.map(|it| json!({ "label": it.label, "value": it.value }));
    let attested = put.attested.iter().map(|it| {
        json!({ "signer": it.signer.as_str(), "name": it.name.as_str(), "value": it.value.as_str() })
    });
    let mut members = vec![
        ("labels".to_owned(), labels.collect()),
        ("attested".to_owned(), attested.collect()),
        ("request".to_owned(), serde_json::from_slice(&put.written).unwrap_or_default()),
    ];
    if let Some(sentence) = &put.sentence {
        members.push(("sentence".to_owned(), json!(sentence)));
    }
    members
}

fn decisions(request: &Request) -> Vec<Value> {
    let each = request.decisions.iter().map(|decided| {
        let decision = &decided.decision;
        json!({
            "at": decided.at.to_string(),
            "approver": decision.approver.as_str(),
            "group": decision.group.as_str(),
            "decision": decision.verdict.word(),
            "reason": decision.reason.as_str(),
        })
    });
    each.collect()
}

pub(super) static DECIDE: Doc = Doc {
    does: "Approve a request, or refuse it",
    body: Some(&[
        must("decision", Kind::Word(VERDICTS), "What is decided."),
        must("reason", Kind::Line(limits::RESOURCE_BYTES_MAX), "Why, for the record."),
        may("group", Kind::Name(limits::WORD_BYTES_MAX), "For which of the approver's groups."),
        may(
            "signature",
            Kind::Short(DECISION_SIGNATURE_BYTES_MAX),
            "The decision as a JWS of the approver's own key, where one is known.",
        ),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "It counts.", form: Form::Json(SHOWN) }],
    problems: &[
        codes::UNKNOWN_GRANT,
        codes::APPROVAL_EXPIRED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// What an approver says.
pub(super) async fn decide(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let grant = id(&call)?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let word = word(&mut fields)?;
    fields.end()?;
    let request = shared.issuer.say(Arc::clone(call.caller()?), grant, word).await?;
    Ok(call::json(StatusCode::OK, &shown(&shared, &request)))
}

pub(super) fn word(fields: &mut Fields<'_>) -> Result<Word, Problem> {
    let verdict = fields.parsed("decision", "approve or refuse", Verdict::parse)?;
    Ok(Word {
        verdict: verdict.ok_or_else(|| Problem::bad_request("decision is missing"))?,
        reason: fields.required_name("reason", Reason::parse)?,
        group: fields.name("group", Group::parse)?,
        signature: fields.text("signature")?.map(str::to_owned),
    })
}

pub(super) static WITHDRAW: Doc = Doc {
    does: "Take a request or an approval back, and revoke the grant that came of it",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "Nothing comes of it.", form: Form::Json(SHOWN) }],
    problems: &[
        codes::UNKNOWN_GRANT,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// Takes a request back.
pub(super) async fn withdraw(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let request = shared.issuer.withdraw(Arc::clone(call.caller()?), id(&call)?).await?;
    Ok(call::json(StatusCode::OK, &shown(&shared, &request)))
}

pub(super) static COLLECT: Doc = Doc {
    does: "Collect the token of an approved request",
    body: None,
    query: &[],
    headers: &[],
    answers: &[
        Answers {
            status: 200,
            says: "Collected before, and used or over since.",
            form: Form::Json(super::grants::ISSUED),
        },
        Answers {
            status: 201,
            says: "Granted; asked again, the same token while it is unspent.",
            form: Form::Json(super::grants::ISSUED),
        },
        Answers { status: 202, says: "People have not decided.", form: Form::Json(WAITING) },
    ],
    problems: &[
        codes::UNKNOWN_GRANT,
        codes::DENIED,
        codes::APPROVAL_REFUSED,
        codes::APPROVAL_EXPIRED,
        codes::REVOKED,
        codes::POLICY_TIMEOUT,
        codes::PREDECESSOR_UNSETTLED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// The token of an approved request, decided again and minted now.
pub(super) async fn collect(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let minted = shared.issuer.collect(Arc::clone(call.caller()?), id(&call)?).await;
    shared.metrics.minted(&minted);
    Ok(answer(&minted?))
}
