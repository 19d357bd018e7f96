//! The drain: every event is kept, in order, before the journal forgets it.

use std::sync::Arc;
use std::time::Duration;

use farebox::limits::EVENTS_MAX;
use farebox::store::drain::{Drain, Round};
use farebox::store::event::What;
use farebox_verifier::Outcome;
use tokio::task::JoinSet;

use super::archive::{Mood, Shelf};
use super::draft::{Draft, SHORT, issue, issue_as, issue_spent, living, number, settle, spend};
use super::subject::Subject;

/// Longer than a drain's lease lasts after it has died.
const LEASE_OVER: u64 = 11;

pub(crate) fn drain_as(subject: &impl Subject, shelf: &Arc<Shelf>, holder: &str) -> Drain {
    Drain::new(subject.store(), Arc::clone(shelf) as _, holder, 1)
}

/// A drain, and where it keeps what it takes out.
pub(crate) fn drain(subject: &impl Subject) -> (Drain, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    (drain_as(subject, &shelf, "issuer-1"), shelf)
}

/// A round that the drain does not outlive: it dies while its archive is at work.
pub(crate) async fn dies_in_its_round(mut drain: Drain, shelf: &Shelf) {
    shelf.is(Mood::Hangs);
    tokio::select! {
        round = drain.round() => panic!("it lived: {round:?}"),
        () = shelf.hung() => {}
    }
    drop(drain);
    shelf.is(Mood::Keeps);
}

/// The numbers of what is still in the journal.
async fn left(subject: &impl Subject) -> Vec<u64> {
    let events = subject.store().events(&living(subject).await, 0).await.unwrap();
    events.iter().map(|event| event.number).collect()
}

