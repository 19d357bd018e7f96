//! The desk's events: what became durable, numbered without a gap.
//!
//! An event says what people may read. A life's secret stands beside it in a [`DeskEntry`], which goes to
//! the issuer's own disk and nowhere else.

use farebox_verifier::{Audience, Generation, GrantId, Selector, StoreName, UnixSeconds};

use super::holds::HoldEnd;
use super::keys::KnownKey;
use super::lives::LifeEnd;
use super::request::{Decision, Proposal, RequestState};
use super::words::{Caller, EventSecret, Half, Reason};
use crate::store::LifeId;
use crate::store::budget::{BudgetKey, Hold, HoldId};
use crate::store::event::Description;
use crate::store::packed::{Packed, PackedError, Reader, Writer, choices, fields};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeskWhat {
    /// A caller's key stands for a grant.
    KeyClaimed {
        /// Which, and for what.
        key: KnownKey,
    },
    /// It stands for a fresh grant, since the id of the one before was given up.
    KeyRenewed {
        /// Which.
        key: Half,
        /// The grant before.
        from: GrantId,
        /// The grant now.
        to: GrantId,
    },
    /// A request waits for people.
    Proposed {
        /// Its place in the queue: greater than that of every earlier one.
        order: u64,
        /// All of it.
        request: Box<Proposal>,
    },
    /// Somebody decided.
    Decided {
        /// The request.
        grant: GrantId,
        /// Who, and what.
        decision: Box<Decision>,
        /// What the request has become by it.
        becomes: RequestState,
    },
    /// Its approval is used up, for this grant.
    Collected {
        /// The request.
        grant: GrantId,
        /// The grant that it pays for.
        fresh: GrantId,
    },
    /// It pays for another grant, since the id of the one before was given up.
    CollectedAgain {
        /// The request.
        grant: GrantId,
        /// The grant before.
        abandoned: GrantId,
        /// The grant now.
        fresh: GrantId,
    },
    /// Its requester, or one who approved it, took it back.
    Withdrawn {
        /// The request.
        grant: GrantId,
        /// Who.
        by: Caller,
    },
    /// A revocation took some of those that its selector names.
    Cancelled {
        /// Which.
        selector: Selector,
        /// Who revoked.
        by: Caller,
        /// Why.
        reason: Reason,
        /// The requests.
        grants: Vec<GrantId>,
    },
    /// Nobody decided, or nobody collected, in time.
    Expired {
        /// The requests.
        grants: Vec<GrantId>,
    },
    /// Nothing is granted for this selector until it is lifted.
    Blocked {
        /// Which.
        selector: Selector,
        /// Who blocked.
        by: Caller,
        /// Why.
        reason: Reason,
    },
    /// It was lifted.
    Lifted {
        /// Which.
        selector: Selector,
        /// Who lifted.
        by: Caller,
    },
    /// A local store began: what was granted for its earlier boots is over.
    Announced {
        /// The store.
        store: StoreName,
        /// The API that it is a part of.
        audience: Audience,
        /// The boot.
        generation: Generation,
        /// The boot before.
        previous: Option<Generation>,
    },
    /// A grant was registered for a local store.
    Seated {
        /// The store.
        store: StoreName,
        /// Its boot.
        generation: Generation,
        /// The grant's number: no two at this desk have the same.
        sequence: u64,
        /// What it is.
        grant: Box<Description>,
    },
    /// A local store is no more.
    Dismissed {
        /// Which.
        store: StoreName,
    },
    /// A life was opened.
    LifeOpened {
        /// Which.
        life: LifeId,
    },
    /// Nothing that is minted under it will end later than this.
    LifeExtended {
        /// Which.
        generation: Generation,
        /// The promise.
        until: UnixSeconds,
    },
    /// Its events were drained up to this number.
    LifeDrained {
        /// Which.
        generation: Generation,
        /// The number.
        cursor: u64,
    },
    /// It is over.
    LifeEnded {
        /// Which.
        generation: Generation,
        /// How.
        end: LifeEnd,
    },
    /// Nothing of it can matter any more.
    LifeDropped {
        /// Which.
        generation: Generation,
    },
    /// An amount is about to be taken from a budget.
    HoldBegun {
        /// For which grant.
        grant: GrantId,
        /// All of it.
        hold: Hold,
    },
    /// It is known what becomes of it.
    HoldEnded {
        /// For which grant.
        grant: GrantId,
        /// Which.
        hold: HoldId,
        /// What.
        end: HoldEnd,
    },
}

/// An event of a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskEvent {
    /// Its number: one more than that of the event before.
    pub number: u64,
    /// When.
    pub at: UnixSeconds,
    /// What.
    pub what: DeskWhat,
}

/// What is to be appended.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DeskChange {
    pub(crate) what: DeskWhat,
    pub(crate) secret: Option<EventSecret>,
}

impl From<DeskWhat> for DeskChange {
    fn from(what: DeskWhat) -> DeskChange {
        DeskChange { what, secret: None }
    }
}

/// An event, and what only the issuer's disk keeps of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DeskEntry {
    /// What people may read.
    pub(crate) event: DeskEvent,
    /// The secret of a life that was opened.
    pub(crate) secret: Option<EventSecret>,
}

// The bytes are for good: a variant keeps its number, and a number that is given up is not given again.
choices!(DeskWhat {
    1_u8 = KeyClaimed { key },
    2_u8 = KeyRenewed { key, from, to },
    3_u8 = Proposed { order, request },
    4_u8 = Decided { grant, decision, becomes },
    5_u8 = Collected { grant, fresh },
    6_u8 = CollectedAgain { grant, abandoned, fresh },
    7_u8 = Withdrawn { grant, by },
    8_u8 = Cancelled { selector, by, reason, grants },
    9_u8 = Expired { grants },
    10_u8 = Blocked { selector, by, reason },
    11_u8 = Lifted { selector, by },
    12_u8 = Announced { store, audience, generation, previous },
    13_u8 = Seated { store, generation, sequence, grant },
    14_u8 = Dismissed { store },
    15_u8 = LifeOpened { life },
    16_u8 = LifeExtended { generation, until },
    17_u8 = LifeDrained { generation, cursor },
    18_u8 = LifeEnded { generation, end },
    19_u8 = LifeDropped { generation },
    20_u8 = HoldBegun { grant, hold },
    21_u8 = HoldEnded { grant, hold, end },
});
fields!(DeskEvent { number, at, what });
fields!(LifeId { store, shard, generation });
fields!(BudgetKey { 0 });
fields!(HoldId { 0 });
fields!(Hold { id, budget, caller, amount, from, to });
fields!(Description {
    grant,
    agent,
    workflow,
    audience,
    action,
    resource,
    policy,
    key_id,
    end,
    after
});

impl Packed for DeskEntry {
    fn pack(&self, to: &mut Writer) {
        self.event.pack(to);
        self.secret.pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<DeskEntry, PackedError> {
        let entry = DeskEntry { event: Packed::unpack(from)?, secret: Packed::unpack(from)? };
        // A life without its secret would believe nobody, and a secret without its life is one too many.
        let opens = matches!(entry.event.what, DeskWhat::LifeOpened { .. });
        if opens == entry.secret.is_some() { Ok(entry) } else { Err(PackedError::Value) }
    }
}
