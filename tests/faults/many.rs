//! Several independent servers: spread, and quorum.

use std::sync::Arc;
use std::time::Duration;

use farebox::store::GrantStore;
use farebox_lab::{Options, Proxy, Redis, Tally, Verdict};
use farebox_verifier::Selector;
use farebox_verifier::redis::Topology;

use super::ground::{Ground, Row};
use crate::fleet::{deploy, start};

async fn ground(topology: Topology) -> (Vec<Arc<Redis>>, Ground) {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Arc::new(start(Options::plain()).await));
    }
    let doors = servers.iter().map(|redis| Proxy::before(redis.address())).collect();
    (servers, Ground::on(topology, doors).await)
}

async fn done(redis: &Arc<Redis>, what: impl FnOnce(&Redis) + Send + 'static) {
    let redis = Arc::clone(redis);
    tokio::task::spawn_blocking(move || what(&redis)).await.unwrap();
}

async fn restarted(redis: &Arc<Redis>) {
    done(redis, Redis::restart).await;
    deploy(redis.port()).await;
}

async fn each(fault: &str, topology: Topology, what: fn(&Redis)) -> Row {
    let (servers, ground) = ground(topology).await;
    ground
        .row(fault, async |ground| {
            done(&servers[0], what).await;
            // The others go on, and one claimant alone gets what it asks for.
            for (_, ticket) in ground.outstanding_where_possible(20).await {
                assert_eq!(ground.claim(0, &ticket).await, Verdict::Granted);
            }
        })
        .await
}

pub(crate) async fn spread_one_killed() -> Row {
    each("spread: the preferred server killed", Topology::Spread, Redis::kill).await
}

pub(crate) async fn spread_one_frozen() -> Row {
    each("spread: the preferred server frozen", Topology::Spread, Redis::freeze).await
}

pub(crate) async fn spread_rolling_restarts() -> Row {
    let (servers, ground) = ground(Topology::Spread).await;
    ground
        .row("spread: rolling restarts", async |ground| {
            for server in &servers {
                restarted(server).await;
                ground.fleet.tend().await;
            }
        })
        .await
}

pub(crate) async fn quorum_one_killed() -> Row {
    each("quorum: one of three killed", Topology::Quorum, Redis::kill).await
}

pub(crate) async fn quorum_one_frozen() -> Row {
    each("quorum: one of three frozen", Topology::Quorum, Redis::freeze).await
}

pub(crate) async fn quorum_one_restarted_empty() -> Row {
    let (servers, ground) = ground(Topology::Quorum).await;
    ground.row("quorum: one restarted empty", async |_| restarted(&servers[1]).await).await
}

pub(crate) async fn quorum_two_restarted_empty() -> Row {
    let (servers, ground) = ground(Topology::Quorum).await;
    ground
        .row("quorum: two restarted empty at once", async |_| {
            restarted(&servers[0]).await;
            restarted(&servers[2]).await;
        })
        .await
}

pub(crate) async fn quorum_two_killed_then_back() -> Row {
    let (servers, ground) = ground(Topology::Quorum).await;
    ground
        .row("quorum: two killed for a second, then back", async |_| {
            done(&servers[0], Redis::kill).await;
            done(&servers[1], Redis::kill).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            restarted(&servers[0]).await;
            restarted(&servers[1]).await;
        })
        .await
}

pub(crate) async fn quorum_rolling_restarts() -> Row {
    let (servers, ground) = ground(Topology::Quorum).await;
    ground
        .row("quorum: rolling restarts", async |ground| {
            for server in &servers {
                restarted(server).await;
                ground.fleet.tend().await;
            }
        })
        .await
}

/// Two claimants, each of whom reaches another majority.
pub(crate) async fn quorum_over_different_majorities() -> Row {
    let (_servers, ground) = ground(Topology::Quorum).await;
    ground
        .row("quorum: claimants over different majorities", async |ground| {
            for round in 0..20 {
                let tickets = ground.outstanding_where_possible(5).await;
                let mut during = Tally::new();
                ground.doors[round % 3].hold();
                ground.offer(&mut during, &tickets).await;
                ground.doors[round % 3].release();
                ground.doors[(round + 1) % 3].hold();
                ground.offer(&mut during, &tickets).await;
                ground.doors[(round + 1) % 3].release();
                assert_eq!(during.spent_twice(), 0);
            }
        })
        .await
}

/// A revocation that two of three have heard holds although the third comes back without it.
pub(crate) async fn quorum_revoked_while_one_is_away() -> Row {
    let (servers, ground) = ground(Topology::Quorum).await;
    ground
        .row("quorum: a revocation while one is away", async |ground| {
            let tickets = ground.outstanding(20).await;
            done(&servers[2], Redis::freeze).await;
            let revoked = ground.fleet.revoke(&Selector::All).await.unwrap();
            assert!(revoked.reach.everywhere(), "two of three know");
            done(&servers[2], Redis::resume).await;
            let mut after = Tally::new();
            ground.offer(&mut after, &tickets).await;
            assert_eq!(after.spent_once(), 0);
        })
        .await
}
