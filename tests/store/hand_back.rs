//! What a budget held for a grant is given back by the drain: once, and only where nothing was done.

use std::sync::Arc;

use farebox::store::budget::{Hold, TakeError};
use farebox::store::drain::{Drain, Round};
use farebox_verifier::limits::SETTLE_SECONDS_MAX;
use farebox_verifier::{GrantId, Outcome, Ticket};

use super::archive::{Mood, Shelf};
use super::budget::{open, take_for};
use super::draft::{Draft, SHORT, agent, issue, revoke, revoke_one, settle, spend};
use super::drain::{dies_in_its_round, drain, drain_as};
use super::subject::Subject;

const LIMIT: u64 = 100;
const HELD: u64 = 40;

/// A grant for which something is held of the budget.
async fn issue_held(subject: &impl Subject, draft: &Draft) -> (Ticket, Hold) {
    let registration = draft.registration(subject);
    let take = take_for(registration.ticket.grant, HELD, LIMIT);
    let hold = subject.store().take(&take).await.unwrap();
    let seats = subject.store().register(&registration).await.unwrap();
    (Ticket { stores: Some(seats), ..registration.ticket }, hold)
}

async fn left(subject: &impl Subject) -> u64 {
    let all = take_for(GrantId::fresh().unwrap(), LIMIT + 1, LIMIT);
    match subject.store().take(&all).await {
        Err(TakeError::Over { left, .. }) => left,
        other => panic!("{other:?}"),
    }
}

/// Rounds of a drain, after which nothing more happens by itself.
async fn given_back(drain: &mut Drain) -> u64 {
    let mut given = 0;
    for _ in 0..3 {
        let Round { given_back, failed, .. } = drain.round().await;
        assert_eq!(failed, 0);
        given += given_back;
    }
    given
}

pub(crate) async fn what_did_nothing_gives_back_what_was_held(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (ticket, hold) = issue_held(subject, &Draft::default()).await;
    spend(subject, &ticket, 1).await.unwrap();
    assert_eq!(given_back(&mut drain).await, 0, "it may be acting");
    assert_eq!(left(subject).await, LIMIT - HELD);
    settle(subject, &ticket, 1, Outcome::Void).await.unwrap();
    assert_eq!(given_back(&mut drain).await, 1);
    assert_eq!(left(subject).await, LIMIT);
    assert_eq!(shelf.given_back(), [hold]);
}

pub(crate) async fn what_may_have_done_something_gives_nothing_back(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let outcomes = [Outcome::Succeeded, Outcome::Failed, Outcome::OutputRefused, Outcome::Unknown];
    for (used, outcome) in (1..).zip(outcomes) {
        let registration = Draft::default().registration(subject);
        let take = take_for(registration.ticket.grant, 10, LIMIT);
        subject.store().take(&take).await.unwrap();
        let seats = subject.store().register(&registration).await.unwrap();
        let ticket = Ticket { stores: Some(seats), ..registration.ticket };
        spend(subject, &ticket, 1).await.unwrap();
        settle(subject, &ticket, 1, outcome).await.unwrap();
        assert_eq!(given_back(&mut drain).await, 0, "{outcome:?}");
        assert_eq!(left(subject).await, LIMIT - 10 * used, "{outcome:?}");
    }
    assert_eq!(shelf.given_back(), []);
}

pub(crate) async fn what_ended_unspent_gives_back_what_was_held(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (_, hold) = issue_held(subject, &Draft::short()).await;
    assert_eq!(given_back(&mut drain).await, 0, "it may be spent");
    subject.pass(SHORT).await;
    subject.caught_up().await;
    assert_eq!(given_back(&mut drain).await, 1);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT, vec![hold]));
}

pub(crate) async fn what_was_revoked_unspent_gives_back_what_was_held(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (unspent, hold) = issue_held(subject, &Draft::default()).await;
    let (spent, _) = issue_held(subject, &Draft::default()).await;
    spend(subject, &spent, 1).await.unwrap();
    revoke_one(subject, &unspent).await;
    revoke_one(subject, &spent).await;
    assert_eq!(given_back(&mut drain).await, 1);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT - HELD, vec![hold]));
}

