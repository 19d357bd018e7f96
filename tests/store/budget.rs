//! Budgets: never over, counted once for each grant, and given back once.

use farebox::limits::AMOUNT_MAX;
use farebox::store::budget::{BudgetKey, Hold, HoldId, Take, TakeError};
use farebox::store::event::What;
use farebox_verifier::{GrantId, UnixSeconds};

use super::draft::{agent, tail};
use super::subject::Subject;

/// One window for all that any test does, from 1970 on.
const LONG: u64 = 100_000_000_000;
const END: UnixSeconds = UnixSeconds(LONG);

pub(crate) fn take_for(grant: GrantId, amount: u64, limit: u64) -> Take {
    Take {
        grant,
        budget: BudgetKey::of("payments", "key:ci", LONG),
        caller: agent("key:ci").scope(),
        amount,
        limit,
        window_seconds: LONG,
    }
}

fn take(amount: u64, limit: u64) -> Take {
    take_for(GrantId::fresh().unwrap(), amount, limit)
}

pub(crate) async fn open(subject: &impl Subject) {
    subject.store().open_budgets(&[]).await.unwrap();
}

async fn taken(subject: &impl Subject, take: &Take) -> Result<Hold, TakeError> {
    subject.store().take(take).await
}

async fn left(subject: &impl Subject, limit: u64) -> u64 {
    match taken(subject, &take(AMOUNT_MAX, limit)).await {
        Err(TakeError::Over { left, until }) => {
            assert_eq!(until, END);
            left
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_is_taken_is_not_left(subject: &impl Subject) {
    open(subject).await;
    for (amount, expected) in [(40, 60), (60, 0)] {
        let asked = take(amount, 100);
        let hold = taken(subject, &asked).await.unwrap();
        assert_eq!(hold.id, HoldId::of(asked.grant, asked.budget));
        assert_eq!((hold.budget, hold.caller), (asked.budget, asked.caller));
        assert_eq!((hold.amount, hold.from, hold.to), (amount, UnixSeconds(0), END));
        assert_eq!(left(subject, 100).await, expected);
    }
}

pub(crate) async fn one_too_many_is_refused_and_takes_nothing(subject: &impl Subject) {
    open(subject).await;
    taken(subject, &take(40, 100)).await.unwrap();
    let over = taken(subject, &take(61, 100)).await;
    assert_eq!(over, Err(TakeError::Over { left: 60, until: END }));
    assert!(taken(subject, &take(60, 100)).await.is_ok());
    let over = taken(subject, &take(1, 100)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: END }));
}

pub(crate) async fn one_grant_takes_once_however_often_it_asks(subject: &impl Subject) {
    open(subject).await;
    let asked = take(60, 100);
    let hold = taken(subject, &asked).await.unwrap();
    let mut tail = tail(subject).await;
    for _ in 0..3 {
        assert_eq!(taken(subject, &asked).await, Ok(hold));
    }
    assert_eq!(tail.fresh(subject).await, []);
    assert_eq!(left(subject, 100).await, 40);
}

pub(crate) async fn a_limit_that_was_lowered_leaves_nothing(subject: &impl Subject) {
    open(subject).await;
    taken(subject, &take(60, 100)).await.unwrap();
    let over = taken(subject, &take(1, 50)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: END }));
    assert!(taken(subject, &take(40, 100)).await.is_ok());
}

pub(crate) async fn budgets_of_two_values_do_not_touch(subject: &impl Subject) {
    open(subject).await;
    taken(subject, &take(100, 100)).await.unwrap();
    let keys = [
        BudgetKey::of("payments", "key:other", LONG),
        BudgetKey::of("refunds", "key:ci", LONG),
        BudgetKey::of("payments", "key:ci", LONG - 1),
    ];
    for budget in keys {
        let other = Take { budget, ..take(100, 100) };
        assert!(taken(subject, &other).await.is_ok());
    }
}

