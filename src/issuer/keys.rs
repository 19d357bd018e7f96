//! What is at work: requests under an Idempotency-Key, and approvals that are collected. A second one with the same key
//! waits for nobody, and is told to come back.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// The keys that are at work in this process.
pub(super) struct Busy<K>(Mutex<HashSet<K>>);

impl<K> Default for Busy<K> {
    fn default() -> Busy<K> {
        Busy(Mutex::default())
    }
}

/// One of them, until it is dropped.
pub(super) struct Held<'a, K: Copy + Eq + Hash> {
    busy: &'a Busy<K>,
    key: K,
}

impl<K: Copy + Eq + Hash> Busy<K> {
    /// Takes the key; `None` where somebody has it.
    pub(super) fn take(&self, key: K) -> Option<Held<'_, K>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is taken: dropping one gives the key back.
        keys.insert(key).then(|| Held { busy: self, key })
    }
}

impl<K: Copy + Eq + Hash> Drop for Held<'_, K> {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::desk::KeyDigest;

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
