//! The signer: the one file that reads a private key.
//!
//! ```text
//! keys/private/17.pem --load--> PrivateKey --with its number--> Signer --mint--> TokenText
//! ```
//! A key may be encrypted under a passphrase: see `signer/encrypted.rs`.

mod encrypted;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farebox_verifier::token::{self, MintError, TokenText};
use farebox_verifier::{Grant, GrantId, PublicKey, Signature};
use zeroize::Zeroizing;

pub use encrypted::Passphrase;

/// The DER before an Ed25519 seed in PKCS #8: nothing in it varies.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
/// A key file is short; what is longer is something else.
const FILE_BYTES_MAX: u64 = 4096;

/// Why there is no private key. It never repeats what was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The file cannot be read or written.
    #[error("key file cannot be used")]
    File(#[from] io::Error),
    /// Others than its owner may read it.
    #[error(
        "key file can be read by others (mode {mode:03o}): chmod 600 it, and retire the key if it was"
    )]
    Exposed {
        /// Its permissions.
        mode: u32,
    },
    /// It is no PEM of an Ed25519 private key.
    #[error("key file is no PKCS #8 PEM of an Ed25519 private key")]
    Malformed,
    /// It is encrypted, and nobody gave its passphrase.
    #[error("key file is encrypted: give the file with its passphrase")]
    Encrypted,
    /// The passphrase is another key's, or the file is damaged.
    #[error("key file cannot be decrypted with this passphrase")]
    Passphrase,
    /// The system gave no random bytes, or the seed makes no usable key.
    #[error("no key could be made")]
    Unusable,
}

/// An Ed25519 private key: an issuer's, a holder's or a third party's. It never shows.
pub struct PrivateKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`PrivateKeyError::Unusable`] where the system gives no random bytes.
    pub fn generate() -> Result<PrivateKey, PrivateKeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(seed.as_mut_slice()).or(Err(PrivateKeyError::Unusable))?;
        PrivateKey::from_seed(seed)
    }

    /// The key of this seed.
    ///
    /// # Errors
    /// [`PrivateKeyError::Unusable`] where it makes no usable key.
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> Result<PrivateKey, PrivateKeyError> {
        let unusable = PrivateKeyError::Unusable;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).or(Err(unusable))?;
        let public = pair.public_key().as_ref().try_into().or(Err(PrivateKeyError::Unusable))?;
        let public = PublicKey::from_bytes(public).or(Err(PrivateKeyError::Unusable))?;
        Ok(PrivateKey { seed, pair, public })
    }

    /// Reads an unencrypted key from a file that only its owner may read.
    ///
    /// # Errors
    /// [`PrivateKeyError`] where it is exposed, unreadable, encrypted or no key.
    pub fn load(path: &Path) -> Result<PrivateKey, PrivateKeyError> {
        PrivateKey::load_with(path, None)
    }

    /// Reads a key, encrypted or not, from a file that only its owner may read.
    ///
    /// # Errors
    /// [`PrivateKeyError`] where it is exposed, unreadable or no key, or the passphrase does not open it.
    pub fn load_with(
        path: &Path,
        passphrase: Option<&Passphrase>,
    ) -> Result<PrivateKey, PrivateKeyError> {
        let file = File::open(path)?;
        // Of the open file, not of the path: what is checked is what is read.
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateKeyError::Exposed { mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        match (encrypted::is_encrypted(&text), passphrase) {
            (false, _) => parse_pem(&text),
            (true, None) => Err(PrivateKeyError::Encrypted),
            (true, Some(passphrase)) => match parse_der(&encrypted::open(&text, passphrase)?) {
                // One wrong passphrase in 256 gives something that looks like an end, and is no key.
                Err(PrivateKeyError::Malformed) => Err(PrivateKeyError::Passphrase),
                key => key,
            },
        }
    }

    /// Writes the key, unencrypted, to a new file that only its owner may read.
    ///
    /// # Errors
    /// [`PrivateKeyError::File`] where the file is there already or cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), PrivateKeyError> {
        self.save_with(path, None)
    }

    /// Writes the key to a new file that only its owner may read, encrypted where there is a passphrase.
    ///
    /// # Errors
    /// [`PrivateKeyError::File`] where the file is there already or cannot be written.
    pub fn save_with(
        &self,
        path: &Path,
        passphrase: Option<&Passphrase>,
    ) -> Result<(), PrivateKeyError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let der = Zeroizing::new([PKCS8.as_slice(), self.seed.as_slice()].concat());
        let text = match passphrase {
            Some(passphrase) => encrypted::seal(&der, passphrase)?,
            None => {
                let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
                Zeroizing::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", body.as_str()))
            }
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut signature = [0; 64];
        // An Ed25519 signature has 64 bytes, so both sides are always of one length.
        for (to, from) in signature.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        signature
    }
}

fn parse_pem(text: &str) -> Result<PrivateKey, PrivateKeyError> {
    let body = text.trim().strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
    let body = body.ok_or(PrivateKeyError::Malformed)?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let der = STANDARD.decode(body.as_bytes()).or(Err(PrivateKeyError::Malformed))?;
    parse_der(&Zeroizing::new(der))
}

fn parse_der(der: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    let seed = der.strip_prefix(&PKCS8).ok_or(PrivateKeyError::Malformed)?;
    PrivateKey::from_seed(Zeroizing::new(seed.try_into().or(Err(PrivateKeyError::Malformed))?))
}

/// Mints with one issuer's key.
pub struct Signer {
    id: u32,
    key: PrivateKey,
    /// From which each token's next key is derived. A key made afresh would have to be kept for a
    /// retry; this one is made again from the grant.
    next_keys: hmac::Key,
}