pub(crate) async fn one_grant_takes_of_several_budgets(subject: &impl Subject) {
    open(subject).await;
    let grant = GrantId::fresh().unwrap();
    let day = Take {
        budget: BudgetKey::of("payments", "key:ci", 86_400 * 365),
        window_seconds: 86_400 * 365,
        ..take_for(grant, 10, 10)
    };
    let (ever, day) = (taken(subject, &take_for(grant, 10, 10)).await, taken(subject, &day).await);
    let (ever, day) = (ever.unwrap(), day.unwrap());
    assert_ne!(ever.id, day.id);
    subject.store().give_back(&day).await.unwrap();
    assert_eq!(left(subject, 10).await, 0, "only the other was given back");
}

pub(crate) async fn a_hold_is_given_back_once(subject: &impl Subject) {
    open(subject).await;
    let (first, second) = (take(30, 100), take(50, 100));
    let hold = taken(subject, &first).await.unwrap();
    taken(subject, &second).await.unwrap();
    let mut tail = tail(subject).await;
    for _ in 0..3 {
        subject.store().give_back(&hold).await.unwrap();
        assert_eq!(left(subject, 100).await, 50);
    }
    assert_eq!(tail.fresh(subject).await, [What::GivenBack { hold }]);
}

pub(crate) async fn a_hold_that_was_given_back_is_not_taken_again(subject: &impl Subject) {
    open(subject).await;
    let asked = take(30, 100);
    let hold = taken(subject, &asked).await.unwrap();
    subject.store().give_back(&hold).await.unwrap();
    for _ in 0..2 {
        assert_eq!(taken(subject, &asked).await, Err(TakeError::GivenBack));
    }
    assert_eq!(left(subject, 100).await, 100);
}

pub(crate) async fn what_was_never_held_gives_nothing_back(subject: &impl Subject) {
    open(subject).await;
    let hold = taken(subject, &take(100, 100)).await.unwrap();
    let never = GrantId::fresh().unwrap();
    let stranger = Hold { id: HoldId::of(never, hold.budget), ..hold };
    subject.store().give_back(&stranger).await.unwrap();
    assert_eq!(left(subject, 100).await, 0);
}

pub(crate) async fn what_is_given_back_is_what_was_taken(subject: &impl Subject) {
    open(subject).await;
    let hold = taken(subject, &take(10, 100)).await.unwrap();
    taken(subject, &take(90, 100)).await.unwrap();
    // Whatever the caller says that it was.
    subject.store().give_back(&Hold { amount: 100, ..hold }).await.unwrap();
    assert_eq!(left(subject, 100).await, 10);
}

pub(crate) async fn amounts_are_what_json_readers_agree_on(subject: &impl Subject) {
    open(subject).await;
    for (amount, limit) in [(AMOUNT_MAX + 1, AMOUNT_MAX), (u64::MAX, AMOUNT_MAX)] {
        assert_eq!(taken(subject, &take(amount, limit)).await, Err(TakeError::Amount));
    }
    for limit in [AMOUNT_MAX + 1, u64::MAX] {
        assert_eq!(taken(subject, &take(1, limit)).await, Err(TakeError::Amount));
    }
    let timeless = Take { window_seconds: 0, ..take(1, 1) };
    assert_eq!(taken(subject, &timeless).await, Err(TakeError::Amount));
    assert_eq!(taken(subject, &take(0, AMOUNT_MAX)).await.map(|hold| hold.amount), Ok(0));
    let all = taken(subject, &take(AMOUNT_MAX, AMOUNT_MAX)).await.unwrap();
    assert_eq!(all.amount, AMOUNT_MAX);
    for amount in [1, AMOUNT_MAX] {
        let over = taken(subject, &take(amount, AMOUNT_MAX)).await;
        assert_eq!(over, Err(TakeError::Over { left: 0, until: END }));
    }
    assert!(taken(subject, &take(0, AMOUNT_MAX)).await.is_ok());
}

