//! A store in one process: one life, its journal and its view behind one lock.
//!
//! ```text
//!  lock ── decide ── append ── apply ── unlock ── wait until the append is kept ── answer
//! ```
//! Whoever waits holds no lock, so that many wait for one write to the disk together. An answer that
//! changed nothing waits as well: it may rest on what is not kept yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::{Clock, Seat, Seats, Ticket, UnixSeconds};

use super::event::{Entry, Event, What};
use super::life::{Change, Life, Step};
use super::view::View;
use super::{Journal, LifeId};
use crate::limits;

mod grants;

/// Where entries are kept, if they are.
pub trait Keeper: Send {
    /// What waiting for an append comes to.
    type Kept: Future<Output = Result<(), Lost>> + Send + 'static;

    /// Hands an entry over, in order; never waits.
    ///
    /// # Errors
    /// [`Lost`] where it will not be kept.
    fn keep(&mut self, entry: &Entry) -> Result<(), Lost>;

    /// Resolves when everything handed over so far is kept.
    fn kept(&mut self) -> Self::Kept;
}

/// What was handed over is not kept, and nothing more will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("store cannot keep what it is told")]
pub struct Lost;

/// A keeper that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Keeper for Nowhere {
    type Kept = std::future::Ready<Result<(), Lost>>;

    fn keep(&mut self, _: &Entry) -> Result<(), Lost> {
        Ok(())
    }

    fn kept(&mut self) -> Self::Kept {
        std::future::ready(Ok(()))
    }
}

/// A store in one process.
pub struct Solo<K> {
    id: LifeId,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner<K>>,
}

struct Inner<K> {
    life: Life,
    view: View,
    journal: VecDeque<Event>,
    keeper: K,
    /// Why nothing more is decided, once something was lost or the clock went back.
    ended: Option<Ended>,
}

/// Why a life is over while its process lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The keeper lost something: what is in memory is more than what is kept.
    Lost,
    /// The clock stepped back by more than is allowed.
    Clock,
}

/// What a decision came to.
pub(crate) enum Taken<T, E> {
    /// It is kept, and this is the answer.
    Answer(Result<T, E>),
    /// It was taken, and nobody knows whether it is kept.
    InDoubt,
    /// None was taken.
    Ended(Ended),
}

impl<K: Keeper> Solo<K> {
    /// A life that goes on with this memory.
    pub(crate) fn resume(id: LifeId, clock: Arc<dyn Clock>, memory: Memory, keeper: K) -> Solo<K> {
        let Memory { life, view, journal } = memory;
        let inner = Inner { life, view, journal, keeper, ended: None };
        Solo { id, clock, inner: Mutex::new(inner) }
    }

    /// A life that begins with this word.
    pub(crate) fn begin(
        id: LifeId,
        clock: Arc<dyn Clock>,
        memory: Memory,
        keeper: K,
        word: What,
    ) -> Solo<K> {
        let solo = Solo::resume(id, clock, memory, keeper);
        {
            let mut inner = solo.lock();
            if let Err(ended) = inner.append(&solo.id, word.into()) {
                inner.ended = Some(ended);
            }
        }
        solo
    }

    /// The life.
    pub(crate) fn id(&self) -> &LifeId {
        &self.id
    }

    /// Decides, appends and applies in one step, then waits until it is kept.
    pub(crate) async fn step<T, E>(&self, decide: impl FnOnce(&Life) -> Step<T, E>) -> Taken<T, E> {
        let (answer, kept) = {
            let mut inner = self.lock();
            if let Some(ended) = inner.ended {
                return Taken::Ended(ended);
            }
            let (change, answer) = decide(&inner.life);
            if let Some(change) = change
                && let Err(ended) = inner.append(&self.id, change)
            {
                return Taken::Ended(ended);
            }
            (answer, inner.keeper.kept())
        };
        match kept.await {
            Ok(()) => Taken::Answer(answer),
            Err(Lost) => {
                self.lock().ended = Some(Ended::Lost);
                Taken::InDoubt
            }
        }
    }

    /// Looks at the memory.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Life, &View) -> T) -> T {
        let mut inner = self.lock();
        let Inner { life, view, .. } = &mut *inner;
        look(life, view)
    }

    /// The number of this grant in this life.
    pub(crate) fn number(&self, ticket: &Ticket) -> Result<u64, Elsewhere> {
        match ticket.stores.as_ref().map(Seats::seats) {
            Some([seat]) if self.is_mine(seat) => Ok(seat.sequence),
            Some([seat]) if seat.store == self.id.store => Err(Elsewhere::EarlierLife),
            _ => Err(Elsewhere::Nowhere),
        }
    }

    /// Whether the seat is one of this life.
    pub(crate) fn is_mine(&self, seat: &Seat) -> bool {
        let LifeId { store, shard, generation } = &self.id;
        seat.store == *store && seat.shard == *shard && seat.generation == *generation
    }

    /// The one seat of this number.
    pub(crate) fn seats(&self, sequence: u64) -> Option<Seats> {
        let LifeId { store, shard, generation } = self.id.clone();
        Seats::new(1, vec![Seat { store, shard, generation, sequence }]).ok()
    }

    pub(crate) fn events_after(&self, after: u64) -> Vec<Event> {
        let inner = self.lock();
        let fresh = inner.journal.iter().skip_while(|event| event.number <= after);
        fresh.take(limits::EVENTS_MAX).cloned().collect()
    }

    pub(crate) fn journal(&self) -> Journal {
        let inner = self.lock();
        let last = inner.life.appended();
        let drained = last.saturating_sub(inner.life.lag());
        Journal { life: self.id.clone(), last, drained, living: inner.ended.is_none() }
    }

    /// Lets go of the events up to this number.
    pub(crate) fn let_go(&self, upto: u64) {
        let mut inner = self.lock();
        inner.life.drained(upto);
        while inner.journal.front().is_some_and(|event| event.number <= upto) {
            inner.journal.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now.plus(limits::CLOCK_STEP_SECONDS_MAX) < inner.life.now() {
            inner.ended.get_or_insert(Ended::Clock);
        }
        inner.life.pass(now);
        inner
    }
}

impl<K: Keeper> Inner<K> {
    fn append(&mut self, id: &LifeId, change: Change) -> Result<(), Ended> {
        let number = self.life.appended().saturating_add(1);
        let event = Event { number, at: self.life.now(), what: change.what };
        let entry = Entry { event, mark: change.mark };
        if let Err(Lost) = self.keeper.keep(&entry) {
            self.ended = Some(Ended::Lost);
            return Err(Ended::Lost);
        }
        self.life.apply(&entry);
        self.view.apply(id, &entry.event);
        self.journal.push_back(entry.event);
        Ok(())
    }
}

/// Where a grant is registered that is not registered here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// In a life that this store had before.
    EarlierLife,
    /// In no life of this store.
    Nowhere,
}

/// What a life begins with: nothing, or what was kept.
pub(crate) struct Memory {
    pub(crate) life: Life,
    pub(crate) view: View,
    pub(crate) journal: VecDeque<Event>,
}

impl Memory {
    /// An empty one.
    pub(crate) fn empty(now: UnixSeconds) -> Memory {
        Memory { life: Life::new(now), view: View::of(1), journal: VecDeque::new() }
    }
}