impl Signer {
    /// A signer with this key, under this number.
    #[must_use]
    pub fn new(id: u32, key: PrivateKey) -> Signer {
        // HKDF-Extract; what it gives is kept as a key, for each token expands it once.
        let salt = hmac::Key::new(HMAC_SHA256, b"farebox/1 next key");
        let next_keys =
            hmac::Key::new(HMAC_SHA256, hmac::sign(&salt, key.seed.as_slice()).as_ref());
        Signer { id, key, next_keys }
    }

    /// The key's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key.public
    }

    /// The token of this grant: the same bytes each time.
    ///
    /// # Errors
    /// [`MintError`] where the grant fits no token.
    pub fn mint(&self, grant: &Grant) -> Result<TokenText, MintError> {
        let seed = self.next_seed(grant.id).ok_or(MintError::NextKey)?;
        token::mint(grant, self.id, &seed, |message| self.key.sign(message))
    }

    /// Signs an approver's decision on its word. The message is a JWS of a type of its own, which no block of a token
    /// can be: those begin with other bytes.
    #[must_use]
    pub fn sign_decision(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    /// HKDF-Expand to one block, which is one tag over the grant's id and the block's number.
    fn next_seed(&self, grant: GrantId) -> Option<Zeroizing<[u8; 32]>> {
        let mut expand = hmac::Context::with_key(&self.next_keys);
        expand.update(grant.as_bytes());
        expand.update(&[1]);
        expand.sign().as_ref().try_into().ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_key_is_loaded_again_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private").join("1.pem");
        let key = PrivateKey::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(PrivateKey::load(&path).unwrap().public(), key.public());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.pem");
        PrivateKey::generate().unwrap().save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = PrivateKey::load(&path).err().unwrap();
        assert!(matches!(error, PrivateKeyError::Exposed { mode: 0o640 }));
    }

    #[test]
    fn next_keys_are_hkdf_of_the_issuer_s_seed_and_the_grant_s_id() {
        use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
        let key = PrivateKey::from_seed(Zeroizing::new([3; 32])).unwrap();
        let prk = Salt::new(HKDF_SHA256, b"farebox/1 next key").extract(key.seed.as_slice());
        let mut expected = [0; 32];
        let okm = prk.expand(&[&[7; 16]], HKDF_SHA256).unwrap();
        okm.fill(&mut expected).unwrap();
        let signer = Signer::new(1, key);
        let seed = signer.next_seed(GrantId::from_bytes([7; 16]));
        assert_eq!(*seed.unwrap(), expected);
    }

    #[test]
    fn a_key_is_never_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.pem");
        PrivateKey::generate().unwrap().save(&path).unwrap();
        let second = PrivateKey::generate().unwrap().save(&path);
        assert!(matches!(second, Err(PrivateKeyError::File(_))));
    }

    /// Written by `openssl pkcs8 -topk8`, with `-v2 aes-256-cbc` and with `-scrypt`: a key that was made for this and
    /// signs nothing.
    const BY_OPENSSL: [&str; 2] = [
        include_str!("../tests/golden/encrypted-pbkdf2.pem"),
        include_str!("../tests/golden/encrypted-scrypt.pem"),
    ];
    const OF_OPENSSL: &str = "4826b29a5f38d5b82ca1ef808bec6e39dd27241d226918b931a783894cef2521";

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned()))
    }

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.pem");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_key_that_openssl_encrypted_is_opened_with_its_passphrase_alone() {
        for text in BY_OPENSSL {
            let (_folder, path) = written(text);
            let key = PrivateKey::load_with(&path, Some(&passphrase("correct horse"))).unwrap();
            assert_eq!(key.public().to_string(), OF_OPENSSL);
            let why = |given: Option<&Passphrase>| PrivateKey::load_with(&path, given).err();
            assert!(matches!(why(None), Some(PrivateKeyError::Encrypted)));
            for wrong in ["Correct horse", "correct horse ", "", "correct hors"] {
                let why = why(Some(&passphrase(wrong)));
                assert!(matches!(why, Some(PrivateKeyError::Passphrase)), "{wrong}");
            }
        }
    }

    #[test]
    fn an_encrypted_key_is_read_again_and_holds_no_byte_of_the_seed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.pem");
        let (key, right) = (PrivateKey::generate().unwrap(), passphrase("correct horse"));
        key.save_with(&path, Some(&right)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        assert!(!der.windows(8).any(|part| key.seed.windows(8).any(|seed| seed == part)));
        assert_eq!(PrivateKey::load_with(&path, Some(&right)).unwrap().public(), key.public());
        // Twice the same key under the same passphrase is not the same file.
        let other = folder.path().join("2.pem");
        key.save_with(&other, Some(&right)).unwrap();
        assert_ne!(fs::read_to_string(&other).unwrap(), text);
    }

    #[test]
    fn a_damaged_key_file_is_no_key_and_is_not_repeated() {
        let right = passphrase("correct horse");
        let [text, _] = BY_OPENSSL;
        let lines: Vec<&str> = text.lines().collect();
        let begun = lines[..3].join("\n");
        let renamed = text.replace("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
        let swapped = lines.iter().rev().copied().collect::<Vec<_>>().join("\n");
        for odd in [begun, renamed, swapped, text.replace('M', "N"), text.replace("END", "BEGIN")] {
            let (_folder, path) = written(&odd);
            let error = PrivateKey::load_with(&path, Some(&right)).err().unwrap();
            assert!(!format!("{error:?} {error}").contains(lines[1]), "{error:?}");
        }
    }
}
