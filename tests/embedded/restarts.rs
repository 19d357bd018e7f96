//! What a start goes on from, and what it does not.

use std::fs;

use farebox::store::budget::{BudgetKey, Take, TakeError};
use farebox::store::desk::{Caller, KeyClaim, KeyDigest, Reason, RequestHash};
use farebox::store::embedded::Start;
use farebox::store::event::{OldGrants, What};
use farebox::store::registration::RegisterError;
use farebox::store::view::{Filter, Standing};
use farebox::store::{Found, GrantStore, JournalError};
use farebox_verifier::{
    Clock as _, Outcome, PolicyHash, Selector, SettleError, SpendError, SpendStore as _,
};

use super::scene::{
    NOW, POLICY, Scene, attempt, close, drain, ended, events_after, id, issue, living, no_lease,
    register, registration, seat, spend,
};

#[tokio::test]
async fn a_store_that_was_closed_goes_on_where_it_stopped() {
    let scene = Scene::new();
    let (store, opened) = scene.try_open().unwrap();
    assert_eq!((opened.start, opened.policy, opened.cut_bytes), (Start::Created, POLICY, 0));
    let (unspent, spent) = (issue(&scene, &*store, 1).await, issue(&scene, &*store, 2).await);
    spend(&*store, &spent, 7).await.unwrap();
    close(store).await;

    let store = scene.open_sealed();
    assert_eq!(living(&*store).await, opened.life);
    // What was spent stays spent, and its attempt is known again.
    assert!(matches!(spend(&*store, &spent, 8).await, Err(SpendError::AlreadySpent { .. })));
    spend(&*store, &spent, 7).await.unwrap();
    assert_eq!(store.settle(&spent, &attempt(7), Outcome::Succeeded).await, Ok(()));
    // What was not is spent once, over any number of starts.
    spend(&*store, &unspent, 1).await.unwrap();
    close(store).await;
    close(scene.open_sealed()).await;
    let store = scene.open_sealed();
    assert!(matches!(spend(&*store, &unspent, 2).await, Err(SpendError::AlreadySpent { .. })));
    assert_eq!(seat(&issue(&scene, &*store, 3).await).sequence, 3);
    let events = events_after(&*store, &opened.life, 0).await;
    assert_eq!(events[0].what, What::Opened { previous: None, policy: POLICY });
}

#[tokio::test]
async fn a_store_that_is_closed_is_down() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = issue(&scene, &*store, 1).await;
    store.close().await.unwrap();
    assert_eq!(spend(&*store, &ticket, 1).await, Err(SpendError::Down));
    let refused = register(&*store, registration(2, NOW)).await;
    assert_eq!(refused, Err(RegisterError::Down));
    assert!(store.close().await.is_err(), "it is closed");
    drop(store);
    spend(&*scene.open_sealed(), &ticket, 1).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_not_closed_grants_nothing_that_it_granted_before() {
    let scene = Scene::new();
    let (store, first) = scene.try_open().unwrap();
    let (unspent, spent) = (issue(&scene, &*store, 1).await, issue(&scene, &*store, 2).await);
    let settled = issue(&scene, &*store, 3).await;
    for ticket in [&spent, &settled] {
        spend(&*store, ticket, 7).await.unwrap();
    }
    store.settle(&settled, &attempt(7), Outcome::Succeeded).await.unwrap();
    drop(store);

    let (store, fenced) = scene.open_unsealed();
    assert_eq!(fenced, 2);
    let life = living(&*store).await;
    assert_ne!(life, first.life);
    for ticket in [&unspent, &spent, &settled] {
        for claimant in [7, 8] {
            assert_eq!(spend(&*store, ticket, claimant).await, Err(SpendError::Fenced));
        }
        let unsettled = store.settle(ticket, &attempt(7), Outcome::Succeeded).await;
        assert_eq!(unsettled, Err(SettleError::Fenced));
    }
    // What nobody can tell is shown as what it is, and what is known stays known.
    let standing = async |number| store.read(id(number)).await.unwrap().standing;
    let unknown = Standing::Settled(Outcome::Unknown);
    assert_eq!([standing(1).await, standing(2).await], [unknown; 2]);
    assert_eq!(standing(3).await, Standing::Settled(Outcome::Succeeded));
    let found = async |number| store.revoke(&Selector::Grant(id(number))).await.unwrap().found;
    // It was never spent: its life kept what it answered.
    assert_eq!(found(1).await, Some(Found::Expired));
    assert_eq!(found(2).await, Some(Found::Settled(Outcome::Unknown)));
    assert_eq!(found(3).await, Some(Found::Settled(Outcome::Succeeded)));
    assert_eq!(found(9).await, Some(Found::Unknown));

    let fresh = issue(&scene, &*store, 4).await;
    assert_eq!((seat(&fresh).generation, seat(&fresh).sequence), (life.generation, 1));
    spend(&*store, &fresh, 1).await.unwrap();
    let events = events_after(&*store, &life, 0).await;
    let previous = Some(first.life.generation);
    assert_eq!(events[0].what, What::Opened { previous, policy: POLICY });
}

