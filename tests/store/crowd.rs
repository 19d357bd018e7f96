//! Crowds: many who register, take, lease and drain at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farebox::store::DRAIN;
use farebox::store::budget::TakeError;
use farebox::store::event::{OldGrants, What};
use farebox::store::lease::LeaseError;
use farebox::store::registration::RegisterError;
use farebox_verifier::{GrantId, PolicyHash, Selector, Ticket};
use tokio::task::JoinSet;

use super::budget;
use super::draft::{Draft, POLICY, attempt, living, spend, tail};
use super::journal::drain;
use super::subject::Subject;

/// Registers many of one draft while `stop` is carried out, and gives what came of each.
async fn register_while<F>(subject: &impl Subject, stop: F) -> Vec<Result<(), RegisterError>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut racing = JoinSet::new();
    let stopped = Arc::new(AtomicBool::new(false));
    for i in 0..200 {
        let registration = Draft::default().registration(subject);
        let (store, stopped) = (subject.store(), Arc::clone(&stopped));
        racing.spawn(async move {
            for _ in 0..i {
                tokio::task::yield_now().await;
            }
            let late = stopped.load(Ordering::SeqCst);
            let answer = store.register(&registration).await.map(|_| ());
            assert!(!late || answer.is_err(), "registered after the word was heard");
            answer
        });
    }
    let mut staff = JoinSet::new();
    staff.spawn(async move {
        stop.await;
        stopped.store(true, Ordering::SeqCst);
    });
    staff.join_all().await;
    racing.join_all().await
}

pub(crate) async fn nothing_is_registered_after_a_block(subject: &impl Subject) {
    let (store, mut tail) = (subject.store(), tail(subject).await);
    let answers = register_while(subject, async move {
        assert!(store.block(&Selector::All).await.unwrap().everywhere());
    })
    .await;
    let told = tail.fresh(subject).await;
    let Some(What::Blocked { .. }) = told.last() else { panic!("{:?}", told.last()) };
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    let blocked = answers.iter().filter(|answer| **answer == Err(RegisterError::Blocked)).count();
    assert_eq!((taken, blocked), (told.len() - 1, answers.len() - taken));
}

pub(crate) async fn nothing_of_the_old_set_is_registered_after_a_change(subject: &impl Subject) {
    let (store, mut tail) = (subject.store(), tail(subject).await);
    let answers = register_while(subject, async move {
        let next = PolicyHash::from_bytes([6; 32]);
        assert!(store.set_policy(next, OldGrants::Revoked).await.unwrap().everywhere());
    })
    .await;
    let told = tail.fresh(subject).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    let upto_all = matches!(
        told.last(),
        Some(What::PolicySet { upto, replaced: POLICY, .. })
            if *upto == u64::try_from(taken).unwrap()
    );
    assert!(upto_all && told.len() == taken + 1, "{:?}, {taken} registered", told.last());
}

