//! The desk of an issuer: what must be durable with it, whatever becomes of the stores.
//!
//! ```text
//! command ──decide──→ answer, and the change that makes it true ──append──→ ──apply──→ desk
//! ```
//! Deciding changes nothing, and applying decides nothing: between the two the change is appended to the
//! issuer's own file. What stands there grants by being used up: a key stands for one grant, an approval
//! pays for one, a hold counts until something alive says otherwise. Whatever the file does not hold is
//! refused; nothing is granted because it is missing.
//!
//! An answer that changes nothing may rest on a change that is not synced yet, so it waits for that one too.
//!
//! Time is told by its ledger and never goes back. A clock that runs far ahead makes the desk forget
//! what it should remember; whoever tells the time has to doubt such a step.

mod apply;
mod blocks;
mod boots;
mod deciding;
mod event;
mod holds;
mod keys;
mod listing;
mod lives;
mod queue;
mod request;
mod snapshot;
mod sweeping;
mod wheel;
mod words;

use farebox_verifier::UnixSeconds;

use blocks::Blocks;
use boots::Boots;
use holds::Holds;
use keys::Keys;
use lives::Lives;
use queue::Queue;

pub use blocks::Block;
pub use boots::{Boot, BootError, SeatError};
pub use deciding::{CollectError, Collected, DecideError, ProposeError, WithdrawError};
pub use event::{DeskEvent, DeskWhat};
pub use holds::{BegunHold, HoldEnd, HoldError};
pub use keys::{Claimed, KeyClaim, KeyError, KnownKey, RenewError};
pub use listing::{RequestFilter, RequestPage};
pub use lives::{KnownLife, LifeEnd, LifeError};
pub use request::{
    Decided, Decision, Need, Needs, NeedsError, Proposal, Request, RequestState, Verdict,
};
pub use sweeping::Swept;
pub use wheel::Minute;
pub use words::{
    Body, Caller, DecisionSignature, EventSecret, Group, Half, KeyDigest, Owner, Reason,
    RequestHash, TooLong,
};

pub(crate) use event::{DeskChange, DeskEntry};
pub(crate) use snapshot::{Carried, Replay, ReplayError};

/// What deciding comes to: an answer, and what must be appended first to make it true.
pub(crate) type Step<T, E> = (Option<DeskChange>, Result<T, E>);

/// What is durable with an issuer.
pub(crate) struct Desk {
    /// The highest clock seen: one set back revives nothing.
    latest: UnixSeconds,
    /// The number of the last event.
    appended: u64,
    keys: Keys,
    queue: Queue,
    blocks: Blocks,
    boots: Boots,
    lives: Lives,
    holds: Holds,
}

impl Desk {
    /// An empty desk.
    pub(crate) fn new(now: UnixSeconds) -> Desk {
        Desk {
            latest: now,
            appended: 0,
            keys: Keys::default(),
            queue: Queue::default(),
            blocks: Blocks::default(),
            boots: Boots::default(),
            lives: Lives::default(),
            holds: Holds::default(),
        }
    }

    /// Lets time pass, forgetting what is over. What waits for somebody is not forgotten: it expires, by an
    /// event.
    pub(crate) fn pass(&mut self, now: UnixSeconds) {
        if now > self.latest {
            self.latest = now;
            self.keys.forget(now);
            self.queue.forget(now);
            self.boots.forget(now);
            self.holds.forget(now);
        }
    }

    /// The desk's time: the highest it has seen.
    pub(crate) fn now(&self) -> UnixSeconds {
        self.latest
    }

    /// The number of the last event.
    #[cfg(test)]
    pub(crate) fn appended(&self) -> u64 {
        self.appended
    }

    /// The change as it is appended: with its number, and the time.
    pub(crate) fn entry(&self, change: DeskChange) -> DeskEntry {
        let DeskChange { what, secret } = change;
        let number = self.appended.saturating_add(1);
        DeskEntry { event: DeskEvent { number, at: self.latest, what }, secret }
    }
}

#[cfg(test)]
mod tests;
