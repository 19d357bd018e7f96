//! Why a record does not open, take or read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::TooLarge;
use super::line::LineError;
use crate::log::{AppendError, OpenError};

/// A file or folder beside the log that could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {step} {}", path.display())]
pub struct FileError {
    /// What was being done, as a verb.
    pub step: &'static str,
    /// To what.
    pub path: PathBuf,
    /// What the system said.
    pub source: Arc<io::Error>,
}

impl FileError {
    pub(super) fn new(step: &'static str, path: &Path, source: io::Error) -> FileError {
        FileError { step, path: path.to_owned(), source: Arc::new(source) }
    }
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A line is no entry, or not the one that was written.
    #[error("what stands behind entry {after} cannot be believed")]
    Line {
        /// The last entry that can.
        after: u64,
        /// Why not.
        source: LineError,
    },
    /// Entries are missing, or stand in another order.
    #[error("entry {found} stands where {expected} should")]
    Number {
        /// The number that should stand there.
        expected: u64,
        /// The one that does.
        found: u64,
    },
    /// An entry does not follow from the one before it.
    #[error("entry {n} does not follow from the one before it")]
    Link {
        /// Which.
        n: u64,
    },
    /// An entry of another chain.
    #[error("entry {n} is of chain {found}")]
    Chain {
        /// Which.
        n: u64,
        /// Its chain.
        found: Box<str>,
    },
    /// The file does not begin as a file of a record does.
    #[error("it does not begin as a file of this record")]
    Beginning,
}

/// Why a record does not open. Nothing was changed by then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// No record can be kept with such options.
    #[error("{what} of the record is out of bounds")]
    Options {
        /// Which of them.
        what: &'static str,
    },
    /// Somebody has it open.
    #[error("record {} is in use: stop the other process, or name another folder", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A file beside the log cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its last file does not open: each error says how it is mended.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// A file between others is not there.
    #[error("record file {} is missing: {MEND}", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// The chain in a file is broken.
    #[error("record file {} is broken: {MEND}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// How.
        source: Broken,
    },
    /// What stands beside the record to find out whether it was cut is no checkpoint.
    #[error("{} is no checkpoint: {MEND}", path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// The record ends before what it is known to have held.
    #[error("record ends at entry {last}, and entry {known} was signed: {MEND}")]
    Truncated {
        /// Its last entry.
        last: u64,
        /// The one that was signed.
        known: u64,
    },
    /// It holds another entry than was signed.
    #[error("entry {known} is not the one that was signed: {MEND}")]
    Replaced {
        /// Which.
        known: u64,
    },
    /// The checkpoint beside it was not signed by this issuer's key.
    #[error("the checkpoint beside the record is not signed by key {key}: {MEND}")]
    Forged {
        /// The number it names.
        key: u32,
    },
    /// It opened, and takes nothing.
    #[error("record cannot be written")]
    NotWritten(#[source] AppendError),
}

const MEND: &str = "restore it from a backup, or keep it aside and begin another chain";

/// Why nothing is recorded any more, until the record is opened again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// Its log takes nothing more.
    #[error("record takes nothing more until it is opened again")]
    Log(#[source] AppendError),
    /// The checkpoint beside it could not be kept, so that a cut would not be found out.
    #[error("record takes nothing while its checkpoint cannot be kept")]
    Checkpoint(#[source] FileError),
}

/// Why an entry was not taken. Nothing may be done that it would have said.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// Too much waits for the disk, or is begun and not closed. Later there is room again.
    #[error("record is full")]
    Full,
    /// A member has too much in it.
    #[error("entry cannot be recorded")]
    Member(#[source] TooLarge),
    /// All of it together is too much.
    #[error("an entry of {bytes} bytes is too large: {bytes_max} is the limit")]
    TooLarge {
        /// What there is.
        bytes: usize,
        /// What there may be.
        bytes_max: usize,
    },
    /// Only the record itself says such a thing.
    #[error("the record alone writes entries of this kind")]
    Own,
    /// Nothing is taken any more.
    #[error("record is in trouble")]
    Trouble(#[source] Trouble),
    /// It is closed or being closed.
    #[error("record is closed")]
    Closed,
}

/// An entry that was taken, and of which nobody knows whether it is kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("nobody knows whether the entry is kept")]
pub struct Lost(#[source] pub AppendError);

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A file cannot be read, or is damaged.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// A file or a folder cannot be looked into.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line is no entry, or not the one that was written.
    #[error("a line of {} cannot be believed", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: LineError,
    },
}
