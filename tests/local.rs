//! A store wholly offline: what its issuer's desk numbers for a boot is spent once in that boot, and in no
//! other.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farebox::store::Ledger;
use farebox::store::desk::{BootError, SeatError};
use farebox::store::event::Description;
use farebox_verifier::contract::Subject;
use farebox_verifier::limits::{LOCAL_REVOKED_MAX, SETTLE_SECONDS_MAX, TTL_SECONDS_MAX};
use farebox_verifier::{
    Action, Agent, Answer, Attempt, Audience, Clock as _, GrantId, Local, ManualClock, Mark,
    Outcome, PolicyHash, Resource, Seat, Seats, Selector, SettleError, Shard, SpendError,
    SpendStore, StoreName, Ticket, UnixSeconds, Workflow,
};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const TTL: u64 = 60;

/// An API's one process, and the desk of its issuer.
struct Offline {
    clock: Arc<ManualClock>,
    ledger: Ledger,
    local: Arc<Local>,
    issued: AtomicU64,
}

fn name() -> StoreName {
    StoreName::parse("payments-1").unwrap()
}

fn audience() -> Audience {
    Audience::parse("payments-api").unwrap()
}

async fn offline() -> Offline {
    let clock = Arc::new(ManualClock::at(NOW));
    let ledger = Ledger::in_memory(Arc::clone(&clock) as _);
    let local = Arc::new(Local::new(name(), Arc::clone(&clock) as _));
    let offline = Offline { clock, ledger, local, issued: AtomicU64::new(0) };
    offline.announce(&offline.local).await.unwrap();
    offline
}

impl Offline {
    async fn announce(&self, local: &Local) -> Result<(), BootError> {
        self.ledger.announce(local.store(), &audience(), local.boot().unwrap()).await
    }

    /// The same API after a restart.
    async fn restarted(&self) -> Local {
        let local = Local::new(name(), Arc::clone(&self.clock) as _);
        self.announce(&local).await.unwrap();
        local
    }

    /// A grant of this agent, registered for the boot that lives.
    async fn issue_to(&self, agent: &str, ttl_seconds: u64) -> Result<Ticket, SeatError> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let (now, grant) = (self.clock.now(), GrantId::from_bytes(id));
        let description = Description {
            grant,
            agent: Agent::parse(agent).unwrap(),
            workflow: Some(Workflow::parse("run-81").unwrap()),
            audience: audience(),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            policy: PolicyHash::NONE,
            key_id: 17,
            end: now.plus(ttl_seconds),
            after: Vec::new(),
        };
        let seat = self.ledger.next_seat(&name(), &description).await?;
        let Description { agent, workflow, audience, action, policy, key_id, end, .. } =
            description;
        Ok(Ticket {
            grant,
            not_before: now.minus(30),
            end,
            grant_end: end,
            mark: Mark::from_bytes([1; 6]),
            stores: Some(Seats::new(1, vec![seat]).unwrap()),
            key_id,
            agent,
            workflow,
            audience,
            action,
            policy,
        })
    }

    async fn issue(&self) -> Ticket {
        self.issue_to("key:ci", TTL).await.unwrap()
    }
}

impl Subject for Offline {
    fn store(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.local) as _
    }

    fn issue(&self, ttl_seconds: u64) -> Answer<'_, Ticket> {
        Box::pin(async move { self.issue_to("key:ci", ttl_seconds).await.unwrap() })
    }

    fn revoke<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()> {
        self.local.revoke(&Selector::Grant(ticket.grant), None);
        Box::pin(async {})
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.clock.advance(seconds);
        Box::pin(async {})
    }
}

farebox_verifier::spend_store_contract!(offline().await);

fn attempt(byte: u8) -> Attempt {
    Attempt::from_bytes([byte; 16])
}

async fn spend(local: &Local, ticket: &Ticket) -> Result<(), SpendError> {
    local.spend(ticket, &attempt(1)).await.map(|_receipt| ())
}

fn number(ticket: &Ticket) -> u64 {
    ticket.stores.as_ref().unwrap().seats().first().unwrap().sequence
}

/// The same grant, said to be registered elsewhere.
fn moved(ticket: &Ticket, change: impl FnOnce(&mut Seat)) -> Ticket {
    let mut seat = ticket.stores.as_ref().unwrap().seats().first().unwrap().clone();
    change(&mut seat);
    Ticket { stores: Some(Seats::new(1, vec![seat]).unwrap()), ..ticket.clone() }
}

