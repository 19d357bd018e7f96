//! A disk that fails: one answer is in doubt, every later one is "down", and the process lives.

use std::path::Path;
use std::sync::Arc;

use farebox::log::{AppendError, DiskError};
use farebox::store::registration::RegisterError;
use farebox::store::view::Filter;
use farebox::store::{AdminError, GrantStore, JournalError};
use farebox_verifier::{ManualClock, Outcome, Selector, SettleError, SpendError, SpendStore as _};

use super::scene::{
    NOW, POLICY, Scene, attempt, ended, id, living, open_at, register, registration, spend, wait,
};
use super::told::claim;
use super::trace::{Call, watch};

/// The part of a process whose disk fails while it registers its fourth grant.
pub(super) fn failing_disk(folder: &Path) {
    wait(async {
        let clock = Arc::new(ManualClock::at(NOW));
        let (store, _) = open_at(&folder.join("store"), &clock).unwrap();
        let life = living(&*store).await;
        let mut tickets = Vec::new();
        for number in 0..3 {
            tickets.push(register(&*store, registration(number, NOW)).await.unwrap());
        }
        spend(&*store, &tickets[0], 1).await.unwrap();
        assert!(store.trouble().is_none());
        let doubtful = register(&*store, registration(3, NOW)).await;
        assert_eq!(doubtful, Err(RegisterError::InDoubt));
        // At once, and again and again.
        for _ in 0..2 {
            let refused = register(&*store, registration(4, NOW)).await;
            assert_eq!(refused, Err(RegisterError::Down));
            for ticket in &tickets {
                assert_eq!(spend(&*store, ticket, 1).await, Err(SpendError::Down));
            }
            let unsettled = store.settle(&tickets[0], &attempt(1), Outcome::Succeeded).await;
            assert_eq!(unsettled, Err(SettleError::Down));
            assert_eq!(store.revoke(&Selector::All).await, Err(AdminError::Down));
            assert_eq!(
                store.set_policy(POLICY, farebox::store::event::OldGrants::Kept).await,
                Err(AdminError::Down)
            );
            assert_eq!(store.events(&life, 0).await, Err(JournalError::Down));
            assert!(store.ledger().claim_key(&claim(1)).await.is_err());
        }
        let trouble = store.trouble().unwrap();
        assert!(matches!(trouble, AppendError::Disk(DiskError::Io { .. })), "{trouble:?}");
        assert!(trouble.to_string().contains("until it is opened again"), "{trouble}");
        // What is shown is shown all the same.
        assert!(store.read(id(0)).await.is_some() && store.count(&Filter::default()).await >= 3);
        assert!(store.close().await.is_err());
        drop(store);

        let (store, _) = open_at(&folder.join("store"), &clock).unwrap();
        assert!(store.trouble().is_none());
        let over = ended(&*store).await;
        // Opened, three grants, a spend; and the fourth, of which nobody knew.
        assert!(over.len() == 1 && (5..=6).contains(&over[0].last), "{over:?}");
        register(&*store, registration(5, NOW)).await.unwrap();
    });
}

#[test]
fn a_disk_that_fails_leaves_one_answer_in_doubt() {
    let scene = Scene::new();
    // The header, its first words, three grants and a spend are synced; the next sync fails.
    let calls = watch("failing disk", scene.folder(), Some("S 7 5"));
    assert!(calls.iter().any(|call| matches!(call, Call::Synced { well: false, .. })));
}
