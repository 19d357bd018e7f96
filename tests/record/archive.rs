//! Journals in the record: what a store and a desk told, with the names that people search by, once, and there again
//! for a store's view after a start.

use std::sync::Arc;

use farebox::record::verify::{Source, verify};
use farebox::record::{Entry, Kind, Query, Record, Recorded, StoreArchive};
use farebox::store::budget::{BudgetKey, Hold, HoldId};
use farebox::store::desk::{Caller, HoldEnd, KeyClaim, KeyDigest, Reason, RequestHash};
use farebox::store::drain::{Archive as _, Drain, Gap};
use farebox::store::event::{Event, What};
use farebox::store::registration::Registration;
use farebox::store::{Embedded, GrantStore as _, Ledger, LifeId};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, GrantId, Mark, Outcome, PolicyHash, Resource,
    Scope, Selector, SpendStore as _, StoreName, Ticket, UnixSeconds, Workflow,
};

use super::scene::{NOW, Scene, grant, ring};

const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);

/// A store in a file, its ledger, and the record that they are drained into.
struct Issuer {
    scene: Scene,
    store: Arc<Embedded>,
    ledger: Arc<Ledger>,
    record: Arc<Record>,
    archive: Arc<StoreArchive>,
    life: LifeId,
}

impl Issuer {
    fn start(scene: Scene) -> Issuer {
        let name = StoreName::parse("embedded").unwrap();
        let clock = || Arc::clone(&scene.clock) as _;
        let (store, opened) =
            Embedded::open(&scene.beside("store"), name, clock(), POLICY).unwrap();
        let store = Arc::new(store);
        let ledger = Arc::new(Ledger::open(&scene.beside("ledger"), clock()).unwrap());
        let record = Arc::new(scene.open());
        let archive = StoreArchive::new(
            Arc::clone(&record),
            Arc::clone(&store) as _,
            Arc::clone(&ledger) as _,
            1,
        );
        Issuer { scene, store, ledger, record, archive: Arc::new(archive), life: opened.life }
    }

    /// As after kill -9: nothing is closed.
    fn again(self) -> Issuer {
        let Issuer { scene, store, ledger, record, archive, .. } = self;
        drop((store, ledger, archive, record));
        Issuer::start(scene)
    }

    async fn issue(&self, number: u64) -> Ticket {
        let registration = registration(number, self.scene.clock.now());
        let seats = self.store.register(&registration).await.unwrap();
        Ticket { stores: Some(seats), ..registration.ticket }
    }

    fn drain(&self) -> Drain {
        Drain::new(Arc::clone(&self.store) as _, Arc::clone(&self.archive) as _, "issuer-1", 1)
    }

    fn of(&self, grant: GrantId) -> Vec<(Kind, Recorded)> {
        let query = Query { grant: Some(grant), limit: 100, ..Query::default() };
        let page = self.record.reader().search(&query).unwrap();
        page.items.into_iter().map(|recorded| (recorded.entry.kind, recorded)).collect()
    }

    fn count(&self, kind: Kind) -> usize {
        self.scene.read().iter().filter(|recorded| recorded.entry.kind == kind).count()
    }
}

fn registration(number: u64, now: UnixSeconds) -> Registration {
    let ticket = Ticket {
        grant: grant(number),
        not_before: now.minus(30),
        end: now.plus(600),
        grant_end: now.plus(600),
        mark: Mark::from_bytes([1; 6]),
        stores: None,
        key_id: 17,
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        workflow: Some(Workflow::parse("run-81").unwrap()),
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        policy: POLICY,
    };
    Registration { ticket, resource: Resource::parse("account/42").unwrap(), after: Vec::new() }
}

fn attempt(byte: u8) -> Attempt {
    Attempt::from_bytes([byte; 16])
}