#[tokio::test]
async fn the_journal_of_a_life_that_is_over_is_there_until_it_is_drained() {
    let scene = Scene::new();
    let (store, first) = scene.try_open().unwrap();
    for number in 0..5 {
        issue(&scene, &*store, number).await;
    }
    let before = events_after(&*store, &first.life, 0).await;
    store.trim(&first.life, 2, drain(&*store).await).await.unwrap();
    let last = before.len() as u64 + 1;
    drop(store);
    drop(scene.open());

    let store = scene.open();
    let over = ended(&*store).await;
    assert_eq!((over.len(), &over[0].life), (2, &first.life), "in the order in which they lived");
    assert_eq!((over[0].last, over[0].drained), (last, 2), "the lease was an event too");
    let events = events_after(&*store, &first.life, 0).await;
    assert_eq!(events.len() as u64, last - 2);
    assert_eq!(events[..4], before[2..]);
    assert!(!store.closed(&first.life).await);
    // It has no leases, and ends no grants.
    assert!(store.lease(&first.life, "drain", "issuer-1", 10).await.is_err());
    let lapsed = store.lapse(&first.life, &[1], no_lease()).await;
    assert_eq!(lapsed.map(|_| ()), Err(JournalError::Gone));
    assert_eq!(store.due(&first.life).await, [] as [u64; 0]);

    // Half of it is drained: the rest outlives another start.
    store.trim(&first.life, 4, no_lease()).await.unwrap();
    store.forget(&first.life).await;
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(events_after(&*store, &first.life, 0).await[..], events[2..]);
    store.trim(&first.life, u64::MAX, no_lease()).await.unwrap();
    assert_eq!(events_after(&*store, &first.life, 0).await, []);
    store.forget(&first.life).await;
    assert_eq!(store.events(&first.life, 0).await, Err(JournalError::Gone));
    drop(store);

    let store = scene.open();
    let over = ended(&*store).await;
    assert!(over.len() == 2 && over.iter().all(|journal| journal.life != first.life), "{over:?}");
}

#[tokio::test]
async fn what_was_drained_is_not_there_again_after_a_start() {
    let scene = Scene::new();
    let store = scene.open();
    for number in 0..5 {
        issue(&scene, &*store, number).await;
    }
    let life = living(&*store).await;
    store.trim(&life, 4, drain(&*store).await).await.unwrap();
    close(store).await;
    let store = scene.open_sealed();
    let events = events_after(&*store, &life, 0).await;
    assert_eq!(events[0].number, 5);
    let journal = &store.journals().await.unwrap()[0];
    assert_eq!((journal.drained, journal.last), (4, 7));
}

