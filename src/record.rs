//! The record of an issuer: one chain of entries, appended to and never changed, durable before anybody is told.
//!
//! ```text
//!  Entry ──append──→ chained to the one before ──→ log ──sync──→ Receipt
//!                        │ every so often                          │
//!                        └─→ checkpoint, signed                    └─→ the same beside the record
//! ```
//! **No record, no effect.** An append that is refused, or lost, is a thing that must not be done: a mint that
//! cannot be recorded is not a mint.
//!
//! **Ordered at once.** [`Record::append`] never waits; the order of entries is the order of these calls. What it
//! gives is awaited before anybody outside is told.
//!
//! **Each issuer has a chain of its own.** [`verify`] takes all of them, and proves order, completeness and that no
//! grant was spent twice, with public keys alone.
//!
//! What no record can prove by itself is that nobody set back the whole folder. Whoever keeps a [`Checkpoint`]
//! elsewhere can.

mod archive;
mod checkpoint;
mod desk;
mod entry;
mod error;
mod export;
mod folder;
mod follow;
mod keeper;
mod kind;
mod known;
mod line;
mod onward;
mod opening;
mod pending;
mod read;
mod remembered;
mod search;
mod tally;
mod told;
pub mod verify;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::Clock;
use tokio::sync::watch;

use crate::limits;
use crate::log::{self, AppendError, Log, SealError};
use folder::Lock;
use keeper::Keeper;
use known::{Known, Pen};

pub use archive::{HasLedger, StoreArchive, TenantOf};
pub use checkpoint::{Checkpoint, CheckpointKey, NoCheckpoint, NumberedKey};
pub use entry::{Entry, TooLarge, life_text};
pub use error::{Broken, FileError, Lost, NotTaken, ReadError, RecordError, Trouble};
pub use export::Export;
pub use folder::is_record;
pub use follow::{Follow, FollowError};
pub use kind::Kind;
pub use line::{Chain, ChainError, Hash, LineError, Recorded};
pub use pending::{Pending, Receipt};
pub use read::{Lines, Reader};
pub use search::{Order, Page, Query};

/// The folder of the record within an issuer's data.
pub const FOLDER: &str = "record";

/// How a record is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the chain.
    pub chain: Chain,
    /// How long a file becomes before another is begun.
    pub segment_bytes: u64,
    /// Entries from one checkpoint to the next.
    pub checkpoint_entries: u64,
    /// Seconds from one checkpoint to the next, if anything is recorded at all.
    pub checkpoint_seconds: u64,
}

impl Options {
    /// What suits most: a checkpoint each thousand entries, or each ten seconds.
    #[must_use]
    pub fn of(chain: Chain) -> Options {
        Options {
            chain,
            segment_bytes: limits::RECORD_SEGMENT_BYTES,
            checkpoint_entries: 1_000,
            checkpoint_seconds: 10,
        }
    }
}

/// What was found when a record was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// There was none: this one is new.
    pub created: bool,
    /// It was closed in good order.
    pub sealed: bool,
    /// Its last entry.
    pub n: u64,
    /// How many bytes of a write that was cut short were cut off. Nobody was told that they were durable.
    pub cut_bytes: u64,
    /// A checkpoint lies beside it, which it holds. Where it does not, and it is not new, somebody may have cut the
    /// end off and taken that away too.
    pub witnessed: bool,
    /// Requests that were begun and not closed: what became of them nobody has said.
    pub begun: Vec<Begun>,
}

/// A request that was begun and not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The grant that was asked for.
    pub grant: Box<str>,
    /// The entry that says so.
    pub n: u64,
}

/// An open record.
pub struct Record {
    options: Options,
    clock: Arc<dyn Clock>,
    log: Log,
    reader: Reader,
    state: Mutex<State>,
    keeper: Keeper,
    head: watch::Sender<u64>,
    /// Last: it is let go of when all else is closed.
    _lock: Lock,
}

