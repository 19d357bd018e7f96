//! How many entries of each kind were taken since the start: what alarms are made of.

use std::collections::BTreeMap;

use super::Record;
use super::entry::Entry;
use super::kind::Kind;

/// Entries by kind.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<Kind, u64>);

impl Tally {
    pub(super) fn count(&mut self, entry: &Entry) {
        // That a life was opened is said at the desk, which promises it, and by the life itself, which counts.
        if entry.kind != Kind::LifeOpened || entry.event.is_some() {
            *self.0.entry(entry.kind).or_default() += 1;
        }
    }
}

impl Record {
    /// How many entries of this kind were taken since the start.
    #[must_use]
    pub fn taken(&self, kind: Kind) -> u64 {
        self.lock().tally.0.get(&kind).copied().unwrap_or(0)
    }

    /// How many entries no checkpoint stands behind yet.
    #[must_use]
    pub fn unsigned(&self) -> u64 {
        let state = self.lock();
        state.known.n.saturating_sub(state.known.signed.0)
    }
}