#[tokio::test]
async fn what_was_said_outlives_the_life_that_it_was_said_to() {
    let scene = Scene::new();
    let store = scene.open();
    let policy = PolicyHash::from_bytes([6; 32]);
    assert!(store.set_policy(policy, OldGrants::Kept).await.unwrap().everywhere());
    let blocked = Selector::Key(99);
    assert!(store.block(&blocked).await.unwrap().everywhere());
    store.abandon(id(9)).await.unwrap();
    store.open_budgets(&[]).await.unwrap();
    let take = |number, amount| Take {
        grant: id(number),
        budget: BudgetKey::of("payments", "key:ci", 86_400),
        caller: Selector::Key(1).scope(),
        amount,
        limit: 100,
        window_seconds: 86_400,
    };
    let held = store.take(&take(1, 60)).await.unwrap();
    let given_back = store.take(&take(2, 30)).await.unwrap();
    store.give_back(&given_back).await.unwrap();
    drop(store);

    let (store, opened) = scene.try_open().unwrap();
    assert_eq!((opened.policy, opened.start), (policy, Start::Unsealed { fenced: 0 }));
    let refused = register(&*store, registration(1, NOW)).await;
    assert_eq!(refused, Err(RegisterError::Policy));
    let mut registration = registration(9, NOW);
    registration.ticket.policy = policy;
    assert_eq!(store.register(&registration).await, Err(RegisterError::Abandoned));
    registration.ticket.grant = id(10);
    registration.ticket.key_id = 99;
    assert_eq!(store.register(&registration).await, Err(RegisterError::Blocked));
    assert!(store.unblock(&blocked).await.unwrap().everywhere());
    store.register(&registration).await.unwrap();
    // Budgets are counted on, and each hold is one.
    assert_eq!(store.take(&take(1, 60)).await, Ok(held));
    assert_eq!(store.take(&take(2, 30)).await, Err(TakeError::GivenBack));
    let over = store.take(&take(3, 41)).await;
    assert!(matches!(over, Err(TakeError::Over { left: 40, .. })), "{over:?}");
    store.take(&take(3, 40)).await.unwrap();
}

#[tokio::test]
async fn what_stands_at_the_desk_is_in_the_same_file() {
    let scene = Scene::new();
    let store = scene.open();
    let (by, reason) = (Caller::parse("oidc:corp:ann").unwrap(), Reason::parse("phone").unwrap());
    store.ledger().block(&Selector::Key(7), &by, &reason).await.unwrap();
    let claim = KeyClaim {
        key: KeyDigest::of(&by, "key-1"),
        caller: Selector::Key(1).scope(),
        request: RequestHash([1; 32]),
        grant: id(1),
        until: NOW.plus(600),
    };
    let fresh = store.ledger().claim_key(&claim).await.unwrap();
    issue(&scene, &*store, 1).await;
    drop(store);
    let store = scene.open();
    let again = store.ledger().claim_key(&KeyClaim { grant: id(2), ..claim }).await.unwrap();
    assert_ne!(again, fresh);
    assert!(format!("{again:?}").contains(&format!("{:?}", id(1))), "{again:?}");
    assert_eq!(store.ledger().blocks().len(), 1);
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(store.ledger().journal().last, 2);
    assert_eq!(store.ledger().events(0).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_backup_that_is_restored_is_another_life() {
    let scene = Scene::new();
    let (store, first) = scene.try_open().unwrap();
    let (ticket, spent) = (issue(&scene, &*store, 1).await, issue(&scene, &*store, 2).await);
    close(store).await;
    // All that lies in the folder, the seal too, as a tool for backups takes it.
    let backup = |name: &str| scene.folder().join(format!("backup-{name}"));
    for name in ["store", "store.seal"] {
        fs::copy(scene.folder().join(name), backup(name)).unwrap();
    }
    let store = scene.open_sealed();
    spend(&*store, &spent, 1).await.unwrap();
    close(store).await;

    for name in ["store", "store.seal"] {
        fs::copy(backup(name), scene.folder().join(name)).unwrap();
    }
    let (store, fenced) = scene.open_unsealed();
    assert_eq!(fenced, 2, "the backup knows of no spend");
    assert_ne!(living(&*store).await, first.life);
    for ticket in [&ticket, &spent] {
        assert_eq!(spend(&*store, ticket, 2).await, Err(SpendError::Fenced));
    }
}

#[tokio::test]
async fn a_file_that_was_put_in_place_of_the_store_is_another_life() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = issue(&scene, &*store, 1).await;
    close(store).await;
    let (copy, path) = (scene.folder().join("copy"), scene.path());
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    let (store, fenced) = scene.open_unsealed();
    assert_eq!((fenced, spend(&*store, &ticket, 1).await), (1, Err(SpendError::Fenced)));
}

#[tokio::test]
async fn a_store_whose_file_is_gone_is_another_store() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = issue(&scene, &*store, 1).await;
    close(store).await;
    fs::remove_file(scene.path()).unwrap();
    let (store, opened) = scene.try_open().unwrap();
    assert_eq!(opened.start, Start::Created);
    assert_eq!(spend(&*store, &ticket, 1).await, Err(SpendError::Fenced));
}

