//! Revoking: what was registered before is dead, what comes after is not.

use farebox::store::Found;
use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox_verifier::{Agent, Audience, Outcome, Selector, SpendError, Workflow};

use super::draft::{
    Draft, POLICY, agent, issue, issue_as, issue_settled, issue_spent, number, revoke, revoke_one,
    selections, settle, spend, tail,
};
use super::settle::OUTCOMES;
use super::subject::Subject;

pub(crate) async fn an_unspent_grant_is_found_unspent_and_never_spent(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let mut tail = tail(subject).await;
    assert_eq!(revoke_one(subject, &ticket).await, Found::Unspent);
    assert_eq!(revoke_one(subject, &ticket).await, Found::Unspent);
    let sequence = number(&ticket);
    assert_eq!(tail.fresh(subject).await, [What::Revoked { sequence, spent: false }]);
    for claimant in [1, 1, 2] {
        assert_eq!(spend(subject, &ticket, claimant).await, Err(SpendError::Revoked));
    }
    assert!(settle(subject, &ticket, 1, Outcome::Succeeded).await.is_err());
}

pub(crate) async fn a_spent_grant_is_found_spent_and_gives_no_repeat(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    let mut tail = tail(subject).await;
    assert_eq!(revoke_one(subject, &ticket).await, Found::Spent);
    assert_eq!(revoke_one(subject, &ticket).await, Found::Spent);
    let sequence = number(&ticket);
    assert_eq!(tail.fresh(subject).await, [What::Revoked { sequence, spent: true }]);
    for claimant in [1, 2] {
        assert_eq!(spend(subject, &ticket, claimant).await, Err(SpendError::Revoked));
    }
}

pub(crate) async fn a_settled_grant_is_found_as_it_was_settled(subject: &impl Subject) {
    for outcome in OUTCOMES {
        let ticket = issue_settled(subject, outcome).await;
        let mut tail = tail(subject).await;
        assert_eq!(revoke_one(subject, &ticket).await, Found::Settled(outcome));
        assert_eq!(tail.fresh(subject).await, []);
    }
}

pub(crate) async fn a_revoked_grant_that_is_settled_is_found_settled(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    revoke_one(subject, &ticket).await;
    settle(subject, &ticket, 1, Outcome::Failed).await.unwrap();
    assert_eq!(revoke_one(subject, &ticket).await, Found::Settled(Outcome::Failed));
}

/// Its registration may be on its way, and must not come after a revocation that was acknowledged.
pub(crate) async fn a_grant_that_nobody_registered_is_unknown_and_stays_so(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let late = Draft::default().registration(subject);
    let grant = late.ticket.grant;
    for _ in 0..2 {
        assert_eq!(revoke(subject, &Selector::Grant(grant)).await, Some(Found::Unknown));
    }
    assert_eq!(tail.fresh(subject).await, [What::Abandoned { grant }]);
    assert_eq!(subject.store().register(&late).await, Err(RegisterError::Abandoned));
}

pub(crate) async fn one_grant_is_revoked_and_no_other(subject: &impl Subject) {
    let (one, two) = (issue(subject).await, issue(subject).await);
    revoke_one(subject, &one).await;
    assert!(spend(subject, &two, 1).await.is_ok());
}

pub(crate) async fn each_selector_revokes_what_it_names_and_nothing_else(subject: &impl Subject) {
    for (selector, named) in selections() {
        let before = issue_as(subject, named.clone()).await;
        let other = issue(subject).await;
        assert_eq!(revoke(subject, &selector).await, None);
        let after = issue_as(subject, named).await;
        assert_eq!(spend(subject, &before, 1).await, Err(SpendError::Revoked), "{selector}");
        assert!(spend(subject, &other, 1).await.is_ok(), "{selector}");
        assert!(spend(subject, &after, 1).await.is_ok(), "{selector}");
    }
}

pub(crate) async fn all_is_every_grant_that_is_registered_by_now(subject: &impl Subject) {
    let mut before = vec![issue(subject).await];
    for (_, draft) in selections() {
        before.push(issue_as(subject, draft).await);
    }
    before.push(issue_as(subject, Draft { workflow: None, ..Draft::default() }).await);
    assert_eq!(revoke(subject, &Selector::All).await, None);
    let after = issue(subject).await;
    for ticket in before {
        assert_eq!(spend(subject, &ticket, 1).await, Err(SpendError::Revoked));
    }
    assert!(spend(subject, &after, 1).await.is_ok());
}

