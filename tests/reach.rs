//! Whom a revocation reaches: an issuer that begins again knows what it minted and where, and calls nothing
//! revoked that somebody may still let through.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene fails"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farebox::store::desk::{Caller, Reason};
use farebox::store::event::{Event, OldGrants};
use farebox::store::redis::Fleet;
use farebox::store::registration::{RegisterError, Registration};
use farebox::store::{AdminError, DRAIN, Found, GrantStore, Journal, Ledger, LifeId, Revocation};
use farebox_lab::{Answer, Fault, Options, Proxy, Redis};
use farebox_verifier::redis::{RedisStore, Topology, Waits};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, Grant, GrantId, Params, PolicyHash, Resource,
    Selector, SpendError, SpendStore, Ticket, Uses, Window,
};
use tempfile::TempDir;

use fleet::{MovedClock, deploy, servers, spender, with_roles};

const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
const TTL: u64 = 300;

/// Servers behind doors, and the file of an issuer's ledger.
struct Scene {
    topology: Topology,
    servers: Vec<Redis>,
    doors: Vec<Proxy>,
    clock: Arc<MovedClock>,
    folder: TempDir,
}

/// An issuer from one start to the next.
struct Issuer {
    ledger: Arc<Ledger>,
    fleet: Fleet,
}

fn waits() -> Waits {
    let half = Duration::from_millis(500);
    Waits { call: half, connect: half, ..Waits::default() }
}

async fn start() -> Redis {
    let start = || Redis::start(with_roles(Options::plain()));
    let redis = tokio::task::spawn_blocking(start).await.unwrap();
    deploy(redis.port()).await;
    redis
}

impl Scene {
    async fn of(topology: Topology, count: usize) -> Scene {
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(start().await);
        }
        let doors = servers.iter().map(|server| Proxy::before(server.address())).collect();
        let (clock, folder) = (Arc::default(), tempfile::tempdir().unwrap());
        Scene { topology, servers, doors, clock, folder }
    }

    fn ports(&self) -> Vec<u16> {
        self.doors.iter().map(Proxy::port).collect()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// An issuer that begins on the file that the last one left; what it met on the way is not asked for.
    async fn issuer(&self) -> Issuer {
        let ledger = Arc::new(Ledger::open(&self.file(), Arc::clone(&self.clock) as _).unwrap());
        let (servers, clock) = (servers(self.topology, &self.ports(), waits()), &self.clock);
        let fleet = Fleet::new(servers, Arc::clone(clock) as _, POLICY, Arc::clone(&ledger));
        let fleet = fleet.unwrap();
        let _wrong = fleet.tend().await;
        Issuer { ledger, fleet }
    }

    fn spender(&self) -> RedisStore {
        spender(self.topology, &self.ports(), waits())
    }

    fn go_away(&self, places: &[usize]) {
        places.iter().for_each(|place| self.doors[*place].set(Fault::CutBeforeRequest));
    }

    fn come_back(&self) {
        self.doors.iter().for_each(Proxy::pass);
    }

    fn registration(&self) -> Registration {
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

    async fn mint(&self, issuer: &Issuer) -> Ticket {
        let registration = self.registration();
        let seats = issuer.fleet.register(&registration).await.unwrap();
        Ticket { stores: Some(seats), ..registration.ticket }
    }
}

impl Issuer {
    async fn revoke(&self, ticket: &Ticket) -> Result<Revocation, AdminError> {
        self.fleet.revoke(&Selector::Grant(ticket.grant)).await
    }

    async fn living(&self) -> Vec<Journal> {
        let journals = self.fleet.journals().await.unwrap();
        journals.into_iter().filter(|journal| journal.living).collect()
    }

    /// Takes everything out of a life's journal.
    async fn drain(&self, life: &LifeId) -> Vec<Event> {
        let lease = self.fleet.lease(life, DRAIN, "issuer-1", 60).await.unwrap();
        let events = self.fleet.events(life, 0).await.unwrap();
        self.fleet.trim(life, events.last().unwrap().number, lease).await.unwrap();
        events
    }
}

async fn spend(store: &impl SpendStore, ticket: &Ticket) -> Result<(), SpendError> {
    store.spend(ticket, &Attempt::from_bytes([7; 16])).await.map(drop)
}

fn agent() -> Selector {
    Selector::Agent(Agent::parse("key:ci").unwrap())
}

#[tokio::test]
async fn a_life_is_on_the_ledger_with_its_last_end_before_its_grants_are_minted() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    drop(issuer);
    let known = Ledger::open(&scene.file(), Arc::clone(&scene.clock) as _).unwrap().lives();
    assert_eq!(known.len(), 1);
    let seat = &ticket.stores.as_ref().unwrap().seats()[0];
    assert_eq!(known[0].life.generation, seat.generation);
    assert!(known[0].until >= ticket.grant_end, "{known:?}");
}

