//! The ledger of an issuer: its desk, durable before it answers.
//!
//! ```text
//!  lock ── decide ── append ── apply ── unlock ── wait until the append is kept ── answer
//! ```
//! An issuer whose grants are in Redis has a file for it alone; a store in a file has it in the same file; for
//! tests there is one without. All three are spoken to alike.
//!
//! What happened is a journal too: numbered without a gap, and there until it is durable elsewhere.

mod asking;
mod looking;
mod unsure;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::Clock;

use super::JournalError;
use super::book::line::{self, DeskEvents, Head};
use super::book::{self, Book, Found, Kept, OpenError, Reading, or_none};
use super::desk::{Carried, Desk, DeskEvent, Step};
use super::packed;
use super::roll::Roll;
use super::solo::{Lost, NotTaken, Word};
use crate::limits;
use crate::log::{AppendError, RewriteError, Rewriting, SealError};
use unsure::Unsure;

/// Events of one piece that is carried over.
const PIECE_BYTES: usize = 256 << 10;

/// A desk, and where it is kept.
pub struct Ledger {
    clock: Arc<dyn Clock>,
    paper: Paper,
    state: Mutex<State>,
}

/// Where lines are kept.
enum Paper {
    /// Nowhere: what it knows is gone with it.
    Nowhere,
    /// In a file of its own.
    Own(Arc<Book>),
    /// In a store's file, which rewrites and seals it.
    Shared(Arc<Book>),
}

struct State {
    desk: Desk,
    journal: Roll,
    /// The lines since the last draft, while one waits to be written.
    since: Option<Vec<Vec<u8>>>,
}

/// What a file begins with.
pub(crate) type Lines = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// A desk as it was at one moment, for a file that is rewritten.
pub(crate) struct Draft {
    carried: Vec<Carried>,
    journal: Roll,
}

/// The ledger's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerJournal {
    /// The number of its last event.
    pub last: u64,
    /// Up to where it was drained.
    pub drained: u64,
}

/// What a change does for the future.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bearing {
    /// Something more is to be remembered.
    Begins,
    /// What is remembered goes on, or ends.
    Continues,
}

impl Ledger {
    /// Opens the ledger in this file, or makes one. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; each says how it is mended.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Ledger, OpenError> {
        let mut reading = Reading::of(Head::Desk);
        let (log, _recovered) = book::open(path, &mut reading)?;
        let Found { headed, desk, desk_journal, carried_bytes, .. } = reading.finish();
        let book = Book::over(log, carried_bytes);
        if !headed {
            let not_kept = |source| OpenError::NotKept { path: path.to_owned(), source };
            book.append_now(&[line::head(&Head::Desk)]).map_err(not_kept)?;
        }
        Ok(Ledger::with(desk, desk_journal, clock, Paper::Own(Arc::new(book))))
    }

    /// A ledger that is kept nowhere, for tests.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>) -> Ledger {
        let desk = Desk::new(clock.now());
        Ledger::with(desk, Roll::default(), clock, Paper::Nowhere)
    }

    /// A ledger in the file of a store.
    pub(crate) fn beside(
        desk: Desk,
        journal: Roll,
        clock: Arc<dyn Clock>,
        book: Arc<Book>,
    ) -> Ledger {
        Ledger::with(desk, journal, clock, Paper::Shared(book))
    }

    fn with(desk: Desk, journal: Roll, clock: Arc<dyn Clock>, paper: Paper) -> Ledger {
        Ledger { clock, paper, state: Mutex::new(State { desk, journal, since: None }) }
    }

    /// The events after this number, in order.
    ///
    /// # Errors
    /// [`JournalError::Down`] where nobody knows whether they are kept.
    pub async fn events(&self, after: u64) -> Result<Vec<DeskEvent>, JournalError> {
        let (events, kept) = {
            let state = self.lock();
            let events = state.journal.events_after(after).take(limits::EVENTS_MAX);
            let events = events.filter_map(|(_, bytes)| packed::read(bytes).ok()).collect();
            (events, self.paper.keep(&[]).map_err(|NotTaken| JournalError::Down)?)
        };
        kept.wait().await.map_err(|Lost| JournalError::Down).map(|()| events)
    }

    /// Lets go of the events up to this number, which are durable elsewhere.
    ///
    /// # Errors
    /// [`JournalError::Down`] where they may stay.
    pub async fn trim(&self, upto: u64) -> Result<(), JournalError> {
        let kept = {
            let mut state = self.lock();
            let kept = self.paper.keep(&[line::desk_drained(upto)]);
            let kept = kept.map_err(|NotTaken| JournalError::Down)?;
            state.journal.drain(upto);
            kept
        };
        kept.wait().await.map_err(|Lost| JournalError::Down)
    }

    /// How long the journal is.
    #[must_use]
    pub fn journal(&self) -> LedgerJournal {
        let state = self.lock();
        LedgerJournal { last: state.journal.last(), drained: state.journal.drained() }
    }

    /// Rewrites the file, so that it holds what is remembered and nothing else. It does so by itself when it
    /// has grown long. A ledger without a file of its own has nothing to rewrite.
    ///
    /// # Errors
    /// [`RewriteError`]; the file stays as it was.
    pub async fn compact(&self) -> Result<(), RewriteError> {
        let Paper::Own(book) = &self.paper else { return Ok(()) };
        self.begin_compacting(book)?.await
    }

    fn begin_compacting(&self, book: &Book) -> Result<Rewriting, RewriteError> {
        let mut state = self.lock();
        book.rewrite(state.own_lines())
    }

    /// Takes nothing more, and seals the file, if it has one of its own.
    ///
    /// # Errors
    /// [`SealError`]; nothing is lost by it.
    pub async fn close(&self) -> Result<(), SealError> {
        let Paper::Own(book) = &self.paper else { return Ok(()) };
        let at = self.lock().desk.now();
        // What is not written here is the last second that was seen, and no more.
        drop(book.append(&[line::word(&Word::Passed { at })]));
        book.seal().await
    }

    /// Why nothing is taken any more, if that is so, and how it is mended.
    #[must_use]
    pub fn trouble(&self) -> Option<AppendError> {
        match &self.paper {
            Paper::Nowhere => None,
            Paper::Own(book) | Paper::Shared(book) => book.trouble(),
        }
    }

    /// Copies the desk for a store's file. What is said from here on is added to it by [`Ledger::begin`].
    pub(crate) fn draft(&self) -> Draft {
        self.lock().draft()
    }

    /// Begins a file with what it must hold to come to the desk as it is now. Nothing is said at the desk until
    /// it has begun: what was said between would be in neither. There is one draft at a time.
    pub(crate) fn begin<T>(&self, draft: Draft, begin: impl FnOnce(Lines) -> T) -> T {
        let mut state = self.lock();
        begin(Box::new(state.lines(draft)))
    }

    /// Decides, appends and applies in one step, then waits until it is kept.
    async fn step<T, E: Unsure>(
        &self,
        bearing: Bearing,
        decide: impl FnOnce(&Desk) -> Step<T, E>,
    ) -> Result<T, E> {
        let (answer, kept) = self.take(bearing, decide).map_err(|NotTaken| E::down())?;
        match kept.wait().await {
            Ok(()) => answer,
            Err(Lost) => Err(E::in_doubt()),
        }
    }

    fn take<T, E>(
        &self,
        bearing: Bearing,
        decide: impl FnOnce(&Desk) -> Step<T, E>,
    ) -> Result<(Result<T, E>, Waiting), NotTaken> {
        let mut state = self.lock();
        let (change, answer) = decide(&state.desk);
        let Some(change) = change else { return Ok((answer, self.paper.keep(&[])?)) };
        if state.lags(bearing) {
            return Err(NotTaken);
        }
        let entry = state.desk.entry(change);
        let line = entry.encode().map_err(|_too_long| NotTaken)?;
        let event = packed::write(&entry.event).map_err(|_too_long| NotTaken)?;
        let line = line::desk(&line);
        let kept = self.paper.keep(std::slice::from_ref(&line))?;
        state.desk.apply(&entry);
        state.journal.push(&event);
        if let Some(since) = &mut state.since {
            since.push(line);
        }
        if let Paper::Own(book) = &self.paper
            && book.is_long()
        {
            book.leave(book.rewrite(state.own_lines()));
        }
        Ok((answer, kept))
    }

    /// Looks at the desk. What is seen may be ahead of what is kept.
    fn look<T>(&self, look: impl FnOnce(&Desk) -> T) -> T {
        look(&self.lock().desk)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.desk.pass(self.clock.now());
        state
    }
}

