//! The folder of accounts: one file for each caller, written whole, and by one process at a time.
//!
//! ```text
//! DIR/callers/billing.json    mode 0600
//! DIR/callers/.lock           held by whoever changes something
//! ```

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use farebox_verifier::UnixSeconds;

use super::account::{Account, Rights, State, StoredKey};
use super::caller::CallerName;
use super::error::CallersError;
use super::secret::{KeyId, Secret};
use crate::limits;

const ENDING: &str = "json";

/// The accounts below a data folder.
#[derive(Clone)]
pub struct CallerFolder {
    path: PathBuf,
}

/// What a folder looks like from outside: if nothing of it differs, no file in it was changed.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Look(Vec<(PathBuf, [u64; 5])>);

impl Look {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What stands in a folder: the accounts that can be read, and why the others cannot.
pub(super) struct Standing {
    pub(super) accounts: Vec<Account>,
    pub(super) broken: Vec<CallersError>,
}

/// A change is being made by this process and by no other, until it is dropped.
struct Turn(#[expect(dead_code, reason = "held for its lock")] File);

impl CallerFolder {
    /// The folder `callers` in this data folder. Nothing is made yet.
    #[must_use]
    pub fn below(data: &Path) -> CallerFolder {
        CallerFolder { path: data.join("callers") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// [`CallersError`] where one cannot be read.
    pub fn accounts(&self) -> Result<Vec<Account>, CallersError> {
        let Standing { accounts, broken } = self.read()?;
        broken.into_iter().next().map_or(Ok(accounts), Err)
    }

    /// Makes a caller with its first key.
    ///
    /// # Errors
    /// [`CallersError`] where the name was ever taken, or nothing can be written.
    pub fn add(
        &self,
        name: &CallerName,
        rights: Rights,
        expires: Option<UnixSeconds>,
        now: UnixSeconds,
    ) -> Result<(Account, Secret), CallersError> {
        let secret = Secret::fresh()?;
        let account = self.add_with(name, rights, (&secret, expires), now)?;
        Ok((account, secret))
    }

    /// Makes a caller with a key that is there already.
    pub(super) fn add_with(
        &self,
        name: &CallerName,
        rights: Rights,
        (secret, expires): (&Secret, Option<UnixSeconds>),
        now: UnixSeconds,
    ) -> Result<Account, CallersError> {
        rights.fit().map_err(|source| CallersError::Rights { source })?;
        let turn = self.turn()?;
        if self.file(name).try_exists().map_err(|e| self.failed(e))? {
            return Err(CallersError::Taken { name: name.clone() });
        }
        if self.look()?.0.len() >= limits::CALLERS_MAX {
            return Err(CallersError::TooMany);
        }
        let key = StoredKey { id: secret.id(), hash: secret.hash(), created: now, expires };
        let account = Account {
            name: name.clone(),
            state: State::Active,
            rights,
            created: now,
            keys: vec![key],
        };
        self.write(&account, &turn)?;
        Ok(account)
    }

    /// Gives a caller another key, and ends those that it has after `overlap_seconds`. Keys that have ended are
    /// forgotten.
    ///
    /// # Errors
    /// [`CallersError`] where there is no such caller, or it is retired.
    pub fn rotate(
        &self,
        name: &CallerName,
        overlap_seconds: u64,
        expires: Option<UnixSeconds>,
        now: UnixSeconds,
    ) -> Result<(Account, Secret), CallersError> {
        let turn = self.turn()?;
        let mut account = self.active(name)?;
        let secret = Secret::fresh()?;
        account.keys.retain(|key| key.lives(now));
        let end = now.plus(overlap_seconds);
        for key in &mut account.keys {
            // An overlap never makes an old key live longer than it was to.
            key.expires = Some(key.expires.map_or(end, |earlier| earlier.min(end)));
        }
        if account.keys.len() >= limits::CALLER_KEYS_MAX {
            return Err(CallersError::TooManyKeys { name: name.clone() });
        }
        account.keys.push(StoredKey {
            id: secret.id(),
            hash: secret.hash(),
            created: now,
            expires,
        });
        self.write(&account, &turn)?;
        Ok((account, secret))
    }

    /// Retires a caller for good.
    ///
    /// # Errors
    /// [`CallersError`] where there is no such caller, or it is retired already.
    pub fn retire(&self, name: &CallerName) -> Result<Account, CallersError> {
        let turn = self.turn()?;
        let mut account = self.active(name)?;
        account.state = State::Retired;
        self.write(&account, &turn)?;
        Ok(account)
    }

    /// Ends one key of a caller now: the one that leaked.
    ///
    /// # Errors
    /// [`CallersError`] where there is no such caller, or it has no such living key.
    pub fn retire_key(
        &self,
        name: &CallerName,
        id: KeyId,
        now: UnixSeconds,
    ) -> Result<Account, CallersError> {
        let turn = self.turn()?;
        let mut account = self.active(name)?;
        let key = account.keys.iter_mut().find(|key| key.id == id && key.lives(now));
        let key = key.ok_or_else(|| CallersError::NoSuchKey { name: name.clone(), id })?;
        key.expires = Some(now);
        self.write(&account, &turn)?;
        Ok(account)
    }

    fn active(&self, name: &CallerName) -> Result<Account, CallersError> {
        let path = self.file(name);
        if !path.try_exists().map_err(|e| self.failed(e))? {
            return Err(CallersError::NoSuch { name: name.clone(), folder: self.path.clone() });
        }
        let account = read_account(&path)?;
        match account.state {
            State::Active => Ok(account),
            State::Retired => Err(CallersError::Retired { name: name.clone() }),
        }
    }

    pub(super) fn look(&self) -> Result<Look, CallersError> {
        let mut seen = Vec::new();
        for path in self.files()? {
            let meta = fs::metadata(&path);
            let meta =
                meta.map_err(|source| CallersError::Unreadable { path: path.clone(), source })?;
            let changed = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
            let [a, b, c, d] = changed.map(i64::cast_unsigned);
            // A file that was renamed into its place within one tick of the clock is another file.
            seen.push((path, [meta.ino() ^ meta.len().rotate_left(32), a, b, c, d]));
        }
        seen.sort();
        Ok(Look(seen))
    }

    pub(super) fn read(&self) -> Result<Standing, CallersError> {
        let mut files = self.files()?;
        if files.len() > limits::CALLERS_MAX {
            return Err(CallersError::TooMany);
        }
        files.sort();
        let (mut accounts, mut broken) = (Vec::new(), Vec::new());
        for path in files {
            match read_account(&path) {
                Ok(account) => accounts.push(account),
                Err(why) => broken.push(why),
            }
        }
        Ok(Standing { accounts, broken })
    }

    /// Every file but hidden ones; a folder that is not there holds none.
    fn files(&self) -> Result<Vec<PathBuf>, CallersError> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| self.failed(e))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| self.failed(e))?.path();
            let name = path.file_name().and_then(OsStr::to_str);
            if !name.is_some_and(|name| name.starts_with('.')) {
                files.push(path);
            }
        }
        Ok(files)
    }

