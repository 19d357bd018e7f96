//! Latencies: how long things took, counted rather than kept, so that twenty minutes take no more memory than one.

use std::time::Duration;

/// Places for each doubling: a latency is known to one part in 64.
const PLACES: usize = 64;
/// What is shorter than so many nanoseconds has a place each.
const EXACT: usize = 2 * PLACES;
/// The longest that is told apart is about 2^40 ns, a quarter of an hour.
const DOUBLINGS: usize = 33;

/// How often things took how long.
#[derive(Clone, Debug)]
pub struct Latencies {
    counts: Vec<u64>,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies { counts: vec![0; EXACT + DOUBLINGS * PLACES] }
    }
}

impl Latencies {
    pub(super) fn add(&mut self, took: Duration) {
        let last = self.counts.len().saturating_sub(1);
        let place = place(usize::try_from(took.as_nanos()).unwrap_or(usize::MAX));
        if let Some(count) = self.counts.get_mut(place.min(last)) {
            *count += 1;
        }
    }

    pub(super) fn add_all(&mut self, others: &Latencies) {
        self.counts.iter_mut().zip(&others.counts).for_each(|(count, more)| *count += more);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// So many of a hundred took no longer than this, to one part in 64.
    #[must_use]
    pub fn percentile(&self, of_hundred: u64) -> Duration {
        let wanted = self.count().saturating_mul(of_hundred).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        let nanos = reached.map_or(0, longest);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

fn place(nanos: usize) -> usize {
    let Some(above) = nanos.checked_ilog2().and_then(|log| log.checked_sub(EXACT.ilog2())) else {
        return nanos;
    };
    // Of a longer one its first seven bits count, the first of which is always set.
    let doubling = usize::try_from(above).unwrap_or(DOUBLINGS);
    EXACT + doubling * PLACES + (nanos >> (above + 1)) - PLACES
}

/// The longest that has this place.
fn longest(place: usize) -> usize {
    let Some(beyond) = place.checked_sub(EXACT) else { return place };
    let (doubling, within) = (beyond / PLACES, beyond % PLACES);
    ((PLACES + within + 1) << (doubling + 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_known_to_one_part_in_64() {
        for nanos in
            (0..40).flat_map(|bits| [(1_usize << bits) - 1, 1 << bits, (1 << bits) * 4 / 3])
        {
            let known = longest(place(nanos));
            assert!(known >= nanos && known - nanos <= nanos / 64, "{nanos} is {known}");
        }
    }

    #[test]
    fn places_follow_each_other_without_a_gap() {
        let all = EXACT + DOUBLINGS * PLACES;
        assert!((0..all).all(|at| place(longest(at)) == at && place(longest(at) + 1) == at + 1));
    }

    #[test]
    fn a_percentile_is_one_of_the_latencies() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.count(), latencies.percentile(99)), (0, Duration::ZERO));
        (1..=200).for_each(|millis| latencies.add(Duration::from_millis(millis)));
        let mut twice = latencies.clone();
        twice.add_all(&latencies);
        for (of_hundred, millis) in [(1, 2), (50, 100), (99, 198), (100, 200)] {
            for latencies in [&latencies, &twice] {
                let found = latencies.percentile(of_hundred).as_nanos();
                let exact = Duration::from_millis(millis).as_nanos();
                assert!((exact..=exact * 65 / 64).contains(&found), "{of_hundred}: {found}");
            }
        }
        assert_eq!((latencies.count(), twice.count()), (200, 400));
        latencies.add(Duration::from_hours(9_999));
        assert!(latencies.percentile(100) > Duration::from_mins(10));
    }
}
