//! Predecessors: a grant is spent only once all that come before it have succeeded.

use farebox::limits::PREDECESSORS_MAX;
use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox_verifier::{Generation, Outcome, Seat, Seats, Selector, SpendError, StoreName, Ticket};

use super::draft::{
    Draft, agent, issue, issue_as, issue_settled, issue_spent, moved, number, register, revoke,
    revoke_one, seat, settle, spend, tail,
};
use super::settle::OUTCOMES;
use super::subject::Subject;

async fn waits(subject: &impl Subject, ticket: &Ticket) {
    assert_eq!(spend(subject, ticket, 1).await, Err(SpendError::PredecessorUnsettled));
}

async fn succeed(subject: &impl Subject, ticket: &Ticket) {
    spend(subject, ticket, 1).await.unwrap();
    settle(subject, ticket, 1, Outcome::Succeeded).await.unwrap();
}

pub(crate) async fn a_grant_waits_until_the_one_before_has_succeeded(subject: &impl Subject) {
    let before = issue(subject).await;
    let ticket = issue_as(subject, Draft::after([&before])).await;
    waits(subject, &ticket).await;
    spend(subject, &before, 1).await.unwrap();
    waits(subject, &ticket).await;
    settle(subject, &before, 1, Outcome::Succeeded).await.unwrap();
    // Having waited has cost it nothing.
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn no_other_outcome_lets_it_go(subject: &impl Subject) {
    for outcome in OUTCOMES.into_iter().filter(|outcome| *outcome != Outcome::Succeeded) {
        let before = issue_spent(subject).await;
        let ticket = issue_as(subject, Draft::after([&before])).await;
        settle(subject, &before, 1, outcome).await.unwrap();
        waits(subject, &ticket).await;
    }
}

pub(crate) async fn nothing_is_registered_after_what_did_not_succeed(subject: &impl Subject) {
    for outcome in OUTCOMES.into_iter().filter(|outcome| *outcome != Outcome::Succeeded) {
        let before = issue_settled(subject, outcome).await;
        let refused = register(subject, &Draft::after([&before])).await;
        assert_eq!(refused, Err(RegisterError::PredecessorFailed), "{outcome:?}");
    }
}

pub(crate) async fn what_has_succeeded_is_waited_for_no_more(subject: &impl Subject) {
    let (over, open) = (issue_settled(subject, Outcome::Succeeded).await, issue(subject).await);
    let mut tail = tail(subject).await;
    let free = issue_as(subject, Draft::after([&over])).await;
    let bound = issue_as(subject, Draft::after([&over, &open])).await;
    let told = tail.fresh(subject).await;
    let waits_for: Vec<_> = told
        .iter()
        .map(|what| match what {
            What::Registered { grant, .. } => grant.after.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(waits_for, [vec![], vec![number(&open)]]);
    assert!(spend(subject, &free, 1).await.is_ok());
    waits(subject, &bound).await;
}

pub(crate) async fn a_revoked_grant_is_no_predecessor(subject: &impl Subject) {
    let (unspent, spent) = (issue(subject).await, issue_spent(subject).await);
    let waiting = issue_as(subject, Draft::after([&unspent])).await;
    for ticket in [&unspent, &spent] {
        revoke_one(subject, ticket).await;
        let refused = register(subject, &Draft::after([ticket])).await;
        assert_eq!(refused, Err(RegisterError::PredecessorFailed));
    }
    waits(subject, &waiting).await;
}

pub(crate) async fn a_revoked_grant_that_succeeded_all_the_same_is_one(subject: &impl Subject) {
    let before = issue_spent(subject).await;
    let ticket = issue_as(subject, Draft::after([&before])).await;
    revoke_one(subject, &before).await;
    settle(subject, &before, 1, Outcome::Succeeded).await.unwrap();
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn what_a_selector_revoked_is_waited_for_in_vain(subject: &impl Subject) {
    let before = issue_as(subject, Draft { agent: "key:one", ..Draft::default() }).await;
    let ticket = issue_as(subject, Draft::after([&before])).await;
    revoke(subject, &agent("key:one")).await;
    assert!(spend(subject, &before, 1).await.is_err());
    waits(subject, &ticket).await;
}

pub(crate) async fn revoking_the_successor_says_so_first(subject: &impl Subject) {
    let before = issue(subject).await;
    let ticket = issue_as(subject, Draft::after([&before])).await;
    revoke(subject, &Selector::Key(Draft::default().key_id)).await;
    assert_eq!(spend(subject, &ticket, 1).await, Err(SpendError::Revoked));
}

pub(crate) async fn a_chain_is_spent_in_its_order(subject: &impl Subject) {
    let mut chain = vec![issue(subject).await];
    for _ in 0..4 {
        chain.push(issue_as(subject, Draft::after(chain.last())).await);
    }
    for link in 0..chain.len() {
        for later in &chain[link + 1..] {
            waits(subject, later).await;
        }
        succeed(subject, &chain[link]).await;
    }
}

pub(crate) async fn all_that_come_before_must_have_succeeded(subject: &impl Subject) {
    let mut before = Vec::new();
    for _ in 0..PREDECESSORS_MAX {
        before.push(issue(subject).await);
    }
    let ticket = issue_as(subject, Draft::after(&before)).await;
    for one in &before {
        waits(subject, &ticket).await;
        succeed(subject, one).await;
    }
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn there_are_as_many_as_may_be(subject: &impl Subject) {
    let before = issue(subject).await;
    let many = std::iter::repeat_n(&before, PREDECESSORS_MAX + 1);
    let refused = register(subject, &Draft::after(many)).await;
    assert_eq!(refused, Err(RegisterError::TooManyPredecessors));
}

pub(crate) async fn a_predecessor_elsewhere_is_refused(subject: &impl Subject) {
    let before = issue(subject).await;
    let other = Generation::fresh().unwrap();
    let elsewhere = [
        moved(&before, |seat| seat.generation = other),
        moved(&before, |seat| seat.store = StoreName::parse("elsewhere").unwrap()),
        moved(&before, |seat| seat.sequence = 0),
        moved(&before, |seat| seat.sequence += 1_000),
    ];
    for astray in &elsewhere {
        let refused = register(subject, &Draft::after([astray])).await;
        assert_eq!(refused, Err(RegisterError::PredecessorElsewhere));
    }
    // Not even in company.
    let refused = register(subject, &Draft::after([&before, &elsewhere[0]])).await;
    assert_eq!(refused, Err(RegisterError::PredecessorElsewhere));
    let stranger = Seat { store: StoreName::parse("elsewhere").unwrap(), ..seat(&before) };
    let two = Seats::new(2, vec![seat(&before), stranger]).unwrap();
    let draft = Draft { after: vec![two], ..Draft::default() };
    let refused = register(subject, &draft).await;
    assert_eq!(refused, Err(RegisterError::PredecessorElsewhere));
}
