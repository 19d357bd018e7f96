//! Grants: asked for, listed, looked at.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::{GrantId, Selector, limits};
use serde_json::{Value, json};

use super::Shared;
use super::approvals;
use super::call::{self, Call};
use super::codes;
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::callers::Caller;
use crate::issuer::{Minted, Refused, Shown, Wanted};
use crate::limits::{EVIDENCE_MAX, KEY_BYTES_MAX, PREDECESSORS_MAX};
use crate::store::desk::{Need, Request, RequestState};
use crate::store::view::{Cursor, Filter, Standing};

/// The words for where a grant stands.
const STATES: &[&str] = &[
    "pending",
    "approved",
    "refused",
    "withdrawn",
    "cancelled",
    "collected",
    "issued",
    "spent",
    "succeeded",
    "failed",
    "void",
    "output-refused",
    "unknown",
    "revoked",
    "expired",
];

pub(super) const ISSUED: &[Field] = &[
    must("grant", Kind::Text, "The grant's id."),
    must("state", Kind::Word(STATES), "Where it stands; `issued` with a fresh token."),
    may("token", Kind::Text, "The token, while the grant is unspent."),
    must("expires_at", Kind::Date, "The first second in which it is worth nothing."),
    may("rule", Kind::Text, "The rule that allowed it."),
];

pub(super) const NEEDS: Kind = Kind::Items(&[
    must("group", Kind::Text, "The group."),
    must("count", Kind::Count, "How many of it."),
]);

/// A request that waits for people.
pub(super) const WAITING: &[Field] = &[
    must("grant", Kind::Text, "The grant's id."),
    must("state", Kind::Word(REQUEST_STATES), "Where it stands."),
    must("needs", NEEDS, "Who must approve."),
    must("missing", NEEDS, "Who has not."),
    must(
        "expires_at",
        Kind::Date,
        "The first second in which it can be neither decided nor collected.",
    ),
];

/// The words for where a request for people stands.
pub(super) const REQUEST_STATES: &[&str] =
    &["pending", "approved", "refused", "expired", "withdrawn", "cancelled", "collected"];

