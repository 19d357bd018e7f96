//! How a handler gets its grant: through a slot in the request, emptied once.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;

use super::events;
use super::problem::Problem;
use crate::passage::{Spent, Verified};

/// A slot for a thing that has no copy, in extensions that demand one.
pub(super) struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Slot<T> {
        Slot(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static> Slot<T> {
    /// Puts `thing` into the request.
    pub(super) fn put(thing: T, request: &mut Request) -> Slot<T> {
        let slot = Slot(Arc::new(Mutex::new(Some(thing))));
        request.extensions_mut().insert(slot.clone());
        slot
    }

    /// Takes what is in it.
    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn take<T: Send + 'static>(parts: &Parts) -> Result<T, Problem> {
    parts.extensions.get::<Slot<T>>().and_then(Slot::take).ok_or_else(|| {
        events::unguarded();
        Problem::unguarded()
    })
}

/// The grant that the gate spent. A handler that is reached past the gate does not run.
impl<S: Sync> FromRequestParts<S> for Spent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Spent, Problem> {
        take(parts)
    }
}

/// The grant that the gate verified, on a route that looks first.
impl<S: Sync> FromRequestParts<S> for Verified {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Verified, Problem> {
        take(parts)
    }
}
