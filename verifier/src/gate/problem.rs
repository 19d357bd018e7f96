//! From what went wrong to what the caller reads: the one file that turns an error into an answer.
#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::params::json::Kind;
use crate::refusal::Refusal;

/// What ends a request at the gate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The token does not cover it, or its use was not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It brings no token.
    #[error("no token was sent")]
    Unauthenticated,
    /// It cannot be read as its route reads it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is larger than its route takes.
    #[error("request has more bytes than this route takes")]
    TooLarge,
    /// Its body did not come in time.
    #[error("body did not come in time")]
    TooSlow,
    /// Its action did not end in time.
    #[error("action did not end in time")]
    TimedOut,
    /// Its action panicked.
    #[error("action panicked")]
    Panicked,
    /// It came after the stop began, or its action still ran when the stop's time was over.
    #[error("this API is stopping")]
    Stopping,
    /// The route's path and its resource or sources do not fit together.
    #[error("route captures other values than its action names")]
    Misrouted,
    /// Its action asked to go on beyond the reply, where no gate sees it.
    #[error("action upgraded its connection")]
    Upgraded,
    /// Its handler was to look at the token and spend it, and did not take it.
    #[error("handler of a route that looks first did not take its token")]
    Unspent,
    /// No gate stands before its handler.
    #[error("handler asks for a grant and stands behind no gate")]
    Unguarded,
}

/// Why a request cannot be read: words that hold nothing of the request, so anybody may see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("body was cut off")]
    Cut,
    #[error("this route reads no body")]
    UnreadBody,
    #[error("this route reads no query")]
    UnreadQuery,
    #[error("body is not declared as JSON by exactly one content type")]
    NotJson,
    #[error("body is encoded")]
    Encoded,
    #[error("body is no JSON that every reader takes alike: {0}")]
    Json(Kind),
    #[error("body has not the members that this route reads")]
    Shape,
    #[error("parameters nest too deep or hold too many values")]
    Params,
    #[error("query is not well-formed")]
    Query,
    #[error("query names a parameter twice")]
    RepeatedKey,
    #[error("path is not UTF-8")]
    Path,
    #[error("path names no resource")]
    Resource,
    #[error("more than one token was sent in headers of one kind")]
    TwoTokens,
    #[error("a holder proof cannot be read, or there are too many")]
    Proofs,
}

/// An answer that says what went wrong, as RFC 9457 has it. It holds nothing of the token or of the
/// request, and no more of the refusal than its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    base: Arc<str>,
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
}

impl Problem {
    pub(super) fn new(fault: &Fault, base: &Arc<str>) -> Problem {
        let (status, code, title) = answer(fault);
        let detail = if let Fault::Malformed(why) = fault { Some(why.to_string()) } else { None };
        Problem { base: Arc::clone(base), status, code, title, detail }
    }

