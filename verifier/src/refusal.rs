//! Why a step was refused.

use crate::caveat::Caveat;
use crate::clock::UnixSeconds;
use crate::key::PublicKey;
use crate::name::{Action, Audience, Resource};
use crate::params::ParamsDigest;
use crate::token::Flaw;

/// Why a token was refused, in the order of the checks. A client sees [`Refusal::code`] and no more;
/// the fields are for the record. All after `UnknownKey` speak of a token whose signatures hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no token of this layout, or not one that anybody signed.
    #[error("not a token: {0}")]
    BadToken(Flaw),
    /// No issuer that is trusted has this key.
    #[error("no trusted issuer has key {}", key_id.map_or("without an id".into(), |id| id.to_string()))]
    UnknownKey {
        /// The id that the token names.
        key_id: Option<u32>,
        /// Whether it was trusted once.
        retired: bool,
    },
    /// Its time is over.
    #[error("token ended at {end}, and it is {now}")]
    Expired {
        /// The first second in which it is worth nothing.
        end: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
    },
    /// Its time has not come.
    #[error("token begins at {not_before}, and it is {now}")]
    NotYetValid {
        /// The first second in which it is worth something.
        not_before: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
    },
    /// It is for another API.
    #[error("token is for {granted}, not for {asked}")]
    WrongAudience {
        /// The token's.
        granted: Audience,
        /// The request's.
        asked: Audience,
    },
    /// It is for another action.
    #[error("token is for {granted}, not for {asked}")]
    WrongAction {
        /// The token's.
        granted: Action,
        /// The request's.
        asked: Action,
    },
    /// It is for another resource.
    #[error("token is for {granted}, not for {asked}")]
    WrongResource {
        /// The token's.
        granted: Resource,
        /// The request's.
        asked: Resource,
    },
    /// It is for other parameters.
    #[error("token is for other parameters")]
    WrongParams {
        /// The digest in the token.
        granted: ParamsDigest,
        /// The digest of what was sent, where one could be made.
        asked: Option<ParamsDigest>,
    },
    /// It is bound to a holder, and nobody proved to be that.
    #[error("no proof that the sender holds key {key}")]
    HolderProofMissing {
        /// The holder's key.
        key: PublicKey,
    },
    /// Somebody tried to.
    #[error("proof for key {key} does not hold: {why}")]
    HolderProofInvalid {
        /// The holder's key.
        key: PublicKey,
        /// What is wrong with it.
        why: ProofFlaw,
    },
    /// A caveat does not hold for this request.
    #[error("caveat does not hold: {0}")]
    CaveatFailed(Box<Caveat>),
    /// The feed of revocations was not heard of for longer than is allowed here, so nobody knows whether the grant
    /// was taken back: no answer is a refusal.
    #[error("feed of revocations is stale: {}, and it is {now}",
        whole_until.map_or("never heard of".into(), |until| format!("whole until {until}")))]
    FeedStale {
        /// Up to when nothing of it is missing; nothing before it was first heard of.
        whole_until: Option<UnixSeconds>,
        /// The verifier's time.
        now: UnixSeconds,
    },
    /// Another call took the one use.
    #[error("grant was spent at {first_spent}")]
    AlreadySpent {
        /// When.
        first_spent: UnixSeconds,
    },
    /// Somebody revoked it.
    #[error("grant was revoked")]
    Revoked,
    /// The store knows no such grant, or another content for it.
    #[error("store knows no such grant")]
    UnknownGrant,
    /// The store that registered it has lost that life: nobody can tell whether it was spent.
    #[error("grant belongs to a life of the store that is over")]
    Fenced,
    /// A step before it has not settled as succeeded.
    #[error("a step before this one has not succeeded")]
    PredecessorUnsettled,
    /// The handler's result breaks an output caveat.
    #[error("result withheld: {0}")]
    OutputRefused(Box<Caveat>),
    /// The store did not answer, so nobody knows whether the grant was spent: no answer is a refusal.
    #[error("grant store did not answer")]
    StoreDown,
}

/// What is wrong with a holder's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFlaw {
    /// Made too long ago, or in the future.
    #[error("it is not fresh")]
    Stale,
    /// For another token, request or audience, or by another key.
    #[error("its signature is not over this token and this request")]
    Signature,
}

impl Refusal {
    /// The name that the outside sees, for good.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::BadToken(_) => "bad-token",
            Refusal::UnknownKey { .. } => "unknown-key",
            Refusal::Expired { .. } => "expired",
            Refusal::NotYetValid { .. } => "not-yet-valid",
            Refusal::WrongAudience { .. } => "wrong-audience",
            Refusal::WrongAction { .. } => "wrong-action",
            Refusal::WrongResource { .. } => "wrong-resource",
            Refusal::WrongParams { .. } => "wrong-params",
            Refusal::HolderProofMissing { .. } => "holder-proof-missing",
            Refusal::HolderProofInvalid { .. } => "holder-proof-invalid",
            Refusal::CaveatFailed(_) => "caveat-failed",
            Refusal::FeedStale { .. } => "feed-stale",
            Refusal::AlreadySpent { .. } => "already-spent",
            Refusal::Revoked => "revoked",
            Refusal::UnknownGrant => "unknown-grant",
            Refusal::Fenced => "fenced",
            Refusal::PredecessorUnsettled => "predecessor-unsettled",
            Refusal::OutputRefused(_) => "output-refused",
            Refusal::StoreDown => "store-down",
        }
    }
}
