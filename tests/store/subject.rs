//! A store under test.

use std::sync::Arc;

use farebox::store::GrantStore;
use farebox_verifier::contract;
use farebox_verifier::{Answer, Selector, SpendStore, Ticket, UnixSeconds};

use super::draft::{Draft, issue_as};

/// A fresh store: one life that has just begun, with [`POLICY`](super::draft::POLICY) in force, nothing
/// registered and its budgets closed.
pub(crate) trait Subject: Send + Sync {
    /// The store, in the hand of an issuer and its staff.
    fn store(&self) -> Arc<dyn GrantStore>;

    /// The same store in the hand of whoever verifies: another connection, it may be, with fewer rights.
    fn spender(&self) -> Arc<dyn SpendStore>;

    /// The clock that grants are minted by. The store's own may differ by a second.
    fn now(&self) -> UnixSeconds;

    /// Lets time pass for the store: by moving its clock, or by waiting.
    fn pass(&self, seconds: u64) -> Answer<'_, ()>;

    /// Resolves once listings show what has happened by now; most stores always do.
    fn caught_up(&self) -> Answer<'_, ()> {
        Box::pin(async {})
    }
}

/// A store whose clock a test moves as it likes, so that a quarter of an hour is no time.
pub(crate) trait Clocked: Subject {
    /// Sets the clock, forward or back.
    fn set_clock(&self, now: UnixSeconds);
}

/// A store whose life a test ends.
pub(crate) trait Ending: Subject {
    /// Ends the life by its own word; another begins.
    fn end(&self) -> Answer<'_, ()>;
}

/// The store as the verifier's own suite wants it.
pub(crate) struct Verifying<S>(pub(crate) S);

impl<S: Subject> contract::Subject for Verifying<S> {
    fn store(&self) -> Arc<dyn SpendStore> {
        self.0.spender()
    }

    fn issue(&self, ttl_seconds: u64) -> Answer<'_, Ticket> {
        Box::pin(issue_as(&self.0, Draft { ttl_seconds, ..Draft::default() }))
    }

    fn revoke<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()> {
        Box::pin(async {
            let selector = Selector::Grant(ticket.grant);
            let revocation = self.0.store().revoke(&selector).await.unwrap();
            assert!(revocation.reach.everywhere(), "{revocation:?}");
        })
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.0.pass(seconds)
    }
}
