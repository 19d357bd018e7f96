//! Rates: how often each caller may ask, by a bucket that fills as time passes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So often in each second, in the long run.
    pub per_second: u64,
    /// So often at once, after a pause.
    pub burst: u64,
}

/// One use of a bucket, in millionths.
const ONE: u64 = 1_000_000;

/// One bucket for each name that asks.
pub(super) struct Rates {
    rate: Rate,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    by_name: HashMap<String, Bucket>,
    /// When full ones were last thrown away.
    swept: Option<Instant>,
}

/// Looking through all buckets takes milliseconds, in which nobody else takes anything.
const SWEPT_EACH: Duration = Duration::from_secs(1);

/// What one caller has left.
struct Bucket {
    /// In millionths: what passes between two calls is never rounded to nothing.
    left: u64,
    at: Instant,
}

impl Rates {
    pub(super) fn new(rate: Rate) -> Rates {
        Rates { rate, buckets: Mutex::default() }
    }

    /// Takes one, or says after how many seconds there is one again.
    pub(super) fn take(&self, name: &str) -> Result<(), u64> {
        self.take_at(name, Instant::now())
    }

    /// Whether there is one to take, or after how many seconds there is. Takes none.
    pub(super) fn look(&self, name: &str) -> Result<(), u64> {
        self.look_at(name, Instant::now())
    }

    fn look_at(&self, name: &str, now: Instant) -> Result<(), u64> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let left = buckets.by_name.get(name).map(|bucket| bucket.filled(self.rate, now));
        left.filter(|left| *left < ONE).map_or(Ok(()), |left| Err(self.wait(left)))
    }

    fn take_at(&self, name: &str, now: Instant) -> Result<(), u64> {
        let full = self.rate.burst.max(1).saturating_mul(ONE);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.by_name.len() >= limits::RATED_MAX && !buckets.by_name.contains_key(name) {
            let since = buckets.swept.map(|swept| now.saturating_duration_since(swept));
            if since.is_none_or(|since| since >= SWEPT_EACH) {
                buckets.swept = Some(now);
                // Who has a full bucket is as good as unknown.
                buckets.by_name.retain(|_, bucket| bucket.filled(self.rate, now) < full);
            }
            if buckets.by_name.len() >= limits::RATED_MAX {
                return Err(1);
            }
        }
        let by_name = &mut buckets.by_name;
        let bucket =
            by_name.entry(name.to_owned()).or_insert_with(|| Bucket { left: full, at: now });
        bucket.left = bucket.filled(self.rate, now).min(full);
        bucket.at = now;
        match bucket.left.checked_sub(ONE) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err(self.wait(bucket.left)),
        }
    }

    /// In how many seconds there is one again.
    fn wait(&self, left: u64) -> u64 {
        ONE.saturating_sub(left).div_ceil(self.rate.per_second.max(1)).div_ceil(1_000_000)
    }
}

impl Bucket {
    fn filled(&self, rate: Rate, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.at).min(Duration::from_secs(3_600));
        let passed = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        self.left.saturating_add(passed.saturating_mul(rate.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_the_rate_and_one_caller_takes_nothing_of_anothers() {
        let rates = Rates::new(Rate { per_second: 2, burst: 3 });
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        assert!((0..3).all(|_| rates.take_at("a", start).is_ok()));
        assert_eq!(rates.take_at("a", start), Err(1));
        assert_eq!(rates.look_at("a", start), Err(1));
        assert!((0..9).all(|_| rates.look_at("a", after(500)).is_ok()));
        assert_eq!(rates.take_at("b", start), Ok(()));
        assert_eq!(rates.take_at("a", after(499)), Err(1));
        assert_eq!(rates.take_at("a", after(500)), Ok(()));
        assert_eq!(rates.take_at("a", after(500)), Err(1));
        assert!((0..3).all(|_| rates.take_at("a", after(60_000)).is_ok()));
        assert_eq!(rates.take_at("a", after(60_000)), Err(1));
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let rates = Rates::new(Rate { per_second: 10, burst: 1 });
        let start = Instant::now();
        for name in 0..limits::RATED_MAX {
            assert_eq!(rates.take_at(&name.to_string(), start), Ok(()));
        }
        assert!(rates.take_at("one more", start).is_err());
        // There would be room by now, and nobody looks for it so soon again.
        assert!(rates.take_at("one more", start + Duration::from_millis(999)).is_err());
        assert_eq!(rates.take_at("one more", start + Duration::from_secs(1)), Ok(()));
    }
}
