//! A clock that doubts a leap: the system's, held to the time that has really passed.
//!
//! What an issuer keeps is forgotten when its time is over, and the highest time that was seen counts. One look
//! at a clock that a slip has set a year ahead would make it forget everything that has not ended; so a leap
//! ahead is believed once it has stood for a while, and a step back at once: no token lives longer by it, and
//! what rests on memory of a time looks both ways.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farebox_verifier::{Clock, UnixSeconds};
use tokio::time::Instant;

use crate::limits;

/// The two clocks of an issuer.
#[derive(Clone)]
pub struct Clocks {
    /// What time it is said to be: by it tokens and credentials end, so that after a suspended hour none of them
    /// serves for a minute longer.
    pub wall: Arc<dyn Clock>,
    /// What is believed: by it things begin, and are forgotten.
    pub steady: Arc<dyn Clock>,
}

impl Clocks {
    /// The system's clock, and the doubt about it.
    #[must_use]
    pub fn doubting(wall: Arc<dyn Clock>) -> Clocks {
        let steady = Arc::new(SteadyClock::over(Arc::clone(&wall)));
        Clocks { wall, steady }
    }

    /// One clock for both: for who moves time himself.
    #[must_use]
    pub fn same(clock: Arc<dyn Clock>) -> Clocks {
        Clocks { wall: Arc::clone(&clock), steady: clock }
    }
}

/// The system's clock, doubted.
pub struct SteadyClock {
    system: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

/// A time that is believed, and when it was looked at.
#[derive(Clone, Copy)]
struct Seen {
    time: UnixSeconds,
    at: Instant,
    /// Since when the clock has been further ahead than it may.
    leapt: Option<Instant>,
}

impl SteadyClock {
    /// A clock that doubts this one.
    #[must_use]
    pub fn over(system: Arc<dyn Clock>) -> SteadyClock {
        let (time, at) = (system.now(), Instant::now());
        SteadyClock { system, seen: Mutex::new(Seen { time, at, leapt: None }) }
    }

    fn now_at(&self, at: Instant) -> UnixSeconds {
        let told = self.system.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = at.saturating_duration_since(seen.at);
        let steady = seen.time.plus(passed.as_secs());
        if told <= steady.plus(limits::LEAP_SECONDS_MAX) {
            *seen = Seen { time: told, at, leapt: None };
            return told;
        }
        let since = *seen.leapt.get_or_insert(at);
        if at.saturating_duration_since(since) >= Duration::from_secs(limits::LEAP_BELIEVED_SECONDS)
        {
            *seen = Seen { time: told, at, leapt: None };
            return told;
        }
        steady
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> UnixSeconds {
        self.now_at(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use farebox_verifier::ManualClock;

    use super::*;

    const START: UnixSeconds = UnixSeconds(1_800_000_000);

    fn clocks() -> (Arc<ManualClock>, SteadyClock, Instant) {
        let system = Arc::new(ManualClock::at(START));
        let steady = SteadyClock::over(Arc::clone(&system) as _);
        let start = steady.seen.lock().unwrap().at;
        (system, steady, start)
    }

    #[test]
    fn one_look_at_a_clock_far_ahead_is_not_believed() {
        let (system, steady, start) = clocks();
        system.advance(86_400 * 365);
        assert_eq!(steady.now_at(start + Duration::from_secs(2)), START.plus(2));
        system.set(START.plus(3));
        assert_eq!(steady.now_at(start + Duration::from_secs(3)), START.plus(3));
        assert!(steady.seen.lock().unwrap().leapt.is_none());
    }

    #[test]
    fn a_leap_that_stays_is_believed() {
        let (system, steady, start) = clocks();
        system.advance(7_200);
        assert_eq!(steady.now_at(start), START);
        let later = limits::LEAP_BELIEVED_SECONDS;
        system.advance(later);
        assert_eq!(steady.now_at(start + Duration::from_secs(later)), START.plus(7_200 + later));
    }

    #[test]
    fn a_step_back_is_passed_on() {
        let (system, steady, start) = clocks();
        system.set(START.minus(600));
        assert_eq!(steady.now_at(start + Duration::from_secs(1)), START.minus(600));
    }
}
