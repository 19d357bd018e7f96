//! The store in a file.

use std::sync::Arc;

use farebox::limits::CLOCK_STEP_SECONDS_MAX;
use farebox::store::{Embedded, GrantStore};
use farebox_verifier::{Answer, Clock as _, ManualClock, SpendStore, StoreName, UnixSeconds};
use tempfile::TempDir;

use super::draft::POLICY;
use super::subject::{Clocked, Ending, Subject};
use crate::world::NOW;

struct InFile {
    clock: Arc<ManualClock>,
    store: Arc<Embedded>,
    /// The file goes with the test.
    _folder: TempDir,
}

fn in_file() -> InFile {
    let clock = Arc::new(ManualClock::at(NOW));
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = (folder.path().join("store"), StoreName::parse("embedded").unwrap());
    let (store, _) = Embedded::open(&path, name, Arc::clone(&clock) as _, POLICY).unwrap();
    InFile { clock, store: Arc::new(store), _folder: folder }
}

impl Subject for InFile {
    fn store(&self) -> Arc<dyn GrantStore> {
        Arc::clone(&self.store) as _
    }

    fn spender(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.store) as _
    }

    fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.clock.advance(seconds);
        Box::pin(async {})
    }
}

impl Clocked for InFile {
    fn set_clock(&self, now: UnixSeconds) {
        self.clock.set(now);
    }
}

impl Ending for InFile {
    /// A clock that is set back so far ends a life in good order.
    fn end(&self) -> Answer<'_, ()> {
        self.clock.set(self.clock.now().minus(CLOCK_STEP_SECONDS_MAX + 1));
        Box::pin(async {})
    }
}

grant_store_contract!(in_file());
grant_store_clock_contract!(in_file());
grant_store_ending_contract!(in_file());
