//! The fixture: a folder with a store in it, a clock that the test moves, and grants to be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use farebox::store::embedded::{Opened, Start};
use farebox::store::event::Event;
use farebox::store::lease::Lease;
use farebox::store::registration::{RegisterError, Registration};
use farebox::store::{DRAIN, Embedded, GrantStore, Journal, LifeId, OpenError};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, GrantId, ManualClock, Mark, PolicyHash, Resource,
    Seat, SpendError, StoreName, Ticket, UnixSeconds, Workflow,
};
use tempfile::TempDir;

pub(super) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
pub(super) const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
pub(super) const TTL: u64 = 600;

/// A folder that goes with the test.
pub(super) struct Scene {
    folder: TempDir,
    pub(super) clock: Arc<ManualClock>,
}

impl Scene {
    /// On the disk.
    pub(super) fn new() -> Scene {
        Scene::over(tempfile::tempdir().unwrap())
    }

    /// In memory where the system has such a folder: for contents that matter and syncs that do not.
    pub(super) fn quick() -> Scene {
        let shm = Path::new("/dev/shm");
        Scene::over(
            if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap(),
        )
    }

    fn over(folder: TempDir) -> Scene {
        Scene { folder, clock: Arc::new(ManualClock::at(NOW)) }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder().join("store")
    }

    pub(super) fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    pub(super) fn try_open(&self) -> Result<(Arc<Embedded>, Opened), OpenError> {
        open_at(&self.path(), &self.clock)
    }

    /// Opens it, whatever became of it.
    pub(super) fn open(&self) -> Arc<Embedded> {
        self.try_open().unwrap().0
    }

    pub(super) fn refusal(&self) -> OpenError {
        self.try_open().map(|_| ()).unwrap_err()
    }

    /// Opens a store that was not sealed, and gives how many grants that cost.
    pub(super) fn open_unsealed(&self) -> (Arc<Embedded>, u64) {
        let (store, opened) = self.try_open().unwrap();
        let Start::Unsealed { fenced } = opened.start else { panic!("{opened:?}") };
        (store, fenced)
    }

    /// Opens a store that goes on.
    pub(super) fn open_sealed(&self) -> Arc<Embedded> {
        let (store, opened) = self.try_open().unwrap();
        assert_eq!(opened.start, Start::Resumed);
        store
    }
}

pub(super) fn name() -> StoreName {
    StoreName::parse("embedded").unwrap()
}

pub(super) fn open_at(
    path: &Path,
    clock: &Arc<ManualClock>,
) -> Result<(Arc<Embedded>, Opened), OpenError> {
    let (store, opened) = Embedded::open(path, name(), Arc::clone(clock) as _, POLICY)?;
    Ok((Arc::new(store), opened))
}

/// Closes it in good order.
pub(super) async fn close(store: Arc<Embedded>) {
    store.close().await.unwrap();
}

/// A grant with this number, registered under `policy`.
pub(super) fn registration(number: u64, now: UnixSeconds) -> Registration {
    let (grant, mark) =
        (id(number), Mark::from_bytes(number.to_be_bytes()[2..].try_into().unwrap()));
    let ticket = Ticket {
        grant,
        not_before: now.minus(30),
        end: now.plus(TTL),
        grant_end: now.plus(TTL),
        mark,
        stores: None,
        key_id: 17,
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        workflow: Some(Workflow::parse(&format!("run-{}", number % 100)).unwrap()),
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        policy: POLICY,
    };
    Registration { ticket, resource: Resource::parse("account/42").unwrap(), after: Vec::new() }
}

/// The id of the grant with this number.
pub(super) fn id(number: u64) -> GrantId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    // Ids are random where it counts: in their first half.
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    GrantId::from_bytes(bytes)
}

/// Registers it, and makes it what its verifier presents.
pub(super) async fn register(
    store: &impl GrantStore,
    registration: Registration,
) -> Result<Ticket, RegisterError> {
    let seats = store.register(&registration).await?;
    Ok(Ticket { stores: Some(seats), ..registration.ticket })
}

pub(super) async fn issue(scene: &Scene, store: &impl GrantStore, number: u64) -> Ticket {
    register(store, registration(number, scene.now())).await.unwrap()
}

pub(super) fn attempt(number: u64) -> Attempt {
    let mut bytes = [0x77; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Attempt::from_bytes(bytes)
}

/// Spends it, and says no more than whether and why not.
pub(super) async fn spend(
    store: &impl GrantStore,
    ticket: &Ticket,
    claimant: u64,
) -> Result<(), SpendError> {
    store.spend(ticket, &attempt(claimant)).await.map(|_receipt| ())
}

pub(super) fn seat(ticket: &Ticket) -> &Seat {
    &ticket.stores.as_ref().unwrap().seats()[0]
}

/// The living life.
pub(super) async fn living(store: &impl GrantStore) -> LifeId {
    let journals = store.journals().await.unwrap();
    let living: Vec<&Journal> = journals.iter().filter(|journal| journal.living).collect();
    assert_eq!(living.len(), 1, "{journals:?}");
    living[0].life.clone()
}

/// The journals of lives that are over.
pub(super) async fn ended(store: &impl GrantStore) -> Vec<Journal> {
    let journals = store.journals().await.unwrap();
    journals.into_iter().filter(|journal| !journal.living).collect()
}

/// Every event after this one that is not drained, numbered without a gap.
pub(super) async fn events_after(store: &impl GrantStore, life: &LifeId, after: u64) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let last = events.last().map_or(after, |event| event.number);
        let more = store.events(life, last).await.unwrap();
        if more.is_empty() {
            return events;
        }
        for event in more {
            let last = events.last().map_or(event.number - 1, |event| event.number);
            assert_eq!(event.number, last + 1, "a gap in the journal");
            events.push(event);
        }
    }
}

pub(super) async fn drain(store: &impl GrantStore) -> Lease {
    store.lease(&living(store).await, DRAIN, "issuer-1", 200).await.unwrap()
}

/// What nobody has leased.
pub(super) fn no_lease() -> Lease {
    Lease { number: 0, end: UnixSeconds(0) }
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Numbers that look random and are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }

    pub(super) fn number(&mut self, limit: u64) -> u64 {
        u64::try_from(self.below(usize::try_from(limit).unwrap())).unwrap()
    }
}