#[tokio::test]
async fn an_issuer_that_begins_again_names_the_lives_that_it_cannot_reach() {
    let scene = Scene::of(Topology::Spread, 2).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let store = ticket.stores.as_ref().unwrap().seats()[0].store.clone();
    let place = usize::from(store.as_str() == "r2");
    drop(issuer);
    scene.go_away(&[place]);

    let issuer = scene.issuer().await;
    let all = issuer.fleet.revoke(&agent()).await.unwrap();
    let [unreached] = all.reach.unreached.as_slice() else { panic!("{all:?}") };
    assert_eq!(unreached.life.store, store);
    assert!(unreached.until >= ticket.grant_end);
    // One grant that it does not know is nowhere, or where nobody answers.
    let one = issuer.revoke(&ticket).await.unwrap();
    assert_eq!(one.found, Some(Found::Unknown));
    assert_eq!(one.reach.unreached, all.reach.unreached);

    // It said so because it is so: the life lives, and has not heard.
    scene.come_back();
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_begins_again_revokes_in_the_life_that_it_finds() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let tickets = [scene.mint(&issuer).await, scene.mint(&issuer).await];
    let life = issuer.living().await.remove(0).life;
    drop(issuer);

    let issuer = scene.issuer().await;
    assert_eq!(issuer.living().await[0].life, life, "the same life goes on");
    let one = issuer.revoke(&tickets[0]).await.unwrap();
    assert_eq!((one.found, one.reach.everywhere()), (Some(Found::Unspent), true));
    assert!(issuer.fleet.revoke(&agent()).await.unwrap().reach.everywhere());
    for ticket in &tickets {
        assert_eq!(spend(&scene.spender(), ticket).await, Err(SpendError::Revoked));
    }
}

#[tokio::test]
async fn a_grant_whose_registration_was_drained_is_not_called_unknown() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let life = issuer.living().await.remove(0).life;
    let drained = issuer.drain(&life).await;
    scene.mint(&issuer).await;
    drop(issuer);

    let issuer = scene.issuer().await;
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Unknown), false));
    assert!(spend(&scene.spender(), &ticket).await.is_ok());
    drop(issuer);

    // From where the drain has kept it, it is known.
    let issuer = scene.issuer().await;
    issuer.fleet.remember(&life, &drained);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Spent), true));
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Revoked));
    // And one that was never registered is known not to be.
    let never = issuer.fleet.revoke(&Selector::Grant(GrantId::fresh().unwrap())).await.unwrap();
    assert_eq!((never.found, never.reach.everywhere()), (Some(Found::Unknown), true));
}

#[tokio::test]
async fn in_a_quorum_one_server_that_knows_is_not_enough() {
    let scene = Scene::of(Topology::Quorum, 3).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    // The others go away before anybody has looked into their journals.
    scene.go_away(&[1, 2]);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!(revoked.reach.unreached.len(), 2, "{revoked:?}");
    scene.come_back();
    scene.go_away(&[2]);
    // A link rests before it tries again.
    let mut revoked = issuer.revoke(&ticket).await.unwrap();
    for _ in 0..50 {
        if !revoked.reach.everywhere() {
            issuer.fleet.knocked(Duration::from_millis(100)).await;
            revoked = issuer.revoke(&ticket).await.unwrap();
        }
    }
    assert!(revoked.reach.everywhere(), "two of three know: {revoked:?}");
    scene.come_back();
    assert!(spend(&scene.spender(), &ticket).await.is_err());
}

#[tokio::test]
async fn what_is_blocked_is_blocked_in_every_life_that_follows() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let (by, reason) = (Caller::parse("key:sue").unwrap(), Reason::parse("stolen").unwrap());
    issuer.ledger.block(&agent(), &by, &reason).await.unwrap();
    drop(issuer);

    let issuer = scene.issuer().await;
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "a life that goes on");
    issuer.fleet.close().await;
    let wrong = issuer.fleet.tend().await;
    assert_eq!(wrong, []);
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "a life that begins");
}

#[tokio::test]
async fn a_life_leaves_the_list_once_nothing_of_it_can_matter() {
    let mut scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    scene.mint(&issuer).await;
    let first = issuer.living().await.remove(0).life;
    let again = start().await;
    scene.doors[0].turn_to(again.address());
    scene.doors[0].cut();
    scene.servers.push(again);
    // Found not to be there, and another one opened.
    for _ in 0..100 {
        let _wrong = issuer.fleet.tend().await;
        issuer.fleet.knocked(Duration::from_millis(100)).await;
        if issuer.living().await.iter().any(|journal| journal.life != first) {
            break;
        }
    }
    assert_eq!(issuer.living().await.len(), 1);
    let listed = || issuer.ledger.lives().iter().any(|known| known.life == first);
    issuer.fleet.forget(&first).await;
    assert!(listed(), "something that was minted under it may still live");
    scene.clock.set_offset(i64::try_from(2 * TTL + 600).unwrap());
    issuer.fleet.forget(&first).await;
    assert!(!listed());
    assert_eq!(issuer.ledger.lives().len(), 1);
}

