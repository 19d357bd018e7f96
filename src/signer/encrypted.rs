//! A private key at rest under a passphrase: PKCS #8 `ENCRYPTED PRIVATE KEY` with PBES2, as openssl reads and writes
//! it.
//!
//! ```text
//! passphrase ─scrypt (N 16,384, r 8, p 5)→ AES-256 ─CBC→ the file
//! ```
//! Of the costs that count as equal, these take the least memory at a time: openssl refuses to use more than 32 MiB.
//! CBC does not say whether the passphrase was right; the fixed bytes of an Ed25519 key, which come out, do.

use pkcs8::der::SecretDocument;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::scrypt;
use pkcs8::{EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo};
use zeroize::Zeroizing;

use super::PrivateKeyError;

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
const LOG_N: u8 = 14;
const BLOCK: u32 = 8;
const LANES: u32 = 5;
/// What a file may ask of whoever opens it: a hundred times what is usual, and no minute of computing.
const ROUNDS_MAX: u32 = 20_000_000;
/// The same of scrypt, as N times r times p: a quarter of a gigabyte.
const WORK_MAX: u64 = 1 << 21;

/// A passphrase. It has no `Debug`.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase with this text.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Passphrase {
        Passphrase(text)
    }
}

/// Whether a text is an encrypted key.
pub(super) fn is_encrypted(pem: &str) -> bool {
    pem.trim_start().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

/// The PKCS #8 in an encrypted PEM.
pub(super) fn open(
    pem: &str,
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let malformed = || PrivateKeyError::Malformed;
    let (label, document) = SecretDocument::from_pem(pem.trim()).map_err(|_invalid| malformed())?;
    if label != LABEL {
        return Err(malformed());
    }
    let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes());
    let info = info.map_err(|_invalid| malformed())?;
    if !is_affordable(&info.encryption_algorithm) {
        return Err(malformed());
    }
    let opened = info.decrypt(passphrase.0.as_bytes());
    let opened = opened.or(Err(PrivateKeyError::Passphrase))?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}

fn is_affordable(scheme: &EncryptionScheme<'_>) -> bool {
    match scheme {
        EncryptionScheme::Pbes2(Parameters { kdf: Kdf::Pbkdf2(params), .. }) => {
            params.iteration_count <= ROUNDS_MAX
        }
        EncryptionScheme::Pbes2(Parameters { kdf: Kdf::Scrypt(params), .. }) => {
            let lanes = u64::from(params.parallelization);
            let work = u64::from(params.block_size).saturating_mul(lanes);
            work.saturating_mul(params.cost_parameter) <= WORK_MAX
        }
        // DES and MD5, as nobody should have them.
        _ => false,
    }
}

/// The encrypted PEM of a PKCS #8.
pub(super) fn seal(
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<String>, PrivateKeyError> {
    let unusable = || PrivateKeyError::Unusable;
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    aws_lc_rs::rand::fill(&mut salt).map_err(|_invalid| unusable())?;
    aws_lc_rs::rand::fill(&mut iv).map_err(|_invalid| unusable())?;
    let cost = scrypt::Params::new(LOG_N, BLOCK, LANES, 32).map_err(|_invalid| unusable())?;
    let params = Parameters::scrypt_aes256cbc(cost, &salt, &iv).map_err(|_invalid| unusable())?;
    let info = PrivateKeyInfo::try_from(der).map_err(|_invalid| unusable())?;
    let sealed = info.encrypt_with_params(params, passphrase.0.as_bytes());
    let sealed = sealed.map_err(|_invalid| unusable())?;
    sealed.to_pem(LABEL, LineEnding::LF).map_err(|_invalid| unusable())
}
