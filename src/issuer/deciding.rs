//! Decisions that hold up nobody else: most end at once, and those that do not have few threads of their own.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use super::Issuer;
use crate::limits;
use crate::policy::{Decision, PolicySet, Question};

/// The turns of decisions that take long, and what came of all of them.
pub(super) struct Deciding {
    slow: Semaphore,
    allowed: AtomicU64,
    denied: AtomicU64,
    failed: AtomicU64,
    late: AtomicU64,
    evidence_refused: AtomicU64,
}

impl Deciding {
    /// As many turns as leave half of the processors to everything else.
    pub(super) fn new() -> Deciding {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let slow = Semaphore::new((processors / 2).max(1));
        let [allowed, denied, failed, late, evidence_refused] = Default::default();
        Deciding { slow, allowed, denied, failed, late, evidence_refused }
    }

    /// What the policies say.
    pub(super) async fn decide(&self, set: &PolicySet, question: &Question<'_>) -> Decision {
        let decision = self.decided(set, question).await;
        let count = match &decision {
            Decision::Allowed { .. } => &self.allowed,
            Decision::Denied { .. } => &self.denied,
            Decision::Error { .. } => &self.failed,
            Decision::Timeout => &self.late,
        };
        count.fetch_add(1, Ordering::Relaxed);
        decision
    }

    /// A statement of a third party did not hold, so nothing was decided.
    pub(super) fn refuse_evidence(&self) {
        self.evidence_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A decision is a pure function, so one that did not end at once is begun again: handing
    /// each over to another thread would cost all of them what few of them need.
    async fn decided(&self, set: &PolicySet, question: &Question<'_>) -> Decision {
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

impl Issuer {
    /// How often the policies were asked since the start, by what they said.
    #[must_use]
    pub fn decisions(&self) -> [(&'static str, u64); 4] {
        let Deciding { allowed, denied, failed, late, .. } = &self.deciding;
        [("allow", allowed), ("deny", denied), ("error", failed), ("timeout", late)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }

    /// How many requests came with evidence that does not hold.
    #[must_use]
    pub fn evidence_refused(&self) -> u64 {
        self.deciding.evidence_refused.load(Ordering::Relaxed)
    }

    /// How many events of the ledger are not in the record yet.
    #[must_use]
    pub fn ledger_lag(&self) -> u64 {
        let journal = self.ledger.journal();
        journal.last.saturating_sub(journal.drained)
    }
}

/// Works while another thread takes over what waits behind this one. A runtime of one thread has no other.
fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => work(),
        _ => tokio::task::block_in_place(work),
    }
}
