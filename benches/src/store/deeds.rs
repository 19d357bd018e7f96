//! What is done and measured: the steps of a grant on each store, and the same by bare commands.

use std::sync::Arc;

use farebox::load::{Load, drive};
use farebox::store::GrantStore;
use farebox::store::registration::Registration;
use farebox_verifier::{Attempt, Outcome, SpendStore, Ticket};

use super::bare::Bare;
use super::scene::registration;

pub type Spent = (Ticket, Attempt);

pub fn registrations(count: usize) -> Vec<Registration> {
    (0..count).map(registration).collect()
}

pub async fn register<S: GrantStore + 'static>(
    store: &Arc<S>,
    callers: usize,
    grants: Vec<Registration>,
) -> (Load, Vec<Ticket>) {
    let store = Arc::clone(store);
    let deed = move |registration: Registration| {
        let store = Arc::clone(&store);
        async move {
            let seats = store.register(&registration).await.ok()?;
            Some(Ticket { stores: Some(seats), ..registration.ticket })
        }
    };
    went_well(drive(callers, grants, deed).await)
}

pub async fn spend<S: SpendStore + 'static>(
    store: &Arc<S>,
    callers: usize,
    tickets: Vec<Ticket>,
) -> (Load, Vec<Spent>) {
    let store = Arc::clone(store);
    let deed = move |ticket: Ticket| {
        let store = Arc::clone(&store);
        async move {
            let attempt = Attempt::fresh().ok()?;
            store.spend(&ticket, &attempt).await.ok()?;
            Some((ticket, attempt))
        }
    };
    went_well(drive(callers, tickets, deed).await)
}

pub async fn settle<S: SpendStore + 'static>(
    store: &Arc<S>,
    callers: usize,
    spent: Vec<Spent>,
) -> Load {
    let store = Arc::clone(store);
    let deed = move |(ticket, attempt): Spent| {
        let store = Arc::clone(&store);
        async move { store.settle(&ticket, &attempt, Outcome::Succeeded).await.ok() }
    };
    went_well(drive(callers, spent, deed).await).0
}

/// The least that an unfenced, recorded spend does.
pub async fn evalsha(bare: &Bare, callers: usize, keys: Vec<String>) -> Load {
    let bare = bare.clone();
    let deed = move |key: String| {
        let bare = bare.clone();
        async move { bare.spend(&key).await }
    };
    went_well(drive(callers, keys, deed).await).0
}

pub async fn empty_call(bare: &Bare, callers: usize, count: usize) -> Load {
    let bare = bare.clone();
    let deed = move |_number: usize| {
        let bare = bare.clone();
        async move { bare.nothing().await }
    };
    went_well(drive(callers, (0..count).collect(), deed).await).0
}

pub async fn set_nx(bare: &Bare, callers: usize, keys: Vec<String>) -> Load {
    let bare = bare.clone();
    let deed = move |key: String| {
        let bare = bare.clone();
        async move { bare.set_nx(&key).await }
    };
    went_well(drive(callers, keys, deed).await).0
}

/// A figure of which something was refused measures something else.
fn went_well<R>((load, results): (Load, Vec<R>)) -> (Load, Vec<R>) {
    assert_eq!(load.refused(), 0, "of {}", load.done());
    (load, results)
}
