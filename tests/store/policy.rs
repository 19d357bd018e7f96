//! Changing policies: what another set allowed is asked again.

use farebox::store::event::{OldGrants, What};
use farebox::store::registration::RegisterError;
use farebox_verifier::{Outcome, PolicyHash, SpendError};

use super::draft::{
    Draft, POLICY, issue, issue_as, issue_spent, number, register, settle, spend, tail,
};
use super::subject::Subject;

const NEXT: PolicyHash = PolicyHash::from_bytes([6; 32]);
const THIRD: PolicyHash = PolicyHash::from_bytes([7; 32]);

async fn set(subject: &impl Subject, policy: PolicyHash, old: OldGrants) {
    assert!(subject.store().set_policy(policy, old).await.unwrap().everywhere());
}

fn under(policy: PolicyHash) -> Draft {
    Draft { policy, ..Draft::default() }
}

pub(crate) async fn nothing_is_registered_that_another_set_allowed(subject: &impl Subject) {
    for other in [NEXT, THIRD, PolicyHash::NONE] {
        assert_eq!(register(subject, &under(other)).await, Err(RegisterError::Policy));
    }
    set(subject, NEXT, OldGrants::Revoked).await;
    for other in [POLICY, THIRD, PolicyHash::NONE] {
        assert_eq!(register(subject, &under(other)).await, Err(RegisterError::Policy));
    }
    assert!(register(subject, &under(NEXT)).await.is_ok());
}

pub(crate) async fn grants_of_the_old_set_are_revoked(subject: &impl Subject) {
    let (old, spent) = (issue(subject).await, issue_spent(subject).await);
    set(subject, NEXT, OldGrants::Revoked).await;
    let new = issue_as(subject, under(NEXT)).await;
    assert_eq!(spend(subject, &old, 1).await, Err(SpendError::Revoked));
    assert!(spend(subject, &spent, 1).await.is_err(), "its repeat is as dead");
    assert_eq!(settle(subject, &spent, 1, Outcome::Succeeded).await, Ok(()));
    assert!(spend(subject, &new, 1).await.is_ok());
}

pub(crate) async fn grants_of_the_old_set_are_kept_where_that_is_said(subject: &impl Subject) {
    let (old, spent) = (issue(subject).await, issue_spent(subject).await);
    set(subject, NEXT, OldGrants::Kept).await;
    assert!(spend(subject, &old, 1).await.is_ok());
    assert!(spend(subject, &spent, 1).await.is_ok());
    assert_eq!(register(subject, &under(POLICY)).await, Err(RegisterError::Policy));
}

pub(crate) async fn a_set_that_comes_back_brings_no_grant_back(subject: &impl Subject) {
    let first = issue(subject).await;
    set(subject, NEXT, OldGrants::Revoked).await;
    let between = issue_as(subject, under(NEXT)).await;
    set(subject, POLICY, OldGrants::Revoked).await;
    let again = issue(subject).await;
    for dead in [first, between] {
        assert_eq!(spend(subject, &dead, 1).await, Err(SpendError::Revoked));
    }
    assert!(spend(subject, &again, 1).await.is_ok());
}

pub(crate) async fn a_set_that_comes_back_finds_the_grants_that_were_kept(subject: &impl Subject) {
    let first = issue(subject).await;
    set(subject, NEXT, OldGrants::Kept).await;
    let between = issue_as(subject, under(NEXT)).await;
    set(subject, POLICY, OldGrants::Revoked).await;
    // Only the set that was replaced last is revoked.
    assert!(spend(subject, &first, 1).await.is_ok());
    assert_eq!(spend(subject, &between, 1).await, Err(SpendError::Revoked));
}

pub(crate) async fn the_set_in_force_is_set_again_for_nobody(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let mut tail = tail(subject).await;
    for old in [OldGrants::Revoked, OldGrants::Kept] {
        set(subject, POLICY, old).await;
    }
    assert_eq!(tail.fresh(subject).await, []);
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn the_journal_says_which_set_replaced_which(subject: &impl Subject) {
    let upto = number(&issue(subject).await);
    let mut tail = tail(subject).await;
    set(subject, NEXT, OldGrants::Kept).await;
    set(subject, THIRD, OldGrants::Revoked).await;
    let told = tail.fresh(subject).await;
    let kept = What::PolicySet { policy: NEXT, replaced: POLICY, old: OldGrants::Kept, upto };
    let dead = What::PolicySet { policy: THIRD, replaced: NEXT, old: OldGrants::Revoked, upto };
    assert_eq!(told, [kept, dead]);
}