pub(crate) async fn many_that_are_registered_at_once_have_a_number_each(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let mut racing = JoinSet::new();
    for _ in 0..300 {
        let (store, registration) = (subject.store(), Draft::default().registration(subject));
        racing.spawn(async move {
            let seats = store.register(&registration).await.unwrap();
            (seats.seats()[0].sequence, registration.ticket.grant)
        });
    }
    let mut given = racing.join_all().await;
    given.sort_by_key(|(sequence, _)| *sequence);
    let told: Vec<_> = tail
        .fresh(subject)
        .await
        .into_iter()
        .map(|what| match what {
            What::Registered { sequence, grant } => (sequence, grant.grant),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, given);
    assert!(given.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

pub(crate) async fn two_hundred_who_take_are_never_one_over(subject: &impl Subject) {
    budget::open(subject).await;
    let mut racing = JoinSet::new();
    for i in 0..200 {
        let store = subject.store();
        racing.spawn(async move {
            let take = budget::take_for(GrantId::fresh().unwrap(), 1 + i % 3, 150);
            let answer = store.take(&take).await;
            let over = matches!(answer, Err(TakeError::Over { .. }));
            assert!(answer.is_ok() || over, "{answer:?}");
            answer.map_or(0, |hold| hold.amount)
        });
    }
    let taken: u64 = racing.join_all().await.into_iter().sum();
    // Ones were asked for until the end, so nothing is left either.
    assert_eq!(taken, 150);
}

pub(crate) async fn one_grant_that_asks_often_takes_once(subject: &impl Subject) {
    budget::open(subject).await;
    let take = budget::take_for(GrantId::fresh().unwrap(), 60, 100);
    let mut racing = JoinSet::new();
    for _ in 0..50 {
        let store = subject.store();
        racing.spawn(async move { store.take(&take).await.unwrap() });
    }
    let holds = racing.join_all().await;
    assert!(holds.iter().all(|hold| *hold == holds[0]));
    let rest = budget::take_for(GrantId::fresh().unwrap(), 40, 100);
    assert!(subject.store().take(&rest).await.is_ok());
    // Many who give back give back once.
    let mut racing = JoinSet::new();
    for _ in 0..50 {
        let (store, hold) = (subject.store(), holds[0]);
        racing.spawn(async move { store.give_back(&hold).await.unwrap() });
    }
    racing.join_all().await;
    let over = subject.store().take(&budget::take_for(GrantId::fresh().unwrap(), 61, 100)).await;
    assert!(matches!(over, Err(TakeError::Over { left: 60, .. })), "{over:?}");
}

pub(crate) async fn of_many_who_want_a_lease_one_has_it(subject: &impl Subject) {
    let life = living(subject).await;
    for round in 0..10 {
        let mut racing = JoinSet::new();
        for issuer in 0..50 {
            let (store, life) = (subject.store(), life.clone());
            racing.spawn(async move {
                let (name, holder) = (format!("lease-{round}"), format!("issuer-{issuer}"));
                store.lease(&life, &name, &holder, 200).await
            });
        }
        let answers = racing.join_all().await;
        let given: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(given.len(), 1, "{given:?}");
        let held = Err(LeaseError::Held { until: given[0].end });
        assert_eq!(answers.iter().filter(|answer| **answer == held).count(), 49);
    }
}

pub(crate) async fn what_is_abandoned_while_it_is_registered_is_dead(subject: &impl Subject) {
    for _ in 0..50 {
        let registration = Draft::default().registration(subject);
        let (store, grant) = (subject.store(), registration.ticket.grant);
        let mut staff = JoinSet::new();
        staff.spawn(async move { store.abandon(grant).await.unwrap() });
        let answer = subject.store().register(&registration).await;
        staff.join_all().await;
        match answer {
            Ok(seats) => {
                let ticket = Ticket { stores: Some(seats), ..registration.ticket };
                assert!(spend(subject, &ticket, 1).await.is_err());
            }
            Err(error) => assert_eq!(error, RegisterError::Abandoned),
        }
    }
}

pub(crate) async fn a_drain_misses_nothing_while_more_happens(subject: &impl Subject) {
    let (life, lease) = (living(subject).await, drain(subject).await);
    let store = subject.store();
    let mut busy = JoinSet::new();
    for _ in 0..4 {
        let mut registrations = Vec::new();
        for _ in 0..100 {
            registrations.push(Draft::default().registration(subject));
        }
        let (store, spender) = (subject.store(), subject.spender());
        busy.spawn(async move {
            for registration in registrations {
                let seats = store.register(&registration).await.unwrap();
                let ticket = Ticket { stores: Some(seats), ..registration.ticket };
                spender.spend(&ticket, &attempt(1)).await.unwrap();
            }
        });
    }
    let (mut drained, mut seen) = (0, 0);
    // The opening, the lease, and two for each grant.
    while seen < 2 + 2 * 400 {
        let events = store.events(&life, drained).await.unwrap();
        let Some(last) = events.last() else {
            tokio::task::yield_now().await;
            continue;
        };
        assert_eq!(events[0].number, drained + 1);
        drained = last.number;
        seen += events.len();
        store.trim(&life, drained, lease).await.unwrap();
    }
    busy.join_all().await;
    assert_eq!(store.events(&life, 0).await.unwrap(), []);
    assert_eq!(store.journals().await.unwrap()[0].drained, drained);
    let renewed = store.lease(&life, DRAIN, "issuer-1", 200).await.unwrap();
    assert_eq!(renewed.number, lease.number);
}
