//! All that a store of one process remembers: changed by words, in their order, and by nothing else.
//!
//! So a file that holds the words comes to the same memory.

use farebox_verifier::{
    Attempt, Generation, GrantId, Outcome, PolicyHash, Receipt, Seat, Seats, SettleError,
    SpendError, Ticket, UnixSeconds,
};

use crate::limits;
use crate::store::event::{Entry, Event, What, wire};
use crate::store::lease::Lease;
use crate::store::life::{Change, Life, Step};
use crate::store::registration::{RegisterError, Registration};
use crate::store::roll::Roll;
use crate::store::view::{Standing, View};
use crate::store::{AdminError, DRAIN, Found, Journal, JournalError, LifeId};

/// What changes a memory.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A life begins. The one before it is over.
    Begun {
        /// Which.
        life: LifeId,
        /// When.
        at: UnixSeconds,
    },
    /// Something happened in the living life.
    Happened(Entry),
    /// The events of a life are durable elsewhere, up to this one.
    Drained {
        /// The life.
        generation: Generation,
        /// The number.
        upto: u64,
    },
    /// A life that is over was drained to its end.
    Forgotten {
        /// Which.
        generation: Generation,
    },
    /// It was so late.
    Passed {
        /// How late.
        at: UnixSeconds,
    },
}

/// All that a store of one process remembers.
pub(crate) struct Memory {
    pub(crate) id: LifeId,
    pub(crate) life: Life,
    pub(crate) view: View,
    pub(super) journal: Roll,
    /// The lives before it that are not drained, in their order.
    pub(super) earlier: Vec<Earlier>,
}

/// A life that is over.
#[derive(Clone)]
pub(super) struct Earlier {
    pub(super) id: LifeId,
    pub(super) journal: Roll,
    /// Whether its last word was that it ends.
    pub(super) closed: bool,
}

/// Where a grant is registered that is not registered here.
enum Elsewhere {
    /// In a life that this store had before.
    EarlierLife,
    /// In no life of this store.
    Nowhere,
}

impl Memory {
    /// A memory of a life that begins, and of none before it.
    pub(crate) fn first(id: LifeId, now: UnixSeconds) -> Memory {
        let (life, view) = (Life::new(now), View::of(1));
        Memory { id, life, view, journal: Roll::default(), earlier: Vec::new() }
    }

    /// The words by which another life begins.
    pub(crate) fn anew(&self, generation: Generation, at: UnixSeconds) -> [Word; 2] {
        let life = LifeId { generation, ..self.id.clone() };
        let previous = Some(self.id.generation);
        [Word::Begun { life, at }, Word::opened(previous, self.life.policy(), at)]
    }

    /// The same, where all that the living life has told is known: it ends by its own word.
    pub(crate) fn closing(&self, generation: Generation, at: UnixSeconds) -> [Word; 3] {
        let [begun, opened] = self.anew(generation, at);
        [Word::Happened(self.entry(What::Closed.into())), begun, opened]
    }

    /// A change of the living life as it is appended: with its number, and the time.
    pub(super) fn entry(&self, Change { what, mark }: Change) -> Entry {
        let number = self.life.appended().saturating_add(1);
        Entry { event: Event { number, at: self.life.now(), what }, mark }
    }

    /// Makes a word true.
    pub(crate) fn apply(&mut self, word: &Word) {
        match word {
            Word::Begun { life, at } => self.begun(life, *at),
            Word::Happened(entry) => self.happened(entry),
            Word::Drained { generation, upto } => self.drained(*generation, *upto),
            Word::Forgotten { generation } => self.forgotten(*generation),
            Word::Passed { at } => self.life.pass(*at),
        }
    }

