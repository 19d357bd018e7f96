//! What a fault is done to: servers behind addresses that can be turned, a fleet on them, two APIs that
//! spend, and the naive store on the same servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use farebox::store::GrantStore;
use farebox::store::redis::Fleet;
use farebox::store::registration::Registration;
use farebox_lab::{Naive, Proxy, Tally, Verdict};
use farebox_verifier::redis::{RedisStore, Topology, Waits};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, Grant, GrantId, Params, PolicyHash, Resource,
    Sending, SpendError, SpendStore, Ticket, Uses, Window,
};
use tokio::task::JoinSet;

use crate::fleet::{MovedClock, fleet, spender};

pub(crate) const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
/// Grants that are outstanding when the fault comes; half of them are spent before.
const GRANTS: usize = 200;
/// Workers that mint and spend all through it.
const WORKERS: usize = 4;
/// Sendings of one attempt, as a verifier makes them.
const SENDINGS: usize = 3;

/// The ground of one row.
pub(crate) struct Ground {
    /// Where the fleet finds each of its servers. A test turns it to another one.
    pub(crate) doors: Vec<Proxy>,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) clock: Arc<MovedClock>,
    apis: [Arc<RedisStore>; 2],
    naive: Naive,
    minted: AtomicUsize,
}

/// What the row of a fault says.
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) ours: Tally,
    pub(crate) naive: Tally,
}

/// Waits that are short enough to be felt, and long enough for a busy machine.
pub(crate) fn waits() -> Waits {
    let half = Duration::from_millis(500);
    Waits { call: half, connect: half, ..Waits::default() }
}

impl Ground {
    /// A fleet on the servers behind these doors, with a life open on each.
    pub(crate) async fn on(topology: Topology, doors: Vec<Proxy>) -> Ground {
        let ports: Vec<u16> = doors.iter().map(Proxy::port).collect();
        let clock = Arc::new(MovedClock::default());
        let fleet = fleet(topology, &ports, waits(), Arc::clone(&clock) as _, POLICY);
        let apis = [(); 2].map(|()| Arc::new(spender(topology, &ports, waits())));
        let naive = Naive::at(doors[0].address(), Duration::from_secs(1));
        let ground = Ground {
            doors,
            fleet: Arc::new(fleet),
            clock,
            apis,
            naive,
            minted: AtomicUsize::new(0),
        };
        let wrong = ground.fleet.tend().await;
        assert_eq!(wrong, [], "before the fault");
        ground
    }

