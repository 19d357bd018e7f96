//! Decisions that hold up nobody else: most end at once, and those that do not have few threads of their own.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::limits;
use crate::policy::{Decision, PolicySet, Question};

/// The turns of decisions that take long.
pub(super) struct Deciding {
    slow: Semaphore,
}

impl Deciding {
    /// As many turns as leave half of the processors to everything else.
    pub(super) fn new() -> Deciding {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Deciding { slow: Semaphore::new((processors / 2).max(1)) }
    }

    /// What the policies say. A decision is a pure function, so one that did not end at once is begun again: handing
    /// each over to another thread would cost all of them what few of them need.
    pub(super) async fn decide(&self, set: &PolicySet, question: &Question<'_>) -> Decision {
        let at_once = Duration::from_millis(limits::DECISION_AT_ONCE_MILLISECONDS_MAX);
        match set.decide_within(question, at_once) {
            Decision::Timeout => {}
            decided => return decided,
        }
        let patience = Duration::from_secs(limits::DECISION_TURN_SECONDS_MAX);
        match tokio::time::timeout(patience, self.slow.acquire()).await {
            Ok(Ok(_turn)) => apart(|| set.decide(question)),
            _ => Decision::Timeout,
        }
    }
}

/// Works while another thread takes over what waits behind this one. A runtime of one thread has no other.
fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => work(),
        _ => tokio::task::block_in_place(work),
    }
}
