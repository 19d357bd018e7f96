//! Ids that come to nothing: whether a store must refuse them for good, and how often one caller may ask for that.
//!
//! A store remembers each id that it refuses for good, for as long as a late registration could matter, and has room
//! for so many. Whoever asks again and again under one key, and is refused each time before anything is registered,
//! must not fill that room: others, whose registrations are in doubt, need it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use farebox_verifier::{Agent, GrantId, UnixSeconds};

use super::collect::Paid;
use super::{Refused, Wanted};
use crate::limits;

/// Ids under which surely nothing is registered: a key passes on from them as it is. After a start nobody knows that
/// any more, and they are given up like all others.
#[derive(Default)]
pub(super) struct Unregistered(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    ids: HashSet<GrantId>,
    order: VecDeque<GrantId>,
}

impl Unregistered {
    /// Nothing is registered under this id, and nothing will be. Without a key or an approval nobody asks for it again.
    pub(super) fn keep(&self, wanted: &Wanted, paid: &Paid<'_>, grant: GrantId) {
        if wanted.key.is_some() || matches!(paid, Paid::By(_)) {
            self.keep_id(grant);
        }
    }

    fn keep_id(&self, grant: GrantId) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.ids.insert(grant) {
            latest.order.push_back(grant);
        }
        if latest.order.len() > limits::UNREGISTERED_MAX
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.ids.remove(&oldest);
        }
    }

    /// Whether nothing is registered under this id. Asked once: the key stands for another one from then on.
    pub(super) fn take(&self, grant: GrantId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ids.remove(&grant)
    }
}

/// How many ids were given up for each caller, since the count was begun anew.
#[derive(Default)]
pub(super) struct GivenUp(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    since: Option<UnixSeconds>,
    callers: HashMap<Agent, u32>,
}

impl GivenUp {
    /// Counts one more for this caller.
    pub(super) fn count(&self, caller: &Agent, now: UnixSeconds) -> Result<(), Refused> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.since.is_none_or(|since| now >= since.plus(limits::ABANDONED_SECONDS)) {
            *counted = Counted { since: Some(now), callers: HashMap::new() };
        }
        let count = counted.callers.entry(caller.clone()).or_default();
        if *count >= limits::ABANDONED_PER_CALLER_MAX {
            return Err(Refused::TooManyGivenUp);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    #[test]
    fn no_caller_fills_a_stores_memory_of_ids() {
        let (given_up, greedy, other) =
            (GivenUp::default(), Agent::parse("key:a").unwrap(), Agent::parse("key:b").unwrap());
        for _ in 0..limits::ABANDONED_PER_CALLER_MAX {
            given_up.count(&greedy, NOW).unwrap();
        }
        let late = NOW.plus(limits::ABANDONED_SECONDS - 1);
        assert_eq!(given_up.count(&greedy, late), Err(Refused::TooManyGivenUp));
        assert_eq!(given_up.count(&other, late), Ok(()));
        // What was counted on both sides of a new beginning is remembered at once, and still far from all.
        let most = usize::try_from(2 * limits::ABANDONED_PER_CALLER_MAX).unwrap();
        assert!(most <= limits::ABANDONED_MAX / 8);
        assert_eq!(given_up.count(&greedy, late.plus(1)), Ok(()));
    }

    #[test]
    fn an_id_is_known_once_and_the_oldest_of_too_many_is_forgotten() {
        let unregistered = Unregistered::default();
        let id = |number: usize| GrantId::from_bytes((number as u128).to_be_bytes());
        for number in 0..=limits::UNREGISTERED_MAX {
            unregistered.keep_id(id(number));
        }
        assert!(!unregistered.take(id(0)));
        assert!(unregistered.take(id(1)) && !unregistered.take(id(1)));
    }
}