/// That all of the journal is kept from its beginning, without a gap.
async fn assert_whole(subject: &impl Subject, shelf: &Shelf) {
    let kept = shelf.events(&living(subject).await);
    let numbers: Vec<u64> = kept.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=u64::try_from(kept.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(shelf.gaps(), []);
}

pub(crate) async fn everything_is_kept_in_its_order_and_then_let_go(subject: &impl Subject) {
    let (mut drain, shelf) = drain(subject);
    let ticket = issue(subject).await;
    spend(subject, &ticket, 1).await.unwrap();
    settle(subject, &ticket, 1, Outcome::Failed).await.unwrap();
    let expected = subject.store().events(&living(subject).await, 0).await.unwrap();
    let round = drain.round().await;
    // Its own lease is the last event.
    assert_eq!(round, Round { events: 5, ..Round::default() });
    let kept = shelf.events(&living(subject).await);
    assert_eq!(kept[..4], expected);
    let What::Leased { holder, .. } = &kept[4].what else { panic!("{kept:?}") };
    assert_eq!(&**holder, "issuer-1");
    assert_eq!(left(subject).await, [] as [u64; 0]);
    assert_whole(subject, &shelf).await;
}

pub(crate) async fn a_round_goes_on_where_the_last_one_stopped(subject: &impl Subject) {
    let (mut drain, shelf) = drain(subject);
    for round in 1..=4 {
        let ticket = issue_spent(subject).await;
        let said = drain.round().await;
        let opening = u64::from(round == 1);
        assert_eq!(said, Round { events: 3 + opening, ..Round::default() }, "round {round}");
        let sequence = number(&ticket);
        let kept = shelf.events(&living(subject).await);
        assert!(kept.iter().any(|event| event.what == What::Spent { sequence }));
    }
    assert_whole(subject, &shelf).await;
}

pub(crate) async fn what_is_not_kept_is_not_let_go(subject: &impl Subject) {
    let (mut drain, shelf) = drain(subject);
    let ticket = issue_spent(subject).await;
    shelf.is(Mood::Refuses);
    for round in 1..=3 {
        let said = drain.round().await;
        // The opening, the grant and its spend, and one lease for each round.
        assert_eq!(said, Round { failed: 1, lag: 3 + round, ..Round::default() });
    }
    assert_eq!(left(subject).await, (1..=6).collect::<Vec<_>>());
    assert_eq!(shelf.events(&living(subject).await), []);
    assert!(spend(subject, &ticket, 1).await.is_ok());
    shelf.is(Mood::Keeps);
    assert_eq!(drain.round().await, Round { events: 8, ..Round::default() });
    assert_eq!(left(subject).await, [] as [u64; 0]);
    assert_whole(subject, &shelf).await;
}

pub(crate) async fn a_drain_that_dies_before_it_lets_go_loses_nothing(subject: &impl Subject) {
    let (first, shelf) = drain(subject);
    issue_spent(subject).await;
    dies_in_its_round(first, &shelf).await;
    assert_eq!(left(subject).await, [1, 2, 3, 4], "kept, and still there");
    let mut second = drain_as(subject, &shelf, "issuer-2");
    assert_eq!(second.round().await, Round { others: 1, lag: 4, ..Round::default() });
    issue_spent(subject).await;
    subject.pass(LEASE_OVER).await;
    let round = second.round().await;
    assert_eq!((round.others, round.failed, round.lag, round.gaps), (0, 0, 0, 0), "{round:?}");
    assert_eq!(left(subject).await, [] as [u64; 0]);
    assert_whole(subject, &shelf).await;
}

/// Whoever starts again under its own name need not wait for its lease.
pub(crate) async fn a_drain_that_comes_back_goes_on(subject: &impl Subject) {
    let (first, shelf) = drain(subject);
    issue_spent(subject).await;
    dies_in_its_round(first, &shelf).await;
    let mut again = drain_as(subject, &shelf, "issuer-1");
    let round = again.round().await;
    assert_eq!((round.others, round.failed, round.lag), (0, 0, 0), "{round:?}");
    assert_eq!(left(subject).await, [] as [u64; 0]);
    assert_whole(subject, &shelf).await;
}

pub(crate) async fn of_two_drains_one_drains(subject: &impl Subject) {
    let shelf = Arc::new(Shelf::default());
    let mut rounds = JoinSet::new();
    for holder in ["issuer-1", "issuer-2", "issuer-3"] {
        let mut drain = drain_as(subject, &shelf, holder);
        rounds.spawn(async move {
            let mut sum = Round::default();
            for _ in 0..20 {
                let round = drain.round().await;
                sum.others += round.others;
                sum.events += round.events;
                sum.failed += round.failed;
            }
            sum
        });
    }
    for _ in 0..200 {
        issue(subject).await;
    }
    let rounds = rounds.join_all().await;
    let waited: Vec<u64> = rounds.iter().map(|round| round.others).collect();
    assert_eq!(waited.iter().filter(|waited| **waited == 0).count(), 1, "{rounds:?}");
    assert_eq!(waited.iter().sum::<u64>(), 40, "{rounds:?}");
    assert!(rounds.iter().all(|round| round.failed == 0), "{rounds:?}");
    let drained: u64 = rounds.iter().map(|round| round.events).sum();
    let kept = shelf.events(&living(subject).await).len();
    assert_eq!(usize::try_from(drained).unwrap(), kept, "each was taken out once");
    assert_whole(subject, &shelf).await;
}

/// One that was away for longer than its lease lets go of nothing under it.
pub(crate) async fn a_lease_that_was_lost_lets_go_of_nothing(subject: &impl Subject) {
    let (mut slow, shelf) = drain(subject);
    issue_spent(subject).await;
    shelf.is(Mood::Hangs);
    let mut round = Box::pin(slow.round());
    tokio::select! {
        round = &mut round => panic!("it did not wait: {round:?}"),
        () = shelf.hung() => {}
    }
    drop(round);
    shelf.is(Mood::Keeps);
    subject.pass(LEASE_OVER).await;
    let mut quick = drain_as(subject, &shelf, "issuer-2");
    assert_eq!(quick.round().await.failed, 0);
    let last = issue_spent(subject).await;
    let said = slow.round().await;
    assert_eq!((said.others, said.events), (1, 0), "{said:?}");
    assert!(left(subject).await.len() >= 2, "the other drains it");
    assert_eq!(quick.round().await.failed, 0);
    assert!(spend(subject, &last, 1).await.is_ok());
    assert_whole(subject, &shelf).await;
}

pub(crate) async fn what_is_over_is_said_to_be(subject: &impl Subject) {
    let (mut drain, shelf) = drain(subject);
    let ended = issue_as(subject, Draft::short()).await;
    let (open, spent) = (issue(subject).await, issue_spent(subject).await);
    assert_eq!(drain.round().await.lapsed, 0, "nothing is over");
    subject.pass(SHORT).await;
    subject.caught_up().await;
    assert_eq!(drain.round().await.lapsed, 1);
    let kept = shelf.after(&living(subject).await, 0);
    let over: Vec<&What> = kept
        .iter()
        .filter(|what| matches!(what, What::Expired { .. } | What::Lapsed { .. }))
        .collect();
    assert_eq!(over, [&What::Expired { sequence: number(&ended) }]);
    assert!(spend(subject, &open, 1).await.is_ok());
    assert_eq!(settle(subject, &spent, 1, Outcome::Succeeded).await, Ok(()));
    assert_eq!(drain.round().await.lapsed, 0, "it was said once");
}

pub(crate) async fn many_events_come_in_bounded_parts(subject: &impl Subject) {
    const WORKERS: u32 = 100;
    const EACH: u32 = 500;
    let (mut drain, shelf) = drain(subject);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let draft = Draft { workflow: (worker % 2 == 0).then_some("run-81"), ..Draft::default() };
        let grants: Vec<_> = (0..EACH).map(|_| draft.registration(subject)).collect();
        let store = subject.store();
        workers.spawn(async move {
            for grant in &grants {
                store.register(grant).await.unwrap();
            }
        });
    }
    // Most of it is there before the first round, and the rest comes during it.
    while workers.len() > 10 {
        workers.join_next().await.unwrap().unwrap();
    }
    let mut events = drain.round().await.events;
    workers.join_all().await;
    let last = tokio::time::timeout(Duration::from_secs(60), drain.round()).await.unwrap();
    events += last.events;
    assert_eq!((last.lag, last.failed), (0, 0));
    assert!(shelf.largest() <= EVENTS_MAX, "{} at once", shelf.largest());
    // A round that finds nothing to do asks for no lease.
    let leases = 1 + u64::from(last.events > 0);
    assert_eq!(events, 1 + u64::from(WORKERS * EACH) + leases);
    assert_whole(subject, &shelf).await;
}
