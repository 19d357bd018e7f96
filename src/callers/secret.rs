//! The text of an API key: `fbk_`, which key it is, and 256 random bits.
//!
//! ```text
//! fbk_3f9a2c1b7e4d5a60_Qm9v…43 letters
//!     which key         the secret
//! ```
//! A fixed start lets scanners of repositories and logs find a key that got there; the number says whose it was
//! without anybody reading the secret.

use std::fmt;

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::NoRandom;
use zeroize::Zeroizing;

/// How every key starts.
pub(super) const START: &str = "fbk_";
const SECRET_BYTES: usize = 32;

macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// The one with these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $len]) -> $name {
                $name(bytes)
            }

            /// The one that this text says, in lower-case hexadecimal.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<$name> {
                let mut bytes = [0; $len];
                let digits = text.as_bytes();
                if digits.len() != 2 * $len {
                    return None;
                }
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let &[high, low] = pair else { return None };
                    *byte = digit(high)? << 4 | digit(low)?;
                }
                Some($name(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

hexadecimal! {
    /// Which key it is. It says nothing of the secret, nor of whose it is.
    KeyId, 8
}
hexadecimal! {
    /// The SHA-256 of a key's text: what is kept of it. The secret has 256 random bits, so that nothing is gained
    /// by a slow hash, and an issuer would be slowed by it first.
    SecretHash, 32
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

impl SecretHash {
    /// The hash of this text, whatever it is.
    #[must_use]
    pub fn of(text: &str) -> SecretHash {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
            *to = *from;
        }
        SecretHash(bytes)
    }

    /// Whether it is the same, found out in a time that does not depend on where they differ.
    #[must_use]
    pub fn is(&self, other: &SecretHash) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

/// An API key's text. It has no `Debug`, and is shown once, to whoever made it.
pub struct Secret {
    id: KeyId,
    text: Zeroizing<String>,
}

impl Secret {
    /// A fresh one.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn fresh() -> Result<Secret, NoRandom> {
        let (mut id, mut secret) = ([0; 8], Zeroizing::new([0; SECRET_BYTES]));
        aws_lc_rs::rand::fill(&mut id).or(Err(NoRandom))?;
        aws_lc_rs::rand::fill(secret.as_mut_slice()).or(Err(NoRandom))?;
        let id = KeyId(id);
        let body = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
        Ok(Secret { id, text: Zeroizing::new(format!("{START}{id}_{}", body.as_str())) })
    }

    /// Reads one. Each key has one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Secret> {
        let id = key_id(text)?;
        Some(Secret { id, text: Zeroizing::new(text.to_owned()) })
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.text)
    }

    /// The text, for its owner's eyes and for the header of a call.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// Which key a text claims to be, if it is spelt like one.
pub(super) fn key_id(text: &str) -> Option<KeyId> {
    let (id, secret) = text.strip_prefix(START)?.split_once('_')?;
    let mut bytes = Zeroizing::new([0; SECRET_BYTES + 1]);
    let read = URL_SAFE_NO_PAD.decode_slice(secret, bytes.as_mut_slice()).ok()?;
    if read == SECRET_BYTES { KeyId::from_hex(id) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_is_read_again_and_is_like_no_other() {
        let (one, other) = (Secret::fresh().unwrap(), Secret::fresh().unwrap());
        assert_eq!(one.expose().len(), 4 + 16 + 1 + 43);
        let again = Secret::parse(one.expose()).unwrap();
        assert_eq!(again.id(), one.id());
        assert!(again.hash().is(&one.hash()) && !other.hash().is(&one.hash()));
        assert_ne!(other.id(), one.id());
    }

    #[test]
    fn each_key_has_one_spelling() {
        let key = Secret::fresh().unwrap();
        let text = key.expose();
        let (start, secret) = text.split_at(21);
        for odd in [
            text.to_uppercase(),
            format!(" {text}"),
            format!("{text}="),
            format!("{text}A"),
            format!("{start}{}", secret.get(1..).unwrap()),
            format!("{start}+{}", secret.get(1..).unwrap()),
            text.replacen("fbk_", "fbk", 1),
            start.to_owned(),
            String::new(),
        ] {
            assert!(Secret::parse(&odd).is_none(), "{odd}");
        }
        // 43 letters have two bits more than 32 bytes, and those are nought.
        let odd = format!("{start}{}B", "A".repeat(42));
        assert!(Secret::parse(&odd).is_none(), "two spellings of one secret");
    }
}
