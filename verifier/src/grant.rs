//! A grant: the right to one action, once. What a token says, in types.

use crate::caveat::Caveat;
use crate::clock::UnixSeconds;
use crate::crypto::{self, NoRandom};
use crate::hex;
use crate::key::PublicKey;
use crate::limits;
use crate::name::{Action, Agent, Audience, Purpose, Resource, Step, StoreName, Workflow};
use crate::params::ParamsDigest;
use crate::params::pointer::Pointer;

hex::bytes! {
    /// The identity of a grant. A token's bytes can be changed by whoever holds it; this cannot.
    GrantId, 16
}
hex::bytes! {
    /// The hash of the set of policies that allowed a grant.
    PolicyHash, 32
}
hex::bytes! {
    /// The hash of the approvers' decisions that a grant rests on.
    ApprovalDigest, 32
}
hex::bytes! {
    /// One life of one store: what it forgets with, it is never again.
    Generation, 16
}
hex::bytes! {
    /// What a store keeps of a grant's content, so that a stolen signing key alone spends nothing.
    Mark, 6
}

impl GrantId {
    /// A fresh id.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn fresh() -> Result<GrantId, NoRandom> {
        crypto::random().map(GrantId)
    }
}

impl Generation {
    /// A fresh name for a life.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn fresh() -> Result<Generation, NoRandom> {
        crypto::random().map(Generation)
    }
}

impl PolicyHash {
    /// Stands where no policy decided: the token was minted by hand.
    pub const NONE: PolicyHash = PolicyHash([0; 32]);
}

/// Why a span of time is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// It ends before it begins.
    #[error("window ends before it begins")]
    Backwards,
    /// It is longer than any token lives.
    #[error("window is longer than {} seconds", limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS)]
    TooLong,
    /// It ends after the year 9999.
    #[error("window ends after the year 9999")]
    TooLate,
}

/// From when, and until when, a grant may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    not_before: UnixSeconds,
    end: UnixSeconds,
}

impl Window {
    /// The window of a token minted `now` for `ttl_seconds`.
    ///
    /// # Errors
    /// [`WindowError::TooLong`] where that is longer than a token lives.
    pub fn minted(now: UnixSeconds, ttl_seconds: u64) -> Result<Window, WindowError> {
        if ttl_seconds > limits::TTL_SECONDS_MAX {
            return Err(WindowError::TooLong);
        }
        // Backdated, it would be a window, and one that is over.
        if ttl_seconds == 0 {
            return Err(WindowError::Backwards);
        }
        Window::between(now.minus(limits::BACKDATE_SECONDS), now.plus(ttl_seconds))
    }

    /// The window from `not_before` until just before `end`.
    ///
    /// # Errors
    /// [`WindowError`] where no token has such a window.
    pub fn between(not_before: UnixSeconds, end: UnixSeconds) -> Result<Window, WindowError> {
        let seconds_max = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
        if end > UnixSeconds::MAX {
            return Err(WindowError::TooLate);
        }
        match end.0.checked_sub(not_before.0) {
            None | Some(0) => Err(WindowError::Backwards),
            Some(seconds) if seconds > seconds_max => Err(WindowError::TooLong),
            Some(_) => Ok(Window { not_before, end }),
        }
    }

    /// The first second.
    #[must_use]
    pub fn not_before(self) -> UnixSeconds {
        self.not_before
    }

    /// The second after the last.
    #[must_use]
    pub fn end(self) -> UnixSeconds {
        self.end
    }
}

/// How often the grant's action may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    /// Once, and a store says so.
    Once,
    /// Until it expires: only where the rule that allowed it said so. No store is asked.
    Fresh,
}

/// A part of a store, `00` to `ff`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(Box<str>);

impl Shard {
    /// The one part of a store that has no others.
    #[must_use]
    pub fn only() -> Shard {
        Shard("00".into())
    }

    /// The shard that this text names, two lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Shard> {
        let [_]: [u8; 1] = hex::read(text)?;
        Some(Shard(text.into()))
    }

    /// The shard's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a grant is registered: one life of one store, and its number in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The store.
    pub store: StoreName,
    /// The part of the store.
    pub shard: Shard,
    /// The life.
    pub generation: Generation,
    /// The number the store gave.
    pub sequence: u64,
}

/// The stores that registered a grant, and how many of them must agree to spend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    needed: u8,
    seats: Vec<Seat>,
}

/// The seats contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a grant is registered by 1 to {} distinct stores, of which a majority is needed",
    limits::STORES_MAX
)]
pub struct SeatsError;

impl Seats {
    /// Seats of which `needed` must agree.
    ///
    /// # Errors
    /// [`SeatsError`] where a store is named twice, or `needed` is no majority of the seats.
    pub fn new(needed: u8, seats: Vec<Seat>) -> Result<Seats, SeatsError> {
        let count = seats.len();
        let distinct = seats
            .iter()
            .enumerate()
            .all(|(i, seat)| seats.iter().take(i).all(|earlier| earlier.store != seat.store));
        let majority = usize::from(needed) <= count && usize::from(needed) * 2 > count;
        if distinct && majority && count <= limits::STORES_MAX {
            Ok(Seats { needed, seats })
        } else {
            Err(SeatsError)
        }
    }

    /// How many stores must say OK.
    #[must_use]
    pub fn needed(&self) -> u8 {
        self.needed
    }

    /// The stores.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }
}

/// A grant, whole: what the authority block of its token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its identity.
    pub id: GrantId,
    /// What is done.
    pub action: Action,
    /// What it is done to.
    pub resource: Resource,
    /// The digest of the parameters, without the members that `varies` names.
    pub params: ParamsDigest,
    /// The API that acts.
    pub audience: Audience,
    /// From when until when.
    pub window: Window,
    /// Who asked.
    pub agent: Agent,
    /// The policies that allowed it.
    pub policy: PolicyHash,
    /// The members of the parameters that may differ within their caveats; in order, each once.
    pub varies: Vec<Pointer>,
    /// The decisions of the people who approved it.
    pub approval: Option<ApprovalDigest>,
    /// Where it is registered; nowhere for a token minted without a store.
    pub stores: Option<Seats>,
    /// The workflow and the step it is for.
    pub workflow: Option<(Workflow, Step)>,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// The key whose holder alone may use it.
    pub holder: Option<PublicKey>,
    /// How often.
    pub uses: Uses,
    /// What else must hold.
    pub caveats: Vec<Caveat>,
}
