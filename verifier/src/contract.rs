//! The test suite that every grant store passes.
//!
//! A store's tests implement [`Subject`] and say [`spend_store_contract!`](crate::spend_store_contract):
//! each function here becomes one test. They speak of what a verifier relies on, and of nothing that
//! only one store does.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::attempt::Attempt;
use crate::grant::Mark;
use crate::store::{Answer, Outcome, Sending, SettleError, SpendError, SpendStore, Ticket};

/// A store under test, and the hand that an issuer, its staff and time have in it.
pub trait Subject: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn SpendStore>;

    /// Issues a fresh grant that ends after `ttl_seconds`, registered as this store wants it.
    fn issue(&self, ttl_seconds: u64) -> Answer<'_, Ticket>;

    /// Revokes a grant.
    fn revoke<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()>;

    /// Lets time pass for the store: by moving its clock, or by waiting.
    fn pass(&self, seconds: u64) -> Answer<'_, ()>;
}

const TTL: u64 = 60;

fn attempt(byte: u8) -> Attempt {
    Attempt::from_bytes([byte; 16])
}

/// The one use goes to the first attempt, and no other gets it.
pub async fn a_second_attempt_is_refused_with_when(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    let first = store.spend(&ticket, &attempt(1)).await;
    assert!(matches!(first, Ok(receipt) if receipt.sending == Sending::First), "{first:?}");
    let second = store.spend(&ticket, &attempt(2)).await;
    let when = first.map(|receipt| receipt.spent_at);
    assert_eq!(second.map(|_| ()), Err(already(when)));
}

fn already(when: Result<crate::UnixSeconds, SpendError>) -> SpendError {
    when.map_or_else(|error| error, |first_spent| SpendError::AlreadySpent { first_spent })
}

/// An attempt that heard nothing asks again and hears the same, marked as a repeat.
pub async fn the_same_attempt_hears_the_same_again(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    let first = store.spend(&ticket, &attempt(1)).await;
    let again = store.spend(&ticket, &attempt(1)).await;
    assert!(matches!(again, Ok(receipt) if receipt.sending == Sending::Repeat), "{again:?}");
    assert_eq!(again.map(|r| r.spent_at), first.map(|r| r.spent_at));
}

/// Attempts that share their first half are two.
pub async fn attempts_that_begin_alike_are_not_one(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    let mut other = [1; 16];
    other[15] = 2;
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    let refused = store.spend(&ticket, &Attempt::from_bytes(other)).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
}

/// Grants do not touch each other.
pub async fn each_grant_has_its_own_use(subject: &impl Subject) {
    let store = subject.store();
    let (one, two) = (subject.issue(TTL).await, subject.issue(TTL).await);
    assert!(store.spend(&one, &attempt(1)).await.is_ok());
    assert!(store.spend(&two, &attempt(1)).await.is_ok());
}

/// Of many who ask at once, one gets it.
pub async fn of_many_at_once_one_gets_it(subject: &impl Subject) {
    for round in 0..20 {
        let (store, ticket) = (subject.store(), Arc::new(subject.issue(TTL).await));
        let mut claimants = JoinSet::new();
        for claimant in 0..32 {
            let (store, ticket) = (Arc::clone(&store), Arc::clone(&ticket));
            claimants.spawn(async move { store.spend(&ticket, &attempt(claimant)).await });
        }
        let answers = claimants.join_all().await;
        let granted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(granted, 1, "round {round}: {answers:?}");
    }
}

/// A grant ends in the second that it names, not one later.
pub async fn an_ended_grant_is_not_spent(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(2).await);
    subject.pass(2).await;
    let refused = store.spend(&ticket, &attempt(1)).await;
    assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
}

/// What was revoked before it was spent is never spent.
pub async fn a_revoked_grant_is_not_spent(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    subject.revoke(&ticket).await;
    let refused = store.spend(&ticket, &attempt(1)).await;
    assert_eq!(refused.map(|_| ()), Err(SpendError::Revoked));
}

/// Revoking a spent grant stops its repeats.
pub async fn a_revoked_grant_gives_no_repeat(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    subject.revoke(&ticket).await;
    assert!(store.spend(&ticket, &attempt(1)).await.is_err());
}

/// A grant that was settled gives no repeat, to nobody.
pub async fn a_settled_grant_gives_no_repeat(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    assert_eq!(store.settle(&ticket, &attempt(1), Outcome::Succeeded).await, Ok(()));
    for claimant in [1, 2] {
        let refused = store.spend(&ticket, &attempt(claimant)).await;
        assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    }
}

