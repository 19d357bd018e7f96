//! Why the file of a store or a desk does not open: what was seen, and how to mend it.

use std::error::Error;
use std::path::{Path, PathBuf};

use farebox_verifier::StoreName;

use super::line::{Head, LineError};
use super::reading::{ReadError, Reading};
use crate::log::{self, AppendError, Log, Options, Recovered};

/// Why a file does not open. Nothing was changed by then, unless it is [`OpenError::NotKept`] or a fault of
/// the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its log does not.
    #[error(transparent)]
    Log(log::OpenError),
    /// It is the log of another program.
    #[error("{} is no file of farebox: name another one", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error("{} has layout {version}, newer than this program: run the version that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        version: u8,
    },
    /// It holds a desk and no store.
    #[error("{} is a ledger and no store: name another file for the store", path.display())]
    NoStore {
        /// The file.
        path: PathBuf,
    },
    /// It holds a store, and a desk only beside it.
    #[error("{} is the file of store {found}: name another file for the ledger", path.display())]
    NoLedger {
        /// The file.
        path: PathBuf,
        /// The store.
        found: StoreName,
    },
    /// It is another store's.
    #[error("{} is the file of store {found}, not of {wanted}: name that store, or another file", path.display())]
    OtherStore {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: StoreName,
        /// Whose it should be.
        wanted: StoreName,
    },
    /// It is whole, and what it says is not true of any store.
    #[error("{} cannot be believed at byte {offset}: restore it from a backup", path.display())]
    Unbelievable {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        offset: u64,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What a life begins with could not be written.
    #[error("nothing can be written into {}", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Why, and how it is mended.
        source: AppendError,
    },
    /// The system gave no random bytes.
    #[error("no random bytes for the name of a life")]
    NoRandom,
}

/// Opens a log and reads it.
pub(crate) fn open(path: &Path, reading: &mut Reading) -> Result<(Log, Recovered), OpenError> {
    let wanted = reading.wanted().clone();
    Log::open(path, Options::default(), |payload| reading.take(payload))
        .map_err(|error| explain(error, &wanted))
}

fn explain(error: log::OpenError, wanted: &Head) -> OpenError {
    let log::OpenError::Refused { path, offset, source } = error else {
        return OpenError::Log(error);
    };
    match source.downcast::<ReadError>().map(|source| *source) {
        Ok(ReadError::Line(LineError::Foreign)) => OpenError::Foreign { path },
        Ok(ReadError::Line(LineError::Newer { version })) => OpenError::Newer { path, version },
        Ok(ReadError::Other(found)) => other(path, found, wanted),
        Ok(source) => OpenError::Unbelievable { path, offset, source: Box::new(source) },
        Err(source) => OpenError::Unbelievable { path, offset, source },
    }
}

fn other(path: PathBuf, found: Head, wanted: &Head) -> OpenError {
    match (found, wanted) {
        (Head::Store(found), Head::Store(wanted)) => {
            OpenError::OtherStore { path, found, wanted: wanted.clone() }
        }
        (Head::Store(found), Head::Desk) => OpenError::NoLedger { path, found },
        (Head::Desk, _) => OpenError::NoStore { path },
    }
}
