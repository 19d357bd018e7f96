//! Settling: an outcome ends a grant, once and for good.

use farebox::store::event::What;
use farebox_verifier::{Mark, Outcome, SettleError, SpendError, Ticket};

use super::draft::{
    Draft, SHORT, issue, issue_as, issue_settled, issue_spent, number, revoke_one, settle, spend,
    tail,
};
use super::subject::Subject;

pub(crate) const OUTCOMES: [Outcome; 5] =
    [Outcome::Succeeded, Outcome::Failed, Outcome::Void, Outcome::OutputRefused, Outcome::Unknown];

pub(crate) async fn every_outcome_is_told_as_it_was_said(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    for outcome in OUTCOMES {
        let ticket = issue_settled(subject, outcome).await;
        let sequence = number(&ticket);
        let told = tail.fresh(subject).await;
        assert_eq!(told.last(), Some(&What::Settled { sequence, outcome }));
    }
}

pub(crate) async fn the_first_outcome_stands_against_every_other(subject: &impl Subject) {
    for settled in OUTCOMES {
        let ticket = issue_settled(subject, settled).await;
        for said in OUTCOMES {
            let expected =
                if said == settled { Ok(()) } else { Err(SettleError::Conflict { settled }) };
            assert_eq!(settle(subject, &ticket, 1, said).await, expected, "{said:?}");
        }
        // Whoever did not spend it learns nothing of how it ended.
        let stranger = settle(subject, &ticket, 2, settled).await;
        assert_eq!(stranger, Err(SettleError::NotSpent));
    }
}

pub(crate) async fn a_settled_grant_is_dead_whoever_asks(subject: &impl Subject) {
    for outcome in OUTCOMES {
        let ticket = issue_settled(subject, outcome).await;
        for claimant in [1, 2] {
            let refused = spend(subject, &ticket, claimant).await;
            let dead = matches!(refused, Err(SpendError::AlreadySpent { .. }));
            assert!(dead, "{outcome:?}, attempt {claimant}: {refused:?}");
        }
    }
}

pub(crate) async fn an_unspent_grant_is_settled_by_nobody_and_stays_unspent(
    subject: &impl Subject,
) {
    let ticket = issue(subject).await;
    for outcome in OUTCOMES {
        assert_eq!(settle(subject, &ticket, 1, outcome).await, Err(SettleError::NotSpent));
    }
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn another_content_settles_nothing(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    let forged = Ticket { mark: Mark::from_bytes([0xee; 6]), ..ticket.clone() };
    let refused = settle(subject, &forged, 1, Outcome::Succeeded).await;
    assert_eq!(refused, Err(SettleError::NotSpent));
    assert_eq!(settle(subject, &ticket, 1, Outcome::Failed).await, Ok(()));
}

pub(crate) async fn an_ended_grant_is_settled(subject: &impl Subject) {
    let ticket = issue_as(subject, Draft::short()).await;
    spend(subject, &ticket, 1).await.unwrap();
    subject.pass(SHORT + 1).await;
    assert_eq!(settle(subject, &ticket, 1, Outcome::Failed).await, Ok(()));
    let settled = Outcome::Failed;
    let other = settle(subject, &ticket, 1, Outcome::Succeeded).await;
    assert_eq!(other, Err(SettleError::Conflict { settled }));
}

pub(crate) async fn a_revoked_grant_that_was_spent_is_settled(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    revoke_one(subject, &ticket).await;
    assert_eq!(settle(subject, &ticket, 2, Outcome::Succeeded).await, Err(SettleError::NotSpent));
    assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()));
    assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()));
    assert!(spend(subject, &ticket, 1).await.is_err());
}

pub(crate) async fn a_narrowed_copy_settles_what_the_whole_spent(subject: &impl Subject) {
    let whole = issue_spent(subject).await;
    let narrowed = Ticket { end: whole.end.minus(100), ..whole };
    assert_eq!(settle(subject, &narrowed, 1, Outcome::Succeeded).await, Ok(()));
}

pub(crate) async fn settling_one_grant_settles_no_other(subject: &impl Subject) {
    let (one, two) = (issue_spent(subject).await, issue_spent(subject).await);
    assert_eq!(settle(subject, &one, 1, Outcome::Failed).await, Ok(()));
    assert!(spend(subject, &two, 1).await.is_ok(), "its attempt is told again");
    assert_eq!(settle(subject, &two, 1, Outcome::Succeeded).await, Ok(()));
}