/// Ends a life as its own process sees it: its journal is gone.
fn drop_journal(server: &Redis, life: &LifeId) -> (String, Vec<u8>) {
    let key = format!("fb1:{{00}}:j:{}", life.generation);
    let kept = server.dump(&key);
    server.command(&["DEL", &key]);
    (key, kept)
}

#[tokio::test]
async fn a_life_that_said_it_is_over_stays_over() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let life = issuer.living().await.remove(0).life;
    let (key, kept) = drop_journal(&scene.servers[0], &life);
    // Asked for a grant that it does not have, it says that it is over; that is believed.
    let revoked = issuer.fleet.revoke(&Selector::Grant(GrantId::fresh().unwrap())).await.unwrap();
    assert!(revoked.reach.everywhere());
    scene.servers[0].put(&key, &kept);
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Fenced));
}

#[tokio::test]
async fn a_life_that_is_over_does_not_speak_for_one_that_is_away() {
    let scene = Scene::of(Topology::Spread, 2).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let store = ticket.stores.as_ref().unwrap().seats()[0].store.clone();
    let (away, here) = if store.as_str() == "r1" { (0, 1) } else { (1, 0) };
    drop(issuer);
    let issuer = scene.issuer().await;
    let lives = issuer.living().await;
    let over = lives.iter().find(|journal| journal.life.store != store).unwrap();
    drop_journal(&scene.servers[here], &over.life);
    scene.go_away(&[away]);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert!(!revoked.reach.everywhere(), "{revoked:?}");
    scene.come_back();
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

#[tokio::test]
async fn a_registration_that_was_delivered_twice_is_revoked_twice() {
    for answer in [Answer::First, Answer::Last] {
        let scene = Scene::of(Topology::Single, 1).await;
        let issuer = scene.issuer().await;
        scene.doors[0].next_for("FCALL FB1_REGISTER", 1, Fault::Twice(answer));
        let ticket = scene.mint(&issuer).await;
        let journal = issuer.living().await.remove(0);
        let twice = issuer.fleet.events(&journal.life, 1).await.unwrap();
        assert_eq!(twice.len(), 2, "or this shows nothing: {twice:?}");
        let revoked = issuer.revoke(&ticket).await.unwrap();
        assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Unspent), true));
        assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Revoked));
    }
}

/// The greatest number there is, written by whoever has a verifier's password: nothing can be appended any more.
#[tokio::test]
async fn a_journal_that_takes_nothing_more_ends_its_life_and_another_begins() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let first = issuer.living().await.remove(0).life;
    let key = format!("fb1:{{00}}:j:{}", first.generation);
    let last = format!("{0}-{0}", u64::MAX);
    scene.servers[0].command(&["XADD", &key, &last, "e", "x"]);
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Fenced));
    assert_eq!(issuer.fleet.tend().await, []);
    let ticket = scene.mint(&issuer).await;
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

/// A word of the staff that was held up on its way, and comes after the one that took it back.
#[tokio::test]
async fn a_late_word_undoes_no_later_one() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());
    assert!(issuer.fleet.unblock(&agent()).await.unwrap().everywhere());
    let lifted = scene.doors[0].last("FCALL FB1_UNBLOCK").unwrap();
    let other = PolicyHash::from_bytes([6; 32]);
    assert!(issuer.fleet.set_policy(other, OldGrants::Revoked).await.unwrap().everywhere());
    let swapped = scene.doors[0].last("FCALL FB1_POLICY").unwrap();
    assert!(issuer.fleet.set_policy(POLICY, OldGrants::Revoked).await.unwrap().everywhere());
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());

    for late in [lifted, swapped] {
        let mut somebody = scene.servers[0].connect().unwrap();
        somebody.send(&late).unwrap();
        somebody.receive().unwrap();
    }
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "neither lifted nor under another policy");
}

/// What a life says of the policy in force is what it is told, also after somebody else's word.
#[tokio::test]
async fn a_life_with_another_policy_is_told_again() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let other = PolicyHash::from_bytes([6; 32]);
    assert!(issuer.fleet.set_policy(other, OldGrants::Kept).await.unwrap().everywhere());
    assert_eq!(issuer.fleet.register(&scene.registration()).await, Err(RegisterError::Policy));
    drop(issuer);
    let issuer = scene.issuer().await;
    assert_eq!(issuer.fleet.tend().await, []);
    assert!(issuer.fleet.register(&scene.registration()).await.is_ok());
}