/// A selector names nobody in the journal: what is held for one of its grants is given back once the life says of
/// that one that it ended unspent.
pub(crate) async fn what_a_selector_revoked_gives_back_at_its_end(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (_, hold) = issue_held(subject, &Draft::short()).await;
    revoke(subject, &agent(Draft::default().agent)).await;
    assert_eq!(given_back(&mut drain).await, 0);
    subject.pass(SHORT).await;
    subject.caught_up().await;
    assert_eq!(given_back(&mut drain).await, 1);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT, vec![hold]));
}

pub(crate) async fn what_nobody_settled_gives_nothing_back(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, _) = drain(subject);
    let (ticket, _) = issue_held(subject, &Draft::default()).await;
    spend(subject, &ticket, 1).await.unwrap();
    subject.pass(SETTLE_SECONDS_MAX + 1).await;
    subject.caught_up().await;
    let round = drain.round().await;
    assert_eq!((round.lapsed, round.given_back, round.failed), (1, 0, 0));
    // Nor does a handler that comes too late with its word.
    assert!(settle(subject, &ticket, 1, Outcome::Void).await.is_err());
    assert_eq!(given_back(&mut drain).await, 0);
    assert_eq!(left(subject).await, LIMIT - HELD);
}

pub(crate) async fn one_store_does_not_speak_for_two(subject: &impl Subject) {
    open(subject).await;
    let shelf = Arc::new(Shelf::default());
    let mut drain = Drain::new(subject.store(), Arc::clone(&shelf) as _, "issuer-1", 2);
    let (expired, _) = issue_held(subject, &Draft::short()).await;
    let (void, _) = issue_held(subject, &Draft::default()).await;
    spend(subject, &void, 1).await.unwrap();
    settle(subject, &void, 1, Outcome::Void).await.unwrap();
    subject.pass(SHORT).await;
    subject.caught_up().await;
    // Neither that it was not spent, nor that nothing came of it: whoever got one vote of three may say so.
    assert_eq!(given_back(&mut drain).await, 0);
    assert_eq!(shelf.given_back(), []);
    assert_eq!(left(subject).await, LIMIT - 2 * HELD);
    assert!(spend(subject, &expired, 1).await.is_err());
}

pub(crate) async fn what_is_brought_again_is_given_back_once(subject: &impl Subject) {
    open(subject).await;
    let (first, shelf) = drain(subject);
    let (ticket, hold) = issue_held(subject, &Draft::default()).await;
    issue_held(subject, &Draft::default()).await;
    revoke_one(subject, &ticket).await;
    // It is kept that the grant was revoked; what follows from it was not done yet.
    dies_in_its_round(first, &shelf).await;
    assert_eq!(left(subject).await, LIMIT - 2 * HELD);
    let mut again = drain_as(subject, &shelf, "issuer-1");
    assert_eq!(given_back(&mut again).await, 1);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT - HELD, vec![hold]));
}

/// Whatever the archive cannot keep is done again, and comes to the same.
pub(crate) async fn what_is_not_kept_is_given_back_later(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (ticket, hold) = issue_held(subject, &Draft::default()).await;
    revoke_one(subject, &ticket).await;
    shelf.is(Mood::Refuses);
    assert_eq!(drain.round().await.given_back, 0);
    shelf.is(Mood::Keeps);
    assert_eq!(given_back(&mut drain).await, 1);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT, vec![hold]));
}

pub(crate) async fn a_grant_without_a_hold_gives_nothing_back(subject: &impl Subject) {
    open(subject).await;
    let (mut drain, shelf) = drain(subject);
    let (_, hold) = issue_held(subject, &Draft::default()).await;
    let other = issue(subject).await;
    revoke_one(subject, &other).await;
    assert_eq!(given_back(&mut drain).await, 0);
    assert_eq!((left(subject).await, shelf.given_back()), (LIMIT - hold.amount, vec![]));
}
