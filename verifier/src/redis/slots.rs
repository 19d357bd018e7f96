//! Slots: how many questions may await their answers at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::unanswered::Why;

/// The slots of one link; clones share them.
#[derive(Clone)]
pub(super) struct Slots {
    free: Arc<Semaphore>,
    max: usize,
}

/// One of them, until it is dropped.
pub(super) struct Slot(#[expect(dead_code, reason = "kept for its drop")] OwnedSemaphorePermit);

impl Slots {
    pub(super) fn new(max: usize) -> Slots {
        Slots { free: Arc::new(Semaphore::new(max)), max }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// A slot, at the latest then.
    pub(super) async fn take(&self, latest: Instant) -> Result<Slot, Why> {
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(Slot(slot));
        }
        match timeout_at(latest, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(Slot(slot)),
            Ok(Err(_)) | Err(_) => Err(Why::Busy),
        }
    }
}