impl State {
    /// Whether so much is not drained that nothing of this bearing is taken.
    fn lags(&self, bearing: Bearing) -> bool {
        let times = if bearing == Bearing::Begins { 1 } else { 2 };
        self.journal.len() >= limits::DESK_LAG_MAX * times
            || self.journal.bytes() / limits::DESK_LAG_BYTES_MAX
                >= usize::try_from(times).unwrap_or(1)
    }

    fn own_lines(&mut self) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        let draft = self.draft();
        std::iter::once(line::head(&Head::Desk)).chain(self.lines(draft))
    }

    fn draft(&mut self) -> Draft {
        self.since = Some(Vec::new());
        Draft { carried: self.desk.snapshot().collect(), journal: self.journal.clone() }
    }

    /// The draft, and what was said since.
    fn lines(
        &mut self,
        Draft { carried, journal }: Draft,
    ) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        let since = self.since.take().unwrap_or_default();
        let drained = line::desk_drained(self.journal.drained());
        let carried = carried
            .into_iter()
            .map(|carried| or_none(carried.encode().map(|payload| line::desk(&payload))));
        let mut after = journal.drained();
        let journal = journal.into_pieces(PIECE_BYTES);
        // There is one at least: it says up to where the journal was drained.
        let events = std::iter::once(Vec::new()).chain(journal).map(move |events| {
            let events = DeskEvents { after, events };
            after = after.saturating_add(u64::try_from(events.events.len()).unwrap_or(0));
            or_none(line::desk_events(&events))
        });
        carried.chain(events).chain(since).chain([drained])
    }
}

/// What an answer waits for.
enum Waiting {
    Nothing,
    For(Kept),
}

impl Waiting {
    async fn wait(self) -> Result<(), Lost> {
        match self {
            Waiting::Nothing => Ok(()),
            Waiting::For(kept) => kept.await,
        }
    }
}

impl Paper {
    fn keep(&self, lines: &[Vec<u8>]) -> Result<Waiting, NotTaken> {
        match self {
            Paper::Nowhere => Ok(Waiting::Nothing),
            Paper::Own(book) | Paper::Shared(book) => book.append(lines).map(Waiting::For),
        }
    }
}

#[cfg(test)]
mod tests {
    use farebox_verifier::ManualClock;

    use super::*;

    #[test]
    fn nothing_is_said_at_the_desk_while_a_file_begins() {
        let clock = ManualClock::at(farebox_verifier::UnixSeconds(1_800_000_000));
        let ledger = Ledger::in_memory(Arc::new(clock));
        let draft = ledger.draft();
        let lines = ledger.begin(draft, |lines| {
            assert!(ledger.state.try_lock().is_err());
            lines.count()
        });
        assert!(lines > 0 && ledger.state.try_lock().is_ok());
    }
}
