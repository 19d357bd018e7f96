//! Many who want the same tokens at once.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::tally::{Tally, Verdict};
use crate::until::PATIENCE;

/// In which order each claimant takes the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All in the same one: they meet at every token.
    Racing,
    /// Each begins elsewhere and takes all: every token is tried again later.
    Scattered,
    /// Each has tokens of its own: they share nothing but the store.
    Apart,
}

/// So many threads, each of which claims tokens one after another.
///
/// The closure that claims is called from these threads: over an asynchronous store it is
/// `|token, claimant| handle.block_on(…)`, with a runtime that has threads of its own.
#[derive(Clone, Copy, Debug)]
pub struct Claimants {
    count: usize,
    order: Order,
}

/// How far the claimants are, for a fault that is to come in the middle.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    granted: usize,
    at_work: usize,
    stopped: bool,
}

impl Claimants {
    /// So many, in this order.
    #[must_use]
    pub fn new(count: usize, order: Order) -> Claimants {
        Claimants { count, order }
    }

    /// Has them claim these tokens: `claim(token, claimant)`.
    pub fn run(
        &self,
        tokens: Range<usize>,
        claim: impl Fn(usize, usize) -> Verdict + Sync,
    ) -> Tally {
        self.run_during(tokens, claim, |_| {})
    }

    /// Has them claim these tokens while this thread brings about a fault, and returns when both are
    /// done, or the fault has told them to stop.
    ///
    /// # Panics
    /// Where a claim does.
    pub fn run_during(
        &self,
        tokens: Range<usize>,
        claim: impl Fn(usize, usize) -> Verdict + Sync,
        fault: impl FnOnce(&Progress),
    ) -> Tally {
        let progress = Progress::default();
        progress.state().at_work = self.count;
        let work = |claimant| {
            let at_work = AtWork(&progress);
            let mut tally = Tally::new();
            for token in self.tokens_of(claimant, tokens.clone()) {
                if progress.state().stopped {
                    break;
                }
                let verdict = claim(token, claimant);
                tally.add(token, claimant, verdict);
                progress.note(verdict);
            }
            drop(at_work);
            tally
        };
        let work = &work;
        thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.count).map(|claimant| scope.spawn(move || work(claimant))).collect();
            fault(&progress);
            let mut all = Tally::new();
            threads.into_iter().for_each(|thread| all.absorb(thread.join().unwrap()));
            all
        })
    }

    fn tokens_of(self, claimant: usize, tokens: Range<usize>) -> impl Iterator<Item = usize> {
        let (first, length) = (tokens.start, tokens.len());
        let (begin, step) = match self.order {
            Order::Racing => (0, 1),
            Order::Scattered => (claimant * length / self.count, 1),
            Order::Apart => (claimant, self.count),
        };
        let own = if step == 1 { length } else { length.saturating_sub(begin).div_ceil(step) };
        (0..own).map(move |n| first + (begin + n * step) % length)
    }
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, verdict: Verdict) {
        let mut state = self.state();
        state.calls += 1;
        state.granted += usize::from(verdict == Verdict::Granted);
        self.changed.notify_all();
    }

    /// Waits until so many claims have been answered.
    ///
    /// # Panics
    /// Where there are not so many: the fault would come when all is over.
    pub fn wait_for_calls(&self, count: usize) {
        self.wait_for(count, "answers", |state| state.calls);
    }

    /// Waits until so many claims have been granted.
    ///
    /// # Panics
    /// Where there are not so many: the fault would come when all is over.
    pub fn wait_for_grants(&self, count: usize) {
        self.wait_for(count, "grants", |state| state.granted);
    }

    /// No claim is begun any more.
    pub fn stop(&self) {
        self.state().stopped = true;
    }

    fn wait_for(&self, count: usize, what: &str, counted: impl Fn(&State) -> usize) {
        let waited = self.changed.wait_timeout_while(self.state(), PATIENCE, |state| {
            counted(state) < count && state.at_work > 0
        });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let had = counted(&state);
        assert!(had >= count, "{had} {what} instead of {count}, {} at work", state.at_work);
    }
}

/// Says that a claimant has ended, also where its claim has panicked.
struct AtWork<'a>(&'a Progress);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.state().at_work -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn each_order_offers_every_token() {
        for (order, calls) in [(Order::Racing, 21), (Order::Scattered, 21), (Order::Apart, 7)] {
            let called = AtomicUsize::new(0);
            let tally = Claimants::new(3, order).run(10..17, |token, _| {
                assert!((10..17).contains(&token));
                called.fetch_add(1, SeqCst);
                Verdict::Granted
            });
            assert_eq!((tally.offered(), called.into_inner()), (7, calls), "{order:?}");
        }
    }

    #[test]
    fn a_store_that_grants_to_everybody_is_seen_to() {
        let tally = Claimants::new(2, Order::Racing).run(0..5, |_, _| Verdict::Granted);
        assert_eq!((tally.spent_once(), tally.spent_twice()), (0, 5));
    }

    #[test]
    fn who_is_told_to_stop_begins_nothing_more() {
        let gate = Mutex::new(());
        let held = gate.lock().unwrap();
        let mut held = Some(held);
        let claim = |_, _| {
            drop(gate.lock().unwrap());
            Verdict::Refused
        };
        let tally = Claimants::new(2, Order::Apart).run_during(0..1000, claim, |progress| {
            progress.stop();
            held.take();
        });
        assert!(tally.offered() <= 2, "{} were tried", tally.offered());
    }
}
