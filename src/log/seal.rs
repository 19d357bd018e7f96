//! The seal of a clean stop: what says that a log is exactly the file that was closed last.
//!
//! Whoever goes on from where a log ends must know that nothing went on from there before. So the seal stands
//! beside the log, names the file by what no copy has (device, inode, and the time of the last change to
//! it, which nobody can set), and is gone from the disk before an opened log is written. A log that was
//! copied, restored over itself, touched by a crash or merely given another mode is not sealed.
//!
//! What nothing on a disk can know: that the whole disk, or the whole machine, was set back.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::thread;
use std::time::Duration;

use super::error::{DiskError, SealError};
use super::file::{LogFile, to_u64};
use super::frame::{self, FileId, Frame, Kind};
use super::place::{Place, remove};
use super::recover::Read;

const MAGIC: [u8; 8] = *b"\x8efbxseal";
const SEAL_BYTES: usize = 80;
/// How often, and how many times, the file system's clock is looked at until it moves on.
const TICK: Duration = Duration::from_millis(1);
const TICKS_MAX: u32 = 1_000;

/// What a seal says of its log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    device: u64,
    inode: u64,
    changed_seconds: i64,
    changed_nanoseconds: i64,
    length: u64,
    /// Of the file id and the number of the last frame.
    content: [u8; 16],
}

/// What a seal proves of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the file that was closed, as it was closed.
    Sealed,
    /// There is no seal, or it is of another file or another time.
    Open,
    /// Nobody wrote to it since it was closed, and yet it does not hold what it did.
    Rotten,
}

impl Seal {
    fn of(metadata: &Metadata, id: FileId, last: u64) -> Seal {
        Seal {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed_seconds: metadata.ctime(),
            changed_nanoseconds: metadata.ctime_nsec(),
            length: metadata.len(),
            content: frame::digest(&[id.bytes(), &last.to_le_bytes()]),
        }
    }

    /// The seal that stands beside a log; `None` also for one that is cut short.
    pub(super) fn read(place: &Place) -> Result<Option<Seal>, DiskError> {
        let path = place.seal();
        let mut bytes = Vec::new();
        let opened = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened,
        };
        let read = opened.and_then(|file| file.take(256).read_to_end(&mut bytes));
        read.map_err(|e| DiskError::new("read", &path, e))?;
        Ok(Seal::parse(&bytes))
    }

    /// What this seal proves of a log that was read to here.
    pub(super) fn judge(&self, metadata: &Metadata, read: &Read) -> Verdict {
        let now = Seal::of(metadata, read.id, read.next - 1);
        if (Seal { content: self.content, ..now }) != *self {
            return Verdict::Open;
        }
        let whole = read.end == self.length && matches!(read.last, Some((_, Kind::Seal)));
        if whole && now == *self { Verdict::Sealed } else { Verdict::Rotten }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEAL_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(self.device.to_le_bytes());
        bytes.extend(self.inode.to_le_bytes());
        bytes.extend(self.changed_seconds.to_le_bytes());
        bytes.extend(self.changed_nanoseconds.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.content);
        bytes.extend(frame::digest::<16>(&[&bytes]));
        bytes
    }

    fn parse(whole: &[u8]) -> Option<Seal> {
        let mut rest = whole;
        let magic: [u8; 8] = frame::take(&mut rest)?;
        let seal = Seal {
            device: u64::from_le_bytes(frame::take(&mut rest)?),
            inode: u64::from_le_bytes(frame::take(&mut rest)?),
            changed_seconds: i64::from_le_bytes(frame::take(&mut rest)?),
            changed_nanoseconds: i64::from_le_bytes(frame::take(&mut rest)?),
            length: u64::from_le_bytes(frame::take(&mut rest)?),
            content: frame::take(&mut rest)?,
        };
        (magic == MAGIC && seal.bytes() == whole).then_some(seal)
    }
}

/// Breaks the seal for good, and makes the name of the log durable. Whether this process broke it is the answer:
/// of several that saw it, where locks are not shared, one did.
pub(super) fn consume(place: &Place) -> Result<bool, DiskError> {
    let path = place.seal();
    let broken = match fs::remove_file(&path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(DiskError::new("remove", &path, error)),
    };
    place.sync_folder()?;
    Ok(broken)
}

/// Closes a log: its last frame, and the seal. A crash on the way leaves it unsealed, and whole.
pub(super) fn seal(mut log: LogFile, place: &Place) -> Result<(), SealError> {
    log.write(&mut Frame::new(), Kind::Seal)?;
    // The times of the file are part of the seal, so they must be as durable as what it holds.
    log.cut()?;
    if !place.leads_to(&log.file)? {
        return Err(DiskError::Removed { path: log.path }.into());
    }
    let metadata = log.file.metadata().map_err(|e| DiskError::new("read", &log.path, e))?;
    let bytes = Seal::of(&metadata, log.id, log.next - 1).bytes();
    let path = place.seal();
    let failed = |e| DiskError::writing("write", &path, to_u64(SEAL_BYTES), e);
    let mut options = OpenOptions::new();
    // What stands in its place may be a link.
    remove(&path)?;
    let options = options.write(true).create_new(true).mode(0o600);
    let file = options.open(&path).map_err(failed)?;
    let mut tries = 0;
    while !wrote_later(&file, &bytes, changed(&metadata)).map_err(failed)? {
        tries += 1;
        if tries == TICKS_MAX {
            remove(&path)?;
            return Err(SealError::Clock);
        }
        thread::sleep(TICK);
    }
    file.sync_all().map_err(failed)?;
    Ok(place.sync_folder()?)
}

/// Writes the seal, and says whether the file system's clock had moved on since the log was changed.
///
/// Such a clock may stand still for a hundredth of a second. A change of the log within it would bear the time
/// that the seal names; once this file bears a later one, none can.
fn wrote_later(file: &File, bytes: &[u8], changed_at: (i64, i64)) -> io::Result<bool> {
    file.write_all_at(bytes, 0)?;
    Ok(changed(&file.metadata()?) > changed_at)
}

/// When a file was last changed in any way, in seconds and nanoseconds.
fn changed(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}
