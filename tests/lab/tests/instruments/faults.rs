//! What a proxy does to requests and replies.

use std::time::{Duration, Instant};

use farebox_lab::{Answer, Connection, Counts, Fault, Options, Proxy, Redis, deliver};

const PATIENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(100);
const FOR_EVER: Duration = Duration::from_secs(3600);

fn behind() -> (Redis, Proxy, Connection) {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let client = Connection::open(proxy.address(), PATIENCE).unwrap();
    (redis, proxy, client)
}

fn value(redis: &Redis) -> Option<i64> {
    redis.command(&["GET", "key"]).integer()
}

#[test]
fn without_a_fault_everything_is_answered_and_counted() {
    let (_redis, proxy, mut client) = behind();
    for n in 1..=3 {
        assert_eq!(client.call(&["INCR", "key"]).unwrap().integer(), Some(n));
    }
    assert!(client.call(&["nonsense"]).unwrap().is_error());
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.faults), (1, 0));
    assert_eq!((counts.requests, counts.delivered, counts.executed, counts.answered), (4, 4, 4, 4));
    assert_eq!((counts.of("incr"), counts.of("NONSENSE"), counts.of("GET")), (3, 1, 0));
}

/// Whether a request is executed whose reply does not come, and whether its connection is still there.
#[test]
fn each_fault_strikes_where_it_says() {
    for (fault, executed, connected) in [
        (Fault::CutBeforeRequest, None, false),
        (Fault::CutBeforeReply, Some(1), false),
        (Fault::CutInReply, Some(1), false),
        (Fault::SwallowReplies, Some(1), true),
        (Fault::ShiftReplies, Some(1), true),
        (Fault::DelayReply(FOR_EVER), Some(1), true),
        (Fault::DelayRequest(FOR_EVER), None, true),
    ] {
        let (redis, proxy, mut client) = behind();
        proxy.next(1, fault);
        client.send(b"INCR key\r\n").unwrap();
        let struck =
            |counts: &Counts| counts.faults == 1 && counts.executed == executed.unwrap_or(0);
        proxy.wait_for("the fault", |counts| struck(counts));
        match connected {
            true => assert!(client.hears_nothing(SILENCE).unwrap(), "{fault:?}"),
            false => assert!(client.receive().is_err(), "{fault:?}"),
        }
        assert_eq!(value(&redis), executed.map(|n: u64| n.try_into().unwrap()), "{fault:?}");
        // One fault was asked for, so the next connection has none.
        let mut client = Connection::open(proxy.address(), PATIENCE).unwrap();
        assert_eq!(client.call(&["PING"]).unwrap().text(), "PONG");
    }
}

#[test]
fn what_was_pipelined_before_a_cut_is_answered_and_what_follows_is_not_heard() {
    for (fault, executed) in
        [(Fault::CutBeforeRequest, 2), (Fault::CutBeforeReply, 3), (Fault::CutInReply, 3)]
    {
        let (redis, proxy, mut client) = behind();
        proxy.next_for("INCR key", 2, Fault::Pass);
        proxy.next(1, fault);
        client.send("INCR key\r\n".repeat(5).as_bytes()).unwrap();
        for n in [1, 2] {
            assert_eq!(client.receive().unwrap().integer(), Some(n), "{fault:?}");
        }
        assert!(client.receive().is_err());
        assert_eq!(value(&redis), Some(executed), "{fault:?}");
    }
}

#[test]
fn half_a_reply_is_half() {
    let (redis, proxy, mut client) = behind();
    redis.command(&["SET", "key", "123456789"]);
    proxy.next(1, Fault::CutInReply);
    client.send(b"GET key\r\n").unwrap();
    let error = client.receive().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(proxy.counts().answered, 0);
}

#[test]
fn a_connection_whose_replies_are_swallowed_gets_none_and_is_heard() {
    let (redis, proxy, mut client) = behind();
    proxy.next(1, Fault::SwallowReplies);
    for _ in 0..3 {
        client.send(b"INCR key\r\n").unwrap();
    }
    proxy.wait_for("all to be heard", |counts| counts.executed == 3);
    assert!(client.hears_nothing(SILENCE).unwrap());
    assert_eq!(value(&redis), Some(3));
}

#[test]
fn shifted_replies_answer_what_was_asked_before() {
    let (_redis, proxy, mut client) = behind();
    proxy.next(1, Fault::ShiftReplies);
    client.send(b"ECHO first\r\nECHO second\r\nECHO third\r\n").unwrap();
    for taken_for_the_one_before in ["second", "third"] {
        assert_eq!(client.receive().unwrap().text(), taken_for_the_one_before);
    }
    assert!(client.hears_nothing(SILENCE).unwrap());
}

#[test]
fn a_delay_is_as_long_as_it_says() {
    let (_redis, proxy, mut client) = behind();
    for fault in [Fault::DelayReply(SILENCE), Fault::DelayRequest(SILENCE)] {
        proxy.next(1, fault);
        let start = Instant::now();
        client.call(&["PING"]).unwrap();
        assert!(start.elapsed() >= SILENCE, "{fault:?}");
    }
}

#[test]
fn what_is_delivered_twice_is_done_twice_and_answered_once() {
    let (redis, proxy, mut client) = behind();
    proxy.next(1, Fault::Twice(Answer::First));
    assert_eq!(client.call(&["INCR", "key"]).unwrap().integer(), Some(1));
    proxy.next(1, Fault::Twice(Answer::Last));
    assert_eq!(client.call(&["INCR", "key"]).unwrap().integer(), Some(4));
    assert_eq!(client.call(&["PING"]).unwrap().text(), "PONG");
    assert_eq!(value(&redis), Some(4));
    assert_eq!((proxy.counts().requests, proxy.counts().delivered), (3, 5));
}

#[test]
fn the_same_bytes_reach_another_server_at_once_or_later() {
    let (redis, proxy, mut client) = behind();
    let other = Redis::start(Options::plain());
    proxy.next_for("INCR key", 1, Fault::AlsoTo(other.address()));
    client.call(&["PING"]).unwrap();
    assert_eq!(client.call(&["INCR", "key"]).unwrap().integer(), Some(1));
    assert_eq!((value(&redis), value(&other)), (Some(1), Some(1)));
    let again = proxy.last("incr").unwrap();
    assert_eq!(deliver(&again, other.address()).unwrap().integer(), Some(2));
    assert_eq!((value(&redis), value(&other)), (Some(1), Some(2)));
    assert_eq!(proxy.last("FLUSHALL"), None);
}

#[test]
fn a_fault_may_be_for_some_requests_only() {
    let (_redis, proxy, mut client) = behind();
    proxy.set(Fault::SwallowReplies);
    proxy.set_for("PING", Fault::Pass);
    proxy.set_for("ECHO", Fault::Twice(Answer::First));
    proxy.set_for("ECHO once", Fault::Pass);
    for (command, delivered) in [(["ECHO", "twice"], 2), (["ECHO", "once"], 3)] {
        assert_eq!(client.call(&command).unwrap().text(), command[1]);
        // The second delivery may come after the answer to the first.
        proxy.wait_for("deliveries", |counts| counts.delivered == delivered);
    }
    client.call(&["PING"]).unwrap();
    client.send(b"GET key\r\n").unwrap();
    assert!(client.hears_nothing(SILENCE).unwrap());
    proxy.pass();
    let mut client = Connection::open(proxy.address(), PATIENCE).unwrap();
    client.call(&["GET", "key"]).unwrap();
}
