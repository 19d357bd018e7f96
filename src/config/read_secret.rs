//! A secret in a file: a password or a passphrase, for its owner's eyes alone.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::limits;

/// Why a file gives no secret. It never repeats what was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{} can be read by others (mode {mode:03o}): chmod 600 it, and change what is in it", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds nothing, or more than a line.
    #[error("{} holds no single line of text", path.display())]
    NoLine {
        /// Which.
        path: PathBuf,
    },
}

/// Reads the one line of a file; the line's end does not belong to it.
///
/// A group may read it, as it may what Kubernetes and Docker mount for a user that is not root; others may not.
///
/// # Errors
/// [`SecretFileError`] where it cannot be used.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(SecretFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(limits::PASSWORD_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let long = line.len() as u64 > limits::PASSWORD_BYTES_MAX;
    if line.is_empty() || long || line.contains(['\n', '\r', '\0']) {
        return Err(SecretFileError::NoLine { path: path.to_owned() });
    }
    Ok(Zeroizing::new(line.to_owned()))
}
