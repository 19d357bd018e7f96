//! Abandoning: an id whose registration nobody heard of is dead, whichever of the two came first.

use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox_verifier::{GrantId, Ticket};

use super::draft::{Draft, issue, register, spend, tail};
use super::subject::Subject;

pub(crate) async fn an_abandoned_id_is_never_registered(subject: &impl Subject) {
    let registration = Draft::default().registration(subject);
    let store = subject.store();
    store.abandon(registration.ticket.grant).await.unwrap();
    for _ in 0..3 {
        assert_eq!(store.register(&registration).await, Err(RegisterError::Abandoned));
    }
    assert!(register(subject, &Draft::default()).await.is_ok(), "another id is not meant");
}

pub(crate) async fn a_grant_abandoned_after_its_registration_is_never_spent(
    subject: &impl Subject,
) {
    let (registration, other) = (Draft::default().registration(subject), issue(subject).await);
    let store = subject.store();
    let seats = store.register(&registration).await.unwrap();
    store.abandon(registration.ticket.grant).await.unwrap();
    let ticket = Ticket { stores: Some(seats), ..registration.ticket.clone() };
    assert!(spend(subject, &ticket, 1).await.is_err());
    assert_eq!(store.register(&registration).await, Err(RegisterError::Abandoned));
    assert!(spend(subject, &other, 1).await.is_ok());
}

pub(crate) async fn the_journal_says_it_once(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let grant = GrantId::fresh().unwrap();
    for _ in 0..3 {
        subject.store().abandon(grant).await.unwrap();
    }
    assert_eq!(tail.fresh(subject).await, [What::Abandoned { grant }]);
}
