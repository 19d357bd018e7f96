//! The record over HTTP: searched, exported, followed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::{
    Action, Agent, Audience, GrantId, PolicyHash, UnixSeconds, limits as names,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Shared;
use super::call::{self, Asked, Call};
use super::codes;
use super::exporting::Exporting;
use super::following::Following;
use super::openapi::{Answers, Doc, Field, Form, Kind as Is, may, must};
use super::problem::Problem;
use crate::callers::Caller;
use crate::limits;
use crate::record::{Kind, Order, Query, Recorded};

const ENTRY: &[Field] = &[
    must("chain", Is::Text, "The chain that it stands in."),
    must("n", Is::Count, "Its number there: one more than that of the entry before."),
    must("at", Is::Date, "When."),
    must("kind", Is::Text, "What it is about."),
    must("prev", Is::Text, "The hash of the entry before."),
    must("hash", Is::Text, "Its hash."),
];

const QUERY: &[Field] = &[
    may("kind", Is::Text, "Only entries of this kind."),
    may("grant", Is::Hex(32), "Only those about this grant."),
    may("agent", Is::Name(names::AGENT_BYTES_MAX), "Only those about this agent."),
    may("workflow", Is::Name(names::WORKFLOW_BYTES_MAX), "Only those about this workflow."),
    may("audience", Is::Name(names::AUDIENCE_BYTES_MAX), "Only those about this API."),
    may("action", Is::Name(names::ACTION_BYTES_MAX), "Only those about this action."),
    may("policy", Is::Hex(64), "Only those under this set of policies."),
    may("by", Is::Text, "Only those that this caller caused."),
    may("from", Is::Date, "Not before this time."),
    may("to", Is::Date, "Before this time."),
    may("order", Is::Word(&["oldest", "newest"]), "Which come first."),
    may("cursor", Is::Count, "Where the last page ended."),
    may("limit", Is::From(1), "How many at most."),
];

pub(super) static SEARCH: Doc = Doc {
    does: "Search the record",
    body: None,
    query: QUERY,
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "A page of entries.",
        form: Form::Json(&[
            must("items", Is::Items(ENTRY), "The entries."),
            may("next", Is::Text, "Where the next page begins, if there may be one."),
        ]),
    }],
    problems: &[codes::INTERNAL],
};

/// Entries, some at a time.
pub(super) async fn search(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let names: Vec<&str> = QUERY.iter().map(|field| field.name).collect();
    let query = query(call.caller()?, &call.query(&names)?, shared.limits.list_items)?;
    let record = Arc::clone(shared.issuer.record());
    let patience = Duration::from_secs(limits::SEARCH_TURN_SECONDS_MAX);
    let turn = tokio::time::timeout(patience, shared.searches.acquire()).await;
    let _turn = turn.or(Err(busy("as many searches run as may")))?;
    let page = tokio::task::spawn_blocking(move || record.reader().search(&query)).await;
    let page = page.map_err(|_broke| unread())?.map_err(|error| {
        tracing::error!(%error, "the record cannot be read");
        unread()
    })?;
    let items: Vec<Value> = page.items.iter().map(json_of).collect();
    let mut answer = json!({ "items": items });
    if let (Value::Object(answer), Some(next)) = (&mut answer, page.next) {
        answer.insert("next".to_owned(), json!(next.to_string()));
    }
    Ok(call::json(StatusCode::OK, &answer))
}

fn query(caller: &Caller, asked: &Asked<'_>, usual: usize) -> Result<Query, Problem> {
    let order = match asked.text("order") {
        None | Some("oldest") => Order::OldestFirst,
        Some("newest") => Order::NewestFirst,
        Some(_) => return Err(Problem::bad_request("order is neither oldest nor newest")),
    };
    Ok(Query {
        kind: asked.parsed("kind", "a kind of entry", Kind::parse)?,
        grant: asked.parsed("grant", "a grant's id", GrantId::from_hex)?,
        agent: asked.parsed("agent", "an agent", |text| Agent::parse(text).ok())?,
        workflow: asked.parsed("workflow", "a workflow", |text| call::workflow(caller, text))?,
        audience: asked.parsed("audience", "an audience", |text| Audience::parse(text).ok())?,
        action: asked.parsed("action", "an action", |text| Action::parse(text).ok())?,
        policy: asked.parsed("policy", "a hash of policies", PolicyHash::from_hex)?,
        by: asked.text("by").map(Box::from),
        tenant: tenant(caller),
        from: asked.parsed("from", "a time", date)?,
        to: asked.parsed("to", "a time", date)?,
        after: asked.parsed("cursor", "one of our cursors", |text| text.parse().ok())?,
        order,
        limit: asked.limit(usual)?,
    })
}

fn date(text: &str) -> Option<UnixSeconds> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(UnixSeconds::from)
}

fn json_of(recorded: &Recorded) -> Value {
    serde_json::from_str(&recorded.line()).unwrap_or_default()
}

fn unread() -> Problem {
    Problem::new(codes::INTERNAL, "the record cannot be read; the issuer's log says why")
}

pub(super) static EXPORT: Doc = Doc {
    does: "Export the record, line by line",
    body: None,
    query: &[may("after", Is::Count, "Only entries after this number.")],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "One entry in each line, oldest first, as it was hashed.",
        form: Form::Other("application/x-ndjson"),
    }],
    problems: &[codes::INTERNAL],
};

/// Every entry, as its bytes stand in the chain; those of the caller's tenant alone, where it has one.
pub(super) async fn export(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let after = after(&call.query(&["after"])?)?;
    let place = Arc::clone(&shared.exports).try_acquire_owned();
    let place = place.or(Err(busy("as many exports run as may")))?;
    let export = shared.issuer.record().export(after, tenant(call.caller()?));
    let lines = Exporting::of(export, shared.stop.clone(), place);
    Ok(call::text("application/x-ndjson", Body::from_stream(lines)))
}

fn busy(detail: &str) -> Problem {
    Problem::new(codes::RATE_LIMITED, detail).retry_after(10)
}

/// Whose entries a caller may see, where those are not all.
fn tenant(caller: &Caller) -> Option<Box<str>> {
    caller.tenant.as_ref().map(|tenant| tenant.as_str().into())
}

pub(super) static STREAM: Doc = Doc {
    does: "Follow the record as it grows",
    body: None,
    query: &[may("after", Is::Count, "Begin after this number; left out, with what comes next.")],
    headers: &[may(
        "last-event-id",
        Is::Text,
        "The same, as a browser sends it when it comes back.",
    )],
    answers: &[Answers {
        status: 200,
        says: "Server-sent events: each an entry, with its number as the id.",
        form: Form::Other("text/event-stream"),
    }],
    problems: &[],
};

/// Entries as they come.
pub(super) async fn stream_of(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let asked = call.query(&["after"])?;
    let back = call.header("last-event-id")?.and_then(|id| id.parse().ok());
    let head = shared.issuer.record().head().n;
    let after = match (asked.text("after"), back) {
        (Some(_), _) => after(&asked)?,
        (None, Some(last)) => last,
        (None, None) => head,
    };
    let follow = shared.issuer.record().follow(after);
    let stop = shared.stop.clone();
    let following = Following::of(follow, stop, tenant(call.caller()?));
    Ok(call::text("text/event-stream", Body::from_stream(following)))
}

fn after(asked: &Asked<'_>) -> Result<u64, Problem> {
    Ok(asked.parsed("after", "an entry's number", |text| text.parse().ok())?.unwrap_or_default())
}
