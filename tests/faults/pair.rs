//! Two servers of which one follows the other, and an address that is turned from one to the other.

use std::sync::Arc;
use std::time::Duration;

use farebox::store::{Found, GrantStore};
use farebox_lab::{Fault, Load, Options, Pair, Proxy, Side, deliver};
use farebox_verifier::Selector;
use farebox_verifier::redis::Topology;

use super::ground::{Ground, Row};
use crate::fleet::{deploy, with_roles};

async fn ground(load: Load) -> (Arc<Pair>, Ground) {
    let pair =
        tokio::task::spawn_blocking(move || Pair::start_with(&with_roles(Options::plain()), load));
    let pair = Arc::new(pair.await.unwrap());
    deploy(pair.server(Side::A).port()).await;
    in_step(&pair, Side::B).await;
    let door = Proxy::before(pair.server(Side::A).address());
    (pair, Ground::on(Topology::Single, vec![door]).await)
}

async fn done(pair: &Arc<Pair>, what: impl FnOnce(&Pair) + Send + 'static) {
    let pair = Arc::clone(pair);
    tokio::task::spawn_blocking(move || what(&pair)).await.unwrap();
}

async fn in_step(pair: &Arc<Pair>, side: Side) {
    done(pair, move |pair| pair.in_step(side)).await;
}

/// Clients find this side from now on, and lose the connections that they have.
fn turn(ground: &Ground, pair: &Pair, side: Side) {
    ground.doors[0].turn_to(pair.server(side).address());
    ground.doors[0].cut();
}

async fn promoted(pair: &Arc<Pair>, ground: &Ground, side: Side) {
    done(pair, move |pair| pair.promote(side)).await;
    deploy(pair.server(side).port()).await;
    turn(ground, pair, side);
}

pub(crate) async fn lagging_replica_promoted() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    done(&pair, Pair::lag).await;
    ground
        .row("lagging replica promoted, master dies", async |ground| {
            done(&pair, |pair| pair.server(Side::A).kill()).await;
            promoted(&pair, ground, Side::B).await;
        })
        .await
}

pub(crate) async fn old_master_resumed() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    done(&pair, Pair::lag).await;
    ground
        .row("master frozen, replica promoted, old master back", async |ground| {
            done(&pair, |pair| pair.server(Side::A).freeze()).await;
            promoted(&pair, ground, Side::B).await;
            ground.fleet.tend().await;
            done(&pair, |pair| pair.server(Side::A).resume()).await;
            turn(ground, &pair, Side::A);
        })
        .await
}

pub(crate) async fn both_serve() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    ground
        .row("split brain: both serve, clients change sides", async |ground| {
            done(&pair, Pair::lag).await;
            promoted(&pair, ground, Side::B).await;
            for side in [Side::A, Side::B, Side::A, Side::B] {
                ground.fleet.tend().await;
                let tickets = ground.outstanding_where_possible(20).await;
                turn(ground, &pair, side);
                let mut during = farebox_lab::Tally::new();
                ground.offer(&mut during, &tickets).await;
                turn(ground, &pair, side.other());
                ground.offer(&mut during, &tickets).await;
                assert_eq!(during.spent_twice(), 0);
            }
        })
        .await
}

pub(crate) async fn there_and_back() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    ground
        .row("A → B → A, B never written to", async |ground| {
            done(&pair, |pair| {
                pair.lag();
                pair.promote(Side::B);
            })
            .await;
            done(&pair, |pair| pair.demote(Side::A)).await;
            done(&pair, |pair| {
                pair.promote(Side::A);
                pair.demote(Side::B);
            })
            .await;
            deploy(pair.server(Side::A).port()).await;
            turn(ground, &pair, Side::A);
        })
        .await
}

/// A failover there and back, and between them a revocation that the one who took over acknowledged: no
/// grant that it covers is spent where it came from.
pub(crate) async fn there_and_back_with_a_revocation() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    let before = ground.outstanding(20).await;
    ground
        .row("failover there and back, a revocation between", async |ground| {
            promoted(&pair, ground, Side::B).await;
            ground.fleet.tend().await;
            let revoked = ground.fleet.revoke(&Selector::All).await;
            // The life of A has not answered: nobody may say that it has.
            let everywhere = revoked.is_ok_and(|revocation| revocation.reach.everywhere());
            assert!(!everywhere, "only A can speak for its life");
            done(&pair, |pair| pair.demote(Side::A)).await;
            done(&pair, |pair| pair.promote(Side::A)).await;
            deploy(pair.server(Side::A).port()).await;
            turn(ground, &pair, Side::A);
            let mut after = farebox_lab::Tally::new();
            ground.offer(&mut after, &before).await;
            assert_eq!(after.spent_once(), 0, "its journal was renamed on B, and that came back");
        })
        .await
}

