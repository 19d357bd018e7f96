//! A clock that is set while the server runs.

use std::time::{SystemTime, UNIX_EPOCH};

use farebox_lab::{Options, Redis};

use super::memory::{remember, remembered, time_inside};

/// Whether what a server says is the time, so far from the true one.
fn is_off_by(offset: i64, time: impl FnOnce() -> i64) -> bool {
    let (before, time, after) = (now(), time(), now());
    (before..=after).contains(&(time - offset))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

#[test]
fn a_server_believes_its_clock_inside_of_functions_and_outside() {
    let redis = Redis::start(Options::plain().clock());
    remember(&redis);
    for offset in [0, 400, -400, 86_400 * 365, 0] {
        redis.clock().set_offset_seconds(offset);
        assert!(is_off_by(offset, || time_inside(&redis)), "inside, by {offset}");
        let outside = || redis.command(&["TIME"]).parts()[0].integer().unwrap();
        assert!(is_off_by(offset, outside), "outside, by {offset}");
    }
    assert_eq!(remembered(&redis), 1, "nothing else about it changed");
}

#[test]
fn what_has_an_end_ends_when_the_clock_says_so() {
    let redis = Redis::start(Options::plain().clock());
    redis.command(&["SET", "key", "value", "EX", "300"]);
    let there = || redis.command(&["EXISTS", "key"]).integer() == Some(1);
    redis.clock().set_offset_millis(-400_000);
    assert!(there());
    redis.clock().set_offset_millis(290_000);
    assert!(there());
    redis.clock().set_offset_millis(300_500);
    assert!(!there());
}

#[test]
fn a_wrong_clock_is_wrong_after_a_restart() {
    let redis = Redis::start(Options::plain().clock());
    redis.clock().set_offset_seconds(5000);
    redis.restart();
    remember(&redis);
    assert!(is_off_by(5000, || time_inside(&redis)));
}
