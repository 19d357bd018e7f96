//! The lives that anything was minted under: whom a revocation must reach.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use farebox_verifier::UnixSeconds;

use super::server::Open;
use crate::store::LifeId;

/// A life and how far its issuer knows it.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) open: Open,
    /// The last expiry that was minted under it.
    pub(super) until: UnixSeconds,
    /// The number of the last event that the view has seen.
    pub(super) seen: u64,
    /// The number of the last event that was drained.
    pub(super) drained: u64,
    /// Whether its own process has said that it is over.
    pub(super) over: bool,
    /// Whether its journal says that it was ended on purpose.
    pub(super) closed: bool,
    /// Whether its journal was drained to its end.
    pub(super) finished: bool,
}

/// The lives, by who they are.
#[derive(Default)]
pub(super) struct Lives(Mutex<BTreeMap<LifeId, Life>>);

impl Lives {
    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<LifeId, Life>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A life is open.
    pub(super) fn opened(&self, open: &Open) {
        let fresh = || Life {
            open: open.clone(),
            until: UnixSeconds(0),
            seen: 0,
            drained: 0,
            over: false,
            closed: false,
            finished: false,
        };
        self.with(|lives| {
            lives.entry(open.id.clone()).or_insert_with(fresh);
        });
    }

    /// Something that ends then is about to be minted under this life.
    pub(super) fn promise(&self, id: &LifeId, end: UnixSeconds) {
        self.change(id, |life| life.until = life.until.max(end));
    }

    pub(super) fn change(&self, id: &LifeId, change: impl FnOnce(&mut Life)) {
        self.with(|lives| {
            if let Some(life) = lives.get_mut(id) {
                change(life);
            }
        });
    }

    pub(super) fn get(&self, id: &LifeId) -> Option<Life> {
        self.with(|lives| lives.get(id).cloned())
    }

    pub(super) fn all(&self) -> Vec<Life> {
        self.with(|lives| lives.values().cloned().collect())
    }

    /// Forgets lives that are drained to their ends and under which nothing lives any more.
    pub(super) fn forget_over(&self, now: UnixSeconds) {
        self.with(|lives| lives.retain(|_, life| !life.finished || now < life.until));
    }
}