pub(crate) async fn the_policy_in_force_can_be_revoked_and_goes_on(subject: &impl Subject) {
    let before = issue(subject).await;
    revoke(subject, &Selector::Policy(POLICY)).await;
    assert_eq!(spend(subject, &before, 1).await, Err(SpendError::Revoked));
    assert!(spend(subject, &issue(subject).await, 1).await.is_ok());
}

pub(crate) async fn one_name_of_two_kinds_is_two(subject: &impl Subject) {
    let name = "billing";
    let drafts = [
        Draft { agent: name, ..Draft::default() },
        Draft { workflow: Some(name), ..Draft::default() },
        Draft { audience: name, ..Draft::default() },
    ];
    let selectors = [
        Selector::Agent(Agent::parse(name).unwrap()),
        Selector::Workflow(Workflow::parse(name).unwrap()),
        Selector::Audience(Audience::parse(name).unwrap()),
    ];
    for (i, selector) in selectors.iter().enumerate() {
        let mut tickets = Vec::new();
        for draft in &drafts {
            tickets.push(issue_as(subject, draft.clone()).await);
        }
        revoke(subject, selector).await;
        for (j, ticket) in tickets.iter().enumerate() {
            let answer = spend(subject, ticket, 1).await;
            assert_eq!(answer.is_ok(), i != j, "{selector}, grant {j}: {answer:?}");
        }
    }
}

pub(crate) async fn a_grant_without_a_workflow_is_in_no_workflow(subject: &impl Subject) {
    let ticket = issue_as(subject, Draft { workflow: None, ..Draft::default() }).await;
    revoke(subject, &Selector::Workflow(Workflow::parse("run-81").unwrap())).await;
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn spent_grants_that_a_selector_names_repeat_no_more_and_settle(
    subject: &impl Subject,
) {
    let mut selectors = vec![Selector::All, Selector::Policy(POLICY)];
    selectors.push(agent(Draft::default().agent));
    for selector in selectors {
        let ticket = issue_spent(subject).await;
        revoke(subject, &selector).await;
        assert!(spend(subject, &ticket, 1).await.is_err(), "{selector}");
        assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()), "{selector}");
    }
}

pub(crate) async fn revoked_again_a_selector_reaches_what_came_since(subject: &impl Subject) {
    let first = issue(subject).await;
    revoke(subject, &agent(Draft::default().agent)).await;
    let second = issue(subject).await;
    revoke(subject, &agent(Draft::default().agent)).await;
    let third = issue(subject).await;
    for dead in [first, second] {
        assert_eq!(spend(subject, &dead, 1).await, Err(SpendError::Revoked));
    }
    assert!(spend(subject, &third, 1).await.is_ok());
}

pub(crate) async fn a_name_that_no_grant_has_is_revoked_for_nobody(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let mut tail = tail(subject).await;
    let selector = agent("key:nobody");
    revoke(subject, &selector).await;
    let upto = number(&ticket);
    assert_eq!(tail.fresh(subject).await, [What::RevokedAll { selector, upto }]);
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn a_grant_that_its_selector_revoked_is_found_unspent(subject: &impl Subject) {
    let ticket = issue(subject).await;
    revoke(subject, &agent(Draft::default().agent)).await;
    assert_eq!(revoke_one(subject, &ticket).await, Found::Unspent);
    assert_eq!(spend(subject, &ticket, 1).await, Err(SpendError::Revoked));
}

pub(crate) async fn many_selectors_are_revoked_at_once(subject: &impl Subject) {
    let one = issue_as(subject, Draft { agent: "key:one", ..Draft::default() }).await;
    let two = issue_as(subject, Draft { agent: "key:two", ..Draft::default() }).await;
    for number in 0..300 {
        revoke(subject, &agent(&format!("key:other-{number}"))).await;
    }
    revoke(subject, &agent("key:one")).await;
    assert_eq!(spend(subject, &one, 1).await, Err(SpendError::Revoked));
    assert!(spend(subject, &two, 1).await.is_ok());
}
