//! Opening a record: its last file is read and proved, and nothing goes on over damage.

use std::path::Path;
use std::sync::{Arc, Mutex};

use farebox_verifier::Clock;
use tokio::sync::watch;

use super::checkpoint::{Checkpoint, CheckpointKey};
use super::error::{Broken, NotTaken, RecordError, Trouble};
use super::folder::{self, segment_path};
use super::keeper::Keeper;
use super::known::Known;
use super::line::{Chain, Hash};
use super::read::Reader;
use super::tally::Tally;
use super::{Opened, Options, Record, State, begun};
use crate::limits;
use crate::log::{AppendError, Log, Recovered};

/// What a file says, and the hash of the entry that is looked for in it.
struct Reading<'a> {
    chain: &'a Chain,
    known: Known,
    first: Option<u64>,
    wanted: Option<u64>,
    found: Option<Hash>,
}

impl Record {
    /// Opens the record in this folder, or makes one. Blocks.
    ///
    /// # Errors
    /// [`RecordError`]; each says how it is mended. Nothing was written by then.
    pub fn open(
        folder: &Path,
        options: Options,
        key: Box<dyn CheckpointKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Record, Opened), RecordError> {
        look_at(&options)?;
        let lock = folder::hold(folder)?;
        let reader = Reader::new(folder);
        let side = folder::read_checkpoint(folder)?;
        let segments = folder::segments(folder)?;
        is_dense(folder, &segments)?;
        let last = segments.last().copied();
        if let (None, Some(side)) = (last, &side) {
            return Err(RecordError::Truncated { last: 0, known: side.n });
        }
        let segment = last.unwrap_or(1);
        let wanted = side.as_ref().map(|side| side.n);
        let mut reading = Reading::of(&options.chain, wanted);
        let (log, recovered) =
            Log::open(&segment_path(folder, segment), log_options(), |line| reading.take(line))?;
        let mut bytes = log.length_bytes();
        // A crash came between the beginning of a file and its first entry: the one before says what it was to.
        let begins = reading.known.hash.is_none();
        if begins && segment > 1 {
            reading.read_file(folder, segment - 1)?;
            bytes = 0;
        }
        if !begins && reading.known.segment != segment {
            let path = segment_path(folder, segment);
            return Err(RecordError::Broken { path, source: Broken::Beginning });
        }
        if let Some(side) = &side {
            reading.holds(side, &reader, &*key)?;
        }
        let known = reading.known;
        let opened = opened(&known, recovered, (last.is_none(), side.is_some()));
        let keeper = Keeper::start(folder.to_owned())?;
        let (head, _) = watch::channel(known.n);
        let state = Mutex::new(State { known, key, bytes, before: None, tally: Tally::default() });
        let record = Record { options, clock, log, reader, state, keeper, head, _lock: lock };
        record.begin_well(begins.then_some(segment), opened.witnessed)?;
        let n = record.head().n;
        record.show(n);
        Ok((record, Opened { n, ..opened }))
    }

    /// Whatever was found is signed for, and the checkpoint beside it is there, so that nobody can cut it from
    /// here on.
    fn begin_well(&self, begins: Option<u32>, witnessed: bool) -> Result<(), RecordError> {
        let mut state = self.lock();
        let begun = match begins {
            Some(segment) => self.begin(&mut state, segment, Log::append),
            None if witnessed && state.known.n == state.known.signed.0 => return Ok(()),
            None => self.sign(&mut state),
        };
        // The checkpoint too: without any payload, this waits for all that was appended.
        let begun = begun.map(drop);
        let durable = begun.and_then(|()| Ok(self.log.append::<Vec<u8>>(&[])?));
        drop(state);
        let not_written = |not_taken: NotTaken| {
            RecordError::NotWritten(match not_taken {
                NotTaken::Trouble(Trouble::Log(error)) => error,
                _ => AppendError::Closed,
            })
        };
        durable.map_err(not_written)?.block().map(drop).map_err(RecordError::NotWritten)
    }
}

/// A frame takes what one append brings, and a second's worth of them may wait.
fn log_options() -> crate::log::Options {
    crate::log::Options::default()
}

fn opened(known: &Known, recovered: Recovered, (created, witnessed): (bool, bool)) -> Opened {
    let Recovered { sealed, cut_bytes, .. } = recovered;
    Opened { created, sealed, n: known.n, cut_bytes, witnessed, begun: begun(known) }
}

fn look_at(options: &Options) -> Result<(), RecordError> {
    let within = |what, within| if within { Ok(()) } else { Err(RecordError::Options { what }) };
    let entries = 1..=limits::RECORD_CHECKPOINT_ENTRIES_MAX;
    let seconds = 1..=limits::RECORD_CHECKPOINT_SECONDS_MAX;
    within("length of files", options.segment_bytes >= limits::RECORD_SEGMENT_BYTES_MIN)?;
    within("entries between checkpoints", entries.contains(&options.checkpoint_entries))?;
    within("seconds between checkpoints", seconds.contains(&options.checkpoint_seconds))
}

/// Old files may have been taken away to where they are archived, and none from between.
fn is_dense(folder: &Path, segments: &[u32]) -> Result<(), RecordError> {
    for (one, next) in segments.iter().zip(segments.iter().skip(1)) {
        let expected = one.saturating_add(1);
        if *next != expected {
            return Err(RecordError::Missing { path: segment_path(folder, expected) });
        }
    }
    Ok(())
}

impl Reading<'_> {
    fn of(chain: &Chain, wanted: Option<u64>) -> Reading<'_> {
        Reading { chain, known: Known::default(), first: None, wanted, found: None }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Broken> {
        let recorded = self.known.read(self.chain, line)?;
        self.first.get_or_insert(recorded.n);
        if self.wanted == Some(recorded.n) {
            self.found = Some(recorded.hash);
        }
        Ok(())
    }

    /// Reads a file that nobody writes any more.
    fn read_file(&mut self, folder: &Path, segment: u32) -> Result<(), RecordError> {
        let path = segment_path(folder, segment);
        let mut look = crate::log::Look::open(&path)?;
        let mut broken = None;
        while look.frame(|line| {
            if broken.is_none() {
                broken = self.take(line).err();
            }
        })? {}
        match broken {
            Some(source) => Err(RecordError::Broken { path, source }),
            None if self.known.hash.is_none() => {
                Err(RecordError::Broken { path, source: Broken::Beginning })
            }
            None => Ok(()),
        }
    }

    /// Whether the record holds what the checkpoint beside it covers.
    fn holds(
        &self,
        side: &Checkpoint,
        reader: &Reader,
        key: &dyn CheckpointKey,
    ) -> Result<(), RecordError> {
        let known = side.n;
        if side.chain != *self.chain {
            return Err(RecordError::Replaced { known });
        }
        if side.key == key.id() && !side.is_signed_by(&key.public()) {
            return Err(RecordError::Forged { key: side.key });
        }
        if self.known.n < known {
            return Err(RecordError::Truncated { last: self.known.n, known });
        }
        let hash = match self.first {
            Some(first) if first <= known => self.found,
            _ => earlier(reader, known),
        };
        if hash == Some(side.hash) { Ok(()) } else { Err(RecordError::Replaced { known }) }
    }
}

/// The hash of an entry of an earlier file.
fn earlier(reader: &Reader, n: u64) -> Option<Hash> {
    let entries = reader.entries(&[n]).ok()?;
    entries.first().map(|recorded| recorded.hash)
}
