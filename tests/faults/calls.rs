//! One server, and calls that last long, come in thousands, or are heard twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farebox::store::event::OldGrants;
use farebox::store::{Found, GrantStore};
use farebox_lab::{Answer, Connection, Fault, Fsync, Options, Proxy, Redis, Tally, until};
use farebox_verifier::redis::Topology;
use farebox_verifier::{PolicyHash, Selector};
use tokio::task::JoinSet;

use super::ground::{Ground, POLICY, Row};
use crate::fleet::{deploy, start};

async fn ground(options: Options) -> (Arc<Redis>, Ground) {
    let redis = Arc::new(start(options).await);
    let door = Proxy::before(redis.address());
    (redis, Ground::on(Topology::Single, vec![door]).await)
}

async fn done(redis: &Arc<Redis>, what: impl FnOnce(&Redis) + Send + 'static) {
    let redis = Arc::clone(redis);
    tokio::task::spawn_blocking(move || what(&redis)).await.unwrap();
}

/// A server that calls a function long after ten milliseconds, so that it may be killed.
fn impatient() -> Options {
    Options::plain().with("busy-reply-threshold", "10")
}

/// Says `kill` until it has killed what `call` asks for, which changes nothing as far as it comes.
fn killed<P: AsRef<[u8]>>(redis: &Redis, call: &[P], kill: [&str; 2]) {
    let mut busy = redis.connect().unwrap();
    busy.send(&farebox_lab::encode(call)).unwrap();
    let mut killer: Connection = redis.connect().unwrap();
    until("a call that lasts", || {
        let said = killer.call(&kill).unwrap();
        // Before it began, or before it counts as long.
        assert!(!said.text().contains("UNKILLABLE"), "{}", said.text());
        !said.is_error()
    });
    let said = busy.receive().unwrap();
    assert!(said.is_error() && said.text().contains("illed"), "{}", said.text());
}

/// A function of ours that is busy for seconds with grants that nobody has registered.
pub(crate) async fn functions_killed_mid_call() -> Row {
    let (redis, ground) = ground(impatient()).await;
    ground
        .row("FUNCTION KILL of a call that lasts, 5 times", async |_| {
            done(&redis, |redis| {
                let life = redis.command(&["GET", "fb1:{00}:life"]).text();
                let journal = format!("fb1:{{00}}:j:{life}");
                let leased = lease(redis, &journal);
                // Each of these is a grant that may have lapsed, and none of them is there.
                let many = [0xee; 12].repeat(4_000_000);
                let packed = [&[7; 16][..], &leased, &many].concat();
                let call: [&[u8]; 5] = [b"FCALL", b"fb1_lapse", b"1", journal.as_bytes(), &packed];
                for _ in 0..5 {
                    killed(redis, &call, ["FUNCTION", "KILL"]);
                }
            })
            .await;
        })
        .await
}

/// The drain's lease: its number, in six bytes.
fn lease(redis: &Redis, journal: &str) -> [u8; 6] {
    let packed = [&[7; 16][..], &[0, 200, 5], b"drain", b"lab"].concat();
    let call: [&[u8]; 5] = [b"FCALL", b"fb1_lease", b"1", journal.as_bytes(), &packed];
    let farebox_lab::Reply::Bulk(said) = redis.command(&call) else { panic!("no lease") };
    assert_eq!(said[16], b'K');
    said[17..23].try_into().unwrap()
}

/// Somebody else's script keeps the server from everybody.
pub(crate) async fn scripts_killed() -> Row {
    let (redis, ground) = ground(impatient()).await;
    ground
        .row("SCRIPT KILL of a stranger's endless script, 5 times", async |_| {
            done(&redis, |redis| {
                for _ in 0..5 {
                    killed(redis, &["EVAL", "while true do end", "0"], ["SCRIPT", "KILL"]);
                }
            })
            .await;
        })
        .await
}