#[tokio::test]
async fn a_grants_whole_life_is_recorded_with_its_names_and_without_its_attempt() {
    let issuer = Issuer::start(Scene::new());
    let ticket = issuer.issue(1).await;
    issuer.store.spend(&ticket, &attempt(0x77)).await.unwrap();
    issuer.store.spend(&ticket, &attempt(0x78)).await.unwrap_err();
    issuer.store.settle(&ticket, &attempt(0x77), Outcome::Succeeded).await.unwrap();
    assert_eq!(issuer.drain().round().await.failed, 0);
    let told = issuer.of(grant(1));
    let kinds: Vec<Kind> = told.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::Registered, Kind::Spent, Kind::Replayed, Kind::Settled]);
    for (_, recorded) in &told {
        let entry = &recorded.entry;
        assert_eq!(entry.agent.as_deref(), Some("spiffe://acme/agents/billing"));
        assert_eq!(entry.workflow.as_deref(), Some("run-81"));
        assert_eq!(entry.resource.as_deref(), Some("account/42"));
        assert_eq!((entry.sequence, entry.at), (Some(1), Some(NOW)));
        assert!(!recorded.line().contains("7777"), "an attempt is a secret");
    }
    assert_eq!(told[3].1.entry.outcome.as_deref(), Some("succeeded"));
}