#[tokio::test]
async fn a_clock_set_back_while_nobody_looked_revives_nothing() {
    let scene = Scene::new();
    let store = scene.open();
    let (ended, long) = (registration(1, NOW), issue(&scene, &*store, 2).await);
    let mut ended = ended;
    (ended.ticket.end, ended.ticket.grant_end) = (NOW.plus(60), NOW.plus(60));
    let ended = register(&*store, ended).await.unwrap();
    scene.clock.advance(70);
    // No event says that it has ended: only the time does.
    assert!(matches!(spend(&*store, &ended, 1).await, Err(SpendError::Expired { .. })));
    close(store).await;
    scene.clock.set(NOW.plus(10));
    let store = scene.open_sealed();
    assert!(matches!(spend(&*store, &ended, 1).await, Err(SpendError::Expired { .. })));
    close(store).await;

    scene.clock.set(NOW.minus(400));
    let (store, opened) = scene.try_open().unwrap();
    assert_eq!(opened.start, Start::ClockBehind { fenced: 2 });
    assert_eq!(spend(&*store, &long, 1).await, Err(SpendError::Fenced));
    // The new life tells the time as it is.
    let fresh = issue(&scene, &*store, 3).await;
    let receipt = store.spend(&fresh, &attempt(1)).await.unwrap();
    assert_eq!(receipt.spent_at, scene.clock.now());
}

#[tokio::test]
async fn listings_go_on_over_starts_and_forget_lives_that_are_over() {
    let scene = Scene::new();
    let mut numbers = 0..;
    for _ in 0..3 {
        let store = scene.open();
        for number in numbers.by_ref().take(4) {
            issue(&scene, &*store, number).await;
        }
    }
    let store = scene.open();
    let page = store.list(&Filter::default(), None, 5).await;
    let rest = store.list(&Filter::default(), page.next, 500).await;
    let listed: Vec<_> = page.items.iter().chain(&rest.items).collect();
    assert_eq!(listed.len(), 12);
    assert!(listed.iter().zip(0..).all(|(listed, number)| listed.description.grant == id(number)));
    assert_eq!(store.count(&Filter::default()).await, 12);
    for journal in ended(&*store).await {
        store.trim(&journal.life, u64::MAX, no_lease()).await.unwrap();
        store.forget(&journal.life).await;
    }
    scene.clock.advance(5_000);
    issue(&scene, &*store, 99).await;
    assert_eq!(store.count(&Filter::default()).await, 1);
    let page = store.list(&Filter::default(), page.next, 500).await;
    assert_eq!(page.items.len(), 1, "a page goes on after lives that were forgotten");
}