pub(crate) async fn sums_of_great_amounts_are_exact(subject: &impl Subject) {
    open(subject).await;
    taken(subject, &take(AMOUNT_MAX - 2, AMOUNT_MAX)).await.unwrap();
    assert_eq!(left(subject, AMOUNT_MAX).await, 2);
    taken(subject, &take(1, AMOUNT_MAX)).await.unwrap();
    assert_eq!(left(subject, AMOUNT_MAX).await, 1);
}

pub(crate) async fn a_limit_of_nothing_lets_nothing_be_taken(subject: &impl Subject) {
    open(subject).await;
    let over = taken(subject, &take(1, 0)).await;
    assert_eq!(over, Err(TakeError::Over { left: 0, until: END }));
    assert!(taken(subject, &take(0, 0)).await.is_ok());
}

pub(crate) async fn a_new_window_counts_from_nothing(subject: &impl Subject) {
    open(subject).await;
    let short = |amount| Take {
        budget: BudgetKey::of("payments", "key:ci", 3),
        window_seconds: 3,
        ..take(amount, 10)
    };
    let first = taken(subject, &short(10)).await.unwrap();
    subject.pass(3).await;
    let second = taken(subject, &short(10)).await.unwrap();
    for hold in [first, second] {
        assert_eq!((hold.from.0 % 3, hold.to), (0, hold.from.plus(3)));
    }
    assert!(first.to <= second.from, "{first:?} {second:?}");
}

pub(crate) async fn budgets_are_closed_until_they_are_opened(subject: &impl Subject) {
    let asked = take(1, 100);
    for _ in 0..2 {
        assert_eq!(taken(subject, &asked).await, Err(TakeError::Closed));
    }
    let mut tail = tail(subject).await;
    open(subject).await;
    open(subject).await;
    assert_eq!(tail.fresh(subject).await, [What::BudgetsOpened]);
    assert!(taken(subject, &asked).await.is_ok());
}

pub(crate) async fn what_was_held_before_this_life_is_counted_once(subject: &impl Subject) {
    let asked = take(30, 100);
    let Take { budget, caller, amount, .. } = asked;
    let id = HoldId::of(asked.grant, budget);
    let hold = Hold { id, budget, caller, amount, from: UnixSeconds(0), to: END };
    let over = Hold {
        id: HoldId::of(GrantId::fresh().unwrap(), budget),
        to: subject.now().minus(10),
        ..hold
    };
    let mut tail = tail(subject).await;
    let store = subject.store();
    // Two issuers may know the same hold, and one may tell it twice.
    store.open_budgets(&[hold, over, hold]).await.unwrap();
    store.open_budgets(&[hold]).await.unwrap();
    assert_eq!(tail.fresh(subject).await, [What::Held { hold }, What::BudgetsOpened]);
    assert_eq!(left(subject, 100).await, 70);
    // Its own grant asks again, and holds what it held.
    assert_eq!(taken(subject, &asked).await, Ok(hold));
    assert_eq!(left(subject, 100).await, 70);
    store.give_back(&hold).await.unwrap();
    assert_eq!(left(subject, 100).await, 100);
    // What was given back here is not brought in again.
    store.open_budgets(&[hold]).await.unwrap();
    assert_eq!(left(subject, 100).await, 100);
}

pub(crate) async fn a_hold_that_was_restored_without_room_is_not_confirmed(subject: &impl Subject) {
    let store = subject.store();
    store.open_budgets(&[]).await.unwrap();
    let (one, two) = (GrantId::fresh().unwrap(), GrantId::fresh().unwrap());
    let held = store.take(&take_for(one, 60, 100)).await.unwrap();
    // The other was begun on its issuer's disk, refused, and the answer lost; so it was brought in.
    let begun = Hold { id: HoldId::of(two, held.budget), ..held };
    store.open_budgets(&[begun]).await.unwrap();
    let refused = store.take(&take_for(two, 60, 100)).await;
    assert!(matches!(refused, Err(TakeError::Over { left: 0, .. })), "{refused:?}");
    // It is confirmed once there is room.
    store.give_back(&held).await.unwrap();
    assert_eq!(store.take(&take_for(two, 60, 100)).await, Ok(begun));
}
