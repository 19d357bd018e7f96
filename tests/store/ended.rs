//! Journals of lives that are over: taken out to their last word, and forgotten.

use std::sync::Arc;

use farebox::store::drain::{Drain, Round};
use farebox::store::event::What;
use farebox_verifier::{Outcome, SpendError};

use super::archive::{Mood, Shelf};
use super::budget::{open, take_for};
use super::draft::{Draft, SHORT, issue, issue_as, issue_spent, living, settle, spend};
use super::drain::drain;
use super::subject::Ending;

/// How many journals there are.
async fn journals(subject: &impl Ending) -> usize {
    subject.store().journals().await.unwrap().len()
}

pub(crate) async fn a_closed_life_is_drained_to_its_last_word_and_forgotten(subject: &impl Ending) {
    let (mut drain, shelf) = drain(subject);
    let (ticket, before) = (issue_spent(subject).await, living(subject).await);
    subject.end().await;
    assert_ne!(living(subject).await, before);
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (0, 0, 0), "{round:?}");
    let kept = shelf.after(&before, 0);
    assert_eq!((kept.len(), kept.last()), (4, Some(&What::Closed)));
    let later = shelf.after(&living(subject).await, 0);
    let What::Opened { previous, .. } = later[0] else { panic!("{later:?}") };
    assert_eq!(previous, Some(before.generation));
    assert_eq!(journals(subject).await, 1, "it is forgotten");
    assert_eq!(spend(subject, &ticket, 1).await, Err(SpendError::Fenced));
}

pub(crate) async fn a_life_that_was_drained_before_it_ended_is_forgotten(subject: &impl Ending) {
    let (mut drain, shelf) = drain(subject);
    issue_spent(subject).await;
    let before = living(subject).await;
    drain.round().await;
    let kept = shelf.events(&before).len();
    subject.end().await;
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed), (0, 0));
    assert_eq!(shelf.events(&before).len(), kept + 1, "only its last word was missing");
    assert_eq!(journals(subject).await, 1);
}

pub(crate) async fn a_life_that_is_over_waits_for_its_archive(subject: &impl Ending) {
    let (mut drain, shelf) = drain(subject);
    issue_spent(subject).await;
    let before = living(subject).await;
    subject.end().await;
    shelf.is(Mood::Refuses);
    for _ in 0..2 {
        let round = drain.round().await;
        assert_eq!((round.failed, round.events, round.gaps), (2, 0, 0), "{round:?}");
        assert!(round.lag >= 4, "{round:?}");
        assert_eq!(journals(subject).await, 2, "it is not forgotten");
    }
    shelf.is(Mood::Keeps);
    let round = drain.round().await;
    assert_eq!((round.failed, round.lag), (0, 0), "{round:?}");
    assert_eq!(shelf.after(&before, 0).last(), Some(&What::Closed));
    assert_eq!(journals(subject).await, 1);
}

pub(crate) async fn lives_that_ended_one_after_the_other_are_all_drained(subject: &impl Ending) {
    let (mut drain, shelf) = drain(subject);
    let mut lives = Vec::new();
    for _ in 0..3 {
        issue_spent(subject).await;
        lives.push(living(subject).await);
        subject.end().await;
    }
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed), (0, 0), "{round:?}");
    for (place, life) in lives.iter().enumerate() {
        let kept = shelf.after(life, 0);
        let What::Opened { previous, .. } = kept[0] else { panic!("{kept:?}") };
        let expected = place.checked_sub(1).map(|before| lives[before].generation);
        assert_eq!((previous, kept.last()), (expected, Some(&What::Closed)));
    }
    assert_eq!(journals(subject).await, 1);
    assert_eq!(drain.round().await, Round::default());
}

/// Of a grant that a life called unspent another process may know better once the life is over.
pub(crate) async fn what_a_life_that_is_over_called_unspent_gives_nothing_back(
    subject: &impl Ending,
) {
    open(subject).await;
    let shelf = Arc::new(Shelf::default());
    let held = async |draft: &Draft| {
        let registration = draft.registration(subject);
        let take = take_for(registration.ticket.grant, 10, 100);
        let hold = subject.store().take(&take).await.unwrap();
        let seats = subject.store().register(&registration).await.unwrap();
        (farebox_verifier::Ticket { stores: Some(seats), ..registration.ticket }, hold)
    };
    let (revoked, _) = held(&Draft::default()).await;
    super::draft::revoke_one(subject, &revoked).await;
    let (void, hold) = held(&Draft::default()).await;
    spend(subject, &void, 1).await.unwrap();
    settle(subject, &void, 1, Outcome::Void).await.unwrap();
    subject.end().await;
    let mut drain = Drain::new(subject.store(), Arc::clone(&shelf) as _, "issuer-1", 1);
    let round = drain.round().await;
    assert_eq!((round.given_back, round.failed), (1, 0), "{round:?}");
    // What a handler says that it did not do, it did not do.
    assert_eq!(shelf.given_back(), [hold]);
}

pub(crate) async fn nothing_of_a_life_that_is_over_lapses(subject: &impl Ending) {
    let (mut drain, shelf) = drain(subject);
    issue_as(subject, Draft::short()).await;
    let before = living(subject).await;
    subject.end().await;
    issue(subject).await;
    subject.pass(SHORT).await;
    subject.caught_up().await;
    assert_eq!(drain.round().await.lapsed, 0);
    let kept = shelf.after(&before, 0);
    assert!(!kept.iter().any(|what| matches!(what, What::Expired { .. })), "{kept:?}");
}
