//! Time: a grant ends when it says, nothing revives it, and what is over is forgotten last.
//!
//! These need a store whose clock the test moves. It may tick by itself as well, so that nothing here
//! happens in the last second before a boundary.

use farebox::limits::{CLOCK_STEP_SECONDS_MAX, LEASE_SECONDS_MAX, REMEMBERED_SECONDS};
use farebox::store::Found;
use farebox::store::budget::{BudgetKey, Hold, Take, TakeError};
use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox::store::view::{Filter, Standing};
use farebox_verifier::limits::{SETTLE_SECONDS_MAX, TTL_SECONDS_MAX};
use farebox_verifier::{GrantId, Outcome, SettleError, SpendError, Ticket, UnixSeconds};

use super::budget;
use super::draft::{
    Draft, NONE, agent, issue, issue_as, issue_spent, living, number, register, revoke, revoke_one,
    seat, settle, spend, tail,
};
use super::journal::drain;
use super::lapse::{due, lapse};
use super::subject::Clocked;

/// More than any store forgets at once.
const MANY: usize = 1_100;

fn lasting(ttl_seconds: u64) -> Draft {
    Draft { ttl_seconds, ..Draft::default() }
}

/// Grants that are soon over, so that there is something to forget.
async fn issue_many(subject: &impl Clocked) {
    for _ in 0..MANY {
        issue_as(subject, lasting(60)).await;
    }
}

pub(crate) async fn a_grant_lasts_to_its_end(subject: &impl Clocked) {
    let (one, two) = (issue_as(subject, lasting(60)).await, issue_as(subject, lasting(60)).await);
    subject.set_clock(one.end.minus(2));
    let receipt = spend(subject, &one, 1).await.unwrap();
    assert!(spend(subject, &one, 1).await.is_ok(), "a repeat");
    subject.set_clock(two.end);
    let refused = spend(subject, &two, 1).await;
    assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
    let first_spent = receipt.spent_at;
    assert_eq!(spend(subject, &one, 1).await, Err(SpendError::AlreadySpent { first_spent }));
}

pub(crate) async fn an_end_is_within_reach_of_the_clock(subject: &impl Clocked) {
    let (store, now) = (subject.store(), subject.now());
    let table = [
        (now.minus(1), false),
        (now, false),
        (now.plus(3), true),
        (now.plus(TTL_SECONDS_MAX), true),
        (now.plus(TTL_SECONDS_MAX + 3), false),
        (UnixSeconds::MAX, false),
    ];
    for (end, within) in table {
        let mut registration = Draft::default().registration(subject);
        registration.ticket.grant_end = end;
        let answer = store.register(&registration).await;
        assert_eq!(answer.is_ok(), within, "{end}: {answer:?}");
        assert!(within || answer == Err(RegisterError::End), "{end}: {answer:?}");
    }
}

pub(crate) async fn a_clock_set_back_revives_nothing(subject: &impl Clocked) {
    let (ended, whole) = (issue_as(subject, lasting(10)).await, issue(subject).await);
    let narrowed = Ticket { end: subject.now().plus(10), ..whole };
    let spent = issue_as(subject, lasting(10)).await;
    spend(subject, &spent, 1).await.unwrap();
    subject.pass(12).await;
    assert!(spend(subject, &ended, 1).await.is_err());
    let latest = subject.now();
    for back in [1, 5, 12, 200] {
        subject.set_clock(latest.minus(back));
        for ticket in [&ended, &narrowed] {
            let refused = spend(subject, ticket, 1).await;
            assert!(matches!(refused, Err(SpendError::Expired { .. })), "{back} s: {refused:?}");
        }
        assert!(spend(subject, &spent, 1).await.is_err(), "{back} s back");
    }
}

pub(crate) async fn a_life_goes_on_over_a_small_step_back(subject: &impl Clocked) {
    let (before, ticket) = (subject.now(), issue(subject).await);
    subject.set_clock(before.minus(CLOCK_STEP_SECONDS_MAX - 10));
    let receipt = spend(subject, &ticket, 1).await.unwrap();
    assert!(receipt.spent_at >= before, "the store's time does not go back: {receipt:?}");
}