async fn resynced(name: &str, load: Load) -> Row {
    let (pair, ground) = ground(load).await;
    ground
        .row(name, async |ground| {
            done(&pair, |pair| {
                pair.promote(Side::B);
                pair.demote(Side::A);
                pair.full_resync(Side::A);
                pair.promote(Side::A);
            })
            .await;
            deploy(pair.server(Side::A).port()).await;
            turn(ground, &pair, Side::A);
        })
        .await
}

pub(crate) async fn full_resync() -> Row {
    resynced("full resync by file", Load::Disk).await
}

pub(crate) async fn diskless_swapdb() -> Row {
    resynced("full resync, diskless swapdb", Load::DisklessSwapdb).await
}

pub(crate) async fn diskless_on_empty() -> Row {
    resynced("full resync, diskless on-empty-db", Load::DisklessOnEmptyDb).await
}

/// One opening and one registration, delivered to the old master and to the one that was promoted, make
/// two lives: the token works in one of them.
pub(crate) async fn delivered_to_two_masters() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    ground
        .row("an opening and a register delivered to two masters", async |ground| {
            done(&pair, |pair| {
                pair.lag();
                pair.promote(Side::B);
            })
            .await;
            deploy(pair.server(Side::B).port()).await;
            let tickets = ground.outstanding(20).await;
            let other = pair.server(Side::B).address();
            for words in ["FCALL FB1_OPEN", "FCALL FB1_REGISTER"] {
                if let Some(bytes) = ground.doors[0].last(words) {
                    tokio::task::spawn_blocking(move || deliver(&bytes, other).map(drop).ok())
                        .await
                        .unwrap();
                }
            }
            let mut during = farebox_lab::Tally::new();
            ground.offer(&mut during, &tickets).await;
            turn(ground, &pair, Side::B);
            ground.offer(&mut during, &tickets).await;
            assert_eq!((during.spent_once(), during.spent_twice()), (20, 0));
            turn(ground, &pair, Side::A);
        })
        .await
}

/// Tends the fleet until it registers.
async fn registers(ground: &Ground) {
    while ground.issue().await.is_none() {
        ground.fleet.tend().await;
        ground.fleet.knocked(Duration::from_millis(5)).await;
    }
}

/// Each registration is heard twice by its own server, and by another master as well, which has a life of
/// its own: a token works in the life that it names, once.
pub(crate) async fn registers_delivered_to_two_masters() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    ground
        .row("each register delivered twice, and to a second master", async |ground| {
            done(&pair, Pair::lag).await;
            promoted(&pair, ground, Side::B).await;
            registers(ground).await;
            turn(ground, &pair, Side::A);
            registers(ground).await;
            let other = pair.server(Side::B).address();
            let mut tickets = Vec::new();
            for _ in 0..20 {
                ground.doors[0].set_for("FCALL FB1_REGISTER", Fault::AlsoTo(other));
                tickets.extend(ground.outstanding_where_possible(1).await);
                if let Some(bytes) = ground.doors[0].last("FCALL FB1_REGISTER") {
                    let home = pair.server(Side::A).address();
                    let again = tokio::task::spawn_blocking(move || deliver(&bytes, home));
                    drop(again.await.unwrap());
                }
            }
            ground.doors[0].pass();
            assert_eq!(tickets.len(), 20, "A registers");
            let mut during = farebox_lab::Tally::new();
            for side in [Side::B, Side::A, Side::B, Side::A] {
                turn(ground, &pair, side);
                ground.offer(&mut during, &tickets).await;
                assert_eq!(during.spent_twice(), 0, "{side:?}");
            }
        })
        .await
}

/// A grant that was revoked where it lives is dead wherever the address points later.
pub(crate) async fn revoked_before_the_failover() -> Row {
    let (pair, ground) = ground(Load::Disk).await;
    let (_, ticket) = ground.outstanding(1).await.remove(0);
    let found = ground.fleet.revoke(&Selector::Grant(ticket.grant)).await.unwrap();
    assert_eq!(found.found, Some(Found::Unspent));
    ground
        .row("revoked, then a failover with lag", async |ground| {
            done(&pair, Pair::lag).await;
            promoted(&pair, ground, Side::B).await;
            assert_ne!(ground.claim(0, &ticket).await, farebox_lab::Verdict::Granted);
        })
        .await
}
