//! Servers behind doors, and an issuer with a ledger in a file, from one start to the next.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farebox::store::event::Event;
use farebox::store::redis::Fleet;
use farebox::store::registration::Registration;
use farebox::store::{AdminError, DRAIN, GrantStore, Journal, Ledger, LifeId, Revocation};
use farebox_lab::{Fault, Options, Proxy, Redis};
use farebox_verifier::redis::{RedisStore, Topology, Waits};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, Grant, GrantId, Params, PolicyHash, Resource,
    Selector, SpendError, SpendStore, Ticket, Uses, Window,
};
use tempfile::TempDir;

use crate::fleet::{MovedClock, deploy, servers, spender, with_roles};

pub(crate) const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
pub(crate) const TTL: u64 = 300;

/// Servers behind doors, and the file of an issuer's ledger.
pub(crate) struct Scene {
    pub(crate) topology: Topology,
    pub(crate) servers: Vec<Redis>,
    pub(crate) doors: Vec<Proxy>,
    pub(crate) clock: Arc<MovedClock>,
    pub(crate) folder: TempDir,
}

/// An issuer from one start to the next.
pub(crate) struct Issuer {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) fleet: Fleet,
}

pub(crate) fn waits() -> Waits {
    let half = Duration::from_millis(500);
    Waits { call: half, connect: half, ..Waits::default() }
}

pub(crate) async fn start() -> Redis {
    let start = || Redis::start(with_roles(Options::plain()));
    let redis = tokio::task::spawn_blocking(start).await.unwrap();
    deploy(redis.port()).await;
    redis
}

impl Scene {
    pub(crate) async fn of(topology: Topology, count: usize) -> Scene {
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(start().await);
        }
        let doors = servers.iter().map(|server| Proxy::before(server.address())).collect();
        let (clock, folder) = (Arc::default(), tempfile::tempdir().unwrap());
        Scene { topology, servers, doors, clock, folder }
    }

    pub(crate) fn ports(&self) -> Vec<u16> {
        self.doors.iter().map(Proxy::port).collect()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// An issuer that begins on the file that the last one left; what it met on the way is not asked for.
    pub(crate) async fn issuer(&self) -> Issuer {
        let ledger = Arc::new(Ledger::open(&self.file(), Arc::clone(&self.clock) as _).unwrap());
        let (servers, clock) = (servers(self.topology, &self.ports(), waits()), &self.clock);
        let fleet = Fleet::new(servers, Arc::clone(clock) as _, POLICY, Arc::clone(&ledger));
        let fleet = fleet.unwrap();
        let _wrong = fleet.tend().await;
        Issuer { ledger, fleet }
    }

    pub(crate) fn spender(&self) -> RedisStore {
        spender(self.topology, &self.ports(), waits())
    }

    pub(crate) fn go_away(&self, places: &[usize]) {
        places.iter().for_each(|place| self.doors[*place].set(Fault::CutBeforeRequest));
    }

    pub(crate) fn come_back(&self) {
        self.doors.iter().for_each(Proxy::pass);
    }

    pub(crate) fn registration(&self) -> Registration {
        let grant = Grant {
            id: GrantId::fresh().unwrap(),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            params: Params::parse(b"{}").unwrap().digest(),
            audience: Audience::parse("payments-api").unwrap(),
            window: Window::minted(self.clock.now(), TTL).unwrap(),
            agent: Agent::parse("key:ci").unwrap(),
            policy: POLICY,
            varies: Vec::new(),
            approval: None,
            stores: None,
            workflow: None,
            purpose: None,
            holder: None,
            uses: Uses::Once,
            caveats: Vec::new(),
        };
        Registration::of(&grant, 17, Vec::new())
    }

    pub(crate) async fn mint(&self, issuer: &Issuer) -> Ticket {
        let registration = self.registration();
        let seats = issuer.fleet.register(&registration).await.unwrap();
        Ticket { stores: Some(seats), ..registration.ticket }
    }
}

impl Issuer {
    pub(crate) async fn revoke(&self, ticket: &Ticket) -> Result<Revocation, AdminError> {
        self.fleet.revoke(&Selector::Grant(ticket.grant)).await
    }

    pub(crate) async fn living(&self) -> Vec<Journal> {
        let journals = self.fleet.journals().await.unwrap();
        journals.into_iter().filter(|journal| journal.living).collect()
    }

    /// Takes everything out of a life's journal.
    pub(crate) async fn drain(&self, life: &LifeId) -> Vec<Event> {
        let lease = self.fleet.lease(life, DRAIN, "issuer-1", 60).await.unwrap();
        let events = self.fleet.events(life, 0).await.unwrap();
        self.fleet.trim(life, events.last().unwrap().number, lease).await.unwrap();
        events
    }
}

pub(crate) async fn spend(store: &impl SpendStore, ticket: &Ticket) -> Result<(), SpendError> {
    store.spend(ticket, &Attempt::from_bytes([7; 16])).await.map(drop)
}

pub(crate) fn agent() -> Selector {
    Selector::Agent(Agent::parse("key:ci").unwrap())
}
