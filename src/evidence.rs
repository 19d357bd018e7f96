//! Evidence: what third parties say about a request, signed before it is decided.
//!
//! ```text
//! change-mgmt signs   { request: 9f2c…, agent: spiffe://…, name: change_approved, value: CHG-17, iat, exp }
//! the agent brings it ─→ verify: signature, this request, this agent, now ─→ Attested ─→ a fact of the decision
//! ```
//! A statement is a compact JWS, EdDSA alone, `kid` the name of the signer's key in `third-parties/`, `typ`
//! [`TYPE`], so that nothing that the same key signs for others is taken for one. It speaks of one request, by its
//! digest, and of one agent: neither another request nor another agent can bring it.
//!
//! There is no grant yet when a statement is signed, so none can be named. Whoever wants a statement to count once
//! gives it a `nonce`: it then fits that request alone which has the nonce as its idempotency key, and a caller's key
//! makes one grant, ever. Without one, it counts for each equal request of the agent until it ends.
//!
//! All or nothing: one statement that does not hold refuses the request. Left out instead, a rule that denies by it
//! would not be heard.

mod statement;

pub use statement::Statement;

use farebox_verifier::{
    Agent, CaveatText, KeyRing, RequestDigest, Signature, StatementName, ThirdParty, UnixSeconds,
    limits as verifier,
};

use crate::jws::{self, JwsFlaw};
use crate::limits;

/// What a statement says that it is.
pub const TYPE: &str = "farebox-evidence+jws";

/// What a third party said about a request, and it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// Who said it.
    pub signer: ThirdParty,
    /// What: `change_approved`.
    pub name: StatementName,
    /// Of what: `CHG-17`.
    pub value: CaveatText,
}

/// What statements must be about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The request.
    pub request: RequestDigest,
    /// Who asks.
    pub agent: &'a Agent,
    /// The request's idempotency key, where it has one.
    pub idempotency_key: Option<&'a str>,
    /// The time.
    pub now: UnixSeconds,
}

/// Evidence is not taken, and the request with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("statement {number} does not hold")]
pub struct EvidenceInvalid {
    /// Which statement, from one.
    pub number: usize,
    /// Why not.
    #[source]
    pub why: EvidenceFlaw,
}

impl EvidenceInvalid {
    /// The name that the outside sees.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "evidence-invalid"
    }
}

/// Why a statement does not hold, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceFlaw {
    /// There are too many.
    #[error("more than {} statements", limits::EVIDENCE_MAX)]
    TooMany,
    /// It is too long.
    #[error("longer than {} bytes", limits::EVIDENCE_BYTES_MAX)]
    TooLong,
    /// It is no compact JWS of two JSON objects that can be read in one way only.
    #[error("not a compact jws")]
    Malformed,
    /// Its head is not the one that a statement has: EdDSA, the type, the signer's name, and nothing else.
    #[error("head says something else than {TYPE}, EdDSA and a name")]
    Head,
    /// Nobody of this name is known.
    #[error("no third party {name} is known")]
    UnknownSigner {
        /// Who it says.
        name: ThirdParty,
    },
    /// Its signature does not hold.
    #[error("signature does not hold")]
    Signature,
    /// What was signed is not what a statement says.
    #[error("{member} is missing, malformed or unknown")]
    Member {
        /// Which member.
        member: &'static str,
    },
    /// It is about another request.
    #[error("about another request")]
    OtherRequest,
    /// It is about another agent.
    #[error("about another agent")]
    OtherAgent,
    /// It counts once, for a request with another idempotency key.
    #[error("for the request with another idempotency key")]
    OtherNonce,
    /// It has ended.
    #[error("ended at {end}")]
    Expired {
        /// When.
        end: UnixSeconds,
    },
    /// It was made later than now.
    #[error("made later than now")]
    NotYet,
    /// It lives longer than a statement may.
    #[error("lives longer than {} s", limits::EVIDENCE_SECONDS_MAX)]
    TooLasting,
    /// One signer says the same thing twice, and perhaps otherwise.
    #[error("second word of its signer about the same")]
    Twice,
}

/// Verifies every statement of a request.
///
/// # Errors
/// [`EvidenceInvalid`] where any of them does not hold.
pub fn verify(
    statements: &[impl AsRef<str>],
    keys: &KeyRing,
    about: About<'_>,
) -> Result<Vec<Attested>, EvidenceInvalid> {
    let flawed = |number, why| EvidenceInvalid { number, why };
    if statements.len() > limits::EVIDENCE_MAX {
        return Err(flawed(limits::EVIDENCE_MAX + 1, EvidenceFlaw::TooMany));
    }
    let mut all: Vec<Attested> = Vec::new();
    for (number, text) in (1..).zip(statements) {
        let attested = verify_one(text.as_ref(), keys, about).map_err(|why| flawed(number, why))?;
        let same =
            |other: &Attested| other.signer == attested.signer && other.name == attested.name;
        if all.iter().any(same) {
            return Err(flawed(number, EvidenceFlaw::Twice));
        }
        all.push(attested);
    }
    Ok(all)
}

fn verify_one(text: &str, keys: &KeyRing, about: About<'_>) -> Result<Attested, EvidenceFlaw> {
    if text.len() > limits::EVIDENCE_BYTES_MAX {
        return Err(EvidenceFlaw::TooLong);
    }
    let read = jws::read(TYPE, text)?;
    let signer = ThirdParty::parse(read.who()).or(Err(EvidenceFlaw::Head))?;
    let key = keys.third_party(&signer);
    let key = key.ok_or_else(|| EvidenceFlaw::UnknownSigner { name: signer.clone() })?;
    let payload = read.verify(key)?;
    let statement = Statement::read(&payload)?;
    statement.fits(about)?;
    Ok(Attested { signer, name: statement.name, value: statement.value })
}

impl From<JwsFlaw> for EvidenceFlaw {
    fn from(flaw: JwsFlaw) -> EvidenceFlaw {
        match flaw {
            JwsFlaw::Malformed => EvidenceFlaw::Malformed,
            JwsFlaw::Head => EvidenceFlaw::Head,
            JwsFlaw::Signature => EvidenceFlaw::Signature,
        }
    }
}

impl Statement {
    /// The statement as a request brings it, signed under this name: `sign` signs with that key, wherever it is
    /// kept.
    pub fn sign(&self, signer: &ThirdParty, sign: impl FnOnce(&[u8]) -> Signature) -> String {
        jws::sign(TYPE, signer.as_str(), &self.json(), sign)
    }

    fn fits(&self, about: About<'_>) -> Result<(), EvidenceFlaw> {
        if self.request != about.request {
            return Err(EvidenceFlaw::OtherRequest);
        }
        if self.agent != *about.agent {
            return Err(EvidenceFlaw::OtherAgent);
        }
        if self.nonce.as_deref().is_some_and(|nonce| about.idempotency_key != Some(nonce)) {
            return Err(EvidenceFlaw::OtherNonce);
        }
        if about.now >= self.end {
            return Err(EvidenceFlaw::Expired { end: self.end });
        }
        // As much as a token is dated back: the clocks of signer and issuer differ by less.
        if self.made > about.now.plus(verifier::BACKDATE_SECONDS) {
            return Err(EvidenceFlaw::NotYet);
        }
        if self.end.0.saturating_sub(self.made.0) > limits::EVIDENCE_SECONDS_MAX {
            return Err(EvidenceFlaw::TooLasting);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
