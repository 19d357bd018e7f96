//! From what went wrong to what the caller reads, as RFC 9457 has it: the one file that turns an error into an
//! answer.
#![deny(clippy::wildcard_enum_match_arm)]

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use farebox_verifier::Refusal;
use serde_json::{Map, Value, json};

use super::codes::{self, Code};
use crate::fields::FieldError;
use crate::issuer::Refused;

/// An answer that says what went wrong. It holds no secret: what a caller may not see is not in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem(Box<Said>);

/// What it says: kept beside, so that an answer that is none stays small.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    code: Code,
    status: StatusCode,
    detail: String,
    more: Map<String, Value>,
    retry_after_seconds: Option<u64>,
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Problem {
        let (detail, more) = (detail.into(), Map::new());
        let said = Said { code, status: code.status(), detail, more, retry_after_seconds: None };
        Problem(Box::new(said))
    }

    /// A request that nobody can make sense of.
    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(codes::BAD_REQUEST, detail)
    }

    /// The same under another status, where HTTP has one that says more than the code.
    pub(super) fn with_status(mut self, status: StatusCode) -> Problem {
        self.0.status = status;
        self
    }

    /// The same with one member more.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same with the time after which asking again makes sense.
    pub(super) fn retry_after(mut self, seconds: u64) -> Problem {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    pub(super) fn code(&self) -> &'static str {
        self.0.code.name()
    }

    /// What is sent; `base` is where the pages of the problems stand.
    pub(super) fn answer(&self, base: &str) -> Response<Body> {
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(format!("{base}/problems/{}", self.0.code.name())));
        members.insert("title".to_owned(), json!(self.0.code.title()));
        members.insert("status".to_owned(), json!(self.0.status.as_u16()));
        members.insert("code".to_owned(), json!(self.0.code.name()));
        members.insert("detail".to_owned(), json!(self.0.detail));
        members.extend(self.0.more.clone());
        let mut response = Response::new(Body::from(Value::Object(members).to_string()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        let detail = refused.to_string();
        match refused {
            Refused::BadRequest { .. } => Problem::new(codes::BAD_REQUEST, detail),
            Refused::Forbidden { .. } => Problem::new(codes::FORBIDDEN, detail),
            Refused::Denied { rule, .. } => {
                Problem::new(codes::DENIED, detail).with("rule", json!(rule))
            }
            Refused::PolicyError { rule } => {
                Problem::new(codes::POLICY_ERROR, detail).with("rule", json!(rule))
            }
            Refused::PolicyTimeout => Problem::new(codes::POLICY_TIMEOUT, detail).retry_after(1),
            Refused::EvidenceInvalid { .. } => Problem::new(codes::EVIDENCE_INVALID, detail),
            Refused::Blocked => Problem::new(codes::BLOCKED, detail),
            Refused::OverBudget { left, until, .. } => Problem::new(codes::OVER_BUDGET, detail)
                .with("left", json!(left))
                .with("until", json!(until.map(|until| until.to_string()))),
            Refused::ApprovalRefused => Problem::new(codes::APPROVAL_REFUSED, detail),
            Refused::ApprovalExpired { .. } => Problem::new(codes::APPROVAL_EXPIRED, detail),
            Refused::Decided { .. } | Refused::NotNeeded => {
                Problem::new(codes::IDEMPOTENCY_CONFLICT, detail)
            }
            Refused::Predecessor { .. } => Problem::new(codes::PREDECESSOR_UNSETTLED, detail),
            Refused::KeyConflict | Refused::KeyOver { .. } => {
                Problem::new(codes::IDEMPOTENCY_CONFLICT, detail)
            }
            Refused::KeyBusy => Problem::new(codes::IDEMPOTENCY_CONFLICT, detail).retry_after(1),
            Refused::Fenced { grant } => Problem::new(codes::FENCED, detail)
                .with_status(StatusCode::CONFLICT)
                .with("grant", json!(grant.to_string())),
            Refused::Unknown => {
                Problem::new(codes::UNKNOWN_GRANT, detail).with_status(StatusCode::NOT_FOUND)
            }
            Refused::SettledOtherwise { settled } => {
                Problem::new(codes::IDEMPOTENCY_CONFLICT, detail)
                    .with("outcome", json!(settled.word()))
            }
            Refused::NotSpent => Problem::new(codes::FORBIDDEN, detail),
            Refused::Full | Refused::KeysFull | Refused::TooManyGivenUp => {
                Problem::new(codes::RATE_LIMITED, detail).retry_after(60)
            }
            Refused::StoreDown | Refused::RecordDown | Refused::NoSigner => {
                Problem::new(codes::STORE_DOWN, detail).retry_after(1)
            }
            Refused::Internal { .. } => {
                Problem::new(codes::INTERNAL, "farebox failed; its log says how")
            }
            Refused::Token(refusal) => Problem::from(&refusal),
        }
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Problem {
        Problem::bad_request(error.to_string())
    }
}

impl From<&Refusal> for Problem {
    /// A token that was refused. Its fields are for the record: the sender sees the code.
    fn from(refusal: &Refusal) -> Problem {
        let code = codes::of_refusal(refusal);
        Problem::new(code, code.title())
    }
}