/// What follows is the store's own affair: another life in its place, or none before somebody sees to it.
pub(crate) async fn a_life_ends_with_a_great_step_back(subject: &impl Clocked) {
    let (ticket, spent) = (issue(subject).await, issue_spent(subject).await);
    let (store, now, over) = (subject.store(), subject.now(), living(subject).await);
    subject.set_clock(now.minus(CLOCK_STEP_SECONDS_MAX + 10));
    for _ in 0..2 {
        assert_eq!(spend(subject, &ticket, 1).await, Err(SpendError::Fenced));
        assert_eq!(spend(subject, &spent, 1).await, Err(SpendError::Fenced));
        let unsettled = settle(subject, &spent, 1, Outcome::Succeeded).await;
        assert_eq!(unsettled, Err(SettleError::Fenced));
        match register(subject, &Draft::default()).await {
            Ok(fresh) => assert_ne!(seat(&fresh).generation, over.generation),
            Err(refused) => assert_eq!(refused, RegisterError::Down),
        }
        let journals = store.journals().await.unwrap();
        assert!(journals.iter().all(|journal| !journal.living || journal.life != over));
        // Set right again, it stays over.
        subject.set_clock(now);
    }
}

pub(crate) async fn a_spent_grant_that_nobody_settles_is_unknown(subject: &impl Clocked) {
    let (ticket, stopped) = (issue_spent(subject).await, issue(subject).await);
    let limit = spend(subject, &stopped, 1).await.unwrap().spent_at.plus(SETTLE_SECONDS_MAX);
    revoke_one(subject, &stopped).await;
    let both = [number(&ticket), number(&stopped)];
    subject.set_clock(limit.minus(10));
    let lease = drain(subject).await;
    assert_eq!(due(subject).await, NONE);
    assert_eq!(lapse(subject, lease, &both).await.not_yet, both);
    subject.set_clock(limit);
    assert_eq!(due(subject).await, both);
    let mut tail = tail(subject).await;
    for _ in 0..2 {
        assert_eq!(lapse(subject, lease, &both).await.not_yet, NONE);
    }
    assert_eq!(tail.fresh(subject).await, both.map(|sequence| What::Lapsed { sequence }));
    assert_eq!(due(subject).await, NONE);
}

pub(crate) async fn what_became_unknown_stays_so(subject: &impl Clocked) {
    let (ticket, stopped) = (issue_spent(subject).await, issue_spent(subject).await);
    revoke_one(subject, &stopped).await;
    subject.pass(SETTLE_SECONDS_MAX + 2).await;
    let lease = drain(subject).await;
    lapse(subject, lease, &[number(&ticket), number(&stopped)]).await;
    let settled = Outcome::Unknown;
    for ticket in [ticket, stopped] {
        let late = settle(subject, &ticket, 1, Outcome::Succeeded).await;
        assert_eq!(late, Err(SettleError::Conflict { settled }));
        assert_eq!(settle(subject, &ticket, 1, settled).await, Ok(()));
        assert_eq!(settle(subject, &ticket, 2, settled).await, Err(SettleError::NotSpent));
        assert!(spend(subject, &ticket, 1).await.is_err());
        assert_eq!(revoke_one(subject, &ticket).await, Found::Settled(settled));
        let shown = subject.store().read(ticket.grant).await.unwrap();
        assert_eq!(shown.standing, Standing::Settled(settled));
    }
}

pub(crate) async fn a_grant_is_settled_for_as_long_as_it_may_be(subject: &impl Clocked) {
    let ticket = issue_as(subject, lasting(60)).await;
    issue_many(subject).await;
    subject.set_clock(ticket.end.minus(2));
    let receipt = spend(subject, &ticket, 1).await.unwrap();
    subject.set_clock(receipt.spent_at.plus(SETTLE_SECONDS_MAX - 2));
    issue(subject).await;
    assert_eq!(settle(subject, &ticket, 1, Outcome::Failed).await, Ok(()));
}

