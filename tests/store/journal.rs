//! The journal: every transition one event, in order, until it is drained.

use farebox::limits::{EVENTS_MAX, REPEATS_MAX};
use farebox::store::event::{Event, OldGrants, What};
use farebox::store::lease::Lease;
use farebox::store::{DRAIN, JournalError, LifeId};
use farebox_verifier::{
    Generation, GrantId, Mark, Outcome, PolicyHash, Selector, Sending, SpendError, Ticket,
};

use super::budget;
use super::draft::{
    Draft, POLICY, SHORT, agent, issue, issue_as, issue_settled, issue_spent, living, number,
    register, revoke, revoke_one, settle, spend, tail,
};
use super::subject::Subject;

pub(crate) async fn drain(subject: &impl Subject) -> Lease {
    let life = living(subject).await;
    subject.store().lease(&life, DRAIN, "issuer-1", 200).await.unwrap()
}

async fn from(subject: &impl Subject, after: u64) -> Vec<Event> {
    subject.store().events(&living(subject).await, after).await.unwrap()
}

async fn last(subject: &impl Subject) -> u64 {
    subject.store().journals().await.unwrap()[0].last
}

pub(crate) async fn a_life_begins_with_its_opening(subject: &impl Subject) {
    let events = from(subject, 0).await;
    assert_eq!(events[0].number, 1);
    let opened = What::Opened { previous: None, policy: POLICY };
    assert_eq!(events[0].what, opened);
}

pub(crate) async fn each_transition_is_one_event(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let ticket = issue(subject).await;
    spend(subject, &ticket, 1).await.unwrap();
    spend(subject, &ticket, 1).await.unwrap();
    assert!(spend(subject, &ticket, 2).await.is_err());
    settle(subject, &ticket, 1, Outcome::Void).await.unwrap();
    let other = issue(subject).await;
    revoke_one(subject, &other).await;
    revoke(subject, &Selector::All).await;
    let (one, two) = (number(&ticket), number(&other));
    let told = tail.fresh(subject).await;
    let expected = [
        What::Spent { sequence: one },
        What::Repeated { sequence: one },
        What::Replayed { sequence: one },
        What::Settled { sequence: one, outcome: Outcome::Void },
        told[5].clone(),
        What::Revoked { sequence: two, spent: false },
        What::RevokedAll { selector: Selector::All, upto: two },
    ];
    assert_eq!(told[1..], expected);
    let registered = |what: &What, wanted| matches!(what, What::Registered { sequence, .. } if *sequence == wanted);
    assert!(registered(&told[0], one) && registered(&told[5], two), "{told:?}");
}

pub(crate) async fn refused_uses_are_no_events(subject: &impl Subject) {
    let (revoked, settled) = (issue(subject).await, issue_settled(subject, Outcome::Failed).await);
    let (open, ended) = (issue(subject).await, issue_as(subject, Draft::short()).await);
    let waiting = issue_as(subject, Draft::after([&open])).await;
    revoke_one(subject, &revoked).await;
    subject.pass(SHORT).await;
    let mut tail = tail(subject).await;
    for refused in [&revoked, &ended, &waiting] {
        assert!(spend(subject, refused, 1).await.is_err());
        assert!(settle(subject, refused, 1, Outcome::Succeeded).await.is_err());
    }
    assert!(spend(subject, &settled, 1).await.is_err());
    assert!(settle(subject, &settled, 1, Outcome::Succeeded).await.is_err());
    assert!(settle(subject, &settled, 2, Outcome::Failed).await.is_err());
    assert_eq!(tail.fresh(subject).await, []);
}

pub(crate) async fn refused_grants_are_no_events(subject: &impl Subject) {
    let (open, failed) = (issue(subject).await, issue_settled(subject, Outcome::Failed).await);
    let reach = subject.store().block(&agent("key:blocked")).await.unwrap();
    assert!(reach.everywhere());
    let mut tail = tail(subject).await;
    let refused = [
        Draft { policy: PolicyHash::NONE, ..Draft::default() },
        Draft { agent: "key:blocked", ..Draft::default() },
        Draft::after([&failed]),
        Draft::after(std::iter::repeat_n(&open, 9)),
    ];
    for draft in &refused {
        assert!(register(subject, draft).await.is_err());
    }
    let closed = budget::take_for(GrantId::fresh().unwrap(), 1, 1);
    assert!(subject.store().take(&closed).await.is_err());
    assert_eq!(tail.fresh(subject).await, []);
}

pub(crate) async fn only_the_first_replay_is_told(subject: &impl Subject) {
    let (unsettled, settled) =
        (issue_spent(subject).await, issue_settled(subject, Outcome::Succeeded).await);
    let mut tail = tail(subject).await;
    for ticket in [unsettled, settled] {
        for stranger in 2..8 {
            assert!(spend(subject, &ticket, stranger).await.is_err());
        }
        let sequence = number(&ticket);
        assert_eq!(tail.fresh(subject).await, [What::Replayed { sequence }]);
    }
}

