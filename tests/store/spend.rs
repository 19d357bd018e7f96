//! Spending: what the verifier's own suite does not ask, because only a store that registers can answer.

use farebox::store::event::What;
use farebox_verifier::{
    Generation, Mark, Outcome, Seat, Seats, Sending, SettleError, Shard, SpendError, StoreName,
    Ticket,
};

use super::draft::{
    Draft, SHORT, issue, issue_as, issue_spent, moved, number, seat, settle, spend, tail,
};
use super::subject::Subject;

pub(crate) async fn a_grant_is_spent_at_about_the_time_it_is(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let before = subject.now();
    let receipt = spend(subject, &ticket, 1).await.unwrap();
    let about = before.minus(2)..=subject.now().plus(2);
    assert!(about.contains(&receipt.spent_at), "{receipt:?}, and it is {before}");
}

pub(crate) async fn whoever_comes_late_is_told_when_it_was_spent(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let first = spend(subject, &ticket, 1).await.unwrap();
    subject.pass(1).await;
    for late in 2..6 {
        let first_spent = first.spent_at;
        let refused = spend(subject, &ticket, late).await;
        assert_eq!(refused, Err(SpendError::AlreadySpent { first_spent }));
    }
}

pub(crate) async fn a_repeat_says_when_it_was_spent_and_that_it_is_one(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let first = spend(subject, &ticket, 1).await.unwrap();
    assert_eq!(first.sending, Sending::First);
    for _ in 0..3 {
        subject.pass(1).await;
        // Somebody else's refusal changes nothing for whoever it belongs to.
        assert!(spend(subject, &ticket, 2).await.is_err());
        let again = spend(subject, &ticket, 1).await.unwrap();
        assert_eq!((again.sending, again.spent_at), (Sending::Repeat, first.spent_at));
    }
}

pub(crate) async fn a_number_that_was_never_given_is_unknown(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let last = number(&ticket);
    let most = u64::try_from(i64::MAX).unwrap();
    for never in [0, last + 1, last + 1024, 1 << 32, 1 << 48, 1 << 53, most] {
        let astray = moved(&ticket, |seat| seat.sequence = never);
        let refused = spend(subject, &astray, 1).await;
        assert_eq!(refused, Err(SpendError::UnknownGrant), "number {never}");
        let unsettled = settle(subject, &astray, 1, Outcome::Succeeded).await;
        assert_eq!(unsettled, Err(SettleError::NotSpent), "number {never}");
    }
    // A number that is given later was not spent by having been asked for.
    let next = issue(subject).await;
    assert_eq!(number(&next), last + 1);
    assert!(spend(subject, &next, 2).await.is_ok());
}

pub(crate) async fn a_grant_of_another_life_is_fenced(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let other = Generation::fresh().unwrap();
    let astray = moved(&ticket, |seat| seat.generation = other);
    assert_eq!(spend(subject, &astray, 1).await, Err(SpendError::Fenced));
    let unsettled = settle(subject, &astray, 1, Outcome::Succeeded).await;
    assert_eq!(unsettled, Err(SettleError::Fenced));
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn a_grant_of_another_shard_is_refused(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let astray = moved(&ticket, |seat| seat.shard = Shard::parse("7f").unwrap());
    assert!(spend(subject, &astray, 1).await.is_err());
    assert!(settle(subject, &astray, 1, Outcome::Succeeded).await.is_err());
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn a_grant_of_another_store_is_unknown(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let astray = moved(&ticket, |seat| seat.store = StoreName::parse("elsewhere").unwrap());
    assert_eq!(spend(subject, &astray, 1).await, Err(SpendError::UnknownGrant));
    let unsettled = settle(subject, &astray, 1, Outcome::Succeeded).await;
    assert_eq!(unsettled, Err(SettleError::NotSpent));
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn a_grant_that_is_registered_nowhere_is_unknown(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let nowhere = Ticket { stores: None, ..ticket.clone() };
    assert_eq!(spend(subject, &nowhere, 1).await, Err(SpendError::UnknownGrant));
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn a_grant_that_needs_two_stores_is_not_spent_in_one(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let other = Seat { store: StoreName::parse("elsewhere").unwrap(), ..seat(&ticket) };
    let seats = Seats::new(2, vec![seat(&ticket), other]).unwrap();
    let two = Ticket { stores: Some(seats), ..ticket.clone() };
    assert!(spend(subject, &two, 1).await.is_err());
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn another_content_is_unknown_and_reported(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let mut tail = tail(subject).await;
    let mut mark = *ticket.mark.as_bytes();
    mark[5] ^= 1;
    let forged = Ticket { mark: Mark::from_bytes(mark), ..ticket.clone() };
    assert_eq!(spend(subject, &forged, 1).await, Err(SpendError::UnknownGrant));
    let sequence = number(&ticket);
    assert_eq!(tail.fresh(subject).await, [What::Forged { sequence }]);
    // The alarm costs the honest holder nothing.
    assert!(spend(subject, &ticket, 2).await.is_ok());
}

pub(crate) async fn a_grant_under_another_grants_number_is_unknown(subject: &impl Subject) {
    let (one, two) = (issue(subject).await, issue(subject).await);
    let crossed = moved(&one, |seat| seat.sequence = number(&two));
    assert_eq!(spend(subject, &crossed, 1).await, Err(SpendError::UnknownGrant));
    for ticket in [one, two] {
        assert!(spend(subject, &ticket, 1).await.is_ok());
    }
}

pub(crate) async fn no_content_is_the_mark_of_a_claimant(subject: &impl Subject) {
    // Marks of no content and of no attempt: what a store fills its gaps with.
    for mark in [[0; 6], [0xff; 6]] {
        let ticket = issue_spent(subject).await;
        let forged = Ticket { mark: Mark::from_bytes(mark), ..ticket };
        for claimant in [0, 1, 2] {
            assert!(spend(subject, &forged, claimant).await.is_err());
            assert!(settle(subject, &forged, claimant, Outcome::Succeeded).await.is_err());
        }
    }
}

pub(crate) async fn a_narrowed_copy_ends_earlier_and_the_whole_does_not(subject: &impl Subject) {
    let whole = issue(subject).await;
    let narrowed = Ticket { end: subject.now().plus(SHORT), ..whole.clone() };
    subject.pass(SHORT).await;
    let refused = spend(subject, &narrowed, 1).await;
    assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
    assert!(spend(subject, &whole, 1).await.is_ok());
}

pub(crate) async fn a_repeat_is_for_the_life_of_the_copy_that_asks(subject: &impl Subject) {
    let whole = issue(subject).await;
    let narrowed = Ticket { end: subject.now().plus(SHORT), ..whole.clone() };
    let first = spend(subject, &narrowed, 1).await.unwrap();
    subject.pass(SHORT).await;
    let first_spent = first.spent_at;
    let over = Err(SpendError::AlreadySpent { first_spent });
    assert_eq!(spend(subject, &narrowed, 1).await, over);
    assert_eq!(spend(subject, &whole, 2).await, over);
}

pub(crate) async fn an_ended_grant_says_what_time_it_is(subject: &impl Subject) {
    let ticket = issue_as(subject, Draft::short()).await;
    subject.pass(SHORT).await;
    for claimant in [1, 1, 2] {
        let refused = spend(subject, &ticket, claimant).await;
        let Err(SpendError::Expired { now }) = refused else { panic!("{refused:?}") };
        assert!(now >= ticket.end && now <= subject.now().plus(2), "{now}");
    }
    let unsettled = settle(subject, &ticket, 1, Outcome::Succeeded).await;
    assert_eq!(unsettled, Err(SettleError::NotSpent));
}