/// One that was never spent, one that was settled, one that was not; all of them forgotten.
async fn issue_forgotten(subject: &impl Clocked) -> [Ticket; 3] {
    let unspent = issue_as(subject, lasting(60)).await;
    let used = issue_as(subject, lasting(60)).await;
    let open = issue_as(subject, lasting(60)).await;
    for ticket in [&used, &open] {
        spend(subject, ticket, 1).await.unwrap();
    }
    settle(subject, &used, 1, Outcome::Succeeded).await.unwrap();
    issue_many(subject).await;
    subject.pass(60 + REMEMBERED_SECONDS).await;
    issue(subject).await;
    [unspent, used, open]
}

pub(crate) async fn what_is_forgotten_is_refused(subject: &impl Clocked) {
    for ticket in issue_forgotten(subject).await {
        for claimant in [1, 2] {
            let refused = spend(subject, &ticket, claimant).await;
            assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
        }
        let late = settle(subject, &ticket, 1, Outcome::Failed).await;
        let settled = Outcome::Unknown;
        assert_eq!(late, Err(SettleError::Conflict { settled }));
        let refused = register(subject, &Draft::after([&ticket])).await;
        assert_eq!(refused, Err(RegisterError::PredecessorFailed));
    }
}

pub(crate) async fn what_is_forgotten_is_shown_to_nobody(subject: &impl Clocked) {
    let forgotten = issue_forgotten(subject).await;
    subject.caught_up().await;
    for ticket in forgotten {
        assert_eq!(revoke_one(subject, &ticket).await, Found::Unknown);
        assert_eq!(subject.store().read(ticket.grant).await, None);
    }
    assert_eq!(subject.store().count(&Filter::default()).await, 1);
}

pub(crate) async fn what_is_forgotten_leaves_no_number_to_be_given_again(subject: &impl Clocked) {
    let forgotten = issue_forgotten(subject).await;
    let next = issue(subject).await;
    // Three, many, and one that had them forgotten.
    let before = u64::try_from(forgotten.len() + MANY).unwrap() + 1;
    assert_eq!(number(&next), before + 1);
    assert!(spend(subject, &next, 1).await.is_ok());
}

pub(crate) async fn what_succeeded_is_remembered_for_whoever_waits(subject: &impl Clocked) {
    let before = issue_as(subject, lasting(60)).await;
    issue_many(subject).await;
    let longest = Draft { ttl_seconds: TTL_SECONDS_MAX, ..Draft::after([&before]) };
    let waiting = issue_as(subject, longest).await;
    spend(subject, &before, 1).await.unwrap();
    settle(subject, &before, 1, Outcome::Succeeded).await.unwrap();
    for _ in 0..17 {
        subject.pass(200).await;
        issue(subject).await;
    }
    assert!(spend(subject, &waiting, 1).await.is_ok());
}

pub(crate) async fn a_revocation_lasts_as_long_as_what_it_revoked(subject: &impl Clocked) {
    let longest = lasting(TTL_SECONDS_MAX);
    // Before it and behind it is something to forget.
    issue_many(subject).await;
    let by_agent = issue_as(subject, Draft { agent: "key:one", ..longest.clone() }).await;
    let by_id = issue_as(subject, longest.clone()).await;
    let abandoned = longest.registration(subject);
    revoke(subject, &agent("key:one")).await;
    revoke_one(subject, &by_id).await;
    subject.store().abandon(abandoned.ticket.grant).await.unwrap();
    issue_many(subject).await;
    for _ in 0..17 {
        subject.pass(200).await;
        // Others come and go, and what is forgotten with them is none of these.
        issue_as(subject, lasting(60)).await;
        for ticket in [&by_agent, &by_id] {
            assert_eq!(spend(subject, ticket, 1).await, Err(SpendError::Revoked));
        }
        let refused = subject.store().register(&abandoned).await;
        assert_eq!(refused, Err(RegisterError::Abandoned));
    }
    // Forgotten it is only when its end alone refuses it.
    subject.pass(TTL_SECONDS_MAX + REMEMBERED_SECONDS).await;
    for _ in 0..2 {
        issue(subject).await;
        assert!(subject.store().register(&abandoned).await.is_err());
    }
    assert_eq!(subject.store().register(&abandoned).await, Err(RegisterError::End));
}

