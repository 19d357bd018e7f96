//! A right that is missing: what cannot be written down is not said, and did not happen.

use farebox::store::event::What;
use farebox::store::redis::acl::Role;
use farebox::store::registration::RegisterError;
use farebox::store::{AdminError, Found, GrantStore};
use farebox_verifier::{Outcome, Selector, Sending, SettleError, SpendError};

use super::draft::{
    Draft, agent, issue, issue_spent, number, register, revoke_one, settle, spend, tail,
};
use super::ground::ground;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_spend_that_cannot_be_written_down_is_no_yes_and_took_nothing() {
    let ground = ground().await;
    let ticket = issue(&ground).await;
    let mut tail = tail(&ground).await;
    ground.take_away(Role::Verifier, "xadd");
    for claimant in [1, 1, 2] {
        assert_eq!(spend(&ground, &ticket, claimant).await, Err(SpendError::Down));
    }
    assert_eq!(tail.fresh(&ground).await, []);
    ground.give_again(Role::Verifier, "xadd");
    // Whoever asks first has it: none of those who asked before had taken it.
    assert_eq!(spend(&ground, &ticket, 3).await.unwrap().sending, Sending::First);
    let refused = spend(&ground, &ticket, 1).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    let sequence = number(&ticket);
    assert_eq!(tail.fresh(&ground).await, [What::Spent { sequence }, What::Replayed { sequence }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_that_cannot_be_written_down_is_no_yes() {
    let ground = ground().await;
    let ticket = issue_spent(&ground).await;
    ground.take_away(Role::Verifier, "xadd");
    for _ in 0..2 {
        assert_eq!(spend(&ground, &ticket, 1).await, Err(SpendError::Down));
    }
    let refused = spend(&ground, &ticket, 2).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    ground.give_again(Role::Verifier, "xadd");
    assert_eq!(spend(&ground, &ticket, 1).await.unwrap().sending, Sending::Repeat);
    let mut seen = tail(&ground).await;
    // The replay that could not be written down has not been told, so the next one is.
    assert!(spend(&ground, &ticket, 2).await.is_err());
    assert_eq!(seen.fresh(&ground).await, [What::Replayed { sequence: number(&ticket) }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_cannot_be_written_down_is_not_settled() {
    let ground = ground().await;
    let ticket = issue_spent(&ground).await;
    ground.take_away(Role::Verifier, "xadd");
    assert_eq!(settle(&ground, &ticket, 1, Outcome::Succeeded).await, Err(SettleError::Down));
    ground.give_again(Role::Verifier, "xadd");
    // Nothing stands against another outcome.
    assert_eq!(settle(&ground, &ticket, 1, Outcome::Failed).await, Ok(()));
    assert_eq!(revoke_one(&ground, &ticket).await, Found::Settled(Outcome::Failed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_without_its_functions_gets_no_yes() {
    let ground = ground().await;
    let (spent, fresh) = (issue_spent(&ground).await, issue(&ground).await);
    ground.take_away(Role::Verifier, "fcall");
    for (ticket, claimant) in [(&spent, 1), (&fresh, 1)] {
        assert_eq!(spend(&ground, ticket, claimant).await, Err(SpendError::Down));
    }
    assert_eq!(settle(&ground, &spent, 1, Outcome::Succeeded).await, Err(SettleError::Down));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_without_the_clock_gets_no_yes_and_took_nothing() {
    let ground = ground().await;
    let (spent, fresh) = (issue_spent(&ground).await, issue(&ground).await);
    ground.take_away(Role::Verifier, "time");
    for (ticket, claimant) in [(&spent, 1), (&fresh, 2)] {
        let refused = spend(&ground, ticket, claimant).await;
        assert!(matches!(refused, Err(SpendError::Down | SpendError::InDoubt)), "{refused:?}");
    }
    ground.give_again(Role::Verifier, "time");
    assert_eq!(spend(&ground, &fresh, 3).await.unwrap().sending, Sending::First);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_cannot_write_registers_and_revokes_nothing() {
    let ground = ground().await;
    let (before, unspent) = (issue(&ground).await, issue(&ground).await);
    let mut tail = tail(&ground).await;
    ground.take_away(Role::Issuer, "xadd");
    let refused = register(&ground, &Draft::default()).await;
    assert_eq!(refused, Err(RegisterError::Down));
    let store = &ground.fleet;
    for selector in [Selector::All, Selector::Grant(before.grant), agent("key:any")] {
        let revoked = store.revoke(&selector).await;
        assert_eq!(revoked, Err(AdminError::InDoubt), "{selector:?}: nobody has heard");
    }
    let blocked = store.block(&Selector::All).await;
    assert_eq!(blocked, Err(AdminError::InDoubt), "nobody has heard");
    ground.give_again(Role::Issuer, "xadd");
    assert!(store.unblock(&Selector::All).await.unwrap().everywhere());
    assert_eq!(tail.fresh(&ground).await, []);
    // None of it was carried out, and no number was given away.
    assert!(spend(&ground, &before, 1).await.is_ok());
    let next = issue(&ground).await;
    assert_eq!(number(&next), number(&unspent) + 1);
    assert_eq!(revoke_one(&ground, &unspent).await, Found::Unspent);
}
