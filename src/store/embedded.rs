//! The grant store in a file: what it answered outlives a power cut, and what it granted is not granted again.
//!
//! ```text
//!  Solo ──words──┐                          ┌─ sealed: the same life goes on
//!                ├─→ one log ─→ next start ─┤
//!  Ledger ─lines─┘                          └─ else: another life; what the old one granted is fenced
//! ```
//! A file that was closed in good order, and that nothing has touched since, goes on where it stopped:
//! outstanding grants can still be spent. After anything else (a crash, a copy, a backup restored over it)
//! nobody knows whether another process has gone on from there, so a life with another name begins. What
//! was answered before is not lost with the old one: blocks, policies, budgets, ids given up and all that
//! stands at the desk are carried over, and its journal is there until it is drained.
//!
//! What no store inside one machine can know is that the whole machine was set back or cloned.
//!
//! A disk that fails leaves one answer in doubt, and every later one is "down" until the file is opened again:
//! `Embedded::trouble` says why, and how that is mended.

use std::path::Path;
use std::sync::{Arc, Mutex, TryLockError};

use farebox_verifier::{Clock, Generation, NoRandom, PolicyHash, Shard, StoreName, UnixSeconds};

use super::LifeId;
use super::book::line::{self, Head};
use super::book::{self, Book, Found, Kept, OpenError, Reading, or_none};
use super::ledger::Ledger;
use super::solo::{Keeper, Memory, NotTaken, Solo, Word, is_behind};
use super::view::{Filter, Standing};
use crate::log::{AppendError, RewriteError, Rewriting, SealError};

/// The grant store in a file.
pub type Embedded = Solo<Filed>;

/// Where it keeps what it is told: the file, and the desk that shares it.
pub struct Filed {
    book: Arc<Book>,
    ledger: Arc<Ledger>,
    /// Held by whoever begins to rewrite the file.
    rewriting: Mutex<()>,
}

/// What was found when a store was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The life that lives.
    pub life: LifeId,
    /// The set of policies in force: that of the file where there was one.
    pub policy: PolicyHash,
    /// How it began.
    pub start: Start,
    /// How many bytes of a write that was cut short were cut off. Nobody was answered by then.
    pub cut_bytes: u64,
}

/// How a store began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// There was no store in the file.
    Created,
    /// It was closed in good order, and goes on.
    Resumed,
    /// It was not, or nobody can tell: another life follows.
    Unsealed {
        /// How many grants could have been spent or settled, and cannot any more.
        fenced: u64,
    },
    /// The clock is so far behind what the file has seen that nobody can tell what has ended: another life
    /// follows.
    ClockBehind {
        /// How many grants could have been spent or settled, and cannot any more.
        fenced: u64,
    },
}

impl Keeper for Filed {
    type Kept = Kept;

    fn keep(&self, words: &[Word]) -> Result<Kept, NotTaken> {
        let lines: Vec<Vec<u8>> = words.iter().map(line::word).collect();
        self.book.append(&lines)
    }

    fn tidy(&self, solo: &Embedded) {
        if self.book.is_long() {
            self.book.leave(self.rewrite(solo));
        }
    }
}

impl Filed {
    /// Begins to rewrite the file.
    ///
    /// The desk is copied first, and what is said there meanwhile is added: it takes long, and spending does
    /// not wait for it. Then all else is copied at one moment, which takes no time.
    fn rewrite(&self, solo: &Embedded) -> Result<Rewriting, RewriteError> {
        let _alone = match self.rewriting.try_lock() {
            Ok(alone) => alone,
            // Whoever panicked has begun nothing.
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(RewriteError::Busy),
        };
        let draft = self.ledger.draft();
        let turn = solo.lock();
        let memory = turn.memory();
        let head = line::head(&Head::Store(memory.id.store.clone()));
        let pieces = memory.copy().into_pieces().map(|piece| or_none(line::piece(&piece)));
        self.ledger.begin(draft, |lines| {
            self.book.rewrite(std::iter::once(head).chain(pieces).chain(lines))
        })
    }
}

