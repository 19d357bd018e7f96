//! Lives: those that an issuer knows, cannot reach, and lets go of.

use super::scene::*;
use std::sync::Arc;
use std::time::Duration;

use farebox::store::desk::{Caller, Reason};
use farebox::store::registration::RegisterError;
use farebox::store::{Found, GrantStore, Ledger};
use farebox_verifier::redis::Topology;
use farebox_verifier::{GrantId, Selector, SpendError};

#[tokio::test]
async fn a_life_is_on_the_ledger_with_its_last_end_before_its_grants_are_minted() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    drop(issuer);
    let known = Ledger::open(&scene.file(), Arc::clone(&scene.clock) as _).unwrap().lives();
    assert_eq!(known.len(), 1);
    let seat = &ticket.stores.as_ref().unwrap().seats()[0];
    assert_eq!(known[0].life.generation, seat.generation);
    assert!(known[0].until >= ticket.grant_end, "{known:?}");
}

#[tokio::test]
async fn an_issuer_that_begins_again_names_the_lives_that_it_cannot_reach() {
    let scene = Scene::of(Topology::Spread, 2).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let store = ticket.stores.as_ref().unwrap().seats()[0].store.clone();
    let place = usize::from(store.as_str() == "r2");
    drop(issuer);
    scene.go_away(&[place]);

    let issuer = scene.issuer().await;
    let all = issuer.fleet.revoke(&agent()).await.unwrap();
    let [unreached] = all.reach.unreached.as_slice() else { panic!("{all:?}") };
    assert_eq!(unreached.life.store, store);
    assert!(unreached.until >= ticket.grant_end);
    // One grant that it does not know is nowhere, or where nobody answers.
    let one = issuer.revoke(&ticket).await.unwrap();
    assert_eq!(one.found, Some(Found::Unknown));
    assert_eq!(one.reach.unreached, all.reach.unreached);

    // It said so because it is so: the life lives, and has not heard.
    scene.come_back();
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_begins_again_revokes_in_the_life_that_it_finds() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let tickets = [scene.mint(&issuer).await, scene.mint(&issuer).await];
    let life = issuer.living().await.remove(0).life;
    drop(issuer);

    let issuer = scene.issuer().await;
    assert_eq!(issuer.living().await[0].life, life, "the same life goes on");
    let one = issuer.revoke(&tickets[0]).await.unwrap();
    assert_eq!((one.found, one.reach.everywhere()), (Some(Found::Unspent), true));
    assert!(issuer.fleet.revoke(&agent()).await.unwrap().reach.everywhere());
    for ticket in &tickets {
        assert_eq!(spend(&scene.spender(), ticket).await, Err(SpendError::Revoked));
    }
}

#[tokio::test]
async fn a_grant_whose_registration_was_drained_is_not_called_unknown() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let life = issuer.living().await.remove(0).life;
    let drained = issuer.drain(&life).await;
    scene.mint(&issuer).await;
    drop(issuer);

    let issuer = scene.issuer().await;
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Unknown), false));
    assert!(spend(&scene.spender(), &ticket).await.is_ok());
    drop(issuer);

    // From where the drain has kept it, it is known.
    let issuer = scene.issuer().await;
    issuer.fleet.remember(&life, &drained);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Spent), true));
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Revoked));
    // And one that was never registered is known not to be.
    let never = issuer.fleet.revoke(&Selector::Grant(GrantId::fresh().unwrap())).await.unwrap();
    assert_eq!((never.found, never.reach.everywhere()), (Some(Found::Unknown), true));
}

#[tokio::test]
async fn in_a_quorum_one_server_that_knows_is_not_enough() {
    let scene = Scene::of(Topology::Quorum, 3).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    // The others go away before anybody has looked into their journals.
    scene.go_away(&[1, 2]);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert_eq!(revoked.reach.unreached.len(), 2, "{revoked:?}");
    scene.come_back();
    scene.go_away(&[2]);
    // A link rests before it tries again.
    let mut revoked = issuer.revoke(&ticket).await.unwrap();
    for _ in 0..50 {
        if !revoked.reach.everywhere() {
            issuer.fleet.knocked(Duration::from_millis(100)).await;
            revoked = issuer.revoke(&ticket).await.unwrap();
        }
    }
    assert!(revoked.reach.everywhere(), "two of three know: {revoked:?}");
    scene.come_back();
    assert!(spend(&scene.spender(), &ticket).await.is_err());
}

#[tokio::test]
async fn what_is_blocked_is_blocked_in_every_life_that_follows() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let (by, reason) = (Caller::parse("key:sue").unwrap(), Reason::parse("stolen").unwrap());
    issuer.ledger.block(&agent(), &by, &reason).await.unwrap();
    drop(issuer);

    let issuer = scene.issuer().await;
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "a life that goes on");
    issuer.fleet.close().await;
    let wrong = issuer.fleet.tend().await;
    assert_eq!(wrong, []);
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "a life that begins");
}

#[tokio::test]
async fn a_life_leaves_the_list_once_nothing_of_it_can_matter() {
    let mut scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    scene.mint(&issuer).await;
    let first = issuer.living().await.remove(0).life;
    let again = start().await;
    scene.doors[0].turn_to(again.address());
    scene.doors[0].cut();
    scene.servers.push(again);
    // Found not to be there, and another one opened.
    for _ in 0..100 {
        let _wrong = issuer.fleet.tend().await;
        issuer.fleet.knocked(Duration::from_millis(100)).await;
        if issuer.living().await.iter().any(|journal| journal.life != first) {
            break;
        }
    }
    assert_eq!(issuer.living().await.len(), 1);
    let listed = || issuer.ledger.lives().iter().any(|known| known.life == first);
    issuer.fleet.forget(&first).await;
    assert!(listed(), "something that was minted under it may still live");
    scene.clock.set_offset(i64::try_from(2 * TTL + 600).unwrap());
    issuer.fleet.forget(&first).await;
    assert!(!listed());
    assert_eq!(issuer.ledger.lives().len(), 1);
}