struct State {
    known: Known,
    key: Box<dyn CheckpointKey>,
    /// How long the file is, with what waits to be written.
    bytes: u64,
    /// How it was before it went on in this file.
    before: Option<onward::Before>,
    tally: tally::Tally,
}

impl Record {
    /// Appends an entry. Never waits.
    ///
    /// # Errors
    /// [`NotTaken`]; then nothing may be done that it would have said.
    pub fn append(&self, entry: Entry) -> Result<Pending, NotTaken> {
        self.append_all(vec![entry])
    }

    /// Appends entries, all or none, one behind the other. Events that are recorded already are passed over.
    ///
    /// # Errors
    /// [`NotTaken`]; then nothing was taken.
    pub fn append_all(&self, entries: Vec<Entry>) -> Result<Pending, NotTaken> {
        let now = self.clock.now();
        let mut drafts = Vec::with_capacity(entries.len());
        let mut bytes = 0;
        for mut entry in entries {
            entry.measure().map_err(NotTaken::Member)?;
            if entry.kind.is_own() {
                return Err(NotTaken::Own);
            }
            entry.at.get_or_insert(now);
            // Written outside of the lock: what is left to do under it is the hash.
            let body = line::body(&entry).unwrap_or_default();
            let bytes_max = limits::RECORD_ENTRY_BYTES_MAX;
            if body.is_empty() || body.len() > bytes_max {
                return Err(NotTaken::TooLarge { bytes: body.len(), bytes_max });
            }
            bytes += body.len();
            drafts.push((entry, body));
        }
        if bytes > limits::RECORD_APPEND_BYTES_MAX {
            return Err(NotTaken::TooLarge { bytes, bytes_max: limits::RECORD_APPEND_BYTES_MAX });
        }
        self.take(drafts)
    }

    fn take(&self, drafts: Vec<(Entry, String)>) -> Result<Pending, NotTaken> {
        self.refuse_trouble()?;
        let mut state = self.lock();
        self.go_back(&mut state);
        self.go_on(&mut state)?;
        let begun = drafts.iter().filter(|(entry, _)| entry.kind == Kind::Requested).count();
        if begun > 0 && state.known.open.len() + begun > limits::RECORD_OPEN_MAX {
            return Err(NotTaken::Full);
        }
        let mut pen = Pen::at(&self.options.chain, &state.known);
        let mut taken = Vec::with_capacity(drafts.len());
        for (entry, body) in drafts {
            if !state.known.has(&entry) {
                pen.write(&body);
                taken.push((entry, pen.n));
            }
        }
        let Pen { n, hash, lines, bytes, .. } = pen;
        let pending = self.log.append(&lines).map_err(NotTaken::from)?;
        // Nothing that can fail follows.
        for (entry, n) in &taken {
            // Own words, the only ones that may be no sense, are not among them.
            let _sense = state.known.follow(entry, *n);
            state.tally.count(entry);
        }
        (state.known.n, state.known.hash) = (n, Some(hash));
        state.bytes = state.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.is_due(&state) {
            // Where there is no room for it now, the next append brings it.
            drop(self.sign(&mut state));
        }
        let last = state.known.n;
        drop(state);
        self.show(last);
        Ok(Pending { pending, receipt: Receipt { n, hash } })
    }

    fn is_due(&self, state: &State) -> bool {
        let (n, at) = state.known.signed;
        state.known.n.saturating_sub(n) >= self.options.checkpoint_entries
            || self.clock.now().0 >= at.0.saturating_add(self.options.checkpoint_seconds)
    }