fn hourly(amount: u64) -> Take {
    Take {
        budget: BudgetKey::of("payments", "key:ci", 3600),
        window_seconds: 3600,
        ..budget::take_for(GrantId::fresh().unwrap(), amount, 100)
    }
}

/// Sets the clock to so many seconds into an hour that is still to come.
fn set_into_hour(subject: &impl Clocked, seconds: u64) -> UnixSeconds {
    let hour = UnixSeconds((subject.now().0 / 3600 + 1) * 3600);
    subject.set_clock(hour.plus(seconds));
    hour
}

async fn take(subject: &impl Clocked, take: &Take) -> Result<Hold, TakeError> {
    subject.store().take(take).await
}

pub(crate) async fn a_window_begins_where_the_one_before_ends(subject: &impl Clocked) {
    budget::open(subject).await;
    let hour = set_into_hour(subject, 0);
    let hold = take(subject, &hourly(100)).await.unwrap();
    assert_eq!((hold.from, hold.to), (hour, hour.plus(3600)));
    subject.set_clock(hour.plus(3590));
    let over = take(subject, &hourly(1)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: hour.plus(3600) }));
    subject.set_clock(hour.plus(3600));
    let hold = take(subject, &hourly(100)).await.unwrap();
    assert_eq!((hold.from, hold.to), (hour.plus(3600), hour.plus(7200)));
}

pub(crate) async fn a_hold_is_given_back_into_its_own_window(subject: &impl Clocked) {
    budget::open(subject).await;
    let hour = set_into_hour(subject, 10);
    let first = take(subject, &hourly(100)).await.unwrap();
    subject.set_clock(hour.plus(3600));
    take(subject, &hourly(90)).await.unwrap();
    subject.store().give_back(&first).await.unwrap();
    let over = take(subject, &hourly(11)).await;
    assert_eq!(over, Err(TakeError::Over { left: 10, until: hour.plus(7200) }));
}

pub(crate) async fn a_clock_set_back_opens_no_window_again(subject: &impl Clocked) {
    budget::open(subject).await;
    let hour = set_into_hour(subject, 3590);
    take(subject, &hourly(100)).await.unwrap();
    subject.set_clock(hour.plus(3600));
    take(subject, &hourly(100)).await.unwrap();
    subject.set_clock(hour.plus(3590));
    let over = take(subject, &hourly(1)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: hour.plus(7200) }));
}

pub(crate) async fn windows_of_two_lengths_end_apart(subject: &impl Clocked) {
    budget::open(subject).await;
    let hour = set_into_hour(subject, 0);
    let minutely = |amount| Take {
        budget: BudgetKey::of("payments", "key:ci", 60),
        window_seconds: 60,
        ..hourly(amount)
    };
    take(subject, &minutely(100)).await.unwrap();
    take(subject, &hourly(100)).await.unwrap();
    subject.set_clock(hour.plus(60));
    assert!(take(subject, &minutely(100)).await.is_ok());
    let over = take(subject, &hourly(1)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: hour.plus(3600) }));
}

pub(crate) async fn a_lease_lasts_to_its_end(subject: &impl Clocked) {
    let (store, life) = (subject.store(), living(subject).await);
    let lease = drain(subject).await;
    subject.set_clock(lease.end.minus(10));
    assert_eq!(store.trim(&life, 1, lease).await, Ok(()));
    subject.set_clock(lease.end);
    assert!(store.trim(&life, 2, lease).await.is_err());
    let next = store.lease(&life, "drain", "issuer-2", LEASE_SECONDS_MAX).await.unwrap();
    assert!(next.number > lease.number, "{lease:?} {next:?}");
}
