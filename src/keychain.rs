//! The keychain: the folder of keys that an issuer signs with and trusts, as it is now.
//!
//! ```text
//! DIR/issuers/17.pem   DIR/issuers/retired/16.pem   DIR/third-parties/change-mgmt.pem   public
//! DIR/private/17.pem                                                                    never committed
//! ```
//! The trusted key with the highest number and a private half signs. A rotation is a new key beside the old
//! one, which is trusted until its last token has ended; retiring it then, or at once, is moving one file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use farebox_verifier::keys::{KeysError, pem_text};
use farebox_verifier::{Issuer, KeyRing, PublicKey};

use crate::record::NumberedKey;
use crate::signer::{Passphrase, PrivateKey, PrivateKeyError, Signer};

/// Why an issuer has no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// The public keys cannot be read.
    #[error("keys in {} cannot be used", dir.display())]
    Keys {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: KeysError,
    },
    /// The private half cannot be read or made.
    #[error("private key {} cannot be used", path.display())]
    Private {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PrivateKeyError,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Every trusted key lacks its private half.
    #[error("{} has no private half of a trusted key: make one with `farebox keys new --dir {}`", dir.display(), dir.display())]
    NoSigner {
        /// The folder.
        dir: PathBuf,
    },
    /// The private half belongs to another public key.
    #[error("private key {} is not the one that is trusted under its number", path.display())]
    Mismatch {
        /// The private half.
        path: PathBuf,
    },
}

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Keychain {
    dir: PathBuf,
}

impl Keychain {
    /// The keys of this folder.
    #[must_use]
    pub fn at(dir: &Path) -> Keychain {
        Keychain { dir: dir.to_owned() }
    }

    /// Makes the first key where there is none, encrypted where there is a passphrase, and says whether it did.
    ///
    /// # Errors
    /// [`KeychainError`] where it cannot be made.
    pub fn begin(&self, passphrase: Option<&Passphrase>) -> Result<Option<u32>, KeychainError> {
        if !self.ring()?.issuers().is_empty() {
            return Ok(None);
        }
        let path = self.private(1);
        let failed = |source| KeychainError::Private { path: path.clone(), source };
        let key = PrivateKey::generate().map_err(failed)?;
        key.save_with(&path, passphrase).map_err(failed)?;
        let path = self.dir.join("issuers").join("1.pem");
        let written = fs::create_dir_all(self.dir.join("issuers"))
            .and_then(|()| fs::write(&path, pem_text(&key.public())));
        written.map_err(|source| KeychainError::File { path, source })?;
        Ok(Some(1))
    }

    /// Every trusted key with a private half, the one that signs first, and who is trusted. Where the last one
    /// was retired, nobody signs.
    ///
    /// # Errors
    /// [`KeychainError`] where a key that is there cannot be used.
    pub fn open(
        &self,
        passphrase: Option<&Passphrase>,
    ) -> Result<(Vec<Signer>, KeyRing), KeychainError> {
        let ring = self.ring()?;
        let mut signers = Vec::new();
        for (id, issuer) in ring.issuers().into_iter().rev() {
            let Issuer::Trusted(public) = issuer else { continue };
            if let Some(key) = self.load(id, &public, passphrase)? {
                signers.push(Signer::new(id, key));
            }
        }
        Ok((signers, ring))
    }

    /// The key that signs, for the record's checkpoints.
    ///
    /// # Errors
    /// [`KeychainError`] where nobody can sign.
    pub fn checkpoint_key(
        &self,
        passphrase: Option<&Passphrase>,
    ) -> Result<NumberedKey, KeychainError> {
        for (id, issuer) in self.ring()?.issuers().into_iter().rev() {
            let Issuer::Trusted(public) = issuer else { continue };
            if let Some(key) = self.load(id, &public, passphrase)? {
                return Ok(NumberedKey::new(id, key));
            }
        }
        Err(KeychainError::NoSigner { dir: self.dir.clone() })
    }

    /// The key that signs the feed and nothing else, made where there is none. Its public half lies beside, for
    /// whoever pins it.
    ///
    /// # Errors
    /// [`KeychainError`] where it cannot be used or made.
    pub fn feed_key(&self, passphrase: Option<&Passphrase>) -> Result<PrivateKey, KeychainError> {
        let path = self.dir.join("private").join("feed.pem");
        let failed = |source| KeychainError::Private { path: path.clone(), source };
        if path.exists() {
            return PrivateKey::load_with(&path, passphrase).map_err(failed);
        }
        let key = PrivateKey::generate().map_err(failed)?;
        key.save_with(&path, passphrase).map_err(failed)?;
        let path = self.dir.join("feed.pem");
        let written = fs::write(&path, pem_text(&key.public()));
        written.map_err(|source| KeychainError::File { path, source })?;
        Ok(key)
    }