#[tokio::test]
async fn what_is_brought_again_after_a_crash_is_recorded_once() {
    let issuer = Issuer::start(Scene::new().short_files());
    let ticket = issuer.issue(1).await;
    issuer.store.spend(&ticket, &attempt(1)).await.unwrap();
    let events = issuer.store.events(&issuer.life, 0).await.unwrap();
    let life = issuer.life.clone();
    issuer.archive.keep(&life, &events).await.unwrap();
    // It dies before anything was let go of, and comes again.
    let issuer = issuer.again();
    assert_eq!(issuer.archive.cursor(&life), events.len() as u64);
    issuer.archive.keep(&life, &events).await.unwrap();
    issuer.archive.gap(&life, &Gap::Ending { after: 9 }).await.unwrap();
    issuer.archive.gap(&life, &Gap::Ending { after: 9 }).await.unwrap();
    assert_eq!((issuer.count(Kind::Spent), issuer.count(Kind::Gap)), (1, 1));
    // Files later it is still known.
    issuer.record.append_all(vec![Entry::of(Kind::Alarm); 200]).unwrap().await.unwrap();
    issuer.record.append(Entry::of(Kind::Alarm)).unwrap().await.unwrap();
    assert!(issuer.scene.file(2).exists());
    let issuer = issuer.again();
    issuer.archive.keep(&life, &events).await.unwrap();
    assert_eq!(issuer.count(Kind::Spent), 1);
    let folder = Source::Folder(issuer.scene.folder());
    let report = verify(&[folder], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!((report.faults, report.spent), (vec![], 1));
}

#[tokio::test]
async fn the_events_of_a_living_life_are_shown_again_as_they_were() {
    let issuer = Issuer::start(Scene::new().short_files());
    let mut drain = issuer.drain();
    let mut brought: Vec<Event> = Vec::new();
    for number in 0..60 {
        let ticket = issuer.issue(number).await;
        if number % 2 == 0 {
            issuer.store.spend(&ticket, &attempt(1)).await.unwrap();
        }
        if number == 30 {
            let selector = Selector::Agent(ticket.agent.clone());
            drop(issuer.store.revoke(&selector).await.unwrap());
        }
        brought.extend(issuer.store.events(&issuer.life, brought.len() as u64).await.unwrap());
        if number % 10 == 9 {
            drain.round().await;
            brought.extend(issuer.store.events(&issuer.life, brought.len() as u64).await.unwrap());
        }
    }
    let cursor = issuer.archive.cursor(&issuer.life);
    assert!(cursor > 90, "{cursor}");
    let life = issuer.life.clone();
    drop(drain);
    let issuer = issuer.again();
    let mut shown: Vec<Event> = Vec::new();
    issuer.record.events_of(&life, |events| shown.extend_from_slice(events)).unwrap();
    let numbers: Vec<u64> = shown.iter().map(|event| event.number).collect();
    assert!(numbers.iter().copied().eq(1..=cursor), "{numbers:?}");
    for event in &brought {
        if let Some(again) = shown.iter().find(|again| again.number == event.number) {
            assert_eq!(again, event);
        }
    }
    assert!(shown.iter().any(|event| matches!(event.what, What::Leased { .. })));
    assert!(shown.iter().any(|event| matches!(event.what, What::RevokedAll { .. })));
}

#[tokio::test]
async fn a_life_that_was_cut_short_is_a_gap_and_its_successor_is_drained() {
    let issuer = Issuer::start(Scene::new());
    issuer.issue(1).await;
    issuer.drain().round().await;
    let first = issuer.life.clone();
    let issuer = issuer.again();
    assert_ne!(issuer.life, first);
    assert_eq!(issuer.drain().round().await.gaps, 1);
    let gaps: Vec<_> = issuer
        .scene
        .read()
        .into_iter()
        .filter(|recorded| recorded.entry.kind == Kind::Gap)
        .collect();
    assert_eq!(gaps[0].entry.code.as_deref(), Some("life-cut-short"));
    let folder = Source::Folder(issuer.scene.folder());
    let report = verify(&[folder], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!((report.faults.len(), report.gaps.len()), (0, 1));
}

fn hold(number: u64) -> Hold {
    let budget = BudgetKey::of("payments", "billing", 86_400);
    Hold {
        id: HoldId::of(grant(number), budget),
        budget,
        caller: Scope::from_bytes([3; 8]),
        amount: 100,
        from: NOW.minus(60),
        to: NOW.plus(86_340),
    }
}

#[tokio::test]
async fn what_is_held_is_the_ledgers_word_and_giving_back_is_said_there() {
    let issuer = Issuer::start(Scene::new());
    issuer.ledger.begin_hold(grant(1), hold(1)).await.unwrap();
    issuer.ledger.begin_hold(grant(2), hold(2)).await.unwrap();
    issuer.ledger.end_hold(grant(2), hold(2).id, HoldEnd::Kept).await.unwrap();
    assert_eq!(issuer.archive.held(grant(1)), [hold(1)]);
    assert!(issuer.archive.held(grant(2)).is_empty());
    issuer.archive.given_back(&hold(1)).await.unwrap();
    issuer.archive.given_back(&hold(1)).await.unwrap();
    assert!(issuer.archive.held(grant(1)).is_empty());
    assert_eq!(issuer.ledger.holds_of(grant(1))[0].end, Some(HoldEnd::GivenBack));
    // One that it was not asked for since it started is found among all.
    issuer.ledger.begin_hold(grant(3), hold(3)).await.unwrap();
    issuer.archive.given_back(&hold(3)).await.unwrap();
    assert_eq!(issuer.ledger.holds_of(grant(3))[0].end, Some(HoldEnd::GivenBack));
}

#[tokio::test]
async fn the_desk_is_drained_in_order_and_then_trimmed_and_once() {
    let issuer = Issuer::start(Scene::new());
    let (alice, reason) =
        (Caller::parse("oidc:corp:alice").unwrap(), Reason::parse("leak").unwrap());
    let agent = Agent::parse("key:ci").unwrap();
    for number in 0..3 {
        let claim = KeyClaim {
            key: KeyDigest::of(&alice, &format!("key {number}")),
            caller: Scope::from_bytes([1; 8]),
            request: RequestHash([2; 32]),
            grant: grant(number),
            until: NOW.plus(3_600),
        };
        issuer.ledger.claim_key(&claim).await.unwrap();
    }
    let selector = Selector::Agent(agent.clone());
    issuer.ledger.block(&selector, &alice, &reason).await.unwrap();
    issuer.ledger.lift(&selector, &alice).await.unwrap();
    assert_eq!(issuer.record.drain_ledger(&issuer.ledger).await, Ok(5));
    assert_eq!(issuer.ledger.journal().drained, 5);
    assert_eq!(issuer.record.drain_ledger(&issuer.ledger).await, Ok(0));
    let said: Vec<_> = issuer.scene.read().into_iter().map(|recorded| recorded.entry).collect();
    let said: Vec<_> = said.iter().filter(|entry| entry.life.as_deref() == Some("desk")).collect();
    let kinds: Vec<Kind> = said.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Cursor, Kind::Blocked, Kind::Unblocked]);
    assert_eq!(said[1].by.as_deref(), Some("oidc:corp:alice"));
    assert_eq!(
        (said[1].agent.as_deref(), said[1].reason.as_deref()),
        (Some("key:ci"), Some("leak"))
    );
    // A ledger that knows nothing is another one, and that is said.
    let empty = Ledger::in_memory(Arc::clone(&issuer.scene.clock) as _);
    empty.block(&selector, &alice, &reason).await.unwrap();
    assert_eq!(issuer.record.drain_ledger(&empty).await, Ok(1));
    assert_eq!((issuer.count(Kind::Gap), issuer.count(Kind::Blocked)), (1, 2));
    let folder = Source::Folder(issuer.scene.folder());
    let report = verify(&[folder], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!((report.faults.len(), report.gaps.len()), (0, 1));
}