    /// Appends a checkpoint of all that stands there.
    fn sign(&self, state: &mut State) -> Result<log::Pending, NotTaken> {
        let head = (state.known.n, state.known.head());
        let now = self.clock.now();
        let checkpoint = Checkpoint::sign(&self.options.chain, head, now, &*state.key);
        let mut pen = Pen::at(&self.options.chain, &state.known);
        pen.write(&line::body(&checkpoint.entry()).unwrap_or_default());
        let Pen { n, hash, lines, bytes, .. } = pen;
        let pending = self.log.append(&lines).map_err(NotTaken::from)?;
        // Resolves with the one before.
        if let Ok(durable) = self.log.append::<Vec<u8>>(&[]) {
            self.keeper.keep(durable, checkpoint);
        }
        (state.known.n, state.known.hash, state.known.signed) = (n, Some(hash), (n, now));
        state.bytes = state.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(pending)
    }

    /// Signs for what is not signed for yet. What is awaited is durable when all before it is.
    ///
    /// # Errors
    /// [`NotTaken`] where nothing is taken.
    pub fn checkpoint(&self) -> Result<Pending, NotTaken> {
        self.refuse_trouble()?;
        let mut state = self.lock();
        if self.go_back(&mut state) {
            self.go_on(&mut state)?;
        }
        let pending = match state.known.n > state.known.signed.0 {
            true => self.sign(&mut state)?,
            false => self.log.append::<Vec<u8>>(&[]).map_err(NotTaken::from)?,
        };
        let receipt = Receipt { n: state.known.n, hash: state.known.head() };
        drop(state);
        self.show(receipt.n);
        Ok(Pending { pending, receipt })
    }

    /// Signs with another key from now on. The last word of the old one is a checkpoint, and the change is an
    /// entry, which the new key signs for.
    ///
    /// # Errors
    /// [`NotTaken`] where nothing is taken; then the old key signs on.
    pub fn change_key(&self, key: Box<dyn CheckpointKey>) -> Result<Pending, NotTaken> {
        drop(self.checkpoint()?);
        let (id, public) = (key.id(), key.public().to_string());
        let entry = Entry::of(Kind::KeyChanged).code("checkpoint-key");
        drop(self.append(entry.detail("key", id).detail("public", public))?);
        let mut state = self.lock();
        state.key = key;
        let pending = self.sign(&mut state)?;
        let receipt = Receipt { n: state.known.n, hash: state.known.head() };
        drop(state);
        self.show(receipt.n);
        Ok(Pending { pending, receipt })
    }

    /// The last entry, durable or not.
    #[must_use]
    pub fn head(&self) -> Receipt {
        let state = self.lock();
        Receipt { n: state.known.n, hash: state.known.head() }
    }

    /// Requests that were begun and not closed.
    #[must_use]
    pub fn begun(&self) -> Vec<Begun> {
        begun(&self.lock().known)
    }

    /// Why nothing is recorded now, if that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        if let Some(error) = self.keeper.failed() {
            return Some(Trouble::Checkpoint(error));
        }
        // Whoever appends nothing asks for nothing but this.
        match self.log.append::<Vec<u8>>(&[]).map(drop) {
            Err(error @ (AppendError::Disk(_) | AppendError::Onward(_))) => {
                Some(Trouble::Log(error))
            }
            Ok(()) | Err(_) => None,
        }
    }

    /// What reads the record.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The name of the chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.options.chain
    }

    /// Signs for all, takes nothing more, and seals the last file.
    ///
    /// # Errors
    /// [`SealError`]; nothing that was acknowledged is lost by it.
    pub async fn close(&self) -> Result<(), SealError> {
        if let Ok(pending) = self.checkpoint() {
            // Where it is lost, sealing says so.
            drop(pending.await);
        }
        self.log.seal().await
    }

    /// Tells those who follow. Two who appended may come here in either order.
    fn show(&self, n: u64) {
        self.head.send_if_modified(|head| {
            let later = *head < n;
            *head = n.max(*head);
            later
        });
    }

    fn refuse_trouble(&self) -> Result<(), NotTaken> {
        match self.keeper.failed() {
            Some(error) => Err(NotTaken::Trouble(Trouble::Checkpoint(error))),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begun(known: &Known) -> Vec<Begun> {
    known.open.iter().map(|(grant, n)| Begun { grant: grant.clone(), n: *n }).collect()
}
