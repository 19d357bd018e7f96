//! A call as its route sees it: who calls, what is named in the path and the query, and the body.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use farebox_verifier::Workflow;
use farebox_verifier::params::json::{Json, Object};
use serde_json::Value;

use super::problem::Problem;
use crate::callers::Caller;
use crate::limits;

/// A call, let in.
pub(super) struct Call {
    caller: Option<Arc<Caller>>,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub(super) fn new(
        (caller, path): (Option<Arc<Caller>>, Vec<(String, String)>),
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Call, Problem> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
        let Ok(Query(query)) = query else {
            return Err(Problem::bad_request("the query is not well-formed"));
        };
        if query.len() > limits::QUERY_MAX {
            return Err(Problem::bad_request("the query names too many parameters"));
        }
        Ok(Call { caller, path, query, headers, body })
    }

    /// Who calls. The table of routes lets nobody unknown into a route that asks.
    pub(super) fn caller(&self) -> Result<&Arc<Caller>, Problem> {
        let unknown = || Problem::new(super::codes::UNAUTHENTICATED, "no credential was sent");
        self.caller.as_ref().ok_or_else(unknown)
    }

    /// What the path captured under this name.
    pub(super) fn captured(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Refuses parameters of the query that the route does not know, and those that stand there twice.
    pub(super) fn query(&self, known: &[&str]) -> Result<Asked<'_>, Problem> {
        for (at, (name, _)) in self.query.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let (name, known) = (name.chars().take(48).collect::<String>(), known.join(", "));
                let detail = format!("the query has no parameter {name:?}; known: {known}");
                return Err(Problem::bad_request(detail));
            }
            if self.query.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(Problem::bad_request(format!("the query names {name} twice")));
            }
        }
        Ok(Asked(&self.query))
    }

    /// A header that may stand there once.
    pub(super) fn header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.headers.get_all(name).iter();
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            return Err(Problem::bad_request(format!("{name} was sent twice")));
        }
        let text = |value: &HeaderValue| value.to_str().is_ok();
        match first {
            Some(value) if !text(value) => Err(Problem::bad_request(format!("{name} is no text"))),
            value => Ok(value.and_then(|value| value.to_str().ok())),
        }
    }

    /// The body, which is one JSON object and declared as JSON.
    pub(super) fn json(&self) -> Result<Object, Problem> {
        let declared = self.header("content-type")?.unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::bad_request("the body is not declared as application/json"));
        }
        if self.headers.contains_key("content-encoding") {
            return Err(Problem::bad_request("the body is encoded"));
        }
        match Json::parse(&self.body) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(Problem::bad_request("the body is no JSON object")),
            Err(error) => Err(Problem::bad_request(format!("the body: {error}"))),
        }
    }
}

/// The parameters of a query.
pub(super) struct Asked<'a>(&'a [(String, String)]);

impl<'a> Asked<'a> {
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A value that a text stands for.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || Problem::bad_request(format!("{name} is not {wanted}"));
        parse(text).map(Some).ok_or_else(wrong)
    }

    /// How many items a page may have, and how many it has where nobody asked for a number.
    pub(super) fn limit(&self, usual: usize) -> Result<usize, Problem> {
        let max = limits::LIST_MAX;
        let limit = self.parsed("limit", "a number of items", |text| text.parse().ok())?;
        match limit.unwrap_or(usual) {
            0 => Err(Problem::bad_request("limit is not a number of items")),
            limit => Ok(limit.min(max)),
        }
    }
}

/// The workflow that a caller means by this text. One of a tenant names its own runs, as it named them when it asked;
/// staff of no tenant name anybody's, whole.
pub(super) fn workflow(caller: &Caller, text: &str) -> Option<Workflow> {
    let named = Workflow::parse(text).ok()?;
    match caller.tenant {
        None if text.starts_with('@') => Some(named),
        _ => caller.workflow(&named).ok(),
    }
}

/// A JSON answer that nobody keeps.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer in another form.
pub(super) fn text(kind: &'static str, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
