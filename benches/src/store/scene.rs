//! A server as an operator would run it, and an issuer on it.

use std::sync::Arc;

use farebox::store::budget::Hold;
use farebox::store::drain::{Archive, Drain, Gap, NotKept};
use farebox::store::event::Event;
use farebox::store::redis::{Fleet, Servers};
use farebox::store::registration::Registration;
use farebox::store::{GrantStore, Ledger, LifeId};
use farebox_lab::{Fsync, Options, Redis};
use farebox_verifier::redis::{Address, RedisStore, Topology, Waits};
use farebox_verifier::{
    Action, Agent, Answer, Audience, Clock as _, Grant, GrantId, Params, PolicyHash, Resource,
    Step, StoreName, SystemClock, Uses, Window, Workflow,
};

pub const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
const TTL_SECONDS: u64 = 1_800;

pub struct Scene {
    pub redis: Redis,
    pub fleet: Arc<Fleet>,
    pub spender: Arc<RedisStore>,
    pub ledger: Arc<Ledger>,
}

/// A server with an append-only file that is synced each second, as it is shipped.
pub async fn scene() -> Scene {
    let start = || Redis::start(Options::plain().aof(Fsync::EverySecond));
    let redis = tokio::task::spawn_blocking(start).await.unwrap();
    let name = StoreName::parse("r1").unwrap();
    let address = Address::parse(name, &redis.url(), None).unwrap();
    let spender = || RedisStore::new(Topology::Single, vec![address.clone()], Waits::default());
    let servers = Servers {
        topology: Topology::Single,
        addresses: vec![address.clone()],
        spender: spender().unwrap(),
        waits: Waits::default(),
        issuer: 0,
        issuers: 1,
    };
    let ledger = Arc::new(Ledger::in_memory(Arc::new(SystemClock)));
    let beside = Arc::clone(&ledger);
    let fleet = Fleet::new(servers, Arc::new(SystemClock), POLICY, beside).unwrap();
    let wrong = fleet.tend().await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let (fleet, spender) = (Arc::new(fleet), Arc::new(spender().unwrap()));
    Scene { redis, fleet, spender, ledger }
}

/// A grant as they come: a workflow's step of one of a thousand agents.
pub fn registration(number: usize) -> Registration {
    let step = Step::parse("3").unwrap();
    let grant = Grant {
        id: GrantId::fresh().unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: Params::parse(b"{}").unwrap().digest(),
        audience: Audience::parse("payments-api").unwrap(),
        window: Window::minted(SystemClock.now(), TTL_SECONDS).unwrap(),
        agent: Agent::parse(&format!("spiffe://acme/agents/a{}", number % 1_000)).unwrap(),
        policy: POLICY,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: Some((Workflow::parse(&format!("run-{}", number % 5_000)).unwrap(), step)),
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    };
    Registration::of(&grant, 17, Vec::new())
}

/// Lets go of every event, so that the journal of a long run stays short.
pub async fn drain(store: Arc<dyn GrantStore>) {
    struct Nowhere;
    impl Archive for Nowhere {
        fn cursor(&self, _: &LifeId) -> u64 {
            0
        }
        fn keep<'a>(&'a self, _: &'a LifeId, _: &'a [Event]) -> Answer<'a, Result<(), NotKept>> {
            Box::pin(async { Ok(()) })
        }
        fn gap<'a>(&'a self, _: &'a LifeId, gap: &'a Gap) -> Answer<'a, Result<(), NotKept>> {
            Box::pin(async move {
                if matches!(gap, Gap::Ending { .. }) { Err(NotKept) } else { Ok(()) }
            })
        }
        fn held(&self, _: GrantId) -> Vec<Hold> {
            Vec::new()
        }
        fn given_back<'a>(&'a self, _: &'a Hold) -> Answer<'a, Result<(), NotKept>> {
            Box::pin(async { Ok(()) })
        }
    }
    let round = Drain::new(store, Arc::new(Nowhere), "bench", 1).round().await;
    assert_eq!(round.failed, 0, "{round:?}");
}
