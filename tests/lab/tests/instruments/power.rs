//! A power cut takes what was not synced, and nothing else.

use std::fs;
use std::process::Command;

use farebox_lab::{Connection, Fsync, Options, Power, Redis, until};

/// Writes so many keys, each acknowledged before the next is sent.
fn write(redis: &Redis, prefix: &str, count: usize) {
    let mut connection: Connection = redis.connect().unwrap();
    for n in 0..count {
        assert_eq!(connection.call(&["SET", &format!("{prefix}{n}"), "x"]).unwrap().text(), "OK");
    }
}

fn kept(redis: &Redis, prefix: &str) -> usize {
    redis.command(&["KEYS", &format!("{prefix}*")]).parts().len()
}

/// The lengths of all files, and how much of them would survive.
fn appended(redis: &Redis) -> u64 {
    let files = redis.data().join("appendonlydir").read_dir().unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn synced(redis: &Redis) -> u64 {
    redis.power().synced().values().sum()
}

#[test]
fn synced_every_second_the_last_moment_is_lost() {
    let redis = Redis::start(Options::plain().aof(Fsync::EverySecond).power());
    // What is written takes a few milliseconds and the next sync is a second away, unless this machine has
    // something else to do: then once more.
    for round in 1..=10 {
        write(&redis, "early", 100);
        // While a sync takes long, what is acknowledged is not even in the file.
        until("the server to sync", || {
            redis.count("aof_buffer_length") == 0 && appended(&redis) == synced(&redis)
        });
        write(&redis, "late", 100);
        let lost = redis.power_cut();
        redis.restart();
        assert_eq!(kept(&redis, "early"), 100, "in round {round}");
        if kept(&redis, "late") == 0 {
            assert_eq!(lost.len(), 1, "{lost:?}");
            assert!(lost[0].bytes > 100 && lost[0].path.to_string_lossy().contains("appendonly"));
            return;
        }
        redis.flush();
    }
    panic!("nothing was lost in ten rounds");
}

#[test]
fn a_killed_server_alone_loses_nothing_that_it_wrote() {
    let redis = Redis::start(Options::plain().aof(Fsync::Never).power());
    write(&redis, "key", 100);
    redis.restart();
    assert_eq!(kept(&redis, "key"), 100);
}

#[test]
fn synced_before_each_reply_nothing_acknowledged_is_lost() {
    let redis = Redis::start(Options::plain().aof(Fsync::Always).power());
    for round in 1..=2 {
        write(&redis, &format!("key{round}-"), 100);
        redis.power_cut();
        redis.restart();
        assert_eq!(kept(&redis, "key"), 100 * round);
    }
}

#[test]
fn a_file_that_was_rewritten_and_renamed_is_as_safe_as_it_was_synced() {
    let redis = Redis::start(Options::plain().aof(Fsync::Always).power());
    write(&redis, "key", 100);
    redis.command(&["BGREWRITEAOF"]);
    until("the file to be rewritten", || {
        redis.info("aof_rewrite_in_progress") == "0" && redis.count("aof_rewrites") == 1
    });
    write(&redis, "more", 10);
    redis.save();
    assert_eq!(redis.power_cut(), []);
    redis.restart();
    assert_eq!((kept(&redis, "key"), kept(&redis, "more")), (100, 10));
}

#[test]
fn any_process_may_have_such_a_disk() {
    let (folder, record) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let power = Power::new(record.path());
    let mut command = Command::new("dd");
    command.args(["if=/dev/zero", "of=a", "bs=10", "count=3", "conv=fsync"]);
    power.stand_before(command.current_dir(folder.path()));
    assert!(command.output().unwrap().status.success());
    fs::write(folder.path().join("b"), "never synced").unwrap();
    let lost = power.cut(folder.path());
    let length = |name| fs::metadata(folder.path().join(name)).unwrap().len();
    assert_eq!((length("a"), length("b"), lost[0].bytes), (30, 0, 12));
}
