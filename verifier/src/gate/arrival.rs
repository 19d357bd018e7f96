//! A request as it comes in: read whole, within limits, and reduced to what a token can bind.
//!
//! Whatever a route does not read must be empty. What the gate did not bind, the handler could still
//! see: a body nobody looked at, a query that changes the meaning of the rest.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{DefaultBodyLimit, FromRequestParts as _, MatchedPath, RawPathParams, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::problem::{Fault, Malformed};
use super::query;
use super::template::Template;
use crate::limits::PARAMS_BYTES_MAX;
use crate::name::Resource;
use crate::params::json::{Json, Object};
use crate::params::{Params, ParamsDigest};
use crate::verifier::Sent;

/// What a route reads as its action's parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sources {
    pub(super) body: BodySource,
    pub(super) path: Source,
    pub(super) query: Source,
}

/// Whether a source is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    #[default]
    Unread,
    Read,
}

/// How a body is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum BodySource {
    #[default]
    Unread,
    Json(Shape),
    /// Bound by its bytes.
    Raw,
}

/// Whether a body has the shape that its handler will ask for.
pub(super) type Shape = fn(&[u8]) -> bool;

/// How much of a request is awaited, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) body_bytes_max: usize,
    pub(super) read: Duration,
}

/// A request that was read.
pub(super) struct Arrival {
    pub(super) parts: Parts,
    pub(super) resource: Resource,
    body: Bytes,
    bound: Bound,
}

enum Bound {
    Params(Params),
    Digest(ParamsDigest),
}

impl Arrival {
    /// Reads a request.
    pub(super) async fn read(
        request: Request,
        template: &Template,
        sources: &Sources,
        limits: Limits,
    ) -> Result<Arrival, Fault> {
        let (mut parts, body) = request.into_parts();
        // A gate mounted as a service or a fallback answers paths that no route names.
        if parts.extensions.get::<MatchedPath>().is_none() {
            return Err(Fault::Misrouted);
        }
        let captured = capture(&mut parts).await?;
        // Of two values of one name, resource and handler could take one each.
        let names: BTreeSet<&str> = captured.iter().map(|(name, _)| name.as_str()).collect();
        if names.len() != captured.len() {
            return Err(Fault::Misrouted);
        }
        let unbound = |(name, _): &(String, String)| !template.takes(name);
        if sources.path == Source::Unread && captured.iter().any(unbound) {
            return Err(Fault::Misrouted);
        }
        let resource = template.fill(&captured)?;
        let query = read_query(&parts, sources.query)?;
        let body = read_body(body, &parts.headers, sources.body, limits).await?;
        let bound = match sources.body {
            BodySource::Raw => Bound::Digest(ParamsDigest::of_bytes(&body)),
            BodySource::Json(shape) => {
                let json = read_json(&body, &parts.headers, shape)?;
                Bound::Params(bind(Some(json), captured, query, sources)?)
            }
            BodySource::Unread => Bound::Params(bind(None, captured, query, sources)?),
        };
        Ok(Arrival { parts, resource, body, bound })
    }

    pub(super) fn sent(&self) -> Sent<'_> {
        match &self.bound {
            Bound::Params(params) => Sent::Params(params),
            Bound::Digest(digest) => Sent::Digest(*digest),
        }
    }

    /// The request for the handler, with the very bytes that were read.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::from_parts(self.parts, Body::from(self.body));
        // The route's own limit has been kept. axum's must not refuse the body once the token is spent.
        DefaultBodyLimit::disable().apply(&mut request);
        request
    }
}

/// The values that the path captured, decoded.
async fn capture(parts: &mut Parts) -> Result<Vec<(String, String)>, Malformed> {
    use axum::extract::rejection::RawPathParamsRejection::InvalidUtf8InPathParam;
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(values) => Ok(values.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()),
        Err(InvalidUtf8InPathParam(_)) => Err(Malformed::Path),
        // The path captures nothing.
        Err(_) => Ok(Vec::new()),
    }
}

