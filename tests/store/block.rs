//! Blocking: nothing new for whom it names, and nothing else.

use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox_verifier::{Selector, Workflow};

use super::draft::{Draft, POLICY, agent, issue, issue_as, register, selections, spend, tail};
use super::subject::Subject;

async fn block(subject: &impl Subject, selector: &Selector) {
    assert!(subject.store().block(selector).await.unwrap().everywhere());
}

async fn unblock(subject: &impl Subject, selector: &Selector) {
    assert!(subject.store().unblock(selector).await.unwrap().everywhere());
}

pub(crate) async fn each_selector_blocks_what_it_names_and_nothing_else(subject: &impl Subject) {
    for (selector, named) in selections() {
        block(subject, &selector).await;
        let refused = register(subject, &named).await;
        assert_eq!(refused, Err(RegisterError::Blocked), "{selector}");
        assert!(register(subject, &Draft::default()).await.is_ok(), "{selector}");
        unblock(subject, &selector).await;
        assert!(register(subject, &named).await.is_ok(), "{selector}");
    }
}

pub(crate) async fn all_and_the_policy_block_everything(subject: &impl Subject) {
    for selector in [Selector::All, Selector::Policy(POLICY)] {
        block(subject, &selector).await;
        for (_, draft) in selections() {
            let refused = register(subject, &draft).await;
            assert_eq!(refused, Err(RegisterError::Blocked), "{selector}");
        }
        let without = Draft { workflow: None, ..Draft::default() };
        assert_eq!(register(subject, &without).await, Err(RegisterError::Blocked), "{selector}");
        unblock(subject, &selector).await;
        assert!(register(subject, &without).await.is_ok(), "{selector}");
    }
}

pub(crate) async fn one_grant_is_blocked_by_its_id(subject: &impl Subject) {
    let registration = Draft::default().registration(subject);
    let selector = Selector::Grant(registration.ticket.grant);
    block(subject, &selector).await;
    let refused = subject.store().register(&registration).await;
    assert_eq!(refused, Err(RegisterError::Blocked));
    assert!(register(subject, &Draft::default()).await.is_ok());
    unblock(subject, &selector).await;
    assert!(subject.store().register(&registration).await.is_ok());
}

pub(crate) async fn outstanding_grants_live_on(subject: &impl Subject) {
    let ticket = issue(subject).await;
    block(subject, &Selector::All).await;
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn two_blocks_are_lifted_one_by_one(subject: &impl Subject) {
    let draft = Draft { agent: "key:one", audience: "one-api", ..Draft::default() };
    let selectors = selections().map(|(selector, _)| selector);
    let [by_agent, _, by_audience, ..] = selectors;
    block(subject, &by_agent).await;
    block(subject, &by_audience).await;
    unblock(subject, &by_agent).await;
    assert_eq!(register(subject, &draft).await, Err(RegisterError::Blocked));
    unblock(subject, &by_audience).await;
    assert!(register(subject, &draft).await.is_ok());
}

pub(crate) async fn blocked_twice_is_lifted_once_and_told_once(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let (selector, draft) = (agent("key:one"), Draft { agent: "key:one", ..Draft::default() });
    for _ in 0..2 {
        block(subject, &selector).await;
    }
    for _ in 0..2 {
        unblock(subject, &selector).await;
    }
    let told = tail.fresh(subject).await;
    let blocked = What::Blocked { selector: selector.clone() };
    assert_eq!(told, [blocked, What::Unblocked { selector }]);
    assert!(register(subject, &draft).await.is_ok());
}

pub(crate) async fn a_grant_without_a_workflow_is_blocked_by_none(subject: &impl Subject) {
    block(subject, &Selector::Workflow(Workflow::parse("run-81").unwrap())).await;
    assert_eq!(register(subject, &Draft::default()).await, Err(RegisterError::Blocked));
    let without = issue_as(subject, Draft { workflow: None, ..Draft::default() }).await;
    assert!(spend(subject, &without, 1).await.is_ok());
}
