//! What is done to data and memory, and what a function's memory makes of it.

use farebox_lab::{Fsync, Options, Policy, Redis};

use super::memory::{remember, remembered};

#[test]
fn a_reload_takes_the_memory_and_a_rollback_the_data_too() {
    let redis = Redis::start(Options::plain());
    let value = || redis.command(&["GET", "key"]).integer().unwrap();
    redis.command(&["SET", "key", "1"]);
    remember(&redis);
    redis.save();
    let run_id = redis.run_id();
    redis.command(&["SET", "key", "2"]);
    redis.reload();
    assert_eq!((value(), remembered(&redis)), (2, 0));
    redis.command(&["FCALL", "lab_add", "0"]);
    redis.save();
    redis.command(&["SET", "key", "3"]);
    redis.roll_back();
    assert_eq!((value(), remembered(&redis)), (2, 0));
    assert_eq!(redis.run_id(), run_id);
}

#[test]
fn an_append_only_file_that_is_loaded_again_takes_the_memory() {
    let redis = Redis::start(Options::plain().aof(Fsync::Always));
    remember(&redis);
    redis.command(&["SET", "key", "1"]);
    redis.reload_aof();
    assert_eq!(redis.command(&["EXISTS", "key"]).integer(), Some(1));
    assert_eq!(remembered(&redis), 0);
}

#[test]
fn flushed_and_swapped_data_leave_the_memory_alone() {
    let redis = Redis::start(Options::plain());
    remember(&redis);
    redis.command(&["SET", "key", "old"]);
    redis.copy("key", 1);
    redis.command(&["SET", "key", "new"]);
    redis.swap(0, 1);
    assert_eq!(redis.command(&["GET", "key"]).text(), "old");
    let old = redis.dump("key");
    redis.flush();
    assert_eq!(redis.command(&["DBSIZE"]).integer(), Some(0));
    redis.put("key", &old);
    redis.put("key", &old);
    assert_eq!(redis.command(&["GET", "key"]).text(), "old");
    assert_eq!(remembered(&redis), 1);
}

#[test]
fn a_full_memory_refuses_or_deletes_as_it_was_told() {
    for (policy, evicts) in [
        (Policy::NO_EVICTION, false),
        (Policy::VOLATILE_LRU, false),
        (Policy::ALL_KEYS_LRU, true),
        (Policy::ALL_KEYS_RANDOM, true),
    ] {
        let redis = Redis::start(Options::plain());
        let pressure = redis.press(policy, 1 << 20);
        assert_eq!(pressure.evicted > 0, evicts, "{policy:?} {pressure:?}");
        assert_eq!(pressure.refused > 0, !evicts, "{policy:?} {pressure:?}");
        let write = || redis.connect().unwrap().call(&["SET", "key", "value"]).unwrap();
        assert_eq!(write().text().starts_with("OOM"), !evicts, "{policy:?}");
        redis.relieve();
        assert_eq!(write().text(), "OK");
    }
}

#[test]
fn dropped_clients_are_gone_and_may_come_back() {
    let redis = Redis::start(Options::plain());
    let mut client = redis.connect().unwrap();
    redis.drop_clients();
    assert!(client.call(&["PING"]).is_err());
    assert!(redis.connect().unwrap().call(&["PING"]).is_ok());
}

#[test]
fn a_paused_server_answers_when_the_pause_is_over() {
    use std::time::{Duration, Instant};
    let redis = Redis::start(Options::plain());
    let mut client = redis.connect().unwrap();
    let (start, pause) = (Instant::now(), Duration::from_millis(300));
    redis.pause(pause);
    client.call(&["PING"]).unwrap();
    assert!(start.elapsed() >= pause);
}