pub(crate) async fn a_replay_is_told_once_whatever_comes_between(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    let mut tail = tail(subject).await;
    assert!(spend(subject, &ticket, 2).await.is_err());
    spend(subject, &ticket, 1).await.unwrap();
    settle(subject, &ticket, 1, Outcome::Succeeded).await.unwrap();
    assert!(spend(subject, &ticket, 3).await.is_err());
    let sequence = number(&ticket);
    let expected = [
        What::Replayed { sequence },
        What::Repeated { sequence },
        What::Settled { sequence, outcome: Outcome::Succeeded },
    ];
    assert_eq!(tail.fresh(subject).await, expected);
    assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()));
}

pub(crate) async fn forgeries_are_told_while_a_grant_is_unspent(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let forged = Ticket { mark: Mark::from_bytes([0xee; 6]), ..ticket.clone() };
    let mut tail = tail(subject).await;
    assert!(spend(subject, &forged, 1).await.is_err());
    spend(subject, &ticket, 1).await.unwrap();
    // What is asked for after that is a replay, whatever its content.
    assert!(spend(subject, &forged, 2).await.is_err());
    let sequence = number(&ticket);
    let expected =
        [What::Forged { sequence }, What::Spent { sequence }, What::Replayed { sequence }];
    assert_eq!(tail.fresh(subject).await, expected);
}

pub(crate) async fn a_flood_of_forgeries_is_told_once(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let mut tail = tail(subject).await;
    for forgery in 1..9 {
        let forged = Ticket { mark: Mark::from_bytes([forgery; 6]), ..ticket.clone() };
        assert!(spend(subject, &forged, forgery.into()).await.is_err());
    }
    assert_eq!(tail.fresh(subject).await, [What::Forged { sequence: number(&ticket) }]);
}

pub(crate) async fn a_flood_of_repeats_comes_to_an_end(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let first = spend(subject, &ticket, 1).await.unwrap();
    let mut tail = tail(subject).await;
    for _ in 0..REPEATS_MAX {
        let again = spend(subject, &ticket, 1).await.unwrap();
        assert_eq!((again.spent_at, again.sending), (first.spent_at, Sending::Repeat));
    }
    let first_spent = first.spent_at;
    for _ in 0..3 {
        let refused = spend(subject, &ticket, 1).await;
        assert_eq!(refused, Err(SpendError::AlreadySpent { first_spent }));
    }
    assert_eq!(tail.fresh(subject).await.len(), usize::from(REPEATS_MAX));
    assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()));
}

pub(crate) async fn events_have_the_stores_time_and_it_goes_forward(subject: &impl Subject) {
    let begun = subject.now();
    for _ in 0..3 {
        issue(subject).await;
        subject.pass(1).await;
    }
    let events = from(subject, 0).await;
    assert!(events.is_sorted_by_key(|event| event.at), "{events:?}");
    let about = begun.minus(10)..=subject.now().plus(2);
    assert!(events.iter().all(|event| about.contains(&event.at)), "{events:?}");
    assert!(events.last().unwrap().at >= events[1].at.plus(2));
}

pub(crate) async fn events_are_read_after_a_number(subject: &impl Subject) {
    for _ in 0..10 {
        issue(subject).await;
    }
    let all = from(subject, 0).await;
    assert_eq!(all.len(), 11);
    assert_eq!(from(subject, 4).await, all[4..]);
    assert_eq!(from(subject, 4).await, all[4..], "reading takes nothing away");
    for beyond in [11, 12, 1 << 40] {
        assert_eq!(from(subject, beyond).await, []);
    }
}

pub(crate) async fn a_long_journal_is_read_in_parts(subject: &impl Subject) {
    let count = EVENTS_MAX + 200;
    for _ in 0..count {
        issue(subject).await;
    }
    assert_eq!(from(subject, 0).await.len(), EVENTS_MAX);
    let mut read = 0;
    loop {
        let more = from(subject, read).await;
        let Some(first) = more.first() else { break };
        assert_eq!(first.number, read + 1);
        read = more.last().unwrap().number;
    }
    // Its opening, and the grants.
    assert_eq!(usize::try_from(read).unwrap(), count + 1);
}

pub(crate) async fn another_life_has_no_journal_here(subject: &impl Subject) {
    let (life, lease) = (living(subject).await, drain(subject).await);
    let other = LifeId { generation: Generation::fresh().unwrap(), ..life };
    let store = subject.store();
    assert_eq!(store.events(&other, 0).await, Err(JournalError::Gone));
    assert!(store.trim(&other, 1, lease).await.is_err());
    assert!(store.lapse(&other, &[1], lease).await.is_err());
    assert_eq!(from(subject, 0).await[0].number, 1, "nothing was trimmed here");
}

