//! How long a server is left alone after it could not be had.

use std::time::Duration;

use crate::crypto;

/// The least: a server that restarts is back within a second, and twenty attempts do not hurt it.
const REST_MIN: Duration = Duration::from_millis(50);
/// The most: nobody waits longer than this for a server that is back.
pub(super) const REST_MAX: Duration = Duration::from_secs(2);

/// The rest after so many failures in a row: twice as long each time, from 50 ms to 2 s.
pub(super) fn rest(failures: u32) -> Duration {
    // Without random bytes everybody comes back at once, which is a nuisance and no more.
    rest_by(failures, crypto::random().map_or(u32::MAX, u32::from_le_bytes))
}

/// Half of it is left to chance, so that processes that lost a server together do not return together.
fn rest_by(failures: u32, chance: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let most = REST_MIN.saturating_mul(2 << doublings).min(REST_MAX);
    let half = most / 2;
    half + half.saturating_mul(chance >> 16) / (u32::MAX >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_from_fifty_milliseconds_to_two_seconds() {
        let least: Vec<u128> = (1..9).map(|n| rest_by(n, 0).as_millis()).collect();
        assert_eq!(least, [50, 100, 200, 400, 800, 1000, 1000, 1000]);
        let most: Vec<u128> = (1..9).map(|n| rest_by(n, u32::MAX).as_millis()).collect();
        assert_eq!(most, [100, 200, 400, 800, 1600, 2000, 2000, 2000]);
        assert_eq!(rest_by(u32::MAX, u32::MAX), REST_MAX);
    }

    #[test]
    fn chance_spreads_those_who_return() {
        let rests: std::collections::BTreeSet<Duration> = (0..32).map(|_| rest(3)).collect();
        assert!(rests.len() > 16, "{rests:?}");
    }
}
