//! The folder of a record, and what lies in it.
//!
//! ```text
//! record-000001, record-000002 …   the chain, each file going on where the one before ends
//! checkpoint.json                  the last checkpoint: what finds out that the end was cut off
//! lock                             held by whoever writes
//! ```

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::error::{FileError, RecordError};

const PREFIX: &str = "record-";
/// A checkpoint has some four hundred bytes.
const CHECKPOINT_BYTES_MAX: u64 = 4_096;

/// The folder, held by this process alone.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has every open file for a moment.
        drop(self.0.unlock());
    }
}

/// Makes the folder where there is none, and takes its lock.
pub(super) fn hold(folder: &Path) -> Result<Lock, RecordError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| FileError::new("make", folder, e))?;
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(|e| FileError::new("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(RecordError::Locked { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(FileError::new("lock", &path, error).into()),
    }
}

/// Where the file of this number lies.
pub(super) fn segment_path(folder: &Path, segment: u32) -> PathBuf {
    folder.join(format!("{PREFIX}{segment:06}"))
}

/// The numbers of the files that are there, in order.
pub(super) fn segments(folder: &Path) -> Result<Vec<u32>, FileError> {
    let failed = |e| FileError::new("read", folder, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        found.extend(segment_of(&name));
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a folder holds files of a record.
#[must_use]
pub fn is_record(folder: &Path) -> bool {
    segments(folder).is_ok_and(|segments| !segments.is_empty())
}

fn segment_of(name: &OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_prefix(PREFIX)?;
    let number: u32 = digits.parse().ok()?;
    // Only as it is written: `record-+1` is no file of ours.
    (format!("{number:06}") == digits && number > 0).then_some(number)
}

/// The checkpoint beside the record, where there is one.
pub(super) fn read_checkpoint(folder: &Path) -> Result<Option<Checkpoint>, RecordError> {
    let path = folder.join("checkpoint.json");
    let mut bytes = Vec::new();
    let opened = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened,
    };
    let read = opened.and_then(|file| file.take(CHECKPOINT_BYTES_MAX).read_to_end(&mut bytes));
    read.map_err(|e| FileError::new("read", &path, e))?;
    match Checkpoint::from_json(&bytes) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(_) => Err(RecordError::NoCheckpoint { path }),
    }
}

/// Puts a checkpoint beside the record, whole or not at all.
pub(super) fn write_checkpoint(folder: &Path, checkpoint: &Checkpoint) -> Result<(), FileError> {
    let (path, new) = (folder.join("checkpoint.json"), folder.join("checkpoint.json.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&new).map_err(|e| FileError::new("make", &new, e))?;
    let written = writeln!(file, "{}", checkpoint.to_json()).and_then(|()| file.sync_all());
    written.map_err(|e| FileError::new("write", &new, e))?;
    fs::rename(&new, &path).map_err(|e| FileError::new("rename", &new, e))?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| FileError::new("sync", folder, e))
}
