//! The grant store, as an issuer and its staff see it: the whole life of a grant.
//!
//! ```text
//!            Life                      Desk                        View
//!   decides, in living memory   remembers, on its issuer's disk   shows, from the events
//!   registered → spent → …      keys, pending requests, lives     who has what
//! ```
//! What grants anything is decided by a life, whose memory no backup, no replica and no forged record
//! can bring back. What must outlive a store stands at the [`desk`]. Everything else is a projection of the
//! journal, and may be wrong without letting a step through.

mod book;
pub mod budget;
pub mod desk;
pub mod drain;
pub mod embedded;
pub mod event;
mod fixed;
pub mod lease;
pub mod ledger;
mod life;
pub mod memory;
mod packed;
mod pieces;
pub mod redis;
pub mod registration;
mod roll;
mod shelves;
mod solo;
pub mod view;

use farebox_verifier::{
    Answer, Generation, GrantId, Outcome, PolicyHash, Seats, Selector, Shard, SpendStore,
    StoreName, UnixSeconds,
};

use budget::{Hold, Take, TakeError};
use event::{Event, OldGrants};
use lease::{Lease, LeaseError};
use registration::{RegisterError, Registration};
use view::{Cursor, Filter, Listed, Page};

pub use book::OpenError;
pub use embedded::Embedded;
pub use ledger::Ledger;
pub use memory::Memory;

/// One life of one part of one store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LifeId {
    /// The store.
    pub store: StoreName,
    /// The part of it.
    pub shard: Shard,
    /// What no other life is called.
    pub generation: Generation,
}

/// What revoking, blocking and changing policies cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// As many are remembered as may be; revoking all is always possible.
    #[error("store remembers as many as it may")]
    Full,
    /// It may have been carried out; asking again is safe.
    #[error("no answer")]
    InDoubt,
    /// The grant that was to be given up was used: somebody has a token for it.
    #[error("grant was used")]
    Used,
    /// Nothing was carried out.
    #[error("store is down")]
    Down,
}

/// What revoking one grant met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was not spent, and never will be.
    Unspent,
    /// It was spent before; its attempt is told so no more.
    Spent,
    /// It was spent and settled before.
    Settled(Outcome),
    /// It had ended unspent.
    Expired,
    /// No store that answered knows it.
    Unknown,
}

/// A life that has not heard, and until when it may let something through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Which.
    pub life: LifeId,
    /// The last expiry that was minted under it.
    pub until: UnixSeconds,
}

/// Whom a word of the staff has reached. It is in force at once where nobody is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a word that has not reached every life is not in force everywhere"]
pub struct Reach {
    /// Who has not heard.
    pub unreached: Vec<Unreached>,
}

impl Reach {
    /// Whether it is in force everywhere.
    #[must_use]
    pub fn everywhere(&self) -> bool {
        self.unreached.is_empty()
    }
}

/// What a revocation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What it met, where it named one grant.
    pub found: Option<Found>,
    /// Whom it reached.
    pub reach: Reach,
}

/// A life as its journal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Whose.
    pub life: LifeId,
    /// The number of its last event, as far as known.
    pub last: u64,
    /// Up to where it was drained.
    pub drained: u64,
    /// Whether more may come.
    pub living: bool,
}

/// Why a journal was not read or trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// No such journal is there any more: what was not drained is lost.
    #[error("journal is gone")]
    Gone,
    /// Somebody else drains it now.
    #[error("lease is not held")]
    NotLeased,
    /// Nobody knows; asking again is safe.
    #[error("store is down")]
    Down,
}

/// What lapsing some grants came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lapsed {
    /// Their time had not come, by the store's clock: ask again later.
    pub not_yet: Vec<u64>,
}

