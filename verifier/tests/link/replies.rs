//! Replies that are not to be believed, and replies that never come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farebox_verifier::redis::{Unanswered, Waits, Why};
use tokio::time::sleep;

use super::fake::{Act, Fake, bulk};
use super::world::{
    HASTY, PATIENT, assert_answered, call, echo, link, packed, recovered, said, soon,
};

#[tokio::test]
async fn a_reply_to_another_question_is_not_believed() {
    let strangers = [
        bulk(&packed(99)),
        bulk(&packed(1)[..15]),
        bulk(b""),
        b"$-1\r\n".to_vec(),
        b"+OK\r\n".to_vec(),
        b":1\r\n".to_vec(),
        [b"*1\r\n".to_vec(), bulk(&packed(1))].concat(),
    ];
    for stranger in strangers {
        let fake = Fake::start(move |asked| match asked.connection {
            0 => Act::Say(stranger.clone()),
            _ => Act::Say(asked.echoed()),
        })
        .await;
        let link = link(fake.port(), PATIENT);
        assert_eq!(echo(&link, 1).await.err(), Some(Unanswered::InDoubt(Why::NotEchoed)));
        // Its connection is closed, and nobody else is answered on it.
        fake.until(|seen| seen.closed == 1).await;
        recovered(&link).await;
        assert_eq!(fake.seen().made, 2);
    }
}

#[tokio::test]
async fn whoever_shares_a_connection_with_a_strangers_reply_is_in_doubt_at_once() {
    // Two questions, and one reply that is neither's.
    let fake = Fake::start(|asked| match *asked.words.last().unwrap() == packed(1) {
        true => Act::Nothing,
        false => Act::Say(bulk(&packed(99))),
    })
    .await;
    let link = link(fake.port(), PATIENT);
    let second = async {
        fake.until(|seen| seen.count("FCALL") == 1).await;
        echo(&link, 2).await
    };
    let (first, second) = soon(async { tokio::join!(echo(&link, 1), second) }).await;
    assert_eq!(first.err(), Some(Unanswered::InDoubt(Why::NotEchoed)));
    assert_eq!(second.err(), Some(Unanswered::InDoubt(Why::Closed)));
}

#[tokio::test]
async fn a_commands_reply_is_believed_only_before_that_of_its_own_ping() {
    // A reply too many: each that follows is the one before's.
    let fake = Fake::rude(|asked| match () {
        () if asked.is("GET") => Act::Say([bulk(b"of another"), bulk(b"its own")].concat()),
        () => Act::Say(asked.echoed()),
    })
    .await;
    let link = link(fake.port(), PATIENT);
    let answer = link.command("GET", &[b"key"]).await;
    assert_eq!(answer.err(), Some(Unanswered::InDoubt(Why::NotEchoed)));
}

#[tokio::test]
async fn a_late_reply_is_given_to_nobody() {
    let waits = Waits { call: Duration::from_secs(3), ..PATIENT };
    // Nobody waits for the first reply any more when both come, and the second is still waited for.
    let fake = Fake::start(|asked| match *asked.words.last().unwrap() == packed(1) {
        true => Act::Nothing,
        false => {
            let both = [bulk(&packed(1)), asked.echoed()].concat();
            Act::SayLate(Duration::from_millis(1800), both)
        }
    })
    .await;
    let link = link(fake.port(), waits);
    let second = async {
        fake.until(|seen| seen.count("FCALL") == 1).await;
        sleep(waits.call / 2).await;
        echo(&link, 2).await
    };
    let (first, second) = soon(async { tokio::join!(echo(&link, 1), second) }).await;
    assert_eq!(first.err(), Some(Unanswered::InDoubt(Why::TimedOut)));
    assert_answered(2, second);
    // The connection is not used further all the same.
    fake.until(|seen| seen.closed == 1).await;
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    // Each connection is cut at its first question: before, within and after the reply.
    for (said, cut) in [(0, true), (9, true), (usize::MAX, true), (0, false)] {
        let fake = Fake::start(move |asked| {
            let reply = asked.echoed();
            match cut {
                true if said == 0 => Act::SayAndCut(Vec::new()),
                true => Act::SayAndCut(reply[..said.min(reply.len())].to_vec()),
                false => Act::Nothing,
            }
        })
        .await;
        let link = link(fake.port(), HASTY);
        let mut sent = 0;
        for n in 0..6 {
            // What could not be sent was not sent, and what could is said to be in doubt.
            match echo(&link, n).await {
                Err(Unanswered::Down(_)) => sleep(HASTY.connect).await,
                Err(Unanswered::InDoubt(_)) | Ok(_) => sent += 1,
                Err(refused) => panic!("{refused:?}"),
            }
        }
        let seen = fake.until(|seen| seen.count("FCALL") >= sent).await;
        assert_eq!(seen.count("FCALL"), sent);
        let mut asked: Vec<_> = seen.asked.iter().filter(|words| words[0] == b"FCALL").collect();
        asked.dedup();
        assert_eq!(asked.len(), sent, "one question was asked twice");
        assert!(sent > 1, "no connection was made anew");
    }
}

#[tokio::test]
async fn half_a_reply_is_none() {
    let fake = Fake::start(|asked| {
        let reply = asked.echoed();
        Act::SayAndCut(reply[..reply.len() / 2].to_vec())
    })
    .await;
    let doubt = echo(&link(fake.port(), PATIENT), 1).await.err().unwrap();
    assert!(matches!(doubt, Unanswered::InDoubt(Why::Closed | Why::Garbled)), "{doubt:?}");
}

#[tokio::test]
async fn a_server_that_is_not_fit_is_left_and_asked_again_later() {
    for error in
        ["READONLY You can't write", "LOADING Redis is loading", "MASTERDOWN x", "NOAUTH x"]
    {
        let fit = Arc::new(AtomicBool::new(false));
        let knows = Arc::clone(&fit);
        let fake = Fake::start(move |asked| match knows.load(Ordering::SeqCst) {
            true => Act::Say(asked.echoed()),
            false => Act::Say(format!("-{error}\r\n").into_bytes()),
        })
        .await;
        let link = link(fake.port(), PATIENT);
        let refused = echo(&link, 1).await.err().unwrap();
        assert!(matches!(refused, Unanswered::Refused { .. }), "{refused:?}");
        assert!(refused.surely_not_carried_out(), "{refused:?}");
        fake.until(|seen| seen.closed == 1).await;
        // For a moment nobody is asked, and all are told why.
        if let Err(resting) = call(&link, "probe_echo", 2).await {
            let code = error.split(' ').next().unwrap();
            assert!(said(&resting).contains(code), "{resting:?}");
        }
        fit.store(true, Ordering::SeqCst);
        recovered(&link).await;
        assert_eq!(fake.seen().made, fake.seen().closed + 1);
    }
}

#[tokio::test]
async fn other_refusals_leave_the_connection_alone() {
    for error in ["ERR no", "OOM full", "BUSY busy", "NOPERM no", "MOVED 1 10.0.0.7:1", "NOVEL x"] {
        let fake = Fake::start(move |asked| match *asked.words.last().unwrap() == packed(1) {
            true => Act::Say(format!("-{error}\r\n").into_bytes()),
            false => Act::Say(asked.echoed()),
        })
        .await;
        let link = link(fake.port(), PATIENT);
        let refused = echo(&link, 1).await.err().unwrap();
        assert!(matches!(refused, Unanswered::Refused { .. }), "{refused:?}");
        assert_answered(2, echo(&link, 2).await);
        assert_eq!(fake.seen().made, 1, "{error}");
    }
}