    fn begun(&mut self, id: &LifeId, at: UnixSeconds) {
        let (latest, last) = (self.life.now(), self.journal.last());
        let next = self.life.succeed(at);
        self.life = next;
        self.view.over(&self.id, latest);
        let closed = self.journal.events_after(last.saturating_sub(1)).last();
        let closed = closed.is_some_and(|(number, bytes)| says_closed(number, bytes));
        let journal = std::mem::take(&mut self.journal);
        let id = std::mem::replace(&mut self.id, id.clone());
        self.earlier.push(Earlier { id, journal, closed });
        self.count_inherited();
    }

    fn happened(&mut self, entry: &Entry) {
        let event = &entry.event;
        self.life.apply(entry);
        self.view.apply(&self.id, event);
        self.journal.push(&wire::write(event.at, &event.what));
    }

    fn drained(&mut self, generation: Generation, upto: u64) {
        if generation == self.id.generation {
            self.life.drained(upto);
            self.journal.drain(upto);
        } else if let Some(earlier) = self.earlier_mut(generation) {
            earlier.journal.drain(upto);
            self.count_inherited();
        }
    }

    fn forgotten(&mut self, generation: Generation) {
        self.earlier.retain(|earlier| earlier.id.generation != generation);
        let id = LifeId { generation, ..self.id.clone() };
        self.view.drained(&id);
        self.count_inherited();
    }

    pub(super) fn count_inherited(&mut self) {
        let events = self.earlier.iter().map(|earlier| earlier.journal.len()).sum();
        self.life.inherits(events);
    }

    fn earlier(&self, life: &LifeId) -> Option<&Earlier> {
        self.earlier.iter().find(|earlier| earlier.id == *life)
    }

    fn earlier_mut(&mut self, generation: Generation) -> Option<&mut Earlier> {
        self.earlier.iter_mut().find(|earlier| earlier.id.generation == generation)
    }
}

impl Word {
    /// The first event of a life.
    pub(crate) fn opened(
        previous: Option<Generation>,
        policy: PolicyHash,
        at: UnixSeconds,
    ) -> Word {
        let what = What::Opened { previous, policy };
        Word::Happened(Entry { event: Event { number: 1, at, what }, mark: None })
    }
}

fn says_closed(number: u64, bytes: &[u8]) -> bool {
    wire::read(number, bytes).is_some_and(|event| event.what == What::Closed)
}

/// Grants, by what they are presented with.
impl Memory {
    pub(super) fn spend(&self, ticket: &Ticket, attempt: &Attempt) -> Step<Receipt, SpendError> {
        match self.number(ticket) {
            Ok(number) => self.life.spend(number, ticket, attempt),
            Err(Elsewhere::EarlierLife) => (None, Err(SpendError::Fenced)),
            Err(Elsewhere::Nowhere) => (None, Err(SpendError::UnknownGrant)),
        }
    }

