//! The store in memory.

use std::sync::Arc;

use farebox::limits::CLOCK_STEP_SECONDS_MAX;
use farebox::store::{GrantStore, Memory};
use farebox_verifier::{Answer, Clock as _, ManualClock, SpendStore, StoreName, UnixSeconds};

use super::draft::POLICY;
use super::subject::{Clocked, Ending, Subject};
use crate::world::NOW;

struct InMemory {
    clock: Arc<ManualClock>,
    store: Arc<Memory>,
}

fn in_memory() -> InMemory {
    let clock = Arc::new(ManualClock::at(NOW));
    let name = StoreName::parse("memory").unwrap();
    let store = Memory::open(name, Arc::clone(&clock) as _, POLICY).unwrap();
    InMemory { clock, store: Arc::new(store) }
}

impl Subject for InMemory {
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

impl Clocked for InMemory {
    fn set_clock(&self, now: UnixSeconds) {
        self.clock.set(now);
    }
}

impl Ending for InMemory {
    /// A clock that is set back so far ends a life in good order.
    fn end(&self) -> Answer<'_, ()> {
        self.clock.set(self.clock.now().minus(CLOCK_STEP_SECONDS_MAX + 1));
        Box::pin(async {})
    }
}

grant_store_contract!(in_memory());
grant_store_clock_contract!(in_memory());
grant_store_ending_contract!(in_memory());
