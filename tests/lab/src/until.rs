//! Waiting for what a server will show, and only as long as it takes.

use std::thread;
use std::time::{Duration, Instant};

/// Long for anything that happens on one machine, however busy; nobody waits for it but when it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at what cannot be waited for in another way: another process' state.
const LOOK: Duration = Duration::from_millis(2);

/// Returns once this holds, and how long that took.
///
/// # Panics
/// Where it does not hold within half a minute: `what` is then what did not come.
pub fn until(what: &str, holds: impl FnMut() -> bool) -> Duration {
    comes(holds).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// The same, for whoever has more to say of it: nothing, where it does not hold in that time.
pub(crate) fn comes(mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return None;
        }
        thread::sleep(LOOK);
    }
    Some(start.elapsed())
}
