//! A folder of public keys.
//!
//! ```text
//! issuers/17.pem            trusted, number 17
//! issuers/retired/16.hex    its tokens are dead
//! third-parties/change-mgmt.jwk
//! ```
//!
//! A file that is no key is an error, not passed over: a key that was meant to be retired and was
//! misnamed must not go unnoticed. Folders and hidden files are no keys.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::file::{self, KeyFileError, KeyFormat};
use super::{Issuer, IssuerError, KeyRing};
use crate::key::PublicKey;
use crate::name::{NameError, ThirdParty};

/// A key file is short; what is longer is something else.
const FILE_BYTES_MAX: u64 = 4096;

/// Why a folder of keys was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file or folder could not be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is no key.
    #[error("{} is no public key", path.display())]
    NoKey {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: KeyFileError,
    },
    /// A file's name is neither `NUMBER.{hex,pem,jwk}` nor `NAME.{hex,pem,jwk}`, whichever belongs there.
    #[error("{} has a name that no key file has", path.display())]
    Misnamed {
        /// Which one.
        path: PathBuf,
    },
    /// A third party's name is none.
    #[error("{} names no third party", path.display())]
    ThirdParty {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: NameError,
    },
    /// An issuer's number or key is there already.
    #[error("{} cannot join the others", path.display())]
    Issuer {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: IssuerError,
    },
    /// Two files have one name.
    #[error("{} is the second key of that name", path.display())]
    Twice {
        /// Which one.
        path: PathBuf,
    },
    /// There is no issuer's key at all, so no token could be taken.
    #[error("{} holds no issuer's key", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl KeyRing {
    /// Reads a folder of keys.
    ///
    /// # Errors
    /// [`KeysError`] where anything in it is not as it should be.
    pub fn load(folder: &Path) -> Result<KeyRing, KeysError> {
        let mut ring = KeyRing::default();
        let issuers = folder.join("issuers");
        for (id, path, key) in numbered(&issuers)? {
            ring.add(id, Issuer::Trusted(key), path)?;
        }
        for (id, path, key) in numbered(&issuers.join("retired"))? {
            ring.add(id, Issuer::Retired(key), path)?;
        }
        for (stem, path, key) in keys(&folder.join("third-parties"))? {
            let name = ThirdParty::parse(&stem);
            let name =
                name.map_err(|source| KeysError::ThirdParty { path: path.clone(), source })?;
            if ring.third_party(&name).is_some() {
                return Err(KeysError::Twice { path });
            }
            ring.add_third_party(name, key);
        }
        if ring.issuers.is_empty() {
            return Err(KeysError::Empty { path: folder.into() });
        }
        Ok(ring)
    }

    fn add(&mut self, id: u32, issuer: Issuer, path: PathBuf) -> Result<(), KeysError> {
        self.add_issuer(id, issuer).map_err(|source| KeysError::Issuer { path, source })
    }
}

type Found<Name> = (Name, PathBuf, PublicKey);

fn numbered(folder: &Path) -> Result<Vec<Found<u32>>, KeysError> {
    let number = |(stem, path, key): Found<String>| match stem.parse::<u32>() {
        // `017` and `17` would be two files for one number.
        Ok(id) if id.to_string() == stem => Ok((id, path, key)),
        _ => Err(KeysError::Misnamed { path }),
    };
    keys(folder)?.into_iter().map(number).collect()
}

/// The keys in a folder by the stems of their files; a folder that is not there holds none.
fn keys(folder: &Path) -> Result<Vec<Found<String>>, KeysError> {
    let unreadable = |source| KeysError::Unreadable { path: folder.into(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().and_then(OsStr::to_str).is_some_and(|n| n.starts_with('.'));
        if path.is_dir() || hidden || path.ends_with("README.md") {
            continue;
        }
        found.push(read(path)?);
    }
    Ok(found)
}

fn read(path: PathBuf) -> Result<Found<String>, KeysError> {
    let ending = path.extension().and_then(OsStr::to_str);
    let stem = path.file_stem().and_then(OsStr::to_str);
    let (Some(format), Some(stem)) = (ending.and_then(KeyFormat::of_ending), stem) else {
        return Err(KeysError::Misnamed { path });
    };
    let stem = stem.to_owned();
    match read_text(&path) {
        Err(source) => Err(KeysError::Unreadable { path, source }),
        Ok(text) => match file::parse(&text, format) {
            Ok(key) => Ok((stem, path, key)),
            Err(source) => Err(KeysError::NoKey { path, source }),
        },
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // As much as a key takes, and one byte to see that it is more: not every file tells its length.
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large for a key"));
    }
    Ok(text)
}