    pub(super) fn settle(
        &self,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Step<(), SettleError> {
        match self.number(ticket) {
            Ok(number) => self.life.settle(number, ticket, attempt, outcome),
            Err(Elsewhere::EarlierLife) => (None, Err(SettleError::Fenced)),
            Err(Elsewhere::Nowhere) => (None, Err(SettleError::NotSpent)),
        }
    }

    pub(super) fn register(&self, registration: &Registration) -> Step<Seats, RegisterError> {
        let mine = |seats: &Seats| seats.seats().iter().all(|seat| self.is_mine(seat));
        if !registration.after.iter().all(mine) {
            return (None, Err(RegisterError::PredecessorElsewhere));
        }
        let (change, answer) = self.life.register(registration);
        let known = || !self.view.places(registration.ticket.grant).is_empty();
        if answer.is_ok() && known() {
            return (None, Err(RegisterError::Known));
        }
        (change, answer.and_then(|number| self.seats(number).ok_or(RegisterError::Down)))
    }

    /// Revokes a grant by its id. One of a life that is over is dead.
    pub(super) fn revoke(&self, grant: GrantId) -> Step<Found, AdminError> {
        let places = self.view.places(grant);
        let found = match (places.iter().find(|(life, _)| *life == self.id), places.first()) {
            (Some((_, sequence)), _) => return self.life.revoke(*sequence),
            (None, Some((life, sequence))) => self.view.at(life, *sequence),
            // A registration of it that is still on its way is refused.
            (None, None) => {
                let (change, answer) = self.life.abandon(grant);
                return (change, answer.map(|()| Found::Unknown));
            }
        };
        let found = found.map_or(Found::Unknown, |listed| match listed.standing {
            Standing::Issued | Standing::Spent => Found::Settled(Outcome::Unknown),
            // Its life said whatever was answered, so that what it did not say was spent was not.
            Standing::Settled(Outcome::Unknown)
                if !listed.history.iter().any(|(_, standing)| *standing == Standing::Spent) =>
            {
                Found::Expired
            }
            Standing::Settled(outcome) => Found::Settled(outcome),
            Standing::Revoked => Found::Unspent,
            Standing::Expired => Found::Expired,
        });
        (None, Ok(found))
    }

    /// The number of this grant in the living life.
    fn number(&self, ticket: &Ticket) -> Result<u64, Elsewhere> {
        match ticket.stores.as_ref().map(Seats::seats) {
            Some([seat]) if self.is_mine(seat) => Ok(seat.sequence),
            Some([seat]) if seat.store == self.id.store => Err(Elsewhere::EarlierLife),
            _ => Err(Elsewhere::Nowhere),
        }
    }

    /// Whether the seat is one of the living life.
    fn is_mine(&self, seat: &Seat) -> bool {
        let LifeId { store, shard, generation } = &self.id;
        seat.store == *store && seat.shard == *shard && seat.generation == *generation
    }

    fn seats(&self, sequence: u64) -> Option<Seats> {
        let LifeId { store, shard, generation } = self.id.clone();
        Seats::new(1, vec![Seat { store, shard, generation, sequence }]).ok()
    }
}

/// Journals.
impl Memory {
    pub(super) fn journals(&self) -> Vec<Journal> {
        let journal = |life: &LifeId, roll: &Roll, living| {
            let (last, drained) = (roll.last(), roll.drained());
            Journal { life: life.clone(), last, drained, living }
        };
        let earlier = self.earlier.iter().map(|life| journal(&life.id, &life.journal, false));
        earlier.chain([journal(&self.id, &self.journal, true)]).collect()
    }

    pub(super) fn events_after(
        &self,
        life: &LifeId,
        after: u64,
    ) -> Result<Vec<Event>, JournalError> {
        let roll = match self.earlier(life) {
            Some(earlier) => &earlier.journal,
            None if *life == self.id => &self.journal,
            None => return Err(JournalError::Gone),
        };
        let events = roll.events_after(after).take(limits::EVENTS_MAX);
        Ok(events.filter_map(|(number, bytes)| wire::read(number, bytes)).collect())
    }

    /// Whether events of this life may be let go of. A life that is over has no leases, and its events only
    /// go to where they are kept.
    pub(super) fn may_trim(&self, life: &LifeId, lease: Lease) -> Result<(), JournalError> {
        match self.earlier(life) {
            Some(_) => Ok(()),
            None => self.leased(life, lease),
        }
    }

    /// Whether grants of this life may be ended.
    pub(super) fn leased(&self, life: &LifeId, lease: Lease) -> Result<(), JournalError> {
        if *life != self.id {
            return Err(JournalError::Gone);
        }
        match self.life.leases.holds(self.life.now(), DRAIN, lease.number) {
            true => Ok(()),
            false => Err(JournalError::NotLeased),
        }
    }

    /// Whether a life is over, and by its own word.
    pub(super) fn closed(&self, life: &LifeId) -> bool {
        self.earlier(life).is_some_and(|earlier| earlier.closed)
    }

    /// Whether a life is over, and nothing of it is left to drain.
    pub(super) fn is_drained(&self, life: &LifeId) -> bool {
        self.earlier(life).is_some_and(|earlier| earlier.journal.len() == 0)
    }
}
