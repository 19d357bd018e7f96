//! A tally: what came of a turn.

use std::collections::BTreeMap;
use std::time::Duration;

use super::latencies::Latencies;

/// What came of a turn. What was refused was not done, and its time is nobody's latency.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    took: Duration,
    latencies: Latencies,
    refused: BTreeMap<Box<str>, u64>,
}

impl Tally {
    /// One of a turn that took so long.
    pub(super) fn over(took: Duration) -> Tally {
        Tally { took, ..Tally::default() }
    }

    pub(super) fn done_in(&mut self, took: Duration) {
        self.latencies.add(took);
    }

    pub(super) fn refused_by(&mut self, code: Box<str>) {
        *self.refused.entry(code).or_default() += 1;
    }

    /// Adds what came of another turn, which came after this one or took place beside it, in no time of its own.
    pub fn add(&mut self, other: &Tally) {
        self.took += other.took;
        self.latencies.add_all(&other.latencies);
        for (code, count) in &other.refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
    }

    /// How many were done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.latencies.count()
    }

    /// How many were done in a second.
    #[must_use]
    pub fn per_second(&self) -> u64 {
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        self.done().saturating_mul(1_000_000) / micros.max(1)
    }

    /// How long those took that were done.
    #[must_use]
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// How many were refused by each code.
    #[must_use]
    pub fn refused(&self) -> &BTreeMap<Box<str>, u64> {
        &self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_add_up_and_what_is_refused_is_not_done() {
        let mut turn = Tally::over(Duration::from_secs(2));
        (0..30).for_each(|_| turn.done_in(Duration::from_millis(1)));
        (0..90).for_each(|_| turn.refused_by("rate-limited".into()));
        assert_eq!((turn.done(), turn.per_second()), (30, 15));
        let mut both = turn.clone();
        both.add(&turn);
        assert_eq!((both.done(), both.per_second()), (60, 15));
        assert_eq!(both.refused().get("rate-limited"), Some(&180));
        let never = Tally::default();
        assert_eq!((never.done(), never.per_second()), (0, 0));
    }
}
