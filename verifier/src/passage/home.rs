//! Where a grant goes whose handler lets go of it without a word: back to the gate.

use std::sync::{Arc, Mutex, PoisonError};

use super::Spent;

/// A place that one [`Spent`] comes back to.
#[derive(Clone, Default)]
pub(crate) struct Home(Arc<Mutex<Door>>);

#[derive(Default)]
enum Door {
    #[default]
    Open,
    Arrived(Spent),
    /// The gate has looked and gone; whoever comes late is handed to this.
    Closed(Box<dyn FnOnce(Spent) + Send>),
}

impl Home {
    pub(super) fn put(&self, spent: Spent) {
        // A panic while it was held left it whole: each change is one move.
        let mut door = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *door) {
            Door::Closed(late) => {
                drop(door);
                late(spent);
            }
            Door::Open | Door::Arrived(_) => *door = Door::Arrived(spent),
        }
    }

    /// What came home, if anything did; what comes after this is handed to `late`.
    pub(crate) fn close(&self, late: impl FnOnce(Spent) + Send + 'static) -> Option<Spent> {
        let mut door = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *door, Door::Closed(Box::new(late))) {
            Door::Arrived(spent) => Some(spent),
            Door::Open | Door::Closed(_) => None,
        }
    }
}
