//! Requests that are at work under an Idempotency-Key: a second one with the same key waits for nobody, and is
//! told to come back.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::store::desk::KeyDigest;

/// The keys that are at work in this process.
#[derive(Default)]
pub(super) struct Busy(Mutex<HashSet<KeyDigest>>);

/// One of them, until it is dropped.
pub(super) struct Held<'a> {
    busy: &'a Busy,
    key: KeyDigest,
}

impl Busy {
    /// Takes the key; `None` where somebody has it.
    pub(super) fn take(&self, key: KeyDigest) -> Option<Held<'_>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is taken: dropping one gives the key back.
        keys.insert(key).then(|| Held { busy: self, key })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_at_work_is_nobody_elses() {
        let busy = Busy::default();
        let held = busy.take(KeyDigest([1; 32]));
        assert!(held.is_some() && busy.take(KeyDigest([1; 32])).is_none());
        assert!(busy.take(KeyDigest([2; 32])).is_some());
        drop(held);
        assert!(busy.take(KeyDigest([1; 32])).is_some());
    }
}