#[tokio::test]
async fn what_was_granted_for_an_earlier_boot_is_fenced() {
    let offline = offline().await;
    let (unspent, spent) = (offline.issue().await, offline.issue().await);
    spend(&offline.local, &spent).await.unwrap();
    let local = offline.restarted().await;
    for ticket in [&unspent, &spent] {
        assert_eq!(spend(&local, ticket).await, Err(SpendError::Fenced));
        let unsettled = local.settle(ticket, &attempt(1), Outcome::Succeeded).await;
        assert_eq!(unsettled, Err(SettleError::Fenced));
    }
    let fresh = offline.issue().await;
    assert!(number(&fresh) > number(&spent));
    assert_eq!(spend(&offline.local, &fresh).await, Err(SpendError::Fenced), "the old process");
    spend(&local, &fresh).await.unwrap();
    // An announcement that comes late does not bring the old boot back.
    assert_eq!(offline.announce(&offline.local).await, Err(BootError::Earlier));
}

#[tokio::test]
async fn a_boot_is_made_once_and_before_it_nothing_is_let_through() {
    let offline = offline().await;
    let ticket = offline.issue().await;
    let local = Local::new(name(), Arc::clone(&offline.clock) as _);
    assert_eq!(spend(&local, &ticket).await, Err(SpendError::Fenced));
    let boot = local.boot().unwrap();
    assert_eq!(local.boot().unwrap(), boot);
    assert_ne!(offline.local.boot().unwrap(), boot);
    assert_eq!(spend(&local, &ticket).await, Err(SpendError::Fenced));
}

#[tokio::test]
async fn what_is_registered_elsewhere_is_unknown() {
    let offline = offline().await;
    let ticket = offline.issue().await;
    let nowhere = Ticket { stores: None, ..ticket.clone() };
    let other = moved(&ticket, |seat| seat.store = StoreName::parse("payments-2").unwrap());
    let mut seats = ticket.stores.as_ref().unwrap().seats().to_vec();
    seats.push(Seat { store: StoreName::parse("payments-2").unwrap(), ..seats[0].clone() });
    let two = Ticket { stores: Some(Seats::new(2, seats).unwrap()), ..ticket.clone() };
    for astray in [&nowhere, &other, &two] {
        assert_eq!(spend(&offline.local, astray).await, Err(SpendError::UnknownGrant));
        let unsettled = offline.local.settle(astray, &attempt(1), Outcome::Succeeded).await;
        assert_eq!(unsettled, Err(SettleError::NotSpent));
    }
    let part = moved(&ticket, |seat| seat.shard = Shard::parse("7f").unwrap());
    assert_eq!(spend(&offline.local, &part).await, Err(SpendError::Fenced));
    spend(&offline.local, &ticket).await.unwrap();
}

#[tokio::test]
async fn a_revocation_reaches_what_was_granted_by_then() {
    let selectors = [
        Selector::Agent(Agent::parse("key:ci").unwrap()),
        Selector::Workflow(Workflow::parse("run-81").unwrap()),
        Selector::Audience(audience()),
        Selector::Action(Action::parse("payments.transfer").unwrap()),
        Selector::Policy(PolicyHash::NONE),
        Selector::Key(17),
        Selector::All,
    ];
    for selector in selectors {
        let offline = offline().await;
        let (before, spent) = (offline.issue().await, offline.issue().await);
        spend(&offline.local, &spent).await.unwrap();
        let after = offline.issue().await;
        offline.local.revoke(&selector, Some(number(&spent)));
        assert_eq!(spend(&offline.local, &before).await, Err(SpendError::Revoked), "{selector}");
        assert_eq!(spend(&offline.local, &spent).await, Err(SpendError::Revoked), "{selector}");
        let settled = offline.local.settle(&spent, &attempt(1), Outcome::Succeeded).await;
        assert_eq!(settled, Ok(()), "{selector}");
        spend(&offline.local, &after).await.unwrap();
        // An older word, delivered late, takes nothing back.
        offline.local.revoke(&selector, Some(1));
        assert_eq!(spend(&offline.local, &before).await, Err(SpendError::Revoked), "{selector}");
    }
}

