//! Revoking one grant while servers are away: whoever has not heard is named.

use std::sync::Arc;

use farebox::store::redis::Fleet;
use farebox::store::{Found, GrantStore, LifeId};
use farebox_lab::{Options, Redis};
use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::redis::{RedisStore, Topology};
use farebox_verifier::{Answer, Clock as _, Selector, SpendError, SpendStore, UnixSeconds};

use super::draft::{Draft, POLICY, attempt, issue, seats, spend};
use super::drain::drain;
use super::subject::Subject;
use crate::fleet::{MovedClock, fleet, spender, start, waits};

/// A store on several servers.
pub(super) struct OnServers {
    servers: Vec<Arc<Redis>>,
    clock: Arc<MovedClock>,
    pub(super) store: Arc<Fleet>,
    spender: Arc<RedisStore>,
}

pub(super) async fn on_servers(topology: Topology, count: usize) -> OnServers {
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(Arc::new(start(Options::plain()).await));
    }
    let ports: Vec<u16> = servers.iter().map(|redis| redis.port()).collect();
    let clock = Arc::new(MovedClock::default());
    let store = fleet(topology, &ports, waits(), Arc::clone(&clock) as _, POLICY);
    assert_eq!(store.tend().await, []);
    let spender = Arc::new(spender(topology, &ports, waits()));
    OnServers { servers, clock, store: Arc::new(store), spender }
}

impl OnServers {
    pub(super) async fn done(&self, place: usize, what: impl FnOnce(&Redis) + Send + 'static) {
        let redis = Arc::clone(&self.servers[place]);
        tokio::task::spawn_blocking(move || what(&redis)).await.unwrap();
    }

    /// The life on the server in this place.
    pub(super) async fn life(&self, place: usize) -> LifeId {
        let journals = self.store.journals().await.unwrap();
        let name = crate::fleet::name(place);
        journals.into_iter().find(|journal| journal.life.store.as_str() == name).unwrap().life
    }
}

impl Subject for OnServers {
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
        self.clock.set_offset(self.clock.offset() + i64::try_from(seconds).unwrap());
        Box::pin(async {})
    }
}

/// Spends until somebody answers.
async fn spend_at_last(
    subject: &OnServers,
    ticket: &farebox_verifier::Ticket,
) -> Result<farebox_verifier::Receipt, SpendError> {
    loop {
        match subject.spender.spend(ticket, &attempt(1)).await {
            Err(SpendError::Down | SpendError::InDoubt) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

/// Nobody has read the journal since it was registered, and now nobody can.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_that_nobody_could_look_for_is_not_said_to_be_revoked() {
    let subject = on_servers(Topology::Single, 1).await;
    let (ticket, life) = (issue(&subject).await, subject.life(0).await);
    subject.done(0, Redis::freeze).await;
    let revocation = subject.store.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    subject.done(0, Redis::resume).await;
    assert_eq!(revocation.found, Some(Found::Unknown));
    let [unreached] = revocation.reach.unreached.as_slice() else { panic!("{revocation:?}") };
    assert_eq!(unreached.life, life);
    // As long as any grant may last that somebody registered there.
    assert!(unreached.until >= ticket.grant_end, "{unreached:?}");
    assert!(unreached.until <= subject.now().plus(TTL_SECONDS_MAX), "{unreached:?}");
    // Now that it can be looked for, it can be revoked.
    let one = Selector::Grant(ticket.grant);
    while !subject.store.revoke(&one).await.is_ok_and(|revoked| revoked.reach.everywhere()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(spend_at_last(&subject, &ticket).await, Err(SpendError::Revoked));
}

/// It is on a server that is away; the other one says that it is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_away_may_have_the_grant() {
    let subject = on_servers(Topology::Spread, 2).await;
    let ticket = issue(&subject).await;
    let place = usize::from(seats(&ticket).seats()[0].store.as_str() == "r2");
    let life = subject.life(place).await;
    subject.done(place, Redis::freeze).await;
    let revocation = subject.store.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert_eq!(revocation.reach.unreached.len(), 1, "{revocation:?}");
    assert_eq!(revocation.reach.unreached[0].life, life);
    subject.done(place, Redis::resume).await;
    assert!(spend_at_last(&subject, &ticket).await.is_ok(), "it lived");
}

/// One whose place is known needs no word of a server that is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_whose_place_is_known_is_revoked_there() {
    let subject = on_servers(Topology::Spread, 2).await;
    let ticket = issue(&subject).await;
    let place = usize::from(seats(&ticket).seats()[0].store.as_str() == "r2");
    subject.done(1 - place, Redis::freeze).await;
    let revocation = subject.store.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert_eq!(revocation.found, Some(Found::Unspent));
    assert!(revocation.reach.everywhere(), "{revocation:?}");
    assert_eq!(spend(&subject, &ticket, 1).await, Err(SpendError::Revoked));
}

/// Two of three have it for all that was read, and one of them has heard: the other and the third, of which
/// nothing was read, would be enough to spend it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_three_that_has_heard_is_not_enough() {
    let subject = on_servers(Topology::Quorum, 3).await;
    let ticket = issue(&subject).await;
    assert_eq!(seats(&ticket).seats().len(), 3);
    subject.done(2, Redis::freeze).await;
    assert!(subject.store.read(ticket.grant).await.is_some());
    subject.done(1, Redis::freeze).await;
    let revocation = subject.store.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert_eq!(revocation.reach.unreached.len(), 2, "{revocation:?}");
    subject.done(1, Redis::resume).await;
    subject.done(2, Redis::resume).await;
    assert!(spend_at_last(&subject, &ticket).await.is_ok(), "it lived");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_of_three_that_have_heard_are_enough() {
    let subject = on_servers(Topology::Quorum, 3).await;
    let ticket = issue(&subject).await;
    subject.done(2, Redis::freeze).await;
    let revocation = subject.store.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert!(revocation.reach.everywhere(), "{revocation:?}");
    subject.done(2, Redis::resume).await;
    assert!(spend_at_last(&subject, &ticket).await.is_err());
}

/// An issuer that began when another had already drained what it registered has never heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_issuer_that_came_late_does_not_say_that_it_revoked_what_it_never_saw() {
    let subject = on_servers(Topology::Single, 1).await;
    let (ticket, life) = (issue(&subject).await, subject.life(0).await);
    let (mut drain, _) = drain(&subject);
    assert_eq!(drain.round().await.failed, 0);
    let (ports, clock) = ([subject.servers[0].port()], Arc::new(MovedClock::default()));
    let late = fleet(Topology::Single, &ports, waits(), clock, POLICY);
    assert_eq!(late.tend().await, []);
    let revocation = late.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert_eq!(revocation.found, Some(Found::Unknown));
    assert_eq!(revocation.reach.unreached[0].life, life);
    assert!(revocation.reach.unreached[0].until >= ticket.grant_end, "{revocation:?}");
    // One of its own it revokes, and gives up what it is in doubt of.
    let own = Draft::default().registration(&subject);
    late.register(&own).await.unwrap();
    let revocation = late.revoke(&Selector::Grant(own.ticket.grant)).await.unwrap();
    assert_eq!((revocation.found, revocation.reach.everywhere()), (Some(Found::Unspent), true));
    assert_eq!(late.abandon(Draft::default().registration(&subject).ticket.grant).await, Ok(()));
    assert!(spend_at_last(&subject, &ticket).await.is_ok(), "it lived");
}