/// A grant store, as an issuer sees it.
///
/// Beyond what [`SpendStore`] promises: a grant is registered before its token is signed, under numbers that
/// no life gives twice; a revocation that has reached a life is obeyed by every later spend there; and each
/// transition is appended to the journal in the same step, or does not happen.
pub trait GrantStore: SpendStore {
    /// Why nothing can be registered now, as far as that is known without asking.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Registers a grant, and says where.
    ///
    /// This is sent once. After [`RegisterError::InDoubt`], abandon the id and register under another.
    ///
    /// # Errors
    /// [`RegisterError`] where it is not registered, or nobody can tell.
    fn register<'a>(
        &'a self,
        registration: &'a Registration,
    ) -> Answer<'a, Result<Seats, RegisterError>>;

    /// Refuses a grant id for good, wherever it may have been registered.
    ///
    /// # Errors
    /// [`AdminError`] where some life may still have it.
    fn abandon(&self, grant: GrantId) -> Answer<'_, Result<(), AdminError>>;

    /// Revokes what the selector names and is registered by now.
    ///
    /// # Errors
    /// [`AdminError`] where not even one life was reached.
    fn revoke<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Revocation, AdminError>>;

    /// Registers nothing that the selector names, until it is lifted.
    ///
    /// # Errors
    /// [`AdminError`] where not even one life was reached.
    fn block<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>>;

    /// Lifts a block.
    ///
    /// # Errors
    /// [`AdminError`] where not even one life was reached.
    fn unblock<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>>;

    /// Puts a set of policies in force: nothing is registered that another one allowed.
    ///
    /// # Errors
    /// [`AdminError`] where not even one life was reached.
    fn set_policy(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Answer<'_, Result<Reach, AdminError>>;

    /// Takes an amount from a budget. Asked again for the same grant, it is the same hold.
    ///
    /// # Errors
    /// [`TakeError`] where nothing was taken, or nobody can tell.
    fn take<'a>(&'a self, take: &'a Take) -> Answer<'a, Result<Hold, TakeError>>;

    /// Gives a hold back, once. It is for grants of which a living registration says that they were never
    /// spent, and for those settled as void.
    ///
    /// # Errors
    /// [`AdminError`] where it may still be held.
    fn give_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), AdminError>>;

    /// Brings in what is held of the budgets, and counts again from then on. What is held is read once the
    /// life is open: what was begun before, and only that, may be missing there.
    ///
    /// # Errors
    /// [`AdminError`] where budgets stay closed.
    fn open_budgets<'a>(&'a self, held: &'a [Hold]) -> Answer<'a, Result<(), AdminError>>;

    /// Gives a lease in one life, or gives it for longer.
    ///
    /// # Errors
    /// [`LeaseError`] where it is not given.
    fn lease<'a>(
        &'a self,
        life: &'a LifeId,
        name: &'a str,
        holder: &'a str,
        seconds: u64,
    ) -> Answer<'a, Result<Lease, LeaseError>>;

    /// The journals that are not drained to their end.
    fn journals(&self) -> Answer<'_, Result<Vec<Journal>, JournalError>>;

    /// The events after this number, in order.
    ///
    /// # Errors
    /// [`JournalError`] where they could not be read.
    fn events<'a>(
        &'a self,
        life: &'a LifeId,
        after: u64,
    ) -> Answer<'a, Result<Vec<Event>, JournalError>>;

    /// Lets go of the events up to this number, which are durable elsewhere, under the drain's lease.
    ///
    /// # Errors
    /// [`JournalError`] where they stay.
    fn trim<'a>(
        &'a self,
        life: &'a LifeId,
        upto: u64,
        lease: Lease,
    ) -> Answer<'a, Result<(), JournalError>>;

    /// Ends grants that are over: unspent past their end, or spent and never settled.
    ///
    /// # Errors
    /// [`JournalError`] where that may not have happened.
    fn lapse<'a>(
        &'a self,
        life: &'a LifeId,
        sequences: &'a [u64],
        lease: Lease,
    ) -> Answer<'a, Result<Lapsed, JournalError>>;

    /// Outstanding grants and those lately ended, in the order of their registration.
    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        cursor: Option<Cursor>,
        count_max: usize,
    ) -> Answer<'a, Page>;

    /// How many there are.
    fn count<'a>(&'a self, filter: &'a Filter) -> Answer<'a, u64>;

    /// One grant, with its history.
    fn read(&self, grant: GrantId) -> Answer<'_, Option<Listed>>;

    /// The grant with this number in this life.
    fn at<'a>(&'a self, life: &'a LifeId, sequence: u64) -> Answer<'a, Option<Listed>>;

    /// Whether a grant is registered in this life, and every registration of it ended unspent.
    fn unspent<'a>(&'a self, life: &'a LifeId, grant: GrantId) -> Answer<'a, bool>;

    /// Whether the last event of this life's journal says that it was ended on purpose.
    fn closed<'a>(&'a self, life: &'a LifeId) -> Answer<'a, bool>;

    /// Forgets a life that is over and drained to its end. One under which something was minted that may
    /// still live is kept, for revocations to say that they did not reach it.
    fn forget<'a>(&'a self, life: &'a LifeId) -> Answer<'a, ()>;

    /// Grants of this life whose time is over and of which nothing has said so.
    fn due<'a>(&'a self, life: &'a LifeId) -> Answer<'a, Vec<u64>>;
}

/// The lease under which one drain reads, lapses and trims.
pub const DRAIN: &str = "drain";