pub(super) static MINT: Doc = Doc {
    does: "Ask for a token for one action",
    body: Some(&[
        must("action", Kind::Name(limits::ACTION_BYTES_MAX), "What is to be done."),
        must("resource", Kind::Line(limits::RESOURCE_BYTES_MAX), "To what."),
        must("audience", Kind::Name(limits::AUDIENCE_BYTES_MAX), "By which API."),
        may("params", Kind::Object, "With which parameters; they are bound exactly."),
        may(
            "bounds",
            Kind::Object,
            "Members that may vary, by pointer, each with min, max, one_of or prefix.",
        ),
        may("context", Kind::Words, "What the agent says of its task."),
        may("evidence", Kind::Texts(EVIDENCE_MAX), "Statements that third parties signed."),
        may("purpose", Kind::Line(limits::PURPOSE_BYTES_MAX), "What it is for."),
        may(
            "workflow",
            Kind::Name(limits::WORKFLOW_BYTES_MAX),
            "The workflow it belongs to, with `step`.",
        ),
        may("step", Kind::Name(limits::WORKFLOW_BYTES_MAX), "The step of the workflow."),
        may("after", Kind::Grants(PREDECESSORS_MAX), "Grants that must succeed first."),
        may("retry_of", Kind::Hex(32), "The grant of a try of which nobody can tell what came."),
        may("ttl_seconds", Kind::Within(1, limits::TTL_SECONDS_MAX), "How long it may live."),
        may(
            "holder",
            Kind::Hex(64),
            "The public key, in hexadecimal, whose holder alone may use it.",
        ),
    ]),
    query: &[],
    headers: &[may("idempotency-key", Kind::Name(KEY_BYTES_MAX), "Makes asking again safe.")],
    answers: &[
        Answers {
            status: 200,
            says: "Asked again, and used or over since.",
            form: Form::Json(ISSUED),
        },
        Answers { status: 201, says: "Granted.", form: Form::Json(ISSUED) },
        Answers {
            status: 202,
            says: "Allowed once people approve it: POST /v1/grants/{grant}/token collects it.",
            form: Form::Json(WAITING),
        },
    ],
    problems: &[
        codes::DENIED,
        codes::APPROVAL_REFUSED,
        codes::POLICY_TIMEOUT,
        codes::PREDECESSOR_UNSETTLED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// A token for one action, or the people who are asked for it.
pub(super) async fn mint(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let caller = Arc::clone(call.caller()?);
    let wanted = wanted(&caller, &call)?;
    let minted = shared.issuer.mint(caller, wanted).await;
    shared.metrics.minted(&minted);
    Ok(answer(&minted?))
}

/// What asking came to, as its caller reads it.
pub(super) fn answer(minted: &Minted) -> Response<Body> {
    let (status, grant, state, token, end, rule) = match minted {
        Minted::Fresh(issued) | Minted::Again(issued) => (
            StatusCode::CREATED,
            issued.grant,
            Standing::Issued.word(),
            Some(issued.token.expose()),
            issued.end,
            issued.rule.as_deref(),
        ),
        Minted::Over { grant, standing, end } => {
            (StatusCode::OK, *grant, standing.word(), None, *end, None)
        }
        Minted::Waiting(request) => return call::json(StatusCode::ACCEPTED, &waiting(request)),
    };
    let mut answer = json!({
        "grant": grant.to_string(), "state": state, "expires_at": end.to_string(),
    });
    if let Value::Object(answer) = &mut answer {
        let members = [("token", token), ("rule", rule)];
        for (name, value) in members.into_iter().filter_map(|(name, v)| Some((name, v?))) {
            answer.insert(name.to_owned(), json!(value));
        }
    }
    call::json(status, &answer)
}

/// A request that waits, as its requester reads it.
pub(super) fn waiting(request: &Request) -> Value {
    json!({
        "grant": request.proposal.grant.to_string(),
        "state": request.state.word(),
        "needs": needs(request.proposal.needs.each()),
        "missing": needs(&request.missing()),
        "expires_at": request.proposal.until.to_string(),
    })
}

pub(super) fn needs(needs: &[Need]) -> Vec<Value> {
    let each = needs.iter();
    each.map(|need| json!({ "group": need.group.as_str(), "count": need.count })).collect()
}

fn wanted(caller: &Caller, call: &Call) -> Result<Wanted, Problem> {
    // The draft writes the key as a structured string, in quotes; most send it bare. Both are one key.
    let key = call.header("idempotency-key")?.map(|key| {
        let bare = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
        bare.unwrap_or(key).to_owned()
    });
    Ok(Wanted::read(caller, &call.json()?, key)?)
}

const SHOWN: &[Field] = &[
    must("grant", Kind::Text, "The grant's id."),
    must("state", Kind::Word(STATES), "Where it stands."),
    must("action", Kind::Text, "What is done."),
    must("resource", Kind::Text, "To what."),
    must("audience", Kind::Text, "By which API."),
    must("agent", Kind::Text, "Who asked."),
    may("workflow", Kind::Text, "The workflow it belongs to."),
    must("policy", Kind::Text, "The hash of the policies that allowed it."),
    may("key", Kind::Count, "The number of the key that signed it, once one has."),
    may("needs", NEEDS, "Who must approve, while it waits for people."),
    may("missing", NEEDS, "Who has not."),
    may("collected", Kind::Text, "The grant that its approval paid for."),
    must("expires_at", Kind::Date, "The first second in which it is worth nothing."),
    must(
        "history",
        Kind::Items(&[
            must("at", Kind::Date, "When."),
            must("state", Kind::Word(STATES), "What it became."),
        ]),
        "What happened to it.",
    ),
];

pub(super) static SHOW: Doc = Doc {
    does: "Look at one grant, or at the request that may become one",
    body: None,
    query: &[approvals::WAIT],
    headers: &[],
    answers: &[Answers { status: 200, says: "The grant.", form: Form::Json(SHOWN) }],
    problems: &[codes::UNKNOWN_GRANT],
};

/// One grant, or the request for people that may become one: its requester's own, or anybody's for staff.
pub(super) async fn show(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let patience = approvals::patience(&call)?;
    let caller = call.caller()?;
    let grant = GrantId::from_hex(call.captured("id")).ok_or(Refused::Unknown)?;
    if shared.issuer.request(caller, grant).is_ok() {
        shared.issuer.wait_for(grant, RequestState::Pending, patience).await;
    }
    let shown = match shared.issuer.show(caller, grant).await {
        Ok(shown) => shown_json(&shown),
        Err(unknown) => request_json(&shared.issuer.request(caller, grant).or(Err(unknown))?),
    };
    Ok(call::json(StatusCode::OK, &shown))
}

fn request_json(request: &Request) -> Value {
    let proposal = &request.proposal;
    let mut history = vec![json!({ "at": request.proposed_at.to_string(), "state": "pending" })];
    if request.state != RequestState::Pending {
        let at = request.changed_at.to_string();
        history.push(json!({ "at": at, "state": request.state.word() }));
    }
    let mut json = waiting(request);
    let Value::Object(members) = &mut json else { return json };
    let texts = [
        ("action", Some(proposal.action.to_string())),
        ("resource", Some(proposal.resource.to_string())),
        ("audience", Some(proposal.audience.to_string())),
        ("agent", Some(proposal.agent.to_string())),
        ("policy", Some(proposal.policy.to_string())),
        ("workflow", proposal.workflow.as_ref().map(ToString::to_string)),
        ("collected", request.collected.map(|grant| grant.to_string())),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?))));
    members.extend(texts);
    members.insert("history".to_owned(), json!(history));
    json
}

