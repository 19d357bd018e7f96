//! A clock that is set back while the store runs: another life takes over in place.

use std::sync::Arc;

use farebox::limits::CLOCK_STEP_SECONDS_MAX;
use farebox::store::event::What;
use farebox::store::{GrantStore, LifeId, Memory};
use farebox_verifier::{
    Clock as _, ManualClock, Outcome, Selector, SettleError, SpendError, UnixSeconds,
};

use super::scene::{
    NOW, POLICY, Scene, attempt, close, drain, ended, events_after, issue, living, name, register,
    registration, seat, spend,
};

async fn goes_on_with_another_life(store: &impl GrantStore, clock: &ManualClock) {
    let first = living(store).await;
    let ticket = register(store, registration(1, NOW)).await.unwrap();
    let spent = register(store, registration(2, NOW)).await.unwrap();
    spend(store, &spent, 1).await.unwrap();
    assert!(store.block(&Selector::Key(99)).await.unwrap().everywhere());
    let lease = drain(store).await;

    clock.set(NOW.minus(CLOCK_STEP_SECONDS_MAX + 1));
    assert_eq!(spend(store, &ticket, 1).await, Err(SpendError::Fenced));
    let second = living(store).await;
    assert_ne!(second, first);
    let unsettled = store.settle(&spent, &attempt(1), Outcome::Succeeded).await;
    assert_eq!(unsettled, Err(SettleError::Fenced));
    assert!(store.trim(&second, 1, lease).await.is_err(), "leases end with their life");
    serves_by_the_new_clock(store, &second, clock.now()).await;
    ended_by_its_own_word(store, &first, &second, clock.now()).await;

    // Set right again, the new life goes on and the old one stays over.
    clock.set(NOW);
    assert_eq!(spend(store, &ticket, 1).await, Err(SpendError::Fenced));
    assert_eq!(living(store).await, second);
}

/// It knows what its store was told before.
async fn serves_by_the_new_clock(store: &impl GrantStore, second: &LifeId, now: UnixSeconds) {
    let fresh = register(store, registration(3, now)).await.unwrap();
    assert_eq!((&seat(&fresh).generation, seat(&fresh).sequence), (&second.generation, 1));
    assert_eq!(store.spend(&fresh, &attempt(1)).await.unwrap().spent_at, now);
    let mut blocked = registration(4, now);
    blocked.ticket.key_id = 99;
    assert!(store.register(&blocked).await.is_err());
}

/// Its journal is drained like any other.
async fn ended_by_its_own_word(
    store: &impl GrantStore,
    first: &LifeId,
    second: &LifeId,
    now: UnixSeconds,
) {
    let over = ended(store).await;
    assert_eq!((over.len(), &over[0].life), (1, first));
    assert!(store.closed(first).await && !store.closed(second).await);
    let events = events_after(store, first, 0).await;
    assert_eq!(events.last().unwrap().what, What::Closed);
    let previous = Some(first.generation);
    let opened = events_after(store, second, 0).await.remove(0);
    assert_eq!((opened.at, opened.what), (now, What::Opened { previous, policy: POLICY }));
}

#[tokio::test]
async fn a_store_in_memory_goes_on_with_another_life() {
    let clock = Arc::new(ManualClock::at(NOW));
    let store = Memory::open(name(), Arc::clone(&clock) as _, POLICY).unwrap();
    goes_on_with_another_life(&store, &clock).await;
}

#[tokio::test]
async fn a_store_in_a_file_goes_on_with_another_life_and_comes_back_with_it() {
    let scene = Scene::new();
    let store = scene.open();
    goes_on_with_another_life(&*store, &scene.clock).await;
    let second = living(&*store).await;
    let ticket = issue(&scene, &*store, 5).await;
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(living(&*store).await, second);
    assert_eq!(ended(&*store).await.len(), 1);
    spend(&*store, &ticket, 1).await.unwrap();
}