pub(crate) async fn what_was_drained_is_gone_and_nothing_else(subject: &impl Subject) {
    for _ in 0..10 {
        issue(subject).await;
    }
    let (life, lease) = (living(subject).await, drain(subject).await);
    let all = from(subject, 0).await;
    let store = subject.store();
    for upto in [4, 4, 2, 0, 7] {
        store.trim(&life, upto, lease).await.unwrap();
        let kept = usize::try_from(upto.max(4)).unwrap();
        assert_eq!(from(subject, 0).await, all[kept..], "drained up to {upto}");
        let drained = store.journals().await.unwrap()[0].drained;
        assert_eq!(drained, upto.max(4), "drained up to {upto}");
    }
    store.trim(&life, 1 << 40, lease).await.unwrap();
    assert_eq!(from(subject, 0).await, []);
    // What comes later was not drained by a number that was too great.
    let ticket = issue(subject).await;
    let fresh = from(subject, 0).await;
    assert_eq!((fresh.len(), fresh[0].number), (1, all.last().unwrap().number + 1));
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn a_drained_grant_is_as_alive_as_before(subject: &impl Subject) {
    let (one, two) = (issue(subject).await, issue_spent(subject).await);
    let (life, lease) = (living(subject).await, drain(subject).await);
    subject.store().trim(&life, 1 << 40, lease).await.unwrap();
    assert!(spend(subject, &one, 1).await.is_ok());
    assert_eq!(settle(subject, &two, 1, Outcome::Succeeded).await, Ok(()));
    assert_eq!(revoke_one(subject, &one).await, farebox::store::Found::Spent);
}

pub(crate) async fn only_who_has_the_lease_trims_and_lapses(subject: &impl Subject) {
    issue(subject).await;
    let (life, store) = (living(subject).await, subject.store());
    let refused = Err(JournalError::NotLeased);
    let nobodys = Lease { number: 1, end: subject.now().plus(60) };
    assert_eq!(store.trim(&life, 1, nobodys).await, refused, "nobody has one");
    // A lease of another name is another lease, whatever its number.
    let other = store.lease(&life, "sweep", "issuer-1", 200).await.unwrap();
    assert_eq!(store.trim(&life, 1, other).await, refused);
    let lease = drain(subject).await;
    for number in [lease.number - 1, lease.number + 1] {
        let not_it = Lease { number, ..lease };
        assert_eq!(store.trim(&life, 1, not_it).await, refused, "number {number}");
        let lapsed = store.lapse(&life, &[1], not_it).await;
        assert_eq!(lapsed.map(|_| ()), refused, "number {number}");
    }
    assert_eq!(from(subject, 0).await[0].number, 1);
    assert_eq!(store.trim(&life, 1, lease).await, Ok(()));
    assert_eq!(from(subject, 0).await[0].number, 2);
}

pub(crate) async fn a_lease_that_is_over_trims_nothing(subject: &impl Subject) {
    let (life, store) = (living(subject).await, subject.store());
    let old = store.lease(&life, DRAIN, "issuer-1", SHORT).await.unwrap();
    subject.pass(SHORT).await;
    // Nor does its own holder by pretending that it is not.
    let longer = Lease { end: old.end.plus(100), ..old };
    for lease in [old, longer] {
        assert_eq!(store.trim(&life, 1, lease).await, Err(JournalError::NotLeased));
    }
    let new = store.lease(&life, DRAIN, "issuer-2", 200).await.unwrap();
    assert_eq!(store.trim(&life, 1, old).await, Err(JournalError::NotLeased));
    assert_eq!(from(subject, 0).await[0].number, 1);
    assert_eq!(store.trim(&life, 1, new).await, Ok(()));
}

pub(crate) async fn what_is_not_drained_yet_is_a_number(subject: &impl Subject) {
    for _ in 0..5 {
        issue(subject).await;
    }
    let (life, lease) = (living(subject).await, drain(subject).await);
    let store = subject.store();
    // Whoever reads to the end knows the last.
    let events = from(subject, 0).await;
    let last_number = events.last().unwrap().number;
    store.trim(&life, 3, lease).await.unwrap();
    let journals = store.journals().await.unwrap();
    assert_eq!(journals.len(), 1);
    assert_eq!(journals[0].life, life);
    assert!(journals[0].living);
    assert_eq!((journals[0].last, journals[0].drained), (last_number, 3));
    issue(subject).await;
    from(subject, 3).await;
    assert_eq!(last(subject).await, last_number + 1);
}

pub(crate) async fn a_change_of_policies_is_one_event(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let (store, next) = (subject.store(), PolicyHash::from_bytes([6; 32]));
    assert!(store.set_policy(next, OldGrants::Revoked).await.unwrap().everywhere());
    assert_eq!(tail.fresh(subject).await.len(), 1);
}

pub(crate) async fn a_life_that_goes_on_is_neither_closed_nor_forgotten(subject: &impl Subject) {
    let (ticket, life, store) = (issue(subject).await, living(subject).await, subject.store());
    let lease = drain(subject).await;
    store.trim(&life, 1 << 40, lease).await.unwrap();
    assert!(!store.closed(&life).await);
    store.forget(&life).await;
    assert_eq!(living(subject).await, life);
    assert!(spend(subject, &ticket, 1).await.is_ok());
    assert_eq!(revoke_one(subject, &ticket).await, farebox::store::Found::Spent);
}
