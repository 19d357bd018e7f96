//! What staff do: revoke, block, lift, and look at what is blocked.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use farebox_verifier::Selector;
use farebox_verifier::limits::RESOURCE_BYTES_MAX;
use serde_json::{Value, json};

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::callers::Caller;
use crate::fields::Fields;
use crate::store::Reach;
use crate::store::desk::Reason;

const KINDS: &[&str] =
    &["grant", "agent", "workflow", "audience", "action", "policy", "key", "all"];

const WHOM: &[Field] = &[
    must("by", Kind::Word(KINDS), "By what it is selected."),
    may("value", Kind::Text, "Which; nothing for `all`."),
    must("reason", Kind::Line(RESOURCE_BYTES_MAX), "Why, for the record."),
];

const UNREACHED: Field = must(
    "unreached",
    Kind::Items(&[
        must("store", Kind::Text, "Which store."),
        must("until", Kind::Date, "Until when a token of it may still be spent."),
    ]),
    "Stores that have not heard; empty where it is in force everywhere.",
);

pub(super) static REVOKE: Doc = Doc {
    does: "Revoke outstanding grants",
    body: Some(&[
        must("by", Kind::Word(KINDS), "By what they are selected."),
        may("value", Kind::Text, "Which; nothing for `all`."),
        must("reason", Kind::Line(RESOURCE_BYTES_MAX), "Why, for the record."),
        may("block", Kind::Flag, "Whether to grant nothing more for it until that is lifted."),
        may("dry_run", Kind::Flag, "Only say how many there are."),
    ]),
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "No store that is not in `unreached` lets one of them through from now on.",
        form: Form::Json(&[
            must("revoked", Kind::Count, "How many outstanding grants it names."),
            may("found", Kind::Text, "Where the one grant stood."),
            UNREACHED,
            must("blocked", Kind::Flag, "Whether nothing more is granted for it."),
            must("dry_run", Kind::Flag, "Whether nothing was done."),
        ]),
    }],
    problems: &[codes::STORE_DOWN, codes::INTERNAL],
};

/// Ends what is outstanding.
pub(super) async fn revoke(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let caller = Arc::clone(call.caller()?);
    let (selector, reason) = (selector(&caller, &mut fields)?, reason(&mut fields)?);
    let (block, dry_run) = (fields.flag("block")?, fields.flag("dry_run")?);
    fields.end()?;
    if dry_run {
        let count = shared.issuer.outstanding(&selector).await;
        let answer =
            json!({ "revoked": count, "unreached": [], "blocked": false, "dry_run": true });
        return Ok(call::json(StatusCode::OK, &answer));
    }
    if block && matches!(selector, Selector::Grant(_)) {
        return Err(Problem::bad_request("a grant is revoked for good: there is nothing to block"));
    }
    let revoked = shared.issuer.revoke(caller, selector, reason, block).await?;
    shared.metrics.revoked(revoked.count);
    let mut answer = json!({
        "revoked": revoked.count,
        "unreached": unreached(&revoked.reach),
        "blocked": block,
        "dry_run": false,
    });
    if let (Value::Object(answer), Some(found)) = (&mut answer, revoked.found) {
        answer.insert("found".to_owned(), json!(found));
    }
    Ok(call::json(StatusCode::OK, &answer))
}

fn unreached(reach: &Reach) -> Vec<Value> {
    let each = reach.unreached.iter().map(|unreached| {
        json!({ "store": unreached.life.store.as_str(), "until": unreached.until.to_string() })
    });
    each.collect()
}

/// A word of the staff that says whom, and why, and no more.
fn word(call: &Call) -> Result<(Arc<Caller>, Selector, Reason), Problem> {
    call.query(&[])?;
    let object = call.json()?;
    let mut fields = Fields::of(&object);
    let caller = Arc::clone(call.caller()?);
    let (selector, reason) = (selector(&caller, &mut fields)?, reason(&mut fields)?);
    fields.end()?;
    Ok((caller, selector, reason))
}

fn selector(caller: &Caller, fields: &mut Fields<'_>) -> Result<Selector, Problem> {
    let kind = fields.required_text("by")?;
    let value = fields.text("value")?.unwrap_or_default();
    let read = match kind {
        "workflow" => call::workflow(caller, value).map(Selector::Workflow),
        kind => Selector::parse(kind, value),
    };
    read.ok_or_else(|| Problem::bad_request("by and value select nothing"))
}

fn reason(fields: &mut Fields<'_>) -> Result<Reason, Problem> {
    Ok(fields.required_name("reason", Reason::parse)?)
}

const REACHED: &[Field] = &[UNREACHED];

pub(super) static BLOCK: Doc = Doc {
    does: "Grant nothing more, until that is lifted",
    body: Some(WHOM),
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "It is blocked.", form: Form::Json(REACHED) }],
    problems: &[codes::STORE_DOWN, codes::INTERNAL],
};

/// Grants nothing more for it.
pub(super) async fn block(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let (caller, selector, reason) = word(&call)?;
    if matches!(selector, Selector::Grant(_)) {
        return Err(Problem::bad_request("a grant is revoked, not blocked"));
    }
    let reach = shared.issuer.block(caller, selector, reason).await?;
    Ok(call::json(StatusCode::OK, &json!({ "unreached": unreached(&reach) })))
}

pub(super) static LIFT: Doc = Doc {
    does: "Lift a block",
    body: Some(WHOM),
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "It is lifted.", form: Form::Json(REACHED) }],
    problems: &[codes::STORE_DOWN, codes::INTERNAL],
};

/// Grants for it again. What was revoked stays revoked.
pub(super) async fn lift(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let (caller, selector, reason) = word(&call)?;
    let reach = shared.issuer.lift(caller, selector, reason).await?;
    Ok(call::json(StatusCode::OK, &json!({ "unreached": unreached(&reach) })))
}

pub(super) static BLOCKS: Doc = Doc {
    does: "List what is blocked",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "All blocks.",
        form: Form::Json(&[
            must(
                "items",
                Kind::Items(&[
                    must("by", Kind::Word(KINDS), "By what it is selected."),
                    may("value", Kind::Text, "Which."),
                    must("who", Kind::Text, "Who blocked it."),
                    must("reason", Kind::Text, "Why."),
                    must("at", Kind::Date, "Since when."),
                ]),
                "The blocks.",
            ),
            may("next", Kind::Text, "Never there: all of them fit."),
        ]),
    }],
    problems: &[],
};

/// What is blocked, by whom, and why.
pub(super) async fn blocks(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let blocks = shared.issuer.blocks_for(call.caller()?).into_iter().map(|block| {
        let value = match &block.selector {
            Selector::All => Value::Null,
            selector => json!(selector.value()),
        };
        let mut json = json!({
            "by": block.selector.kind(),
            "who": block.by.as_str(),
            "reason": block.reason.as_str(),
            "at": block.at.to_string(),
        });
        if let (Value::Object(json), false) = (&mut json, value.is_null()) {
            json.insert("value".to_owned(), value);
        }
        json
    });
    Ok(call::json(StatusCode::OK, &json!({ "items": blocks.collect::<Vec<_>>() })))
}