fn read_query(parts: &Parts, source: Source) -> Result<Json, Malformed> {
    let query = parts.uri.query().unwrap_or_default();
    match source {
        Source::Unread if !query.is_empty() => Err(Malformed::UnreadQuery),
        _ => query::read(query),
    }
}

async fn read_body(
    body: Body,
    headers: &HeaderMap,
    source: BodySource,
    limits: Limits,
) -> Result<Bytes, Fault> {
    let (bytes_max, too_many) = match source {
        BodySource::Unread => (0, Malformed::UnreadBody.into()),
        // No parameters are longer, whatever the route takes.
        BodySource::Json(_) => (limits.body_bytes_max.min(PARAMS_BYTES_MAX), Fault::TooLarge),
        BodySource::Raw => (limits.body_bytes_max, Fault::TooLarge),
    };
    // Encoded bytes are not what they say, and it is the handler that would decode them.
    if is_encoded(headers) {
        return Err(Malformed::Encoded.into());
    }
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_many);
    }
    match tokio::time::timeout(limits.read, Limited::new(body, bytes_max).collect()).await {
        Err(_elapsed) => Err(Fault::TooSlow),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_many),
        Ok(Err(_cut)) => Err(Malformed::Cut.into()),
    }
}

/// Whether a body's bytes stand for others.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The body's value. No body is `{}`, and needs no content type.
fn read_json(body: &[u8], headers: &HeaderMap, shape: Shape) -> Result<Json, Malformed> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(only), None) if is_json(only) => {}
        (None, None) if body.is_empty() => {}
        _ => return Err(Malformed::NotJson),
    }
    let json = match body {
        [] => Json::Object(Object::default()),
        text => Json::parse(text).map_err(|why| Malformed::Json(why.kind()))?,
    };
    if shape(body) { Ok(json) } else { Err(Malformed::Shape) }
}

/// Whether a content type is JSON in UTF-8. Never wider than what axum's own extractor takes, which
/// would otherwise refuse the body after the token is spent.
fn is_json(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else { return false };
    let text = text.to_ascii_lowercase();
    // axum takes spaces before a parameter, and nowhere else.
    let mut parts = text.split(';');
    let Some(kind) = parts.next().and_then(|essence| essence.strip_prefix("application/")) else {
        return false;
    };
    let kind_is_json = kind == "json" || kind.strip_suffix("+json").is_some_and(is_word);
    kind_is_json
        && parts.all(|part| match part.trim_start_matches(' ').split_once('=') {
            Some(("charset", value)) => matches!(value, "utf-8" | "\"utf-8\""),
            Some((name, value)) => is_word(name) && is_word(value),
            None => false,
        })
}

fn is_word(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric()) && text.bytes().all(plain)
}

/// One source's value is the parameters itself; of several, each is a member.
fn bind(
    body: Option<Json>,
    captured: Vec<(String, String)>,
    query: Json,
    sources: &Sources,
) -> Result<Params, Malformed> {
    let path = (sources.path == Source::Read).then(|| {
        let values = captured.into_iter().map(|(name, value)| (name, Json::text(value)));
        Object::new(values).map(Json::Object)
    });
    let path = path.transpose().or(Err(Malformed::Params))?;
    let query = (sources.query == Source::Read).then_some(query);
    let mut read: Vec<_> = [("body", body), ("path", path), ("query", query)]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
    let params = match (read.pop(), read.is_empty()) {
        (None, _) => Ok(Params::empty()),
        (Some((_, only)), true) => Params::from_json(only),
        (Some(last), false) => Params::from_members(read.into_iter().chain([last])),
    };
    params.or(Err(Malformed::Params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_json_or_it_is_not() {
        let json = [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/problem+json",
            "application/vnd.acme.v1+json; profile=x",
        ];
        for text in json {
            assert!(is_json(&HeaderValue::from_static(text)), "{text}");
        }
        let other = [
            "",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/+json",
            "application/json; charset=utf-16",
            "application/json;",
            "application/json, text/plain",
            "application/x-www-form-urlencoded",
        ];
        for text in other {
            assert!(!is_json(&HeaderValue::from_static(text)), "{text}");
        }
    }
}
