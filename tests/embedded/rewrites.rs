//! A file that is rewritten: as short as what it holds, the same to everybody, and in nobody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use farebox::limits::{BOOK_BYTES_MIN, REQUEST_BODY_BYTES_MAX};
use farebox::store::desk::{Body, Caller, Claimed, Proposal, Reason};
use farebox::store::view::Filter;
use farebox::store::{Embedded, GrantStore, Ledger};
use farebox_verifier::{Selector, SpendError, Ticket};
use tokio::task::JoinSet;

use super::ledger::proposal;
use super::scene::{
    NOW, Scene, close, drain, events_after, id, issue, living, register, registration, spend,
};
use super::told::claim;

const MANY: u64 = 100_000;
const CALLERS: usize = 256;

/// Registers many grants, each with a key at the desk, from many callers at once.
async fn issue_many(scene: &Scene, store: &Arc<Embedded>) {
    let mut callers = JoinSet::new();
    for caller in (0..).take(CALLERS) {
        let (store, now) = (Arc::clone(store), scene.now());
        callers.spawn(async move {
            for number in (caller..MANY).step_by(CALLERS) {
                store.ledger().claim_key(&claim(number)).await.unwrap();
                register(&*store, registration(number, now)).await.unwrap();
            }
        });
    }
    callers.join_all().await;
}

/// The longest that anybody waited for a look while the file was rewritten: at the grants, and at the desk.
async fn pauses(store: &Arc<Embedded>) -> [Duration; 2] {
    let over = Arc::new(AtomicBool::new(false));
    let watch = |look: fn(&Embedded)| {
        let (store, over) = (Arc::clone(store), Arc::clone(&over));
        thread::spawn(move || {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::SeqCst) {
                #[expect(clippy::disallowed_methods, reason = "a clock that nobody moves")]
                let start = Instant::now();
                look(&store);
                longest = longest.max(start.elapsed());
                // Others want to run on this machine too.
                thread::yield_now();
            }
            longest
        })
    };
    let grants = watch(|store| drop(now_or_never(store.read(id(5))).unwrap()));
    let desk = watch(|store| drop(store.ledger().blocks()));
    store.compact().await.unwrap();
    over.store(true, Ordering::SeqCst);
    [grants, desk].map(|watcher| watcher.join().unwrap())
}

/// What needs no waiting.
fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_grants_are_rewritten_beside_the_work() {
    let scene = Scene::quick();
    let store = scene.open();
    issue_many(&scene, &store).await;
    let before = length(&scene);
    let mut found = Vec::new();
    for _ in 0..5 {
        found.push(pauses(&store).await);
    }
    let with_events = length(&scene);
    let life = living(&*store).await;
    store.trim(&life, u64::MAX, drain(&*store).await).await.unwrap();
    store.ledger().trim(u64::MAX).await.unwrap();
    store.compact().await.unwrap();
    println!(
        "{MANY} grants with a key each: {before} bytes, {with_events} when rewritten, {} once drained",
        length(&scene)
    );
    let [mut grants, mut desk] =
        [0, 1].map(|of| found.iter().map(|pair| pair[of]).collect::<Vec<_>>());
    grants.sort();
    desk.sort();
    println!("the longest waits of five rewrites: for grants {grants:?}, for the desk {desk:?}");
    // What a rewrite takes it takes each time; more than that is another process's turn.
    assert!(grants[0] < Duration::from_millis(50), "{grants:?}");
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(store.count(&Filter::default()).await, MANY);
}

fn length(scene: &Scene) -> u64 {
    std::fs::metadata(scene.path()).unwrap().len()
}