    /// The private half of a trusted key; nothing where it is another issuer's.
    fn load(
        &self,
        id: u32,
        public: &PublicKey,
        passphrase: Option<&Passphrase>,
    ) -> Result<Option<PrivateKey>, KeychainError> {
        let path = self.private(id);
        if !path.exists() {
            return Ok(None);
        }
        let failed = |source| KeychainError::Private { path: path.clone(), source };
        let key = PrivateKey::load_with(&path, passphrase).map_err(failed)?;
        if key.public() == *public { Ok(Some(key)) } else { Err(KeychainError::Mismatch { path }) }
    }

    /// What tells whether anything has changed: each file's name, length and time.
    ///
    /// # Errors
    /// What keeps it from being looked at: a folder that cannot be read is no empty one.
    pub fn look(&self) -> io::Result<Vec<(PathBuf, u64, Option<std::time::SystemTime>)>> {
        let mut seen = Vec::new();
        for folder in ["issuers", "issuers/retired", "third-parties", "private"] {
            let entries = match fs::read_dir(self.dir.join(folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let metadata = entry.metadata()?;
                seen.push((entry.path(), metadata.len(), metadata.modified().ok()));
            }
        }
        seen.sort();
        Ok(seen)
    }

    fn ring(&self) -> Result<KeyRing, KeychainError> {
        match KeyRing::load(&self.dir) {
            Err(KeysError::Empty { .. }) => Ok(KeyRing::default()),
            ring => ring.map_err(|source| KeychainError::Keys { dir: self.dir.clone(), source }),
        }
    }

    fn private(&self, id: u32) -> PathBuf {
        self.dir.join("private").join(format!("{id}.pem"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> (tempfile::TempDir, Keychain) {
        let folder = tempfile::tempdir().unwrap();
        let chain = Keychain::at(&folder.path().join("keys"));
        (folder, chain)
    }

    fn ids(signers: &[Signer]) -> Vec<u32> {
        signers.iter().map(Signer::id).collect()
    }

    #[test]
    fn the_first_key_is_made_once_and_signs() {
        let (_folder, chain) = chain();
        assert!(matches!(chain.checkpoint_key(None), Err(KeychainError::NoSigner { .. })));
        assert!(chain.open(None).unwrap().0.is_empty());
        assert_eq!(chain.begin(None).unwrap(), Some(1));
        assert_eq!(chain.begin(None).unwrap(), None);
        let (signers, ring) = chain.open(None).unwrap();
        assert_eq!(ids(&signers), [1]);
        assert_eq!(ring.issuer(1), Some(&Issuer::Trusted(signers[0].public())));
    }

    #[test]
    fn the_highest_trusted_key_with_a_private_half_signs() {
        let (_folder, chain) = chain();
        chain.begin(None).unwrap();
        let before = chain.look().unwrap();
        let key = PrivateKey::generate().unwrap();
        key.save(&chain.private(7)).unwrap();
        fs::write(chain.dir.join("issuers/7.pem"), pem_text(&key.public())).unwrap();
        assert_ne!(chain.look().unwrap(), before);
        assert_eq!(ids(&chain.open(None).unwrap().0), [7, 1]);
        // A key of which only the public half is here belongs to another issuer.
        let other = PrivateKey::generate().unwrap();
        fs::write(chain.dir.join("issuers/9.pem"), pem_text(&other.public())).unwrap();
        assert_eq!(ids(&chain.open(None).unwrap().0), [7, 1]);
        fs::create_dir_all(chain.dir.join("issuers/retired")).unwrap();
        fs::rename(chain.dir.join("issuers/7.pem"), chain.dir.join("issuers/retired/7.pem"))
            .unwrap();
        assert_eq!(ids(&chain.open(None).unwrap().0), [1]);
    }

    #[test]
    fn a_private_half_under_another_s_number_signs_nothing() {
        let (_folder, chain) = chain();
        chain.begin(None).unwrap();
        fs::remove_file(chain.private(1)).unwrap();
        PrivateKey::generate().unwrap().save(&chain.private(1)).unwrap();
        assert!(matches!(chain.open(None), Err(KeychainError::Mismatch { .. })));
    }
}
