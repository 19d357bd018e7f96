//! A statement: what a third party says about a request, in types and in JSON.

use std::fmt::Write as _;

use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{
    Agent, CaveatText, ParamsDigest, RequestDigest, StatementName, UnixSeconds,
};
use serde_json::{Value, json};

use super::EvidenceFlaw;
use crate::limits;

/// What a third party says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which request.
    pub request: RequestDigest,
    /// Who asks.
    pub agent: Agent,
    /// What is said: `change_approved`.
    pub name: StatementName,
    /// Of what: `CHG-17`.
    pub value: CaveatText,
    /// When it was said.
    pub made: UnixSeconds,
    /// Until when it holds.
    pub end: UnixSeconds,
    /// The idempotency key of the one request that it counts for, where it counts once.
    pub nonce: Option<String>,
}

const MEMBERS: [&str; 7] = ["request", "agent", "name", "value", "iat", "exp", "nonce"];

impl Statement {
    pub(super) fn json(&self) -> Value {
        let mut digest = String::new();
        for byte in self.request.as_bytes() {
            // Writing to a string cannot fail.
            let _infallible = write!(digest, "{byte:02x}");
        }
        let mut json = json!({
            "request": digest,
            "agent": self.agent.as_str(),
            "name": self.name.as_str(),
            "value": self.value.as_str(),
            "iat": self.made.0,
            "exp": self.end.0,
        });
        if let (Some(nonce), Some(members)) = (&self.nonce, json.as_object_mut()) {
            members.insert("nonce".to_owned(), nonce.as_str().into());
        }
        json
    }

    pub(super) fn read(payload: &Object) -> Result<Statement, EvidenceFlaw> {
        // A member that nobody here heeds may be the condition under which it was signed.
        if payload.iter().any(|member| !MEMBERS.contains(&member.name())) {
            return Err(EvidenceFlaw::Member { member: "a member" });
        }
        let digest = text(payload, "request", ParamsDigest::from_hex)?;
        Ok(Statement {
            request: RequestDigest::from_bytes(*digest.as_bytes()),
            agent: text(payload, "agent", |text| Agent::parse(text).ok())?,
            name: text(payload, "name", |text| StatementName::parse(text).ok())?,
            value: text(payload, "value", |text| CaveatText::parse(text).ok())?,
            made: seconds(payload, "iat")?,
            end: seconds(payload, "exp")?,
            nonce: match payload.get("nonce") {
                None => None,
                Some(_) => Some(text(payload, "nonce", nonce)?),
            },
        })
    }
}

fn nonce(text: &str) -> Option<String> {
    (1..=limits::EVIDENCE_NONCE_BYTES_MAX).contains(&text.len()).then(|| text.to_owned())
}

fn text<T>(
    payload: &Object,
    member: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, EvidenceFlaw> {
    match payload.get(member) {
        Some(Json::Text(text)) => read(text).ok_or(EvidenceFlaw::Member { member }),
        _ => Err(EvidenceFlaw::Member { member }),
    }
}

fn seconds(payload: &Object, member: &'static str) -> Result<UnixSeconds, EvidenceFlaw> {
    match payload.get(member) {
        Some(Json::Int { 0: seconds, .. }) => {
            u64::try_from(*seconds).map(UnixSeconds).or(Err(EvidenceFlaw::Member { member }))
        }
        _ => Err(EvidenceFlaw::Member { member }),
    }
}