    /// The answer of a handler that stands behind no gate.
    pub(super) fn unguarded() -> Problem {
        Problem::new(&Fault::Unguarded, &Arc::from(""))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The name of what went wrong, for good.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// The members, in the order in which people read them.
#[derive(serde::Serialize)]
struct Members<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let members = Members {
            r#type: format!("{}/problems/{}", self.base, self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.as_deref(),
        };
        let body = serde_json::to_vec(&members).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, problem);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750: who sent no token is told the scheme and no error.
            let challenge = match self.code {
                "unauthenticated" => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

fn answer(fault: &Fault) -> (StatusCode, &'static str, &'static str) {
    use StatusCode as Status;
    match fault {
        Fault::Refused(refusal) => (status(refusal), refusal.code(), title(refusal)),
        Fault::Unauthenticated => {
            (Status::UNAUTHORIZED, "unauthenticated", "The request brings no token.")
        }
        Fault::Malformed(_) => {
            let title = "The request cannot be read as this route reads it.";
            (Status::BAD_REQUEST, "bad-request", title)
        }
        Fault::TooLarge => {
            let title = "The request is larger than this route takes.";
            (Status::PAYLOAD_TOO_LARGE, "too-large", title)
        }
        Fault::TooSlow => {
            let title = "The request's body did not come in time.";
            (Status::REQUEST_TIMEOUT, "bad-request", title)
        }
        Fault::TimedOut => {
            let title = "The action did not end in time: nobody can tell what came of it.";
            (Status::GATEWAY_TIMEOUT, "internal", title)
        }
        Fault::Panicked => {
            let title = "The action broke off: nobody can tell what came of it.";
            (Status::INTERNAL_SERVER_ERROR, "internal", title)
        }
        Fault::Upgraded => {
            let title =
                "The action asked to go on beyond the reply: nobody can tell what came of it.";
            (Status::INTERNAL_SERVER_ERROR, "internal", title)
        }
        Fault::Stopping => {
            let title = "This API is stopping, and begins and awaits no more actions.";
            (Status::SERVICE_UNAVAILABLE, "internal", title)
        }
        Fault::Misrouted => {
            let title = "This route is set up wrongly. Nothing was done.";
            (Status::INTERNAL_SERVER_ERROR, "internal", title)
        }
        Fault::Unspent => {
            let title = "This action is set up wrongly: it spends nothing.";
            (Status::INTERNAL_SERVER_ERROR, "unguarded", title)
        }
        Fault::Unguarded => {
            let title = "This action stands behind no gate. Nothing was done.";
            (Status::INTERNAL_SERVER_ERROR, "unguarded", title)
        }
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::BadToken(_)
        | Refusal::UnknownKey { .. }
        | Refusal::Expired { .. }
        | Refusal::NotYetValid { .. }
        | Refusal::HolderProofMissing { .. }
        | Refusal::HolderProofInvalid { .. }
        | Refusal::AlreadySpent { .. }
        | Refusal::Revoked
        | Refusal::UnknownGrant
        | Refusal::Fenced => StatusCode::UNAUTHORIZED,
        Refusal::WrongAudience { .. }
        | Refusal::WrongAction { .. }
        | Refusal::WrongResource { .. }
        | Refusal::WrongParams { .. }
        | Refusal::CaveatFailed(_)
        | Refusal::OutputRefused(_) => StatusCode::FORBIDDEN,
        Refusal::PredecessorUnsettled => StatusCode::CONFLICT,
        Refusal::FeedStale { .. } | Refusal::StoreDown => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::BadToken(_) => "This is no token, or it is not signed as it must be.",
        Refusal::UnknownKey { .. } => "The token is signed with a key that is not trusted here.",
        Refusal::Expired { .. } => "The token's time is over.",
        Refusal::NotYetValid { .. } => "The token's time has not come.",
        Refusal::WrongAudience { .. } => "The token is for another API.",
        Refusal::WrongAction { .. } => "The token is for another action.",
        Refusal::WrongResource { .. } => "The token is for another resource.",
        Refusal::WrongParams { .. } => "The token is for other parameters.",
        Refusal::HolderProofMissing { .. } => "A key that the token is bound to was not proved.",
        Refusal::HolderProofInvalid { .. } => "A proof of a key does not hold.",
        Refusal::CaveatFailed(_) => "A caveat of the token does not hold for this request.",
        Refusal::FeedStale { .. } => "Nobody knows here what was revoked lately: nothing was done.",
        Refusal::AlreadySpent { .. } => "The token was used.",
        Refusal::Revoked => "The grant was revoked.",
        Refusal::UnknownGrant => "The grant store knows no such grant.",
        Refusal::Fenced => "The grant belongs to a life of its store that is over.",
        Refusal::PredecessorUnsettled => "A step before this one has not succeeded.",
        Refusal::OutputRefused(_) => {
            "The action was run, and its result is withheld: it breaks a caveat of the token."
        }
        Refusal::StoreDown => {
            "The grant store did not answer: nothing was done, and the token may be used up."
        }
    }
}
