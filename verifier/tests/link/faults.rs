//! Servers that freeze, die, and were never there.

use std::io::ErrorKind;
use std::time::Duration;

use farebox_verifier::redis::{Unanswered, Waits, Why};
use tokio::time::{Instant, sleep};

use super::fake::{Act, Fake};
use super::server::Server;
use super::world::{HASTY, PATIENT, assert_answered, echo, link, recovered};

/// Beyond its wait, what a call may take on a machine that is busy with other tests.
const SLACK: Duration = Duration::from_millis(600);

#[tokio::test]
async fn a_frozen_server_leaves_doubt_once_and_then_is_down_until_it_thaws() {
    let server = Server::start().await;
    let link = link(server.port(), HASTY);
    recovered(&link).await;
    server.freeze();
    let begun = Instant::now();
    assert_eq!(echo(&link, 1).await.err(), Some(Unanswered::InDoubt(Why::TimedOut)));
    assert!(begun.elapsed() < HASTY.call + SLACK, "{:?}", begun.elapsed());
    // Its port still takes connections, and yet nothing more is sent to it.
    for n in 2..20 {
        let begun = Instant::now();
        let down = echo(&link, n).await.err().unwrap();
        assert!(
            matches!(down, Unanswered::Down(Why::Opening | Why::TimedOut)),
            "call {n}: {down:?}"
        );
        assert!(begun.elapsed() < HASTY.call + SLACK, "{:?}", begun.elapsed());
    }
    server.thaw();
    recovered(&link).await;
    for n in 100..200 {
        assert_answered(n, echo(&link, n).await);
    }
}

#[tokio::test]
async fn a_killed_server_is_down_at_once_and_found_again_when_it_is_back() {
    let mut server = Server::start().await;
    let link = link(server.port(), PATIENT);
    assert_answered(1, echo(&link, 1).await);
    server.kill();
    let killed = Instant::now();
    for n in 2.. {
        let begun = Instant::now();
        match echo(&link, n).await.err().unwrap() {
            // The first may have been sent before it was known.
            Unanswered::InDoubt(Why::Closed) if n == 2 => {}
            Unanswered::Down(Why::Closed) => {}
            Unanswered::Down(Why::Unreachable { kind: ErrorKind::ConnectionRefused }) => break,
            other => panic!("call {n}: {other:?}"),
        }
        assert!(begun.elapsed() < SLACK, "call {n} took {:?}", begun.elapsed());
        assert!(killed.elapsed() < Duration::from_secs(10), "nobody looks for the server");
        sleep(Duration::from_millis(1)).await;
    }
    server.restart().await;
    recovered(&link).await;
}

#[tokio::test]
async fn a_server_that_dies_with_calls_in_flight_leaves_them_in_doubt_at_once() {
    let mut server = Server::start().await;
    let link = link(server.port(), PATIENT);
    assert_answered(1, echo(&link, 1).await);
    server.freeze();
    let begun = Instant::now();
    let mut calls = Box::pin(async { tokio::join!(echo(&link, 2), echo(&link, 3)) });
    // Both are sent, for a frozen server's socket takes them.
    let sent = tokio::time::timeout(Duration::from_millis(300), &mut calls).await;
    assert!(sent.is_err());
    server.kill();
    let (second, third) = calls.await;
    assert_eq!(second.err(), Some(Unanswered::InDoubt(Why::Closed)));
    assert_eq!(third.err(), Some(Unanswered::InDoubt(Why::Closed)));
    assert!(begun.elapsed() < PATIENT.call / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_down_and_never_in_doubt() {
    let fake = Fake::rude(|_| Act::Nothing).await;
    let link = link(fake.port(), HASTY);
    let begun = Instant::now();
    for n in 0..10 {
        let down = echo(&link, n).await.err().unwrap();
        assert!(matches!(down, Unanswered::Down(Why::Opening | Why::TimedOut)), "{down:?}");
    }
    // Whoever comes late to an attempt is told so at once.
    assert!(begun.elapsed() < 5 * HASTY.call + SLACK, "{:?}", begun.elapsed());
    assert_eq!(fake.seen().count("FCALL"), 0);
}

#[tokio::test]
async fn what_does_not_speak_redis_is_down() {
    let fake = Fake::rude(|_| Act::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    let down = echo(&link(fake.port(), PATIENT), 1).await.err();
    assert_eq!(down, Some(Unanswered::Down(Why::Garbled)));
}

#[tokio::test]
async fn a_name_without_an_address_is_down() {
    let address = super::world::address("redis://nobody.invalid", None);
    let nowhere = farebox_verifier::redis::Link::new(address, PATIENT);
    let down = echo(&nowhere, 1).await.err().unwrap();
    assert!(matches!(down, Unanswered::Down(Why::Unresolved | Why::Opening)), "{down:?}");
}

#[tokio::test]
async fn a_call_without_any_time_is_not_sent() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    let link = link(fake.port(), Waits { call: Duration::ZERO, ..PATIENT });
    let down = echo(&link, 1).await.err().unwrap();
    assert!(matches!(down, Unanswered::Down(Why::Opening)), "{down:?}");
    assert_eq!(fake.seen().count("FCALL"), 0);
}
