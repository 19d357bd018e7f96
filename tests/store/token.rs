//! From registering to spending by way of the token itself.

use std::num::NonZeroUsize;
use std::sync::Arc;

use farebox::store::registration::Registration;
use farebox_verifier::{Grant, Outcome, Refusal, Registered, Seats, Verifier, Window};

use crate::world::{KEY_ID, World, asked, grant, world};

use super::draft::{POLICY, revoke_one};
use super::subject::Subject;

/// The world's grant at the store's time, under a fresh id, registered; its token is yet to be signed.
async fn registered(subject: &impl Subject, world: &World) -> (Grant, Registration) {
    world.clock.set(subject.now());
    let id = farebox_verifier::GrantId::fresh().unwrap();
    let window = Window::minted(subject.now(), 60).unwrap();
    let bare = Grant { id, window, policy: POLICY, ..grant() };
    let registration = Registration::of(&bare, KEY_ID, Vec::new());
    let seats = subject.store().register(&registration).await.unwrap();
    (Grant { stores: Some(seats), ..bare }, registration)
}

fn verifier(world: &World) -> Verifier {
    let one = Registered::In(NonZeroUsize::MIN);
    Verifier::new(Arc::clone(&world.keys), one).with_clock(Arc::clone(&world.clock) as _)
}

pub(crate) async fn what_is_registered_is_what_its_verifier_presents(subject: &impl Subject) {
    let world = world();
    let (grant, registration) = registered(subject, &world).await;
    let verified = world.verify(world.mint(&grant).expose(), &asked()).unwrap();
    let presented = verified.ticket();
    assert_eq!(presented.stores, grant.stores);
    let unregistered = farebox_verifier::Ticket { stores: None, ..presented };
    assert_eq!(unregistered, registration.ticket);
}

pub(crate) async fn a_token_is_spent_and_settled_once(subject: &impl Subject) {
    let (world, store) = (world(), subject.spender());
    let (grant, _) = registered(subject, &world).await;
    let (token, asked) = (world.mint(&grant), asked());
    let verify = || {
        let presented = farebox_verifier::Presented::read(token.expose()).unwrap();
        verifier(&world).verify(presented, &asked.request()).unwrap()
    };
    let spent = verify().spend(&store).await.unwrap();
    let first_spent = spent.spent_at();
    let again = verify().spend(&store).await.err();
    assert_eq!(again, Some(Refusal::AlreadySpent { first_spent }));
    assert_eq!(spent.settle(Outcome::Succeeded).await.unwrap().outcome(), Outcome::Succeeded);
    let again = verify().spend(&store).await.err();
    assert_eq!(again, Some(Refusal::AlreadySpent { first_spent }));
}

pub(crate) async fn a_revoked_token_is_refused(subject: &impl Subject) {
    let (world, store) = (world(), subject.spender());
    let (grant, _) = registered(subject, &world).await;
    let verified = world.verify(world.mint(&grant).expose(), &asked()).unwrap();
    revoke_one(subject, &verified.ticket()).await;
    assert_eq!(verified.spend(&store).await.err(), Some(Refusal::Revoked));
}

/// Whoever stole the signing key signs a grant of his own over the seats of one that was registered.
pub(crate) async fn a_token_that_nobody_registered_is_refused(subject: &impl Subject) {
    let (world, store) = (world(), subject.spender());
    let (honest, _) = registered(subject, &world).await;
    let (own, same) =
        (farebox_verifier::GrantId::fresh().unwrap(), Window::minted(subject.now(), 300).unwrap());
    let mut far = honest.stores.clone().unwrap().seats()[0].clone();
    far.sequence += 1;
    let forged = [
        Grant { id: own, ..honest.clone() },
        Grant { window: same, ..honest.clone() },
        Grant { stores: Some(Seats::new(1, vec![far]).unwrap()), ..honest.clone() },
    ];
    for grant in forged {
        let verified = world.verify(world.mint(&grant).expose(), &asked()).unwrap();
        assert_eq!(verified.spend(&store).await.err(), Some(Refusal::UnknownGrant));
    }
    let verified = world.verify(world.mint(&honest).expose(), &asked()).unwrap();
    assert!(verified.spend(&store).await.is_ok());
}
