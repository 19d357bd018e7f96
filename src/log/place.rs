//! Where a log lies: its file, what stands beside it, and who holds it.
//!
//! ```text
//! NAME            the log, locked by whoever has it open
//! NAME.seal       says that it was closed in good order; gone as soon as it is opened
//! NAME.new        a log that is being made, renamed to NAME when it is whole
//! NAME.rewrite    a log that is being rewritten, likewise
//! ```
//!
//! The lock is on the file itself, not on its name: no second name reaches it past the lock, and a new file is
//! locked before it takes the name, so that the name is never free.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::{DiskError, OpenError};

/// Only its owner may read a log.
const MODE: u32 = 0o600;
/// How often others may come in between while a log is opened or made.
const TRIES_MAX: u32 = 16;

/// The name of a log, without links in it, so that a rename replaces the file and not a link to it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    folder: PathBuf,
}

/// A file that nobody else has open as a log.
///
/// Closing it is not enough to let it go: a process that is being started has every open file for a moment,
/// and the locks with them.
pub(super) struct Held(File);

/// What was found under the name.
pub(super) enum Found {
    /// A log, or something else.
    File(Held),
    /// Nothing: this one is empty, under the name `NAME.new` until [`Place::settle`].
    Nothing(Held),
}

impl Drop for Held {
    fn drop(&mut self) {
        // What cannot be unlocked is when the last process has closed it.
        drop(self.0.unlock());
    }
}

impl Deref for Held {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Place {
    pub(super) fn find(path: &Path) -> Result<Place, OpenError> {
        let lost = |source| OpenError::Folder { path: path.to_owned(), source };
        // A link that leads nowhere is refused like a folder that is not there.
        let path = if fs::symlink_metadata(path).is_ok() {
            fs::canonicalize(path).map_err(lost)?
        } else {
            let name =
                path.file_name().ok_or_else(|| OpenError::NotAFile { path: path.to_owned() })?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(lost)?.join(name)
        };
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Place { path, folder })
    }

    pub(super) fn seal(&self) -> PathBuf {
        self.beside(".seal")
    }

    pub(super) fn rewrite(&self) -> PathBuf {
        self.beside(".rewrite")
    }

    fn fresh(&self) -> PathBuf {
        self.beside(".new")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    /// Opens the log for this process alone, or begins one.
    pub(super) fn hold(&self) -> Result<Found, OpenError> {
        for _ in 0..TRIES_MAX {
            if let Some(file) = self.hold_found()? {
                return Ok(Found::File(file));
            }
            if let Some(file) = self.hold_fresh()? {
                return Ok(Found::Nothing(file));
            }
        }
        Err(self.locked())
    }

    fn hold_found(&self) -> Result<Option<Held>, OpenError> {
        let path = self.path.clone();
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => DiskError::new("open", &self.path, source).into(),
            _ => OpenError::Unreadable { path: self.path.clone(), source },
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(metadata) if !metadata.is_file() => return Err(OpenError::NotAFile { path }),
            Ok(_) => {}
        }
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unreadable)?,
        };
        let file = self.lock(file)?;
        // Whoever held it may have rewritten it since it was opened here: then this is the old file.
        Ok(self.is_at(&file, &path)?.then_some(file))
    }

    fn hold_fresh(&self) -> Result<Option<Held>, OpenError> {
        let path = self.fresh();
        Place::is_ours(&path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(MODE);
        let file = options.open(&path).map_err(|e| DiskError::new("make", &path, e))?;
        let file = self.lock(file)?;
        // Names move only by the hand that has the lock, so this settles who makes the log.
        if !self.is_at(&file, &path)? {
            return Ok(None);
        }
        if fs::symlink_metadata(&self.path).is_ok() {
            remove(&path)?;
            return Ok(None);
        }
        // What a crash left behind goes.
        let emptied = file.set_len(0).and_then(|()| file.set_permissions(owner_only()));
        emptied.map_err(|e| DiskError::new("empty", &path, e))?;
        Ok(Some(file))
    }

    /// Refuses to empty what no crash of ours left behind: a link leads to somebody's file.
    fn is_ours(path: &Path) -> Result<(), OpenError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(found) if found.is_file() => Ok(()),
            Ok(_) => Err(OpenError::NotAFile { path: path.to_owned() }),
            Err(error) => Err(DiskError::new("read", path, error).into()),
        }
    }

    /// Gives the name to a file that was begun.
    pub(super) fn settle(&self) -> Result<(), DiskError> {
        self.rename(&self.fresh())
    }

    /// Gives it to the one that replaces the log.
    pub(super) fn settle_rewrite(&self) -> Result<(), DiskError> {
        self.rename(&self.rewrite())
    }

    /// Begins the file that is to replace the log, locked.
    pub(super) fn begin_rewrite(&self) -> Result<Held, DiskError> {
        let path = self.rewrite();
        remove(&path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(MODE);
        let file = options.open(&path).map_err(|e| DiskError::new("make", &path, e))?;
        file.try_lock().map_err(|e| DiskError::new("lock", &path, e.into()))?;
        Ok(Held(file))
    }

    /// Until [`Place::sync_folder`] a power loss may undo it.
    fn rename(&self, from: &Path) -> Result<(), DiskError> {
        fs::rename(from, &self.path).map_err(|e| DiskError::new("rename", from, e))
    }

    /// Makes names durable.
    pub(super) fn sync_folder(&self) -> Result<(), DiskError> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| DiskError::new("sync", &self.folder, e))
    }

    /// Whether the name still leads to this file.
    pub(super) fn leads_to(&self, file: &File) -> Result<bool, DiskError> {
        self.is_at(file, &self.path)
    }

    fn is_at(&self, file: &File, path: &Path) -> Result<bool, DiskError> {
        let at = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            found => found.map_err(|e| DiskError::new("read", path, e))?,
        };
        let held = file.metadata().map_err(|e| DiskError::new("read", &self.path, e))?;
        Ok(identity(&at) == identity(&held))
    }

    fn lock(&self, file: File) -> Result<Held, OpenError> {
        match file.try_lock() {
            Ok(()) => Ok(Held(file)),
            Err(TryLockError::WouldBlock) => Err(self.locked()),
            Err(TryLockError::Error(error)) => {
                Err(DiskError::new("lock", &self.path, error).into())
            }
        }
    }

    fn locked(&self) -> OpenError {
        OpenError::Locked { path: self.path.clone() }
    }
}

/// What no two files have at one time.
pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The mode of files that only their owner may read.
fn owner_only() -> fs::Permissions {
    fs::Permissions::from_mode(MODE)
}

/// Removes a file where there is one.
pub(super) fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DiskError::new("remove", path, error))
        }
        _ => Ok(()),
    }
}
