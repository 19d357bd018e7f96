//! Real servers with a fleet on them, each role with its own user and no more rights than it is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use farebox::store::Ledger;
use farebox::store::redis::acl::Role;
use farebox::store::redis::{Fleet, Servers, library};
use farebox_lab::{Options, Redis};
use farebox_verifier::redis::{Address, Link, RedisStore, Topology, Waits};
use farebox_verifier::{Clock, PolicyHash, StoreName, SystemClock, UnixSeconds};

/// Each role's password; the laboratory's servers listen on the loopback and live for seconds.
pub(crate) const PASSWORD: &str = "only-for-tests";

/// The machine's clock, and how far a test has moved it.
#[derive(Default)]
pub(crate) struct MovedClock(AtomicI64);

impl MovedClock {
    pub(crate) fn set_offset(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn offset(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for MovedClock {
    fn now(&self) -> UnixSeconds {
        let now = SystemClock.now();
        UnixSeconds(now.0.saturating_add_signed(self.offset()))
    }
}

/// Options of a server that knows the roles.
pub(crate) fn with_roles(options: Options) -> Options {
    [Role::Issuer, Role::Verifier, Role::Deployer].into_iter().fold(options, |options, role| {
        options.user(&format!("{} {} >{PASSWORD}", role.user(), role.rules().join(" ")))
    })
}

/// Waits as an operator would have them, with patience for a busy machine.
pub(crate) fn waits() -> Waits {
    Waits { call: Duration::from_secs(2), connect: Duration::from_secs(2), ..Waits::default() }
}

/// A server's address, for a role.
pub(crate) fn address(name: &str, port: u16, role: Role) -> Address {
    let url = format!("redis://{}:{PASSWORD}@127.0.0.1:{port}", role.user());
    Address::parse(StoreName::parse(name).unwrap(), &url, None).unwrap()
}

/// The name of a fleet's server, by its place.
pub(crate) fn name(place: usize) -> String {
    format!("r{}", place + 1)
}

/// Loads the library with the deployer's user, as an operator would.
pub(crate) async fn deploy(port: u16) {
    let link = Link::new(address("deployed", port, Role::Deployer), waits());
    library::ensure(&link).await.unwrap();
}

/// The verifier's side of these servers.
pub(crate) fn spender(topology: Topology, ports: &[u16], waits: Waits) -> RedisStore {
    let addresses = ports.iter().enumerate();
    let addresses = addresses.map(|(place, port)| address(&name(place), *port, Role::Verifier));
    RedisStore::new(topology, addresses.collect(), waits).unwrap()
}

/// The issuer's side of these servers, with a ledger that nobody keeps; no life is open yet.
pub(crate) fn fleet(
    topology: Topology,
    ports: &[u16],
    waits: Waits,
    clock: Arc<dyn Clock>,
    policy: PolicyHash,
) -> Fleet {
    let ledger = Arc::new(Ledger::in_memory(Arc::clone(&clock)));
    Fleet::new(servers(topology, ports, waits), clock, policy, ledger).unwrap()
}

/// The servers as the only issuer speaks to them.
pub(crate) fn servers(topology: Topology, ports: &[u16], waits: Waits) -> Servers {
    let addresses = ports.iter().enumerate();
    let addresses = addresses.map(|(place, port)| address(&name(place), *port, Role::Issuer));
    Servers {
        topology,
        addresses: addresses.collect(),
        spender: spender(topology, ports, waits),
        waits,
        issuer: 0,
        issuers: 1,
    }
}

/// Starts a server that knows the roles and has the library.
pub(crate) async fn start(options: Options) -> Redis {
    let redis = tokio::task::spawn_blocking(|| Redis::start(with_roles(options))).await.unwrap();
    deploy(redis.port()).await;
    redis
}