/// Nothing that was registered before a change of policies is acknowledged is spent after it, however many
/// register all the while.
pub(crate) async fn policies_swapped() -> Row {
    let (_redis, ground) = ground(Options::plain()).await;
    ground
        .row("policies swapped under load, 20 times", async |ground| {
            let others = [PolicyHash::from_bytes([6; 32]), POLICY];
            for policy in others.into_iter().cycle().take(20) {
                let tickets = ground.outstanding_where_possible(5).await;
                let reach = ground.fleet.set_policy(policy, OldGrants::Revoked).await.unwrap();
                assert!(reach.everywhere());
                let mut after = Tally::new();
                ground.offer(&mut after, &tickets).await;
                assert_eq!(after.spent_once(), 0, "of what was allowed before");
            }
        })
        .await
}

pub(crate) async fn ten_thousand_claimants() -> Row {
    let (_redis, ground) = ground(Options::plain()).await;
    ground
        .row("10,000 claimants of one grant", async |ground| {
            let (number, ticket) = ground.outstanding(1).await.remove(0);
            let mut claimants = JoinSet::new();
            for claimant in 0..10_000 {
                let (api, ticket) = (ground.api(claimant), ticket.clone());
                claimants
                    .spawn(async move { (claimant, super::ground::claim(&*api, &ticket).await) });
            }
            let mut told = Tally::new();
            for (claimant, verdict) in claimants.join_all().await {
                told.add(number, claimant, verdict);
            }
            assert_eq!((told.spent_once(), told.spent_twice()), (1, 0), "{:?}", told.doubles());
        })
        .await
}

/// Commands in a file before a server that reads it answers again, and again after as many.
const COMMANDS: u32 = 10_000;

/// Makes the append-only file so long that reading it takes a second or two.
fn lengthen(redis: &Redis) {
    let mut connection = redis.connect().unwrap();
    let sets: Vec<u8> =
        (0..COMMANDS).flat_map(|n| farebox_lab::encode(&["SET", "junk", &n.to_string()])).collect();
    connection.send(&sets).unwrap();
    for _ in 0..COMMANDS {
        assert_eq!(connection.receive().unwrap().text(), "OK");
    }
}

/// While a server reads its append-only file, it answers everybody that it is loading.
pub(crate) async fn loading_its_file() -> Row {
    let options = Options::plain().aof(Fsync::EverySecond).with("key-load-delay", "200");
    let (redis, ground) = ground(options).await;
    done(&redis, lengthen).await;
    ground
        .row("AOF restart that answers LOADING", async |_| {
            let (seen, watched) = (Arc::new(AtomicBool::new(false)), Arc::clone(&redis));
            let watching = Arc::clone(&seen);
            let watch = tokio::task::spawn_blocking(move || {
                until("a server that is loading", || {
                    let pong = watched.connect().and_then(|mut lab| lab.call(&["PING"]));
                    pong.is_ok_and(|pong| pong.text().starts_with("LOADING"))
                });
                watching.store(true, Ordering::SeqCst);
            });
            done(&redis, Redis::restart).await;
            watch.await.unwrap();
            assert!(seen.load(Ordering::SeqCst));
            deploy(redis.port()).await;
        })
        .await
}

/// What stands between delivers each registration twice: one grant has two numbers. Its token says one of
/// them, and a revocation reaches both.
pub(crate) async fn registers_delivered_twice() -> Row {
    let (_redis, ground) = ground(Options::plain()).await;
    ground
        .row("each register delivered twice", async |ground| {
            for answer in [Answer::First, Answer::Last] {
                ground.doors[0].set_for("FCALL FB1_REGISTER", Fault::Twice(answer));
                let tickets = ground.outstanding(20).await;
                ground.doors[0].pass();
                let (spent, revoked) = tickets.split_at(10);
                let mut during = Tally::new();
                ground.offer(&mut during, spent).await;
                ground.offer(&mut during, spent).await;
                assert_eq!((during.spent_once(), during.spent_twice()), (10, 0));
                for (_, ticket) in revoked {
                    let revocation =
                        ground.fleet.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
                    assert_eq!(revocation.found, Some(Found::Unspent));
                    assert!(revocation.reach.everywhere());
                }
                let mut after = Tally::new();
                ground.offer(&mut after, revoked).await;
                assert_eq!(after.spent_once(), 0, "{answer:?}: revoked, and spent all the same");
            }
        })
        .await
}
