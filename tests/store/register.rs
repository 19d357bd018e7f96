//! Registering: what gets a number, and what does not.

use farebox::store::event::{Description, What};
use farebox::store::registration::RegisterError;
use farebox_verifier::limits::TTL_SECONDS_MAX;

use super::draft::{Draft, issue, living, number, register, seat, spend, tail};
use super::subject::Subject;

pub(crate) async fn numbers_grow(subject: &impl Subject) {
    let mut last = 0;
    for _ in 0..50 {
        let given = number(&issue(subject).await);
        assert!(given > last, "{given} after {last}");
        last = given;
    }
}

pub(crate) async fn a_grant_is_registered_in_the_life_that_the_journal_tells_of(
    subject: &impl Subject,
) {
    let (life, ticket) = (living(subject).await, issue(subject).await);
    let seats = ticket.stores.as_ref().unwrap();
    let seat = seat(&ticket);
    assert_eq!((seats.needed(), seats.seats().len()), (1, 1));
    assert_eq!(
        (seat.store, seat.shard, seat.generation),
        (life.store, life.shard, life.generation)
    );
}

pub(crate) async fn a_refused_grant_takes_no_number(subject: &impl Subject) {
    let before = number(&issue(subject).await);
    let mut over = Draft::default().registration(subject);
    over.ticket.grant_end = subject.now().minus(10);
    assert_eq!(subject.store().register(&over).await, Err(RegisterError::End));
    assert_eq!(number(&issue(subject).await), before + 1);
}

pub(crate) async fn the_journal_says_what_was_registered(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let registration = Draft::default().registration(subject);
    let seats = subject.store().register(&registration).await.unwrap();
    let asked = registration.ticket;
    let grant = Description {
        grant: asked.grant,
        agent: asked.agent,
        workflow: asked.workflow,
        audience: asked.audience,
        action: asked.action,
        resource: registration.resource,
        policy: asked.policy,
        key_id: asked.key_id,
        end: asked.grant_end,
        after: Vec::new(),
    };
    let sequence = seats.seats()[0].sequence;
    let expected = vec![What::Registered { sequence, grant: Box::new(grant) }];
    assert_eq!(tail.fresh(subject).await, expected);
}

pub(crate) async fn a_grant_that_has_ended_is_refused(subject: &impl Subject) {
    let mut registration = Draft::default().registration(subject);
    // The end is the first second in which it is worth nothing.
    for seconds_ago in [10_000, 10, 1] {
        registration.ticket.grant_end = subject.now().minus(seconds_ago);
        let refused = subject.store().register(&registration).await;
        assert_eq!(refused, Err(RegisterError::End), "ended {seconds_ago} s ago");
    }
}

pub(crate) async fn a_grant_that_lasts_longer_than_any_token_is_refused(subject: &impl Subject) {
    let mut registration = Draft::default().registration(subject);
    // A store whose clock is a little ahead may still take one that is a little too long.
    for too_long in [5, 1_000, 100_000_000] {
        registration.ticket.grant_end = subject.now().plus(TTL_SECONDS_MAX + too_long);
        let refused = subject.store().register(&registration).await;
        assert_eq!(refused, Err(RegisterError::End), "{too_long} s too long");
    }
    registration.ticket.grant_end = subject.now().plus(TTL_SECONDS_MAX - 5);
    assert!(subject.store().register(&registration).await.is_ok());
}

pub(crate) async fn a_grant_without_a_workflow_is_one_like_others(subject: &impl Subject) {
    let draft = Draft { workflow: None, ..Draft::default() };
    let ticket = register(subject, &draft).await.unwrap();
    assert!(spend(subject, &ticket, 1).await.is_ok());
}

pub(crate) async fn names_as_long_as_names_may_be_are_kept_whole(subject: &impl Subject) {
    let long: &'static str = Box::leak("n".repeat(128).into_boxed_str());
    let longest: &'static str = Box::leak("n".repeat(512).into_boxed_str());
    let audience: &'static str = Box::leak("n".repeat(256).into_boxed_str());
    let draft = Draft {
        agent: longest,
        workflow: Some(long),
        audience,
        action: long,
        resource: longest,
        key_id: u32::MAX,
        ..Draft::default()
    };
    let mut tail = tail(subject).await;
    let ticket = register(subject, &draft).await.unwrap();
    let told = tail.fresh(subject).await;
    let [What::Registered { grant, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((grant.agent.as_str(), grant.resource.as_str()), (longest, longest));
    assert_eq!((grant.audience.as_str(), grant.action.as_str()), (audience, long));
    assert_eq!(grant.workflow.as_ref().map(|name| name.as_str()), Some(long));
    assert_eq!(grant.key_id, u32::MAX);
    assert!(spend(subject, &ticket, 1).await.is_ok());
}
