//! The record as a body that grows: server-sent events, one for each entry, until one side hangs up or the
//! issuer stops: whoever follows would keep it waiting for ever.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_core::Stream;
use tokio::sync::watch;

use crate::record::{Follow, FollowError, Recorded};

/// What comes next, and who brings it; nothing at a stop.
type Next = Pin<Box<dyn Future<Output = Option<(Follow, Stop, Brought)>> + Send>>;
type Brought = Result<Vec<Recorded>, FollowError>;
type Stop = watch::Receiver<bool>;

/// Entries as they become durable.
pub(super) struct Following {
    next: Option<Next>,
    /// Whose entries they are, where not all are shown.
    tenant: Option<Box<str>>,
}

impl Following {
    pub(super) fn of(follow: Follow, stop: Stop, tenant: Option<Box<str>>) -> Following {
        Following { next: Some(next(follow, stop)), tenant }
    }
}

fn next(mut follow: Follow, mut stop: Stop) -> Next {
    Box::pin(async move {
        // First the stop: a record that grows fast must not talk over it.
        let entries = tokio::select! {
            biased;
            _told = stop.wait_for(|stop| *stop) => return None,
            entries = follow.next() => entries,
        };
        Some((follow, stop, entries))
    })
}

impl Stream for Following {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(coming) = &mut self.next else { return Poll::Ready(None) };
        let Poll::Ready(brought) = coming.as_mut().poll(context) else {
            return Poll::Pending;
        };
        // At its end the other side comes back, and says where it was.
        let Some((follow, stop, Ok(entries))) = brought else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(next(follow, stop));
        let shown =
            |entry: &&Recorded| self.tenant.as_ref().is_none_or(|tenant| entry.entry.is_of(tenant));
        let events = entries.iter().filter(shown);
        let events = events.map(|entry| format!("id: {}\ndata: {}\n\n", entry.n, entry.line()));
        let events: String = events.collect();
        // A comment, where none of them is shown: an answer of nothing would end the stream.
        let events = if events.is_empty() { ":\n\n".to_owned() } else { events };
        Poll::Ready(Some(Ok(Bytes::from(events))))
    }
}