/// Has a ledger write more than a file may have before it is rewritten, and nothing that lasts.
async fn fill(ledger: &Ledger) {
    let body = Body::new(&vec![7; REQUEST_BODY_BYTES_MAX]).unwrap();
    let (by, reason) = (Caller::parse("key:staff").unwrap(), Reason::parse("over").unwrap());
    for number in 0..BOOK_BYTES_MIN / REQUEST_BODY_BYTES_MAX as u64 + 20 {
        let proposal = Proposal { body: body.clone(), ..proposal(number, NOW.plus(600)) };
        ledger.propose(&proposal).await.unwrap();
        let swept = ledger.cancel(&Selector::All, &by, &reason).await.unwrap();
        assert_eq!((swept.taken, swept.left), (1, 0));
        ledger.trim(u64::MAX).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_has_grown_long_is_rewritten_by_itself() {
    let scene = Scene::quick();
    let store = scene.open();
    fill(store.ledger()).await;
    assert!(length(&scene) > BOOK_BYTES_MIN);
    // Whoever comes next begins it, and whoever comes then need not wait for it.
    let mut numbers = 0..50_000;
    while length(&scene) > BOOK_BYTES_MIN / 10 {
        issue(&scene, &*store, numbers.next().unwrap()).await;
    }
    let issued = numbers.start;
    close(store).await;
    assert_eq!(scene.open_sealed().count(&Filter::default()).await, issued);
}

#[tokio::test]
async fn a_ledger_that_has_grown_long_is_rewritten_by_itself() {
    let scene = Scene::quick();
    let ledger = Ledger::open(&scene.path(), Arc::clone(&scene.clock) as _).unwrap();
    fill(&ledger).await;
    let mut numbers = 0..50_000;
    while length(&scene) > BOOK_BYTES_MIN / 2 {
        ledger.claim_key(&claim(numbers.next().unwrap())).await.unwrap();
    }
    let last = ledger.journal().last;
    drop(ledger);
    let ledger = Ledger::open(&scene.path(), Arc::clone(&scene.clock) as _).unwrap();
    assert_eq!(ledger.journal().last, last);
}

#[tokio::test]
async fn a_rewrite_that_finds_no_room_leaves_the_store_as_it_was() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = issue(&scene, &*store, 1).await;
    // A folder stands where the new file would be made.
    let obstacle = scene.folder().join("store.rewrite");
    std::fs::create_dir(&obstacle).unwrap();
    assert!(store.compact().await.is_err());
    assert!(store.trouble().is_none());
    spend(&*store, &ticket, 1).await.unwrap();
    std::fs::remove_dir(&obstacle).unwrap();
    store.compact().await.unwrap();
    close(store).await;
    let again = spend(&*scene.open_sealed(), &ticket, 2).await;
    assert!(matches!(again, Err(SpendError::AlreadySpent { .. })), "{again:?}");
}

#[tokio::test]
async fn what_is_done_while_the_file_is_rewritten_is_in_it() {
    let scene = Scene::new();
    let store = scene.open();
    let mut tickets: Vec<Ticket> = Vec::new();
    for round in 0..6 {
        let mut compacting = JoinSet::new();
        let file = Arc::clone(&store);
        compacting.spawn(async move { file.compact().await });
        for number in 0..20 {
            let ticket = issue(&scene, &*store, round * 20 + number).await;
            if number % 2 == 0 {
                spend(&*store, &ticket, 1).await.unwrap();
            }
            tickets.push(ticket);
        }
        compacting.join_next().await.unwrap().unwrap().unwrap();
    }
    let events = events_after(&*store, &living(&*store).await, 0).await;
    assert_eq!(events.len(), 1 + 6 * 30);
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(events_after(&*store, &living(&*store).await, 0).await, events);
    for (number, ticket) in tickets.iter().enumerate() {
        let answer = spend(&*store, ticket, 2).await;
        let spent = matches!(answer, Err(SpendError::AlreadySpent { .. }));
        assert_eq!((spent, answer.is_ok()), (number % 2 == 0, number % 2 != 0), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_at_the_desk_while_a_stores_file_is_rewritten_is_in_it() {
    const EACH: u64 = 1_500;
    let scene = Scene::new();
    let store = scene.open();
    let mut speakers = JoinSet::new();
    for speaker in 0..4_u64 {
        let store = Arc::clone(&store);
        speakers.spawn(async move {
            for number in 0..EACH {
                store.ledger().claim_key(&claim(speaker * EACH + number)).await.unwrap();
            }
        });
    }
    let mut rewritten = 0;
    while !speakers.is_empty() {
        store.compact().await.unwrap();
        rewritten += 1;
        while speakers.try_join_next().is_some() {}
    }
    assert!(rewritten > 20, "{rewritten} times, or this shows nothing");
    let events = store.ledger().journal().last;
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(store.ledger().journal().last, events);
    for number in 0..4 * EACH {
        let again = store.ledger().claim_key(&claim(number)).await;
        assert!(matches!(again, Ok(Claimed::Same { .. })), "{number}: {again:?}");
    }
}