    fn file(&self, name: &CallerName) -> PathBuf {
        self.path.join(format!("{name}.{ENDING}"))
    }

    fn turn(&self) -> Result<Turn, CallersError> {
        let failed = |e| self.failed(e);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(failed)?;
        let path = self.path.join(".lock");
        let options =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = options.map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Turn(file))
    }

    /// Puts the account in its place whole, and durable: a retired key must not come back with the power.
    fn write(&self, account: &Account, _turn: &Turn) -> Result<(), CallersError> {
        let path = self.file(&account.name);
        let text = account.text();
        let text = text.map_err(|source| CallersError::Account { path: path.clone(), source })?;
        put(&path, &text).map_err(|source| CallersError::Unwritable { path, source })
    }

    fn failed(&self, source: io::Error) -> CallersError {
        CallersError::Folder { path: self.path.clone(), source }
    }
}

/// Replaces a file by one that only its owner may read, whole or not at all, synced.
pub(super) fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hidden = folder.join(format!(".{name}.new"));
    // What a crash left there is nobody's.
    match fs::remove_file(&hidden) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&hidden, path)?;
    File::open(folder)?.sync_all()
}

/// Reads a small file that nobody but its owner may read or write.
pub(super) fn read_own(path: &Path) -> Result<Vec<u8>, CallersError> {
    let unreadable = |source| CallersError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    // Of the open file, not of its name: what is looked at is what is read.
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CallersError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(limits::CALLER_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits::CALLER_FILE_BYTES_MAX {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

fn read_account(path: &Path) -> Result<Account, CallersError> {
    let account = Account::read(&read_own(path)?);
    let account =
        account.map_err(|source| CallersError::Account { path: path.to_owned(), source })?;
    // A copy under another name would be a second caller with the first one's keys.
    if path.file_name().and_then(OsStr::to_str) != Some(&format!("{}.{ENDING}", account.name)) {
        return Err(CallersError::Misnamed { path: path.to_owned(), name: account.name });
    }
    Ok(account)
}
