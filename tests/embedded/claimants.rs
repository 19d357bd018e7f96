//! Ten thousand who want the same.

use std::sync::Arc;

use farebox::store::event::What;
use farebox_verifier::SpendError;
use tokio::task::JoinSet;

use super::scene::{Scene, events_after, issue, living, spend};

const CLAIMANTS: u64 = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_who_claim_one_grant_one_gets_it() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = Arc::new(issue(&scene, &*store, 1).await);
    let mut claimants = JoinSet::new();
    for claimant in 0..CLAIMANTS {
        let (store, ticket) = (Arc::clone(&store), Arc::clone(&ticket));
        claimants.spawn(async move { spend(&*store, &ticket, claimant).await });
    }
    let answers = claimants.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    // All others are told when, or that nobody had room to listen to them.
    let told = |answer: &&Result<(), SpendError>| {
        matches!(answer, Err(SpendError::AlreadySpent { .. } | SpendError::Down))
    };
    assert_eq!(answers.iter().filter(told).count() as u64, CLAIMANTS - 1);
    let events = events_after(&*store, &living(&*store).await, 0).await;
    let spent = events.iter().filter(|event| matches!(event.what, What::Spent { .. })).count();
    let replayed =
        events.iter().filter(|event| matches!(event.what, What::Replayed { .. })).count();
    assert_eq!((spent, replayed), (1, 1));
}
