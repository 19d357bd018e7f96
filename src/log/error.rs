//! Why a log does not open, take, become another or close: what was seen, and how to mend it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the disk refused.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// There is no room left: of the disk, of a quota, or of a limit on the size of files.
    #[error("no space for {bytes} more bytes at {}: free some, then start again", path.display())]
    NoSpace {
        /// What was written.
        path: PathBuf,
        /// How many bytes it was to take.
        bytes: u64,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The user or the mount may not write there.
    #[error("{} cannot be written: give this user the right to, or mount it writable", path.display())]
    ReadOnly {
        /// What was to be written or changed.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Anything else: a broken disk above all.
    #[error("cannot {step} {}", path.display())]
    Io {
        /// What was being done, as a verb.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The file has no name any more, so nothing in it would be found again.
    #[error("log {} was removed or replaced while it was in use: stop, then start again", path.display())]
    Removed {
        /// Where it was.
        path: PathBuf,
    },
}

impl DiskError {
    pub(super) fn new(step: &'static str, path: &Path, source: io::Error) -> DiskError {
        DiskError::writing(step, path, 0, source)
    }

    pub(super) fn writing(
        step: &'static str,
        path: &Path,
        bytes: u64,
        source: io::Error,
    ) -> DiskError {
        let (path, kind, source) = (path.to_owned(), source.kind(), Arc::new(source));
        if lacks_space(kind) {
            return DiskError::NoSpace { path, bytes, source };
        }
        match kind {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                DiskError::ReadOnly { path, source }
            }
            _ => DiskError::Io { step, path, source },
        }
    }
}

/// Whether an error says that nothing more fits.
pub(super) fn lacks_space(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | FileTooLarge)
}

/// Why a log does not open, in the order of the checks. Nothing was changed by then, unless it is
/// [`OpenError::Disk`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder is not there, or may not be looked into.
    #[error("{} cannot be reached: make its folder, and let this user into it", path.display())]
    Folder {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{} is no file: name a file of its own for the log", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// Its user is another.
    #[error("log {} cannot be opened: make this user its owner (chown), with mode 600", path.display())]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody has it open: another process, or this one.
    #[error("log {} is in use: stop the other process, or name another file", path.display())]
    Locked {
        /// The log.
        path: PathBuf,
    },
    /// It was to be begun, and is there.
    #[error("log {} is there already, where a new one was to begin: move it away", path.display())]
    Taken {
        /// The log.
        path: PathBuf,
    },
    /// Another program's file.
    #[error("{} is no log: name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "log {} has format {version}, newer than {}: run the version that wrote it",
        path.display(), super::frame::VERSION
    )]
    Newer {
        /// The log.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// It ends within its header. A log is never visible so: it was cut, or never one.
    #[error("log {} ends after {bytes} bytes, within its header: {MEND}", path.display())]
    Truncated {
        /// The log.
        path: PathBuf,
        /// What there is of it.
        bytes: u64,
    },
    /// Its header is not what was written.
    #[error("the header of log {} is damaged: {MEND}", path.display())]
    Header {
        /// The log.
        path: PathBuf,
    },
    /// A frame that was synced cannot be read: to cut it off would lose what was acknowledged.
    #[error("log {} is damaged at byte {offset}, before its end: {MEND}", path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Where reading stopped.
        offset: u64,
    },
    /// Whoever replayed it did not take a payload.
    #[error("a payload at byte {offset} of log {} is refused", path.display())]
    Refused {
        /// The log.
        path: PathBuf,
        /// Where its frame begins.
        offset: u64,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system gave no random bytes.
    #[error("no random bytes for a file id")]
    NoRandom,
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

const MEND: &str = "restore it from a backup, or move it away and start with none";

/// Why an append was not taken, or not made durable.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Too much waits for the disk already. Nothing was taken; later there is room again.
    #[error("log is full: {callers} appends of {bytes} bytes wait for the disk")]
    Full {
        /// How many appends wait.
        callers: usize,
        /// How many bytes they have.
        bytes: usize,
    },
    /// No log takes that much at once.
    #[error("an append of {bytes} bytes is too large: {max} is the limit")]
    TooLarge {
        /// Of the payload, or of all of them with their lengths.
        bytes: usize,
        /// The limit it broke.
        max: usize,
    },
    /// The disk refused, now or earlier: nothing is taken any more. Whether this append is found again is
    /// known only when the log is opened again.
    #[error("log takes nothing more until it is opened again")]
    Disk(#[source] DiskError),
    /// The file that it was to go on in could not be begun: nothing is taken until that is tried again.
    #[error("the next file cannot be begun, and log takes nothing more until it can")]
    Onward(#[source] Arc<OpenError>),
    /// The log is closed or being closed.
    #[error("log is closed")]
    Closed,
}

/// Why a log was not rewritten. It goes on as it was, unless it says [`RewriteError::Log`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteError {
    /// It is being rewritten already.
    #[error("log is being rewritten already")]
    Busy,
    /// A payload is longer than a log takes.
    #[error("a payload of {bytes} bytes is too large: {max} is the limit")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The payloads ended in a panic.
    #[error("the payloads could not be drawn: their source panicked")]
    Panicked,
    /// The system gave no random bytes.
    #[error("no random bytes for a file id")]
    NoRandom,
    /// The new file could not be written.
    #[error("the new file could not be written")]
    Disk(#[source] DiskError),
    /// The log itself ended first.
    #[error("log takes nothing more")]
    Log(#[source] AppendError),
}

/// Why a log was closed without a seal. What was acknowledged is in it all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The seal could not be written.
    #[error("the seal could not be written")]
    Disk(#[from] DiskError),
    /// The clock of the file system did not move on, so a later change might bear the time of the seal.
    #[error("the clock of the file system stands still or went back")]
    Clock,
    /// Something that belongs to its end could not be taken.
    #[error("log takes nothing now, and is left unsealed")]
    Busy,
    /// The log had ended before.
    #[error("log had ended before")]
    Log(#[source] AppendError),
}
