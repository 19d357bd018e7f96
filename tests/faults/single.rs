//! One server, and what happens to it.

use std::sync::Arc;
use std::time::Duration;

use farebox_lab::{Answer, Fault, Fsync, Options, Policy, Proxy, Redis, until};
use farebox_verifier::redis::Topology;

use super::ground::{Ground, Row};
use crate::fleet::start;

/// A server behind a door, with the ground on it.
async fn ground(options: Options) -> (Arc<Redis>, Ground) {
    let redis = Arc::new(start(options).await);
    let door = Proxy::before(redis.address());
    (redis, Ground::on(Topology::Single, vec![door]).await)
}

/// Does something that blocks, beside the tests' own tasks.
async fn done(redis: &Arc<Redis>, what: impl FnOnce(&Redis) + Send + 'static) {
    let redis = Arc::clone(redis);
    tokio::task::spawn_blocking(move || what(&redis)).await.unwrap();
}

/// The library is loaded again where a restart has lost it.
async fn deployed(redis: &Redis) {
    crate::fleet::deploy(redis.port()).await;
}

async fn row(fault: &str, options: Options, what: impl FnOnce(&Redis) + Send + 'static) -> Row {
    let (redis, ground) = ground(options).await;
    ground
        .row(fault, async |_| {
            done(&redis, what).await;
            deployed(&redis).await;
        })
        .await
}

pub(crate) async fn restart_without_persistence() -> Row {
    row("restart without persistence", Options::plain(), Redis::restart).await
}

pub(crate) async fn sigkill_with_aof_everysec() -> Row {
    let options = Options::plain().aof(Fsync::EverySecond);
    row("SIGKILL, AOF everysec", options, Redis::restart).await
}

pub(crate) async fn sigkill_with_aof_always() -> Row {
    row("SIGKILL, AOF always", Options::plain().aof(Fsync::Always), Redis::restart).await
}

pub(crate) async fn power_loss_with_aof_everysec() -> Row {
    let options = Options::plain().aof(Fsync::EverySecond).power();
    row("power loss, AOF everysec", options, |redis| {
        redis.power_cut();
        redis.restart();
    })
    .await
}

pub(crate) async fn power_loss_with_aof_always() -> Row {
    let options = Options::plain().aof(Fsync::Always).power();
    row("power loss, AOF always", options, |redis| {
        redis.power_cut();
        redis.restart();
    })
    .await
}

pub(crate) async fn flushall() -> Row {
    row("FLUSHALL", Options::plain(), Redis::flush).await
}

/// Somebody sets another policy, and a crowd of other keys takes the memory: the journal is deleted.
pub(crate) async fn eviction_under_allkeys_lru() -> Row {
    row("eviction, allkeys-lru", Options::plain(), |redis| {
        let life = redis.command(&["GET", "fb1:{00}:life"]).text();
        let journal = format!("fb1:{{00}}:j:{life}");
        assert!(redis.press(Policy::ALL_KEYS_LRU, 1 << 20).evicted > 0);
        // A journal that is in use goes last: with less memory than the server itself takes, all goes.
        redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
        let mut connection = redis.connect().unwrap();
        until("the journal to be evicted", || {
            // Whatever would take memory makes room first.
            drop(connection.call(&["SET", "farebox-lab:junk", "x"]).unwrap());
            connection.call(&["EXISTS", &journal]).unwrap().text() == "0"
        });
        redis.relieve();
        redis.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    })
    .await
}

pub(crate) async fn reloaded_in_the_same_process() -> Row {
    row("in-process reload of an older snapshot", Options::plain(), |redis| {
        redis.save();
        redis.roll_back();
    })
    .await
}

pub(crate) async fn databases_swapped() -> Row {
    row("SWAPDB with an empty database, and back", Options::plain(), |redis| {
        redis.swap(0, 1);
        redis.swap(0, 1);
    })
    .await
}

pub(crate) async fn journal_restored_from_a_dump() -> Row {
    row("journal and pointer restored from older dumps", Options::plain(), |redis| {
        let pointer = "fb1:{00}:life";
        let journal = format!("fb1:{{00}}:j:{}", redis.command(&["GET", pointer]).text());
        let dumped = redis.dump(&journal);
        redis.command(&["DEL", &journal]);
        redis.put(&journal, &dumped);
    })
    .await
}

pub(crate) async fn pointer_forged() -> Row {
    row("pointer set to another life", Options::plain(), |redis| {
        redis.command(&["SET", "fb1:{00}:life", &"a".repeat(32)]);
    })
    .await
}

pub(crate) async fn journal_deleted() -> Row {
    row("journal deleted", Options::plain(), |redis| {
        let life = redis.command(&["GET", "fb1:{00}:life"]).text();
        redis.command(&["DEL", &format!("fb1:{{00}}:j:{life}")]);
    })
    .await
}

pub(crate) async fn journal_forged() -> Row {
    row("journal forged: an entry of a greater number", Options::plain(), |redis| {
        let life = redis.command(&["GET", "fb1:{00}:life"]).text();
        let journal = format!("fb1:{{00}}:j:{life}");
        redis.command(&["XADD", &journal, "9999999999-0", "e", "forged"]);
    })
    .await
}

