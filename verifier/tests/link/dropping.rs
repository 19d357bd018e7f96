//! Callers that do not wait for their answers, and links that are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farebox_verifier::redis::{Unanswered, Waits, Why};
use tokio::time::timeout;

use super::fake::{Act, Fake};
use super::server::Server;
use super::world::{HASTY, PATIENT, assert_answered, echo, link, packed, recovered, soon};

#[tokio::test]
async fn a_dropped_call_is_neither_taken_back_nor_in_the_way() {
    // The first two replies come with the third.
    let mut held = Vec::new();
    let fake = Fake::start(move |asked| {
        held.extend(asked.echoed());
        match *asked.words.last().unwrap() == packed(3) {
            true => Act::Say(std::mem::take(&mut held)),
            false => Act::Nothing,
        }
    })
    .await;
    let link = link(fake.port(), PATIENT);
    for n in [1, 2] {
        tokio::select! {
            biased;
            answer = echo(&link, n) => panic!("{:?}", answer.err()),
            _ = fake.until(|seen| seen.count("FCALL") == usize::try_from(n).unwrap()) => {}
        }
    }
    assert_answered(3, echo(&link, 3).await);
    assert_eq!(fake.seen().made, 1);
}

#[tokio::test]
async fn a_call_dropped_as_soon_as_it_is_sent_is_sent() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    let link = link(fake.port(), PATIENT);
    assert_answered(1, echo(&link, 1).await);
    // Polled once, and dropped before the task that writes has run.
    let mut call = Box::pin(echo(&link, 2));
    std::future::poll_fn(|cx| {
        assert!(call.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(call);
    fake.until(|seen| seen.count("FCALL") == 2).await;
}

#[tokio::test]
async fn dropped_calls_keep_their_slots_until_their_time_is_over() {
    let fake = Fake::start(|_| Act::Nothing).await;
    let waits = Waits { in_flight_max: 3, call: Duration::from_secs(2), ..PATIENT };
    let link = link(fake.port(), waits);
    for n in 1..=3 {
        tokio::select! {
            biased;
            answer = echo(&link, n) => panic!("{:?}", answer.err()),
            _ = fake.until(|seen| seen.count("FCALL") == usize::try_from(n).unwrap()) => {}
        }
    }
    assert_eq!(echo(&link, 4).await.err(), Some(Unanswered::Down(Why::Busy)));
    assert_eq!(fake.seen().count("FCALL"), 3);
}

#[tokio::test]
async fn a_silence_is_noticed_though_nobody_waited_for_its_end() {
    let mute = Arc::new(AtomicBool::new(true));
    let knows = Arc::clone(&mute);
    let fake = Fake::start(move |asked| match knows.load(Ordering::SeqCst) {
        true => Act::Nothing,
        false => Act::Say(asked.echoed()),
    })
    .await;
    let link = link(fake.port(), HASTY);
    tokio::select! {
        biased;
        answer = echo(&link, 1) => panic!("{:?}", answer.err()),
        _ = fake.until(|seen| seen.count("FCALL") == 1) => {}
    }
    mute.store(false, Ordering::SeqCst);
    // Its time is over, and the connection with it: with a call that nobody awaited.
    tokio::time::sleep(HASTY.call).await;
    recovered(&link).await;
    fake.until(|seen| seen.closed == 1).await;
    assert_eq!(fake.seen().made, 2);
}

#[tokio::test]
async fn a_dropped_link_closes_its_connection() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    let link = link(fake.port(), PATIENT);
    assert_answered(1, echo(&link, 1).await);
    drop(link);
    fake.until(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn a_dropped_link_gives_up_its_attempt() {
    let fake = Fake::rude(|_| Act::Nothing).await;
    let waits = Waits { connect: Duration::from_secs(60), ..PATIENT };
    let link = link(fake.port(), waits);
    tokio::select! {
        biased;
        answer = echo(&link, 1) => panic!("{:?}", answer.err()),
        _ = fake.until(|seen| seen.count("PING") == 1) => {}
    }
    drop(link);
    fake.until(|seen| seen.closed == 1).await;
}

#[test]
fn a_link_outlives_the_runtime_that_opened_it() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let first = runtime();
    let (server, link) = first.block_on(async {
        let server = Server::start().await;
        let link = server.link();
        assert_answered(1, echo(&link, 1).await);
        (server, link)
    });
    drop(first);
    runtime().block_on(soon(recovered(&link)));
    drop(server);
}

#[test]
fn an_attempt_that_ends_with_its_runtime_does_not_end_the_link() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let waits = Waits { connect: Duration::from_secs(60), ..HASTY };
    let fake = second.block_on(Fake::rude(|asked| match asked.connection {
        0 => Act::Nothing,
        _ => Act::Say(asked.echoed()),
    }));
    let link = link(fake.port(), waits);
    first.block_on(async {
        let short = Duration::from_millis(50);
        assert!(timeout(short, echo(&link, 1)).await.is_err());
        fake.until(|seen| seen.made == 1).await;
    });
    drop(first);
    second.block_on(recovered(&link));
}