/// A repeat is for the life of the token.
pub async fn an_ended_grant_gives_no_repeat(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(2).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    subject.pass(2).await;
    assert!(store.spend(&ticket, &attempt(1)).await.is_err());
}

/// The same report again is the same answer, and another is a conflict that tells the first.
pub async fn a_grant_is_settled_once(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    assert_eq!(store.settle(&ticket, &attempt(1), Outcome::Failed).await, Ok(()));
    assert_eq!(store.settle(&ticket, &attempt(1), Outcome::Failed).await, Ok(()));
    let conflict = store.settle(&ticket, &attempt(1), Outcome::Succeeded).await;
    assert_eq!(conflict, Err(SettleError::Conflict { settled: Outcome::Failed }));
}

/// Every outcome can be reported.
pub async fn every_outcome_is_taken(subject: &impl Subject) {
    let outcomes = [
        Outcome::Succeeded,
        Outcome::Failed,
        Outcome::Void,
        Outcome::OutputRefused,
        Outcome::Unknown,
    ];
    for outcome in outcomes {
        let (store, ticket) = (subject.store(), subject.issue(TTL).await);
        assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
        assert_eq!(store.settle(&ticket, &attempt(1), outcome).await, Ok(()), "{outcome:?}");
    }
}

/// Nobody settles what another attempt spent, or what nobody did.
pub async fn only_who_spent_settles(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    let unspent = store.settle(&ticket, &attempt(1), Outcome::Succeeded).await;
    assert_eq!(unspent, Err(SettleError::NotSpent));
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    let another = store.settle(&ticket, &attempt(2), Outcome::Succeeded).await;
    assert_eq!(another, Err(SettleError::NotSpent));
}

/// A job may end after its token did: it is settled all the same.
pub async fn a_grant_is_settled_after_its_end(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(2).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    subject.pass(3).await;
    assert_eq!(store.settle(&ticket, &attempt(1), Outcome::Succeeded).await, Ok(()));
}

/// A copy that its holder made shorter takes the use of every copy, and is remembered as long as they live.
pub async fn a_grant_spent_by_a_narrowed_copy_is_not_spent_whole(subject: &impl Subject) {
    let (store, whole) = (subject.store(), subject.issue(TTL).await);
    let end = whole.end.minus(TTL - 2);
    let narrowed = Ticket { end, ..whole.clone() };
    assert!(store.spend(&narrowed, &attempt(1)).await.is_ok());
    subject.pass(3).await;
    let refused = store.spend(&whole, &attempt(2)).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
}

/// The same id with another content gets no use, whoever asks. A store that keeps of a spent grant only
/// whose the use was knows its content no more, and says that it is spent.
pub async fn another_content_gets_no_answer(subject: &impl Subject) {
    let (store, ticket) = (subject.store(), subject.issue(TTL).await);
    assert!(store.spend(&ticket, &attempt(1)).await.is_ok());
    let forged = Ticket { mark: Mark::from_bytes([0xee; 6]), ..ticket };
    for claimant in [1, 2] {
        let refused = store.spend(&forged, &attempt(claimant)).await;
        let known =
            matches!(refused, Err(SpendError::UnknownGrant | SpendError::AlreadySpent { .. }));
        assert!(known, "{refused:?}");
    }
}

/// Makes a test of each function of [`contract`](crate::contract), for the store that the expression
/// makes anew each time.
#[macro_export]
macro_rules! spend_store_contract {
    ($subject:expr) => {
        $crate::spend_store_contract! { @tests $subject;
            a_second_attempt_is_refused_with_when
            the_same_attempt_hears_the_same_again
            attempts_that_begin_alike_are_not_one
            each_grant_has_its_own_use
            of_many_at_once_one_gets_it
            an_ended_grant_is_not_spent
            a_revoked_grant_is_not_spent
            a_revoked_grant_gives_no_repeat
            a_settled_grant_gives_no_repeat
            an_ended_grant_gives_no_repeat
            a_grant_is_settled_once
            every_outcome_is_taken
            only_who_spent_settles
            a_grant_is_settled_after_its_end
            another_content_gets_no_answer
            a_grant_spent_by_a_narrowed_copy_is_not_spent_whole
        }
    };
    (@tests $subject:expr; $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $test() {
            $crate::contract::$test(&$subject).await;
        }
    )*};
}
