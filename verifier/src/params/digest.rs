//! What a token binds of the parameters: 32 bytes that stand for all of them.

use crate::crypto;
use crate::hex;

hex::bytes! {
    /// The SHA-256 of canonical parameters, or of a raw body.
    ParamsDigest, 32
}

impl ParamsDigest {
    /// The digest of these bytes as they are, for bodies that are not JSON.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> ParamsDigest {
        ParamsDigest::from_bytes(crypto::sha256(&[bytes]))
    }
}
