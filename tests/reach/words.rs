//! Words: of a life that is over, of a registration that came twice, of the staff.

use super::scene::*;

use farebox::store::event::OldGrants;
use farebox::store::registration::RegisterError;
use farebox::store::{Found, GrantStore, LifeId};
use farebox_lab::{Answer, Fault, Redis};
use farebox_verifier::redis::Topology;
use farebox_verifier::{GrantId, PolicyHash, Selector, SpendError};

/// Ends a life as its own process sees it: its journal is gone.
fn drop_journal(server: &Redis, life: &LifeId) -> (String, Vec<u8>) {
    let key = format!("fb1:{{00}}:j:{}", life.generation);
    let kept = server.dump(&key);
    server.command(&["DEL", &key]);
    (key, kept)
}

#[tokio::test]
async fn a_life_that_said_it_is_over_stays_over() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let life = issuer.living().await.remove(0).life;
    let (key, kept) = drop_journal(&scene.servers[0], &life);
    // Asked for a grant that it does not have, it says that it is over; that is believed.
    let revoked = issuer.fleet.revoke(&Selector::Grant(GrantId::fresh().unwrap())).await.unwrap();
    assert!(revoked.reach.everywhere());
    scene.servers[0].put(&key, &kept);
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Fenced));
}

#[tokio::test]
async fn a_life_that_is_over_does_not_speak_for_one_that_is_away() {
    let scene = Scene::of(Topology::Spread, 2).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let store = ticket.stores.as_ref().unwrap().seats()[0].store.clone();
    let (away, here) = if store.as_str() == "r1" { (0, 1) } else { (1, 0) };
    drop(issuer);
    let issuer = scene.issuer().await;
    let lives = issuer.living().await;
    let over = lives.iter().find(|journal| journal.life.store != store).unwrap();
    drop_journal(&scene.servers[here], &over.life);
    scene.go_away(&[away]);
    let revoked = issuer.revoke(&ticket).await.unwrap();
    assert!(!revoked.reach.everywhere(), "{revoked:?}");
    scene.come_back();
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

#[tokio::test]
async fn a_registration_that_was_delivered_twice_is_revoked_twice() {
    for answer in [Answer::First, Answer::Last] {
        let scene = Scene::of(Topology::Single, 1).await;
        let issuer = scene.issuer().await;
        scene.doors[0].next_for("FCALL FB1_REGISTER", 1, Fault::Twice(answer));
        let ticket = scene.mint(&issuer).await;
        let journal = issuer.living().await.remove(0);
        let twice = issuer.fleet.events(&journal.life, 1).await.unwrap();
        assert_eq!(twice.len(), 2, "or this shows nothing: {twice:?}");
        let revoked = issuer.revoke(&ticket).await.unwrap();
        assert_eq!((revoked.found, revoked.reach.everywhere()), (Some(Found::Unspent), true));
        assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Revoked));
    }
}

/// The greatest number there is, written by whoever has a verifier's password: nothing can be appended any more.
#[tokio::test]
async fn a_journal_that_takes_nothing_more_ends_its_life_and_another_begins() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let ticket = scene.mint(&issuer).await;
    let first = issuer.living().await.remove(0).life;
    let key = format!("fb1:{{00}}:j:{}", first.generation);
    let last = format!("{0}-{0}", u64::MAX);
    scene.servers[0].command(&["XADD", &key, &last, "e", "x"]);
    assert_eq!(spend(&scene.spender(), &ticket).await, Err(SpendError::Fenced));
    assert_eq!(issuer.fleet.tend().await, []);
    let ticket = scene.mint(&issuer).await;
    assert_eq!(spend(&scene.spender(), &ticket).await, Ok(()));
}

/// A word of the staff that was held up on its way, and comes after the one that took it back.
#[tokio::test]
async fn a_late_word_undoes_no_later_one() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());
    assert!(issuer.fleet.unblock(&agent()).await.unwrap().everywhere());
    let lifted = scene.doors[0].last("FCALL FB1_UNBLOCK").unwrap();
    let other = PolicyHash::from_bytes([6; 32]);
    assert!(issuer.fleet.set_policy(other, OldGrants::Revoked).await.unwrap().everywhere());
    let swapped = scene.doors[0].last("FCALL FB1_POLICY").unwrap();
    assert!(issuer.fleet.set_policy(POLICY, OldGrants::Revoked).await.unwrap().everywhere());
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());

    for late in [lifted, swapped] {
        let mut somebody = scene.servers[0].connect().unwrap();
        somebody.send(&late).unwrap();
        somebody.receive().unwrap();
    }
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked), "neither lifted nor under another policy");
}

/// What a life says of the policy in force is what it is told, also after somebody else's word.
#[tokio::test]
async fn a_life_with_another_policy_is_told_again() {
    let scene = Scene::of(Topology::Single, 1).await;
    let issuer = scene.issuer().await;
    let other = PolicyHash::from_bytes([6; 32]);
    assert!(issuer.fleet.set_policy(other, OldGrants::Kept).await.unwrap().everywhere());
    assert_eq!(issuer.fleet.register(&scene.registration()).await, Err(RegisterError::Policy));
    drop(issuer);
    let issuer = scene.issuer().await;
    assert_eq!(issuer.fleet.tend().await, []);
    assert!(issuer.fleet.register(&scene.registration()).await.is_ok());
}

/// What was said by a clock that was ahead is not above what is said by the right one.
#[tokio::test]
async fn a_word_by_a_clock_that_was_ahead_does_not_silence_the_next() {
    let scene = Scene::of(Topology::Single, 1).await;
    scene.clock.set_offset(200);
    let issuer = scene.issuer().await;
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());
    assert!(issuer.fleet.unblock(&agent()).await.unwrap().everywhere());
    drop(issuer);
    scene.clock.set_offset(0);
    let issuer = scene.issuer().await;
    let life = issuer.living().await.remove(0).life;
    assert!(issuer.fleet.block(&agent()).await.unwrap().everywhere());
    assert_eq!(issuer.living().await.remove(0).life, life, "or this shows nothing");
    let refused = issuer.fleet.register(&scene.registration()).await;
    assert_eq!(refused, Err(RegisterError::Blocked));
}
