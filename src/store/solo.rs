//! A store in one process: its living life, the journals of earlier ones, and its view, behind one lock.
//!
//! ```text
//!  lock ── decide ── append ── apply ── unlock ── wait until the append is kept ── answer
//! ```
//! Whoever waits holds no lock, so that many wait for one write to the disk together. An answer that
//! changed nothing waits as well: it may rest on what is not kept yet.
//!
//! A clock that is set back by more than is allowed ends the life, for what has ended may be forgotten. The
//! store goes on with another one in its place.

mod carried;
mod grants;
mod memory;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::{Clock, Generation, NoRandom, UnixSeconds};

use super::life::{Change, Step};
use crate::limits;

pub(crate) use carried::{MemoryError, MemoryPiece, MemoryReader};
pub(crate) use memory::{Memory, Word};

/// Where words are kept, if they are.
pub(crate) trait Keeper: Send + Sync {
    /// What waiting for an append comes to.
    type Kept: Future<Output = Result<(), Lost>> + Send + 'static;

    /// Hands words over, all or none, behind all that was handed over before; never waits. What it returns
    /// resolves when they are kept, and all before them. That is also what no words are for.
    ///
    /// # Errors
    /// [`NotTaken`] where none of them was.
    fn keep(&self, words: &[Word]) -> Result<Self::Kept, NotTaken>;

    /// Sees to what is kept, now that it has become more. Nobody holds the lock.
    fn tidy(&self, solo: &Solo<Self>)
    where
        Self: Sized;
}

/// What was handed over is not known to be kept, and nothing more will be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("store cannot keep what it is told")]
pub(crate) struct Lost;

/// Nothing was taken: there is too much to keep for now, or nothing is kept any more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("store takes nothing now")]
pub(crate) struct NotTaken;

/// A keeper that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Keeper for Nowhere {
    type Kept = std::future::Ready<Result<(), Lost>>;

    fn keep(&self, _: &[Word]) -> Result<Self::Kept, NotTaken> {
        Ok(std::future::ready(Ok(())))
    }

    fn tidy(&self, _: &Solo<Nowhere>) {}
}

/// A store in one process.
pub struct Solo<K> {
    clock: Arc<dyn Clock>,
    keeper: K,
    memory: Mutex<Memory>,
}

/// What a turn came to.
pub(crate) enum Taken<T, E> {
    /// It is kept, and this is the answer.
    Answer(Result<T, E>),
    /// It was taken, and nobody knows whether it is kept.
    InDoubt,
    /// It was not.
    Down,
}

/// The lock, held.
pub(crate) struct Turn<'a, K: Keeper> {
    keeper: &'a K,
    memory: MutexGuard<'a, Memory>,
    /// What the last words wait for, and all before them.
    kept: Option<K::Kept>,
}

#[expect(private_bounds, reason = "nobody outside names a keeper")]
impl<K: Keeper> Solo<K> {
    /// A store that goes on with this memory.
    pub(crate) fn with(memory: Memory, clock: Arc<dyn Clock>, keeper: K) -> Solo<K> {
        Solo { clock, keeper, memory: Mutex::new(memory) }
    }

    /// Where it keeps what it is told.
    pub(crate) fn keeper(&self) -> &K {
        &self.keeper
    }

    /// Decides, appends and applies in one turn, then waits until it is kept.
    pub(crate) async fn step<T, E>(
        &self,
        decide: impl FnOnce(&Memory) -> Step<T, E>,
    ) -> Taken<T, E> {
        self.turn(|turn| turn.step(decide)).await
    }

    /// Does several things in one turn, then waits until all of them are kept.
    pub(crate) async fn turn<T, E>(
        &self,
        work: impl FnOnce(&mut Turn<'_, K>) -> Result<Result<T, E>, NotTaken>,
    ) -> Taken<T, E> {
        let Ok((answer, kept)) = self.work(work) else { return Taken::Down };
        self.keeper.tidy(self);
        match kept.await {
            Ok(()) => Taken::Answer(answer),
            Err(Lost) => Taken::InDoubt,
        }
    }

    fn work<T>(
        &self,
        work: impl FnOnce(&mut Turn<'_, K>) -> Result<T, NotTaken>,
    ) -> Result<(T, K::Kept), NotTaken> {
        let mut turn = self.lock();
        turn.keep_time(self.clock.now())?;
        let answer = work(&mut turn)?;
        let kept = match turn.kept.take() {
            Some(kept) => kept,
            None => turn.keeper.keep(&[])?,
        };
        Ok((answer, kept))
    }

    /// Looks at the memory. What is seen may be ahead of what is kept.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        let mut turn = self.lock();
        // Where no life can begin now, the old one is looked at.
        drop(turn.keep_time(self.clock.now()));
        look(&turn.memory)
    }

    /// Takes the lock, for whoever must see to it that nothing changes.
    pub(crate) fn lock(&self) -> Turn<'_, K> {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Turn { keeper: &self.keeper, memory, kept: None }
    }
}

impl<K: Keeper> Turn<'_, K> {
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Decides on what was said so far, and says what comes of it.
    pub(crate) fn step<T, E>(
        &mut self,
        decide: impl FnOnce(&Memory) -> Step<T, E>,
    ) -> Result<Result<T, E>, NotTaken> {
        let (change, answer) = decide(&self.memory);
        if let Some(change) = change {
            self.change(change)?;
        }
        Ok(answer)
    }

    fn change(&mut self, change: Change) -> Result<(), NotTaken> {
        let entry = self.memory.entry(change);
        self.say(&[Word::Happened(entry)])
    }

    /// Has words kept, and makes them true.
    pub(crate) fn say(&mut self, words: &[Word]) -> Result<(), NotTaken> {
        self.kept = Some(self.keeper.keep(words)?);
        words.iter().for_each(|word| self.memory.apply(word));
        Ok(())
    }

    /// Lets time pass. A life whose clock was set back too far is followed by another.
    fn keep_time(&mut self, now: UnixSeconds) -> Result<(), NotTaken> {
        if is_behind(now, self.memory.life.now()) {
            let generation = Generation::fresh().map_err(|NoRandom| NotTaken)?;
            let words = self.memory.closing(generation, now);
            self.say(&words)?;
        }
        self.memory.life.pass(now);
        Ok(())
    }
}

/// Whether this time is so far behind the highest that was seen that nothing can be said of what ended.
pub(crate) fn is_behind(now: UnixSeconds, latest: UnixSeconds) -> bool {
    now.plus(limits::CLOCK_STEP_SECONDS_MAX) < latest
}
