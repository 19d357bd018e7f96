//! What a grant store must do for whoever verifies: take the one use, and hear what came of it.
//!
//! Nothing more: whoever embeds a verifier can neither register nor revoke, and the types say so.

use std::future::Future;
use std::pin::Pin;

use crate::attempt::Attempt;
use crate::clock::UnixSeconds;
use crate::grant::{GrantId, Mark, PolicyHash, Seats};
use crate::name::{Action, Agent, Audience, Workflow};

/// A store's answer, when it comes. Stores are chosen at run time, so the future is boxed.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a store needs to know of a verified grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The grant.
    pub grant: GrantId,
    /// The first second of its window.
    pub not_before: UnixSeconds,
    /// The first second in which this token is worth nothing; its holder may have said an earlier one.
    pub end: UnixSeconds,
    /// The first second in which no token of the grant is worth anything, as its issuer said. Whoever
    /// remembers the grant, to refuse it, remembers it until then: another copy may not be narrowed.
    pub grant_end: UnixSeconds,
    /// What its content must be.
    pub mark: Mark,
    /// Where it is registered.
    pub stores: Option<Seats>,
    /// The key that signed it; revocations select by this and by what follows.
    pub key_id: u32,
    /// Who asked.
    pub agent: Agent,
    /// The workflow it belongs to.
    pub workflow: Option<Workflow>,
    /// The API that acts.
    pub audience: Audience,
    /// What is done.
    pub action: Action,
    /// The policies that allowed it.
    pub policy: PolicyHash,
}

/// Whether an answer is the first of its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The store had not seen this attempt.
    First,
    /// It had, and says again what it said.
    Repeat,
}

/// The one use is taken, by this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// When it was taken.
    pub spent_at: UnixSeconds,
    /// Whether this is the first answer.
    pub sending: Sending,
}

/// Why a use was not taken, as far as anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpendError {
    /// Another attempt took it.
    #[error("spent at {first_spent}")]
    AlreadySpent {
        /// When.
        first_spent: UnixSeconds,
    },
    /// It was revoked before it was spent.
    #[error("revoked")]
    Revoked,
    /// It ended by the store's clock, or by the highest the store has seen.
    #[error("ended, it is {now}")]
    Expired {
        /// The store's time.
        now: UnixSeconds,
    },
    /// Never registered, or registered with another content.
    #[error("unknown")]
    UnknownGrant,
    /// Registered in a life of the store that is over.
    #[error("of another life")]
    Fenced,
    /// A step before it has not succeeded.
    #[error("predecessor has not succeeded")]
    PredecessorUnsettled,
    /// The command may have been carried out, and nobody heard.
    #[error("no answer")]
    InDoubt,
    /// The command was surely not carried out.
    #[error("store is down")]
    Down,
}

/// What came of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was tried and failed; something may have been done.
    Failed,
    /// Nothing was done, says the handler: what was held for it is given back.
    Void,
    /// It was done, and its result was withheld.
    OutputRefused,
    /// Nobody can tell.
    Unknown,
}

impl Outcome {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::Void => "void",
            Outcome::OutputRefused => "output-refused",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Why a grant was not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// It was settled with another outcome.
    #[error("grant was settled as {}", settled.word())]
    Conflict {
        /// With which.
        settled: Outcome,
    },
    /// This attempt did not spend it.
    #[error("grant was not spent by this attempt")]
    NotSpent,
    /// The life in which it was spent is over.
    #[error("grant belongs to a life of the store that is over")]
    Fenced,
    /// The store did not answer; settling again is safe.
    #[error("grant store did not answer")]
    Down,
}

/// A grant store, as a verifier sees it.
///
/// A store that implements this keeps four promises, and [`crate::contract`] tests them: at most one
/// attempt is ever answered [`Receipt`] for a grant; the same attempt gets the same answer again, marked
/// as a repeat, until it is settled, revoked or over; no call waits beyond the store's own deadline; and
/// a call that is dropped may have been carried out, so whoever drops it says so.
pub trait SpendStore: Send + Sync {
    /// Takes the grant's one use for `attempt`.
    ///
    /// This is for [`Verified::spend`](crate::Verified::spend): a [`Sending::Repeat`] on the first sending
    /// of an attempt is no right to act, and whoever calls the store by hand forgets that.
    ///
    /// # Errors
    /// [`SpendError`] where it was not taken, or nobody can tell.
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>>;

    /// Reports what came of the action that `attempt` ran, and ends the grant. The same report again is
    /// the same answer.
    ///
    /// # Errors
    /// [`SettleError`] where the grant was not settled so, or nobody can tell.
    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>>;
}
