//! Grants: asked for, listed, looked at.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::keys::{self, KeyFormat};
use farebox_verifier::params::canon;
use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{
    Action, Audience, GrantId, ParamsDigest, Purpose, Resource, Selector, Step, Workflow, limits,
};
use serde_json::{Value, json};

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::fields::Fields;
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::callers::Caller;
use crate::issuer::{Minted, Shown, Wanted};
use crate::limits::{EVIDENCE_MAX, KEY_BYTES_MAX, PREDECESSORS_MAX};
use crate::store::desk::{self, KeyDigest, RequestHash};
use crate::store::view::{Cursor, Filter, Standing};

/// The words for where a grant stands.
const STATES: &[&str] = &[
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

const ISSUED: &[Field] = &[
    must("grant", Kind::Text, "The grant's id."),
    must("state", Kind::Word(STATES), "Where it stands; `issued` with a fresh token."),
    may("token", Kind::Text, "The token, while the grant is unspent."),
    must("expires_at", Kind::Date, "The first second in which it is worth nothing."),
    may("rule", Kind::Text, "The rule that allowed it."),
];

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
    ],
    problems: &[
        codes::DENIED,
        codes::POLICY_TIMEOUT,
        codes::PREDECESSOR_UNSETTLED,
        codes::IDEMPOTENCY_CONFLICT,
        codes::STORE_DOWN,
        codes::INTERNAL,
    ],
};

/// A token for one action.
pub(super) async fn mint(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let caller = Arc::clone(call.caller()?);
    let wanted = wanted(&caller, &call)?;
    let minted = shared.issuer.mint(caller, wanted).await;
    shared.metrics.minted(&minted);
    let minted = minted?;
    let (status, grant, state, token, end, rule) = match &minted {
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
    Ok(call::json(status, &answer))
}

fn wanted(caller: &Caller, call: &Call) -> Result<Wanted, Problem> {
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let workflow = fields.name("workflow", Workflow::parse)?;
    let workflow = match (workflow, fields.name("step", Step::parse)?) {
        (None, None) => None,
        (Some(own), Some(step)) => {
            let qualified = caller.workflow(&own);
            let qualified =
                qualified.map_err(|e| Problem::bad_request(format!("workflow: {e}")))?;
            Some((qualified, step))
        }
        _ => return Err(Problem::bad_request("workflow and step come together")),
    };
    let after = fields.texts("after", PREDECESSORS_MAX)?;
    let after = after.into_iter().map(|id| grant_id("after", id)).collect::<Result<_, _>>()?;
    let holder = fields.parsed("holder", "a public key in hexadecimal", |text| {
        keys::parse(text, KeyFormat::Hex).ok()
    })?;
    let evidence = fields.texts("evidence", EVIDENCE_MAX)?;
    let wanted = Wanted {
        action: fields.required_name("action", Action::parse)?,
        resource: fields.required_name("resource", Resource::parse)?,
        audience: fields.required_name("audience", Audience::parse)?,
        params: fields.params("params")?,
        bounds: fields.bounds("bounds")?,
        context: fields.words("context")?,
        evidence: evidence.into_iter().map(str::to_owned).collect(),
        purpose: fields.name("purpose", Purpose::parse)?,
        workflow,
        after,
        retry_of: fields.text("retry_of")?.map(|id| grant_id("retry_of", id)).transpose()?,
        ttl_seconds: fields.count("ttl_seconds")?,
        holder,
        hash: hash(&object),
        key: key(caller, call)?,
    };
    fields.end()?;
    match wanted.ttl_seconds {
        Some(0) => Err(Problem::bad_request("ttl_seconds is 0: nobody could use it")),
        Some(ttl) if ttl > limits::TTL_SECONDS_MAX => {
            let max = limits::TTL_SECONDS_MAX;
            Err(Problem::bad_request(format!("ttl_seconds is more than {max}")))
        }
        _ => Ok(wanted),
    }
}

/// What a request is known by: two that mean the same are the same, however they are spaced.
fn hash(object: &Object) -> RequestHash {
    let canonical = canon::canonical(&Json::Object(object.clone()));
    RequestHash(*ParamsDigest::of_bytes(&canonical).as_bytes())
}

fn key(caller: &Caller, call: &Call) -> Result<Option<(String, KeyDigest)>, Problem> {
    let Some(key) = call.header("idempotency-key")? else { return Ok(None) };
    // The draft writes it as a structured string, in quotes; most send it bare. Both are one key.
    let bare = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    if bare.is_empty()
        || bare.len() > crate::limits::KEY_BYTES_MAX
        || !bare.bytes().all(|b| b.is_ascii_graphic())
    {
        let max = crate::limits::KEY_BYTES_MAX;
        let detail = format!("Idempotency-Key is not 1 to {max} visible letters of ASCII");
        return Err(Problem::bad_request(detail));
    }
    let caller = desk::Caller::parse(caller.name.as_str());
    let caller = caller.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(Some((bare.to_owned(), KeyDigest::of(&caller, bare))))
}

pub(super) fn grant_id(name: &str, text: &str) -> Result<GrantId, Problem> {
    let wrong = || Problem::bad_request(format!("{name} is no grant's id"));
    GrantId::from_hex(text).ok_or_else(wrong)
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
    must("key", Kind::Count, "The number of the key that signed it."),
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
    does: "Look at one grant",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "The grant.", form: Form::Json(SHOWN) }],
    problems: &[codes::UNKNOWN_GRANT],
};

/// One grant: its requester's own, or anybody's for staff.
pub(super) async fn show(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let grant = GrantId::from_hex(call.captured("id"));
    let unknown = || Problem::from(crate::issuer::Refused::Unknown);
    let shown = shared.issuer.show(call.caller()?, grant.ok_or_else(unknown)?).await?;
    Ok(call::json(StatusCode::OK, &shown_json(&shown)))
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
            must("total", Kind::Count, "How many there are in all."),
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
    let mut answer = json!({ "items": items, "total": total });
    if let (Value::Object(answer), Some(next)) = (&mut answer, page.next) {
        answer.insert("next".to_owned(), json!(format!("{}.{}", next.life, next.sequence)));
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