impl Embedded {
    /// Opens the store of this name in a file, or makes one with this set of policies in force. Blocks.
    ///
    /// A file that is there keeps the policies that it has: whoever has others changes them, and says what
    /// becomes of the grants that the old ones allowed.
    ///
    /// # Errors
    /// [`OpenError`]; each says how it is mended.
    pub fn open(
        path: &Path,
        store: StoreName,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
    ) -> Result<(Embedded, Opened), OpenError> {
        let head = Head::Store(store.clone());
        let mut reading = Reading::of(head.clone());
        let (log, recovered) = book::open(path, &mut reading)?;
        let Found { headed, memory, desk, desk_journal, carried_bytes } = reading.finish();
        let begun = match memory {
            None => Begun::first(store, policy, clock.now())?,
            Some(memory) => Begun::again(memory, recovered.sealed, clock.now())?,
        };
        let book = Arc::new(Book::over(log, carried_bytes));
        let lines = begun.words.iter().map(line::word);
        let head = (!headed).then(|| line::head(&head));
        let lines: Vec<Vec<u8>> = head.into_iter().chain(lines).collect();
        if !lines.is_empty() {
            let not_kept = |source| OpenError::NotKept { path: path.to_owned(), source };
            book.append_now(&lines).map_err(not_kept)?;
        }
        let Begun { memory, start, .. } = begun;
        let (life, policy) = (memory.id.clone(), memory.life.policy());
        let opened = Opened { life, policy, start, cut_bytes: recovered.cut_bytes };
        let ledger = Ledger::beside(desk, desk_journal, Arc::clone(&clock), Arc::clone(&book));
        let ledger = Arc::new(ledger);
        Ok((Solo::with(memory, clock, Filed { book, ledger, rewriting: Mutex::new(()) }), opened))
    }

    /// What is durable with the issuer, in the same file.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.keeper().ledger
    }

    /// Rewrites the file, so that it holds what is remembered and nothing else. It does so by itself when it
    /// has grown long.
    ///
    /// # Errors
    /// [`RewriteError`]; the file stays as it was.
    pub async fn compact(&self) -> Result<(), RewriteError> {
        self.keeper().rewrite(self)?.await
    }

    /// Takes nothing more, and seals the file, so that the next start goes on from here.
    ///
    /// # Errors
    /// [`SealError`]; then the next start begins another life.
    pub async fn close(&self) -> Result<(), SealError> {
        {
            let mut turn = self.lock();
            // A clock that is set back while nobody looks is found by this.
            let at = turn.memory().life.now();
            // Unsealed, it is not gone on from: so it stays where this is not kept.
            turn.say(&[Word::Passed { at }]).map_err(|NotTaken| SealError::Busy)?;
        }
        self.keeper().book.seal().await
    }

    /// Why nothing is taken any more, if that is so, and how it is mended.
    #[must_use]
    pub fn trouble(&self) -> Option<AppendError> {
        self.keeper().book.trouble()
    }
}

/// A memory that a store begins with, and what is to be kept first.
struct Begun {
    memory: Memory,
    words: Vec<Word>,
    start: Start,
}

impl Begun {
    fn first(store: StoreName, policy: PolicyHash, now: UnixSeconds) -> Result<Begun, OpenError> {
        let life = LifeId { store, shard: Shard::only(), generation: fresh()? };
        let mut memory = Memory::first(life.clone(), now);
        let opened = Word::opened(None, policy, now);
        memory.apply(&opened);
        let words = vec![Word::Begun { life, at: now }, opened];
        Ok(Begun { memory, words, start: Start::Created })
    }

    fn again(mut memory: Memory, sealed: bool, now: UnixSeconds) -> Result<Begun, OpenError> {
        let behind = is_behind(now, memory.life.now());
        if sealed && !behind {
            return Ok(Begun { memory, words: Vec::new(), start: Start::Resumed });
        }
        let fenced = outstanding(&memory);
        // Of a life that was closed all is known that it told; of another one there may be more.
        let (words, start) = match sealed {
            true => (memory.closing(fresh()?, now).to_vec(), Start::ClockBehind { fenced }),
            false => (memory.anew(fresh()?, now).to_vec(), Start::Unsealed { fenced }),
        };
        words.iter().for_each(|word| memory.apply(word));
        Ok(Begun { memory, words, start })
    }
}

/// How many grants of the living life could be spent or settled.
fn outstanding(memory: &Memory) -> u64 {
    let standing = |standing| Filter { selectors: Vec::new(), standing: Some(standing) };
    let count = |word| memory.view.count(&standing(word));
    count(Standing::Issued).saturating_add(count(Standing::Spent))
}

fn fresh() -> Result<Generation, OpenError> {
    Generation::fresh().map_err(|NoRandom| OpenError::NoRandom)
}
