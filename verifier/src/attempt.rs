//! An attempt: one execution's claim on a grant's one use.

use std::fmt;

use crate::crypto::{self, NoRandom};

/// 128 random bits, made fresh for each execution and never derived from the request.
///
/// Two replicas of one API that receive the same request must not both be told "yes", so an attempt is
/// a secret of the execution that made it: no `Display`, no `Clone`, and compared in constant time.
pub struct Attempt([u8; 16]);

impl Attempt {
    /// A fresh attempt.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn fresh() -> Result<Attempt, NoRandom> {
        crypto::random().map(Attempt)
    }

    /// The attempt with these bytes: for a store's own tests, and for issuers who derive it from a
    /// caller's string.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Attempt {
        Attempt(bytes)
    }

    /// The bytes, for the store and for nobody else.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl PartialEq for Attempt {
    fn eq(&self, other: &Attempt) -> bool {
        let differing = self.0.iter().zip(other.0).fold(0, |found, (a, b)| found | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl Eq for Attempt {}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(secret)")
    }
}
