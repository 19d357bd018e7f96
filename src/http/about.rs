//! What an issuer says of itself: its keys, its health, its numbers, its routes and its problems.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::openapi::{self, Answers, Doc, Form, Kind, must};
use super::problem::Problem;

pub(super) static KEYS: Doc = Doc {
    does: "The public keys that sign tokens",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers {
        status: 200,
        says: "Every key that is trusted, and those that are not any more.",
        form: Form::Json(&[
            must(
                "keys",
                Kind::Items(&[
                    must("id", Kind::Count, "Its number, which tokens name."),
                    must(
                        "state",
                        Kind::Word(&["signing", "trusted", "retired"]),
                        "What it is worth.",
                    ),
                    must("hex", Kind::Text, "The key, in hexadecimal."),
                    must("pem", Kind::Text, "The key, as SubjectPublicKeyInfo."),
                    must("jwk", Kind::Object, "The key, as JWK."),
                ]),
                "The keys.",
            ),
            must(
                "feed",
                Kind::Items(&[
                    must("hex", Kind::Text, "The key, in hexadecimal."),
                    must("pem", Kind::Text, "The key, as SubjectPublicKeyInfo."),
                    must("jwk", Kind::Object, "The key, as JWK."),
                ]),
                "The keys that sign the feed of revocations: pin them.",
            ),
        ]),
    }],
    problems: &[],
};

/// The keys, for whoever verifies.
pub(super) async fn keys(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let mut response = call::json(StatusCode::OK, &shared.issuer.published_keys());
    let minute = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(CACHE_CONTROL, minute);
    Ok(response)
}

const HEALTH: Form = Form::Json(&[must("status", Kind::Text, "`ok`, or what is wrong.")]);

pub(super) static HEALTHY: Doc = Doc {
    does: "Whether the process lives",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "It lives.", form: HEALTH }],
    problems: &[],
};

/// The process lives: it can answer.
pub(super) async fn healthy(_: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    Ok(call::json(StatusCode::OK, &json!({ "status": "ok" })))
}

pub(super) static READY: Doc = Doc {
    does: "Whether it can grant",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "It can.", form: HEALTH }],
    problems: &[codes::STORE_DOWN],
};

/// It can grant: its store and its record take what they are told.
pub(super) async fn ready(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    match shared.issuer.trouble() {
        None => Ok(call::json(StatusCode::OK, &json!({ "status": "ok" }))),
        Some((what, _)) => Err(Problem::new(codes::STORE_DOWN, what)),
    }
}

pub(super) static METRICS: Doc = Doc {
    does: "The numbers, for Prometheus",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "The numbers.", form: Form::Other("text/plain") }],
    problems: &[],
};

/// The numbers.
pub(super) async fn metrics(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let text = shared.metrics.text(&shared.issuer);
    Ok(call::text("text/plain; version=0.0.4; charset=utf-8", text))
}

pub(super) static OPENAPI: Doc = Doc {
    does: "This document",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "The document.", form: Form::Json(&[]) }],
    problems: &[],
};

/// The OpenAPI document.
pub(super) async fn openapi(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    Ok(call::json(StatusCode::OK, &openapi::document(&shared.public_url)))
}

pub(super) static PROBLEM: Doc = Doc {
    does: "What a problem means, and what to do about it",
    body: None,
    query: &[],
    headers: &[],
    answers: &[Answers { status: 200, says: "A page for people.", form: Form::Other("text/html") }],
    problems: &[codes::UNKNOWN_GRANT],
};

/// The page of a problem.
pub(super) async fn problem(_: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    call.query(&[])?;
    let Some(code) = codes::named(call.captured("code")) else {
        let problem = Problem::bad_request("there is no problem of this name");
        return Err(problem.with_status(StatusCode::NOT_FOUND));
    };
    // All of it is our own text, and none of it holds what HTML reads otherwise.
    let (name, title, status, page) =
        (code.name(), code.title(), code.status().as_u16(), code.page());
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n\
         <body><h1>{name}</h1>\n<p><b>{title}</b> HTTP status {status}.</p>\n<p>{page}</p>\n</body></html>\n"
    );
    Ok(call::text("text/html; charset=utf-8", html))
}
