//! The one clock: whole seconds, because the token's dates have no more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The last second of the year 9999, after which RFC 3339 cannot say when.
    pub const MAX: UnixSeconds = UnixSeconds(253_402_300_799);

    /// So many seconds later, or the last second that can be said.
    #[must_use]
    pub fn plus(self, seconds: u64) -> UnixSeconds {
        UnixSeconds(self.0.saturating_add(seconds).min(Self::MAX.0))
    }

    /// So many seconds earlier, or 1970.
    #[must_use]
    pub fn minus(self, seconds: u64) -> UnixSeconds {
        UnixSeconds(self.0.saturating_sub(seconds))
    }

    /// The calendar's word for it.
    #[must_use]
    pub fn date(self) -> OffsetDateTime {
        i64::try_from(self.0.min(Self::MAX.0))
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for UnixSeconds {
    fn from(date: OffsetDateTime) -> UnixSeconds {
        UnixSeconds(u64::try_from(date.unix_timestamp()).unwrap_or(0))
    }
}

impl std::fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = &time::format_description::well_known::Rfc3339;
        self.date().format(format).map_or(Err(std::fmt::Error), |text| f.write_str(&text))
    }
}

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> UnixSeconds;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
        let now = SystemTime::now();
        // A clock before 1970 finds every token not yet valid, which refuses.
        UnixSeconds(now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs())
    }
}

/// A clock that stands until it is moved: for tests, and for asking what held at another time.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: UnixSeconds) -> ManualClock {
        ManualClock(AtomicU64::new(now.0))
    }

    /// Moves the clock to `now`, forward or back.
    pub fn set(&self, now: UnixSeconds) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(self.0.load(Ordering::SeqCst))
    }
}
