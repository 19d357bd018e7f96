//! Approvals: what an approver signs, and what a token keeps of it.
//!
//! ```text
//! { grant, request, agent, policy, group, approver, decision, exp } ─→ JWS, by the approver's own key, or by the
//!                                                                       issuer on the approver's authenticated word
//! every approval that paid for a grant ─→ SHA-256 ─→ the fact `approval` of its token
//! ```
//! A decision names one request under one set of policies, so it can be brought to no other; `kid` says whose key it
//! was, and the record keeps it whole: who decided can be proved with public keys alone.

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::params::canon;
use farebox_verifier::params::json::Json;
use farebox_verifier::{
    Agent, ApprovalDigest, GrantId, PolicyHash, PublicKey, Signature, UnixSeconds,
};
use serde_json::{Value, json};

use crate::jws::{self, JwsFlaw};
use crate::store::desk::{Caller, Decision, Group, Proposal, RequestHash, Verdict};

/// What a decision says that it is.
pub const TYPE: &str = "farebox-decision+jws";

/// What an approver says of a request.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The request.
    pub grant: GrantId,
    /// What is asked, to the last parameter.
    pub request: RequestHash,
    /// Who will act.
    pub agent: &'a Agent,
    /// The policies that asked for people.
    pub policy: PolicyHash,
    /// The first second in which it can be neither decided nor collected.
    pub until: UnixSeconds,
    /// Who decides.
    pub approver: &'a Caller,
    /// The group that it counts for.
    pub group: &'a Group,
    /// What it says.
    pub verdict: Verdict,
}

/// Why a signed decision is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionFlaw {
    /// It is no JWS that this key signed.
    #[error(transparent)]
    Jws(#[from] JwsFlaw),
    /// It is signed in another name.
    #[error("signed in another name")]
    OtherName,
    /// It is about another request, or says something else.
    #[error("says something else than was asked")]
    OtherStatement,
}

impl<'a> Statement<'a> {
    /// What this approver says of a request.
    #[must_use]
    pub fn on(
        proposal: &'a Proposal,
        approver: &'a Caller,
        group: &'a Group,
        verdict: Verdict,
    ) -> Statement<'a> {
        let Proposal { grant, request, agent, policy, until, .. } = proposal;
        let (grant, request, policy, until) = (*grant, *request, *policy, *until);
        Statement { grant, request, agent, policy, until, approver, group, verdict }
    }

    /// What is signed.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "grant": self.grant.to_string(),
            "request": self.request.to_string(),
            "agent": self.agent.as_str(),
            "policy": self.policy.to_string(),
            "group": self.group.as_str(),
            "approver": self.approver.as_str(),
            "decision": self.verdict.word(),
            "exp": self.until.0,
        })
    }

    /// The decision, signed in this name: the approver's, or the issuer's.
    pub fn sign(&self, who: &str, sign: impl FnOnce(&[u8]) -> Signature) -> String {
        jws::sign(TYPE, who, &self.json(), sign)
    }

    /// Whether the approver signed exactly this.
    ///
    /// # Errors
    /// [`DecisionFlaw`] where somebody else did, or something else was signed.
    pub fn is_in(&self, text: &str, key: &PublicKey) -> Result<(), DecisionFlaw> {
        let read = jws::read(TYPE, text)?;
        if read.who() != self.approver.as_str() {
            return Err(DecisionFlaw::OtherName);
        }
        let signed = canon::canonical(&Json::Object(read.verify(key)?));
        let wanted = Json::parse(self.json().to_string().as_bytes());
        if wanted.is_ok_and(|wanted| canon::canonical(&wanted) == signed) {
            Ok(())
        } else {
            Err(DecisionFlaw::OtherStatement)
        }
    }
}

/// The name in which this issuer signs on an approver's word.
#[must_use]
pub fn issuer_name(key_id: u32) -> String {
    // No caller's name begins so: each begins with the source that vouches for it.
    format!("issuer:{key_id}")
}

/// Whether a decision, as the ledger keeps it, says that an issuer signed it on its approver's word.
#[must_use]
pub fn is_by_issuer(text: &str) -> bool {
    jws::read(TYPE, text).is_ok_and(|read| read.who().starts_with("issuer:"))
}

/// What a token keeps of the approvals that paid for it.
pub fn digest_of<'a>(approvals: impl IntoIterator<Item = &'a Decision>) -> ApprovalDigest {
    let mut bytes = b"farebox-approval/1\0".to_vec();
    for approval in approvals {
        let signed = approval.signature.as_bytes();
        // Each with its length, so that no two lists of decisions are one text.
        bytes.extend_from_slice(&u64::try_from(signed.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(signed);
    }
    let mut whole = [0; 32];
    for (to, from) in whole.iter_mut().zip(digest(&SHA256, &bytes).as_ref()) {
        *to = *from;
    }
    ApprovalDigest::from_bytes(whole)
}

#[cfg(test)]
mod tests;