pub(super) fn shown_json(shown: &Shown) -> Value {
    let history = shown
        .history
        .iter()
        .map(|(at, standing)| json!({ "at": at.to_string(), "state": standing.word() }));
    let grant = &shown.description;
    let mut json = json!({
        "grant": grant.grant.to_string(),
        "state": shown.standing.word(),
        "action": grant.action.as_str(),
        "resource": grant.resource.as_str(),
        "audience": grant.audience.as_str(),
        "agent": grant.agent.as_str(),
        "policy": grant.policy.to_string(),
        "key": grant.key_id,
        "expires_at": grant.end.to_string(),
        "history": history.collect::<Vec<_>>(),
    });
    if let (Value::Object(json), Some(workflow)) = (&mut json, &grant.workflow) {
        json.insert("workflow".to_owned(), json!(workflow.as_str()));
    }
    json
}

pub(super) static LIST: Doc = Doc {
    does: "List outstanding grants, and those lately ended",
    body: None,
    query: &[
        may("state", Kind::Word(STATES), "Only those that stand so."),
        may("agent", Kind::Name(limits::AGENT_BYTES_MAX), "Only this agent's."),
        may("workflow", Kind::Name(limits::WORKFLOW_BYTES_MAX), "Only this workflow's."),
        may("audience", Kind::Name(limits::AUDIENCE_BYTES_MAX), "Only those for this API."),
        may("action", Kind::Name(limits::ACTION_BYTES_MAX), "Only those for this action."),
        may("policy", Kind::Hex(64), "Only those that these policies allowed."),
        may("key", Kind::Count, "Only those that this key signed."),
        may("cursor", Kind::Text, "Where the last page ended."),
        may("limit", Kind::From(1), "How many at most."),
    ],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "A page of grants, in the order of their registration.",
        form: Form::Json(&[
            must("items", Kind::Items(SHOWN), "The grants."),
            may("next", Kind::Text, "Where the next page begins, if there may be one."),
            may("total", Kind::Count, "How many there are in all; not for staff of a tenant."),
        ]),
    }],
    problems: &[],
};

/// Grants: the caller's own, or everybody's for staff.
pub(super) async fn list(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let kinds = ["agent", "workflow", "audience", "action", "policy", "key"];
    let known = ["state", "cursor", "limit"].into_iter().chain(kinds).collect::<Vec<_>>();
    let asked = call.query(&known)?;
    let caller = call.caller()?;
    let mut filter = Filter::default();
    for kind in kinds {
        let read = |text: &str| match kind {
            "workflow" => call::workflow(caller, text).map(Selector::Workflow),
            kind => Selector::parse(kind, text),
        };
        filter.selectors.extend(asked.parsed(kind, "one that can be", read)?);
    }
    filter.standing = asked.parsed("state", "where a grant can stand", standing)?;
    let cursor = asked.parsed("cursor", "one of our cursors", cursor)?;
    let (page, total) =
        shared.issuer.list(caller, filter, cursor, asked.limit(shared.limits.list_items)?).await;
    let items: Vec<Value> =
        page.items.iter().map(|item| shown_json(&Shown::from(item.clone()))).collect();
    let mut answer = json!({ "items": items });
    if let Value::Object(answer) = &mut answer {
        let next = page.next.map(|next| json!(format!("{}.{}", next.life, next.sequence)));
        answer.extend(next.map(|next| ("next".to_owned(), next)));
        answer.extend(total.map(|total| ("total".to_owned(), json!(total))));
    }
    Ok(call::json(StatusCode::OK, &answer))
}

fn standing(word: &str) -> Option<Standing> {
    use farebox_verifier::Outcome::{Failed, OutputRefused, Succeeded, Unknown, Void};
    let ended = [Succeeded, Failed, Void, OutputRefused, Unknown].map(Standing::Settled);
    let all = [Standing::Issued, Standing::Spent, Standing::Revoked, Standing::Expired];
    all.into_iter().chain(ended).find(|standing| standing.word() == word)
}

fn cursor(text: &str) -> Option<Cursor> {
    let (life, sequence) = text.split_once('.')?;
    Some(Cursor { life: life.parse().ok()?, sequence: sequence.parse().ok()? })
}
