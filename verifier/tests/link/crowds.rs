//! Many callers: one connection, few attempts, and no more in flight than may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farebox_verifier::redis::{Link, Unanswered, Waits, Why};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fake::{Act, Fake};
use super::world::{HASTY, PATIENT, assert_answered, echo, link, soon};

/// As many as a busy API has.
const CROWD: u64 = 1000;
/// Attempts in the first second with a dead server: the rests grow from 50 ms, so six, and one to spare.
const ATTEMPTS_MAX: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_finds_no_connection_opens_one() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    let link = Arc::new(link(fake.port(), PATIENT));
    let mut callers = JoinSet::new();
    for n in 0..CROWD {
        let link = Arc::clone(&link);
        callers.spawn(async move { assert_answered(n, echo(&link, n).await) });
    }
    soon(callers.join_all()).await;
    let seen = fake.seen();
    assert_eq!((seen.made, seen.count("FCALL")), (1, usize::try_from(CROWD).unwrap()));
}

/// Lets a crowd call for a second, again and again; what they were told, and how often.
async fn besiege(link: Link) -> (usize, Vec<Unanswered>) {
    let (link, told) = (Arc::new(link), Arc::new(AtomicUsize::new(0)));
    let end = Instant::now() + Duration::from_secs(1);
    let mut callers = JoinSet::new();
    for n in 0..CROWD {
        let (link, told) = (Arc::clone(&link), Arc::clone(&told));
        callers.spawn(async move {
            let mut last = None;
            while Instant::now() < end {
                last = echo(&link, n).await.err();
                told.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            last
        });
    }
    let answers = soon(callers.join_all()).await;
    (told.load(Ordering::Relaxed), answers.into_iter().flatten().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_before_a_dead_server_makes_few_attempts() {
    let fake = Fake::rude(|_| Act::SayAndCut(Vec::new())).await;
    let (told, answers) = besiege(link(fake.port(), PATIENT)).await;
    assert!(told >= usize::try_from(CROWD).unwrap() && !answers.is_empty());
    for answer in answers {
        assert!(matches!(answer, Unanswered::Down(_)), "{answer:?}");
    }
    let made = fake.seen().made;
    assert!((2..=ATTEMPTS_MAX).contains(&made), "{made} attempts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_before_a_server_that_greets_and_then_refuses_makes_few_attempts() {
    for answer in [&b"-READONLY You can't write against a read only replica.\r\n"[..], b"+OK\r\n"] {
        let fake = Fake::start(move |_| Act::Say(answer.to_vec())).await;
        besiege(link(fake.port(), PATIENT)).await;
        let made = fake.seen().made;
        assert!((2..=ATTEMPTS_MAX).contains(&made), "{made} attempts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_before_a_mute_server_makes_few_attempts() {
    let fake = Fake::rude(|_| Act::Nothing).await;
    besiege(link(fake.port(), HASTY)).await;
    let made = fake.seen().made;
    assert!((2..=ATTEMPTS_MAX).contains(&made), "{made} attempts");
}

#[tokio::test]
async fn no_more_are_in_flight_than_may_be() {
    let fake = Fake::start(|_| Act::Nothing).await;
    let waits = Waits { in_flight_max: 4, call: Duration::from_secs(2), ..PATIENT };
    let link = Arc::new(link(fake.port(), waits));
    let mut callers = JoinSet::new();
    for n in 0..20 {
        let link = Arc::clone(&link);
        callers.spawn(async move { echo(&link, n).await.err().unwrap() });
    }
    let answers = soon(callers.join_all()).await;
    let count = |why| answers.iter().filter(|answer| **answer == why).count();
    assert_eq!(count(Unanswered::InDoubt(Why::TimedOut)), 4, "{answers:?}");
    assert_eq!(count(Unanswered::Down(Why::Busy)), 16, "{answers:?}");
    assert_eq!(fake.seen().count("FCALL"), 4);
}

#[tokio::test]
async fn whoever_waits_for_a_slot_is_given_the_next_that_is_free() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    let link = Arc::new(link(fake.port(), Waits { in_flight_max: 1, ..PATIENT }));
    let mut callers = JoinSet::new();
    for n in 0..100 {
        let link = Arc::clone(&link);
        callers.spawn(async move { assert_answered(n, echo(&link, n).await) });
    }
    soon(callers.join_all()).await;
    assert_eq!(fake.seen().made, 1);
}