pub(crate) async fn journal_trimmed() -> Row {
    row("journal trimmed by a stranger", Options::plain(), |redis| {
        let life = redis.command(&["GET", "fb1:{00}:life"]).text();
        redis.command(&["XTRIM", &format!("fb1:{{00}}:j:{life}"), "MAXLEN", "0"]);
    })
    .await
}

pub(crate) async fn functions_killed() -> Row {
    row("FUNCTION KILL, 500 times", Options::plain(), |redis| {
        let mut connection = redis.connect().unwrap();
        for _ in 0..500 {
            // Mostly there is none to kill; it answers either way.
            connection.call(&["FUNCTION", "KILL"]).unwrap();
        }
    })
    .await
}

pub(crate) async fn library_reloaded() -> Row {
    row("library loaded again in its place", Options::plain(), |redis| {
        let listed = redis.command(&["FUNCTION", "DUMP"]);
        let farebox_lab::Reply::Bulk(dumped) = listed else { panic!("no dump") };
        redis.command(&[b"FUNCTION".as_slice(), b"RESTORE", &dumped, b"REPLACE"]);
    })
    .await
}

pub(crate) async fn library_missing() -> Row {
    row("library deleted, and deployed again", Options::plain(), |redis| {
        redis.command(&["FUNCTION", "DELETE", "farebox_1"]);
    })
    .await
}

pub(crate) async fn library_of_another_version_beside() -> Row {
    row("a newer library loaded beside", Options::plain(), |redis| {
        let text = "#!lua name=farebox_2\nredis.register_function('fb2_hello', \
                    function() return 2 end)";
        redis.command(&["FUNCTION", "LOAD", text]);
    })
    .await
}

/// A fault on the wire, for a while, to every spend.
async fn wire(name: &str, fault: Fault) -> Row {
    let (_redis, ground) = ground(Options::plain()).await;
    ground
        .row(name, async |ground| {
            let tickets = ground.outstanding(40).await;
            let mut during = farebox_lab::Tally::new();
            ground.doors[0].set_for("FCALL FB1_SPEND", fault);
            ground.offer(&mut during, &tickets).await;
            assert_eq!(during.spent_twice(), 0, "while the wire does it");
            ground.doors[0].pass();
            ground.offer(&mut during, &tickets).await;
            assert_eq!(during.spent_twice(), 0, "and after it");
        })
        .await
}

pub(crate) async fn cut_before_the_request() -> Row {
    wire("connection cut before the request", Fault::CutBeforeRequest).await
}

pub(crate) async fn cut_before_the_reply() -> Row {
    wire("connection cut after it, before the reply", Fault::CutBeforeReply).await
}

pub(crate) async fn cut_in_the_reply() -> Row {
    wire("half a reply", Fault::CutInReply).await
}

pub(crate) async fn replies_swallowed() -> Row {
    wire("replies swallowed", Fault::SwallowReplies).await
}

pub(crate) async fn replies_shifted() -> Row {
    wire("replies shifted to other questions", Fault::ShiftReplies).await
}

pub(crate) async fn requests_delivered_twice() -> Row {
    wire("each request delivered twice, first answer", Fault::Twice(Answer::First)).await
}

pub(crate) async fn slower_than_the_deadline() -> Row {
    wire("server slower than the deadline", Fault::DelayReply(Duration::from_millis(900))).await
}

pub(crate) async fn frozen_and_resumed() -> Row {
    row("frozen for two seconds, and resumed", Options::plain(), |redis| {
        redis.freeze();
        std::thread::sleep(Duration::from_secs(2));
        redis.resume();
    })
    .await
}

pub(crate) async fn clients_paused() -> Row {
    row("CLIENT PAUSE for two seconds", Options::plain(), |redis| {
        redis.pause(Duration::from_secs(2));
        std::thread::sleep(Duration::from_secs(2));
    })
    .await
}

pub(crate) async fn out_of_memory() -> Row {
    row("out of memory, noeviction", Options::plain(), |redis| {
        redis.press(Policy::NO_EVICTION, 4 << 20);
        std::thread::sleep(Duration::from_millis(300));
        redis.command(&["FLUSHDB", "SYNC"]);
        redis.relieve();
    })
    .await
}

pub(crate) async fn clock_forward_and_back() -> Row {
    row("server's clock 400 s forward, and back", Options::plain().clock(), |redis| {
        redis.clock().set_offset_seconds(400);
        redis.command(&["PING"]);
        std::thread::sleep(Duration::from_millis(200));
        redis.clock().set_offset_seconds(0);
    })
    .await
}

pub(crate) async fn clock_back() -> Row {
    row("server's clock 200 s back", Options::plain().clock(), |redis| {
        redis.clock().set_offset_seconds(-200);
    })
    .await
}

pub(crate) async fn issuers_clock_back() -> Row {
    let (_redis, ground) = ground(Options::plain()).await;
    ground.row("issuer's clock 200 s back", async |ground| ground.clock.set_offset(-200)).await
}
