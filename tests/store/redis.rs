//! The store on a real Redis, each test with a server of its own.

use std::sync::Arc;

use farebox::store::GrantStore;
use farebox::store::redis::Fleet;
use farebox_lab::{Options, Redis};
use farebox_verifier::redis::{RedisStore, Topology};
use farebox_verifier::{Answer, Clock as _, SpendStore, UnixSeconds};

use super::draft::POLICY;
use super::subject::{Clocked, Ending, Subject};
use crate::fleet::{MovedClock, fleet, spender, start, waits};

pub(super) struct OnRedis {
    pub(super) redis: Redis,
    clock: Arc<MovedClock>,
    pub(super) store: Arc<Fleet>,
    spender: Arc<RedisStore>,
}

async fn on_redis() -> OnRedis {
    on(Options::plain()).await
}

/// A store on a server that is started like this.
pub(super) async fn on(options: Options) -> OnRedis {
    let redis = start(options.clock()).await;
    let clock = Arc::new(MovedClock::default());
    let ports = [redis.port()];
    let store = fleet(Topology::Single, &ports, waits(), Arc::clone(&clock) as _, POLICY);
    assert_eq!(store.tend().await, []);
    let spender = spender(Topology::Single, &ports, waits());
    OnRedis { redis, clock, store: Arc::new(store), spender: Arc::new(spender) }
}

impl OnRedis {
    fn move_to(&self, offset: i64) {
        self.clock.set_offset(offset);
        self.redis.clock().set_offset_seconds(offset);
    }
}

impl Subject for OnRedis {
    fn store(&self) -> Arc<dyn GrantStore> {
        Arc::clone(&self.store) as _
    }

    fn spender(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.spender) as _
    }

    fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.move_to(self.clock.offset() + i64::try_from(seconds).unwrap());
        Box::pin(async {})
    }
}

impl Clocked for OnRedis {
    fn set_clock(&self, now: UnixSeconds) {
        let by = i64::try_from(now.0).unwrap() - i64::try_from(self.clock.now().0).unwrap();
        self.move_to(self.clock.offset() + by);
    }
}

impl Ending for OnRedis {
    fn end(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.store.close().await;
            assert_eq!(self.store.tend().await, []);
        })
    }
}

grant_store_contract!(on_redis().await);
grant_store_clock_contract!(on_redis().await);
grant_store_ending_contract!(on_redis().await);