    /// A grant that was registered, with its number among those of the row.
    pub(crate) async fn issue(&self) -> Option<(usize, Ticket)> {
        let grant = Grant {
            id: GrantId::fresh().unwrap(),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            params: Params::parse(b"{}").unwrap().digest(),
            audience: Audience::parse("payments-api").unwrap(),
            window: Window::minted(self.clock.now(), 300).unwrap(),
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
        let registration = Registration::of(&grant, 17, Vec::new());
        let seats = self.fleet.register(&registration).await.ok()?;
        let number = self.minted.fetch_add(1, Ordering::SeqCst);
        Some((number, Ticket { stores: Some(seats), ..registration.ticket }))
    }

    /// Grants that are outstanding; all are registered or the row means nothing.
    pub(crate) async fn outstanding(&self, count: usize) -> Vec<(usize, Ticket)> {
        let mut tickets = Vec::new();
        for _ in 0..count {
            tickets.push(self.issue().await.unwrap());
        }
        tickets
    }

    /// As many grants as can be had within some tries, while something is wrong.
    pub(crate) async fn outstanding_where_possible(&self, count: usize) -> Vec<(usize, Ticket)> {
        let mut tickets = Vec::new();
        for _ in 0..count * 4 {
            match self.issue().await {
                Some(ticket) => tickets.push(ticket),
                None => drop(self.fleet.tend().await),
            }
            if tickets.len() == count {
                break;
            }
        }
        tickets
    }

    /// What an API is told, as the verifier's passage asks: one attempt, sent again while in doubt.
    pub(crate) async fn claim(&self, api: usize, ticket: &Ticket) -> Verdict {
        claim(&*self.api(api), ticket).await
    }

    /// One of the APIs.
    pub(crate) fn api(&self, api: usize) -> Arc<RedisStore> {
        Arc::clone(&self.apis[api % self.apis.len()])
    }

    /// Offers each token to both APIs at once.
    pub(crate) async fn offer(&self, tally: &mut Tally, tickets: &[(usize, Ticket)]) {
        for tickets in tickets.chunks(50) {
            let mut asked = JoinSet::new();
            for (number, ticket) in tickets {
                for (claimant, api) in self.apis.iter().enumerate() {
                    let (number, ticket, api) = (*number, ticket.clone(), Arc::clone(api));
                    asked.spawn(async move { (number, claimant, claim(&*api, &ticket).await) });
                }
            }
            for (number, claimant, verdict) in asked.join_all().await {
                tally.add(number, claimant, verdict);
            }
        }
    }

    /// The whole row: outstanding grants, half of them spent; the fault, under load; everything offered
    /// again, twice; and how long until fresh grants work.
    pub(crate) async fn row<F>(self, fault: &str, make: F) -> Row
    where
        F: AsyncFnOnce(&Ground),
    {
        let ground = Arc::new(self);
        let (mut ours, mut naive) = (Tally::new(), Tally::new());
        let tickets = ground.outstanding(GRANTS).await;
        let (spent, _) = tickets.split_at(GRANTS / 2);
        ground.offer(&mut ours, spent).await;
        let twice_before = ours.spent_twice();
        assert_eq!((ours.spent_once(), twice_before), (GRANTS / 2, 0), "{fault}: before it");
        ground.ask_naive(&mut naive, 0..GRANTS / 2).await;

        let hammer = Hammer::begin(&ground);
        ours.fault_begins();
        naive.fault_begins();
        make(&ground).await;
        ground.works_again(&mut ours).await;
        for tally in hammer.end().await {
            ours.absorb(tally);
        }
        for _ in 0..2 {
            ground.offer(&mut ours, &tickets).await;
            ground.ask_naive(&mut naive, 0..GRANTS).await;
        }
        Row { fault: fault.to_owned(), ours, naive }
    }

    /// Tends the fleet until a fresh grant is registered, spent, and refused a second time.
    pub(crate) async fn works_again(self: &Arc<Ground>, tally: &mut Tally) {
        let (ground, runtime) = (Arc::clone(self), tokio::runtime::Handle::current());
        let mut timed = std::mem::take(tally);
        *tally = tokio::task::spawn_blocking(move || {
            timed.fresh_works(|| runtime.block_on(ground.fresh()));
            timed
        })
        .await
        .unwrap();
    }

    async fn fresh(&self) -> Verdict {
        self.fleet.tend().await;
        let Some((_, ticket)) = self.issue().await else { return Verdict::Unavailable };
        let (first, second) = (self.claim(0, &ticket).await, self.claim(1, &ticket).await);
        assert_ne!((first, second), (Verdict::Granted, Verdict::Granted), "a fresh one, twice");
        first
    }

    async fn ask_naive(self: &Arc<Ground>, tally: &mut Tally, nonces: std::ops::Range<usize>) {
        let ground = Arc::clone(self);
        let told = tokio::task::spawn_blocking(move || {
            let mut told = Tally::new();
            let mut silent = 0;
            for nonce in nonces {
                // A server that says nothing to three in a row says nothing to the others.
                let verdict =
                    if silent < 3 { ground.naive.verdict(nonce) } else { Verdict::Unavailable };
                silent = if verdict == Verdict::Unavailable { silent + 1 } else { 0 };
                told.add(nonce, 0, verdict);
            }
            told
        });
        tally.absorb(told.await.unwrap());
    }
}

/// What one claimant is told, who asks again while he is in doubt.
pub(crate) async fn claim(api: &dyn SpendStore, ticket: &Ticket) -> Verdict {
    let attempt = Attempt::fresh().unwrap();
    let mut heard = true;
    for _ in 0..SENDINGS {
        match api.spend(ticket, &attempt).await {
            Ok(receipt) if heard && receipt.sending == Sending::Repeat => return Verdict::Refused,
            Ok(_) => return Verdict::Granted,
            Err(SpendError::InDoubt) => heard = false,
            Err(SpendError::Down) => return Verdict::Unavailable,
            Err(_) if heard => return Verdict::Refused,
            Err(_) => return Verdict::Unavailable,
        }
    }
    Verdict::Unavailable
}

/// Workers that mint and spend all the while, two APIs for each token.
struct Hammer {
    workers: JoinSet<Tally>,
    stop: Arc<AtomicBool>,
}

impl Hammer {
    fn begin(ground: &Arc<Ground>) -> Hammer {
        let (mut workers, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for _ in 0..WORKERS {
            let (ground, stop) = (Arc::clone(ground), Arc::clone(&stop));
            workers.spawn(async move {
                let mut tally = Tally::new();
                while !stop.load(Ordering::SeqCst) {
                    match ground.issue().await {
                        Some(token) => ground.offer(&mut tally, &[token]).await,
                        None => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                }
                tally
            });
        }
        Hammer { workers, stop }
    }

    async fn end(self) -> Vec<Tally> {
        self.stop.store(true, Ordering::SeqCst);
        self.workers.join_all().await
    }
}

/// What the servers are, for the page.
pub(crate) async fn server() -> String {
    let redis = crate::fleet::start(farebox_lab::Options::plain()).await;
    let identity = tokio::task::spawn_blocking(move || redis.identity()).await.unwrap();
    format!("{} {}", identity.name, identity.version)
}
