//! Lapsing: what is over is said to be over, once, by the store's own clock.

use farebox::limits::LIST_MAX;
use farebox::store::event::What;
use farebox::store::lease::Lease;
use farebox::store::registration::RegisterError;
use farebox::store::{Found, Lapsed};
use farebox_verifier::{Outcome, SpendError};

use super::draft::{
    Draft, NONE, SHORT, issue, issue_as, issue_settled, issue_spent, living, number, register,
    revoke_one, settle, spend, tail,
};
use super::journal::drain;
use super::subject::Subject;

pub(crate) async fn due(subject: &impl Subject) -> Vec<u64> {
    subject.caught_up().await;
    subject.store().due(&living(subject).await).await
}

pub(crate) async fn lapse(subject: &impl Subject, lease: Lease, sequences: &[u64]) -> Lapsed {
    let life = living(subject).await;
    subject.store().lapse(&life, sequences, lease).await.unwrap()
}

pub(crate) async fn due_is_exactly_what_is_over(subject: &impl Subject) {
    let short = async || issue_as(subject, Draft::short()).await;
    let (over, spent, revoked, long) =
        (short().await, short().await, short().await, issue(subject).await);
    spend(subject, &spent, 1).await.unwrap();
    revoke_one(subject, &revoked).await;
    let other = short().await;
    subject.pass(SHORT).await;
    assert_eq!(due(subject).await, [number(&over), number(&other)]);
    assert!(spend(subject, &long, 1).await.is_ok());
}

pub(crate) async fn an_ended_grant_expires_once(subject: &impl Subject) {
    let ticket = issue_as(subject, Draft::short()).await;
    subject.pass(SHORT).await;
    let (lease, sequence) = (drain(subject).await, number(&ticket));
    let mut tail = tail(subject).await;
    for _ in 0..3 {
        assert_eq!(lapse(subject, lease, &[sequence]).await, Lapsed::default());
    }
    assert_eq!(tail.fresh(subject).await, [What::Expired { sequence }]);
    assert_eq!(due(subject).await, NONE);
    assert_eq!(revoke_one(subject, &ticket).await, Found::Expired);
    let refused = spend(subject, &ticket, 1).await;
    assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
    assert!(settle(subject, &ticket, 1, Outcome::Succeeded).await.is_err());
    assert_eq!(tail.fresh(subject).await, []);
}

pub(crate) async fn what_is_not_over_is_not_ended(subject: &impl Subject) {
    let (unspent, spent) = (issue(subject).await, issue_spent(subject).await);
    let lease = drain(subject).await;
    let mut tail = tail(subject).await;
    let both = [number(&unspent), number(&spent)];
    assert_eq!(lapse(subject, lease, &both).await.not_yet, both);
    assert_eq!(tail.fresh(subject).await, []);
    assert!(spend(subject, &unspent, 1).await.is_ok());
    assert_eq!(settle(subject, &spent, 1, Outcome::Succeeded).await, Ok(()));
}

pub(crate) async fn what_has_ended_otherwise_is_left_as_it_is(subject: &impl Subject) {
    let revoked = issue_as(subject, Draft::short()).await;
    let settled = issue_settled(subject, Outcome::Failed).await;
    revoke_one(subject, &revoked).await;
    subject.pass(SHORT).await;
    let lease = drain(subject).await;
    let mut tail = tail(subject).await;
    let sequences = [number(&revoked), number(&settled), 0, 1 << 40];
    assert_eq!(lapse(subject, lease, &sequences).await, Lapsed::default());
    assert_eq!(tail.fresh(subject).await, []);
    assert_eq!(revoke_one(subject, &revoked).await, Found::Unspent);
    assert_eq!(revoke_one(subject, &settled).await, Found::Settled(Outcome::Failed));
}

pub(crate) async fn each_of_many_is_judged_by_itself(subject: &impl Subject) {
    let (first, living, last) = (
        issue_as(subject, Draft::short()).await,
        issue(subject).await,
        issue_as(subject, Draft::short()).await,
    );
    subject.pass(SHORT).await;
    let lease = drain(subject).await;
    let mut tail = tail(subject).await;
    let [first, living, last] = [&first, &living, &last].map(number);
    let lapsed = lapse(subject, lease, &[first, living, last, first]).await;
    assert_eq!(lapsed.not_yet, [living]);
    let expired = [first, last].map(|sequence| What::Expired { sequence });
    assert_eq!(tail.fresh(subject).await, expired);
}

pub(crate) async fn an_expired_grant_is_no_predecessor(subject: &impl Subject) {
    let before = issue_as(subject, Draft::short()).await;
    let waiting = issue_as(subject, Draft::after([&before])).await;
    subject.pass(SHORT).await;
    let lease = drain(subject).await;
    lapse(subject, lease, &[number(&before)]).await;
    let refused = register(subject, &Draft::after([&before])).await;
    assert_eq!(refused, Err(RegisterError::PredecessorFailed));
    assert_eq!(spend(subject, &waiting, 1).await, Err(SpendError::PredecessorUnsettled));
}

pub(crate) async fn many_that_are_due_come_in_parts(subject: &impl Subject) {
    let mut numbers = Vec::new();
    for _ in 0..LIST_MAX + 10 {
        numbers.push(number(&issue_as(subject, Draft::short()).await));
    }
    subject.pass(SHORT).await;
    let lease = drain(subject).await;
    let mut lapsed = Vec::new();
    loop {
        let due = due(subject).await;
        assert!(due.len() <= LIST_MAX);
        if due.is_empty() {
            break;
        }
        assert_eq!(lapse(subject, lease, &due).await, Lapsed::default());
        lapsed.extend(due);
    }
    assert_eq!(lapsed, numbers);
}