#[tokio::test]
async fn a_revocation_without_a_number_reaches_what_comes_too() {
    let offline = offline().await;
    offline.local.revoke(&Selector::Agent(Agent::parse("key:ci").unwrap()), None);
    offline.clock.advance(2 * TTL_SECONDS_MAX);
    let (mine, other) = (offline.issue().await, offline.issue_to("key:other", TTL).await.unwrap());
    assert_eq!(spend(&offline.local, &mine).await, Err(SpendError::Revoked));
    spend(&offline.local, &other).await.unwrap();
}

#[tokio::test]
async fn one_name_is_revoked_and_no_other() {
    let offline = offline().await;
    let (mine, other) = (offline.issue().await, offline.issue_to("key:other", TTL).await.unwrap());
    offline.local.revoke(&Selector::Agent(Agent::parse("key:ci").unwrap()), Some(9));
    offline.local.revoke(&Selector::Grant(GrantId::from_bytes([9; 16])), None);
    assert_eq!(spend(&offline.local, &mine).await, Err(SpendError::Revoked));
    spend(&offline.local, &other).await.unwrap();
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_not_before() {
    let offline = offline().await;
    let long = offline.issue_to("key:ci", TTL_SECONDS_MAX).await.unwrap();
    let spent = offline.issue_to("key:ci", TTL_SECONDS_MAX).await.unwrap();
    spend(&offline.local, &spent).await.unwrap();
    offline.local.revoke(&Selector::Key(17), Some(number(&long)));
    offline.clock.advance(TTL_SECONDS_MAX - 1);
    assert_eq!(spend(&offline.local, &long).await, Err(SpendError::Revoked));
    let again = offline.local.spend(&spent, &attempt(2)).await;
    assert!(matches!(again, Err(SpendError::AlreadySpent { .. })), "{again:?}");
    // It may be settled for as long as any.
    offline.clock.advance(SETTLE_SECONDS_MAX);
    let settle = async || offline.local.settle(&spent, &attempt(1), Outcome::Failed).await;
    assert_eq!(settle().await, Ok(()));
    offline.clock.advance(1);
    assert_eq!(settle().await, Err(SettleError::NotSpent));
}

#[tokio::test]
async fn where_no_revocation_fits_more_is_refused_than_was_said() {
    let offline = offline().await;
    let (before, after) = (offline.issue().await, offline.issue().await);
    for number in 0..LOCAL_REVOKED_MAX {
        let mut id = [0xee; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        offline.local.revoke(&Selector::Grant(GrantId::from_bytes(id)), None);
    }
    offline.local.revoke(&Selector::Key(99), Some(number(&before)));
    assert_eq!(spend(&offline.local, &before).await, Err(SpendError::Revoked));
    spend(&offline.local, &after).await.unwrap();
    // Once they are over there is room again.
    offline.clock.advance(2 * TTL_SECONDS_MAX);
    let (mine, other) = (offline.issue().await, offline.issue_to("key:other", TTL).await.unwrap());
    offline.local.revoke(&Selector::Agent(mine.agent.clone()), Some(number(&other)));
    assert_eq!(spend(&offline.local, &mine).await, Err(SpendError::Revoked));
    spend(&offline.local, &other).await.unwrap();
}

#[tokio::test]
async fn the_desk_registers_for_a_boot_that_was_announced() {
    let clock = Arc::new(ManualClock::at(NOW));
    let ledger = Ledger::in_memory(Arc::clone(&clock) as _);
    let local = Arc::new(Local::new(name(), Arc::clone(&clock) as _));
    let offline = Offline { clock, ledger, local, issued: AtomicU64::new(0) };
    assert_eq!(offline.issue_to("key:ci", TTL).await.map(|_| ()), Err(SeatError::NoBoot));
    offline.announce(&offline.local).await.unwrap();
    let boot = offline.ledger.boot(&name()).unwrap();
    assert_eq!(boot.generation, offline.local.boot().unwrap());
    let ticket = offline.issue().await;
    let seat = &ticket.stores.as_ref().unwrap().seats()[0];
    assert_eq!((&seat.store, seat.generation), (&name(), boot.generation));
    assert_eq!(offline.ledger.boot(&name()).unwrap().outstanding, 1);
}
