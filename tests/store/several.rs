//! The drain of a store on several servers: whose word gives back what was held, and who waits for whom.

use std::sync::Arc;

use farebox::store::budget::{BudgetKey, Hold, Take, TakeError};
use farebox::store::drain::{Drain, Round};
use farebox::store::event::What;
use farebox::store::redis::acl::Role;
use farebox::store::{GrantStore, LifeId};
use farebox_lab::Redis;
use farebox_verifier::redis::Topology;
use farebox_verifier::{GrantId, Outcome, Ticket};

use super::archive::Shelf;
use super::budget::{open, take_for};
use super::draft::{Draft, revoke_one, seat, settle, spend};
use super::unheard::{OnServers, on_servers};

const LIMIT: u64 = 100;

fn drain(subject: &OnServers, needed: usize) -> (Drain, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    (
        Drain::new(Arc::clone(&subject.store) as _, Arc::clone(&shelf) as _, "issuer-1", needed),
        shelf,
    )
}

/// A grant for which this is held.
async fn issue_held(subject: &OnServers, budget: BudgetKey) -> (Ticket, Hold) {
    let registration = Draft::default().registration(subject);
    let take = Take { budget, ..take_for(registration.ticket.grant, 40, LIMIT) };
    let hold = subject.store.take(&take).await.unwrap();
    let seats = subject.store.register(&registration).await.unwrap();
    (Ticket { stores: Some(seats), ..registration.ticket }, hold)
}

fn budget(number: u64) -> BudgetKey {
    BudgetKey::of(&format!("payments-{number}"), "key:ci", 100_000_000_000)
}

async fn left(subject: &OnServers, budget: BudgetKey) -> u64 {
    let all = Take { budget, ..take_for(GrantId::fresh().unwrap(), LIMIT + 1, LIMIT) };
    match subject.store.take(&all).await {
        Err(TakeError::Over { left, .. }) => left,
        other => panic!("{other:?}"),
    }
}

/// Rounds until every server has been drained.
async fn drained(drain: &mut Drain) -> u64 {
    let mut given_back = 0;
    loop {
        let round = drain.round().await;
        given_back += round.given_back;
        if round.failed == 0 {
            return given_back;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_words_give_back_once() {
    let subject = on_servers(Topology::Quorum, 3).await;
    open(&subject).await;
    let (mut drain, shelf) = drain(&subject, 2);
    let (ticket, hold) = issue_held(&subject, budget(1)).await;
    revoke_one(&subject, &ticket).await;
    assert_eq!(drained(&mut drain).await, 1);
    assert_eq!((left(&subject, budget(1)).await, shelf.given_back()), (LIMIT, vec![hold]));
    assert_eq!(drained(&mut drain).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_word_of_three_gives_nothing_back() {
    let subject = on_servers(Topology::Quorum, 3).await;
    open(&subject).await;
    let (mut drain, shelf) = drain(&subject, 2);
    let (ticket, hold) = issue_held(&subject, budget(1)).await;
    revoke_one(&subject, &ticket).await;
    for away in [1, 2] {
        subject.done(away, Redis::freeze).await;
    }
    let Round { given_back, failed, events, .. } = drain.round().await;
    assert_eq!((given_back, failed), (0, 2));
    assert!(events >= 3, "one of them said all that it had to say");
    for back in [1, 2] {
        subject.done(back, Redis::resume).await;
    }
    assert_eq!(drained(&mut drain).await, 1);
    assert_eq!(shelf.given_back(), [hold]);
}

/// What a majority spent and one server never heard of is not unspent by that one's word.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_server_that_did_not_hear_of_a_spend_gives_nothing_back() {
    let subject = on_servers(Topology::Quorum, 3).await;
    open(&subject).await;
    let (mut drain, shelf) = drain(&subject, 2);
    let (ticket, _) = issue_held(&subject, budget(1)).await;
    let right = |word: &'static str| {
        move |redis: &Redis| drop(redis.command(&["ACL", "SETUSER", Role::Verifier.user(), word]))
    };
    subject.done(2, right("-xadd")).await;
    spend(&subject, &ticket, 1).await.unwrap();
    settle(&subject, &ticket, 1, Outcome::Succeeded).await.unwrap();
    revoke_one(&subject, &ticket).await;
    let third = subject.store.events(&subject.life(2).await, 0).await.unwrap();
    let unspent = What::Revoked { sequence: 1, spent: false };
    assert_eq!(third.last().unwrap().what, unspent, "as far as it has heard");
    assert_eq!(drained(&mut drain).await, 0);
    assert_eq!((left(&subject, budget(1)).await, shelf.given_back()), (LIMIT - 40, vec![]));
}

/// The life in which this budget is counted.
async fn counting(subject: &OnServers, budget: BudgetKey) -> LifeId {
    let take = Take { budget, ..take_for(GrantId::fresh().unwrap(), 1, LIMIT) };
    let hold = subject.store.take(&take).await.unwrap();
    subject.store.give_back(&hold).await.unwrap();
    for place in 0..2 {
        let life = subject.life(place).await;
        let events = subject.store.events(&life, 0).await.unwrap();
        if events.iter().any(|event| event.what == What::Held { hold }) {
            return life;
        }
    }
    panic!("it is counted nowhere");
}

/// A budget's server that is away keeps what it counts, and no other server's journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hold_whose_server_is_away_is_given_back_when_it_is_there() {
    let subject = on_servers(Topology::Spread, 2).await;
    open(&subject).await;
    let (mut drain, shelf) = drain(&subject, 1);
    // Grants go to the first, so the budget must be the second's.
    let second = subject.life(1).await;
    let mut number = 0;
    while counting(&subject, budget(number)).await != second {
        number += 1;
    }
    let (ticket, hold) = issue_held(&subject, budget(number)).await;
    assert_ne!(seat(&ticket).generation, second.generation);
    assert_eq!(drained(&mut drain).await, 0);
    revoke_one(&subject, &ticket).await;
    subject.done(1, Redis::freeze).await;
    let round = drain.round().await;
    assert_eq!((round.given_back, round.failed), (0, 1), "{round:?}");
    let first = subject.life(0).await;
    let kept = shelf.events(&first);
    assert!(kept.iter().any(|event| matches!(event.what, What::Revoked { .. })), "{kept:?}");
    assert_eq!(subject.store.events(&first, 0).await.unwrap(), [], "and it was let go of");
    subject.done(1, Redis::resume).await;
    let mut given_back = drained(&mut drain).await;
    given_back += drained(&mut drain).await;
    assert_eq!((given_back, shelf.given_back()), (1, vec![hold]));
    assert_eq!(left(&subject, budget(number)).await, LIMIT);
}
