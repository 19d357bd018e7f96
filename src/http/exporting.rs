//! The record as a body that ends: read only as fast as it is taken, within a time, and to the end of an issuer that
//! stops. A part of it is cut off where it is not whole, so that nobody takes it for all.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use futures_core::Stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::limits;
use crate::record::Export;

type Next = Pin<Box<dyn Future<Output = (Export, Stop, Brought)> + Send>>;
/// The next lines, or the end; cut off where there would be more.
type Brought = io::Result<Option<Vec<u8>>>;
type Stop = watch::Receiver<bool>;

/// Lines of a record on their way.
pub(super) struct Exporting {
    next: Option<Next>,
    until: Instant,
    /// One of few places, given back when it ends.
    _place: OwnedSemaphorePermit,
}

impl Exporting {
    pub(super) fn of(export: Export, stop: Stop, place: OwnedSemaphorePermit) -> Exporting {
        let until = Instant::now() + Duration::from_secs(limits::EXPORT_SECONDS_MAX);
        Exporting { next: Some(next(export, stop, until)), until, _place: place }
    }
}

fn next(mut export: Export, mut stop: Stop, until: Instant) -> Next {
    Box::pin(async move {
        let brought = tokio::select! {
            biased;
            _told = stop.wait_for(|stop| *stop) => Err(io::ErrorKind::ConnectionAborted.into()),
            () = tokio::time::sleep_until(until) => Err(io::ErrorKind::TimedOut.into()),
            lines = export.next() => lines.map_err(io::Error::other),
        };
        (export, stop, brought)
    })
}

impl Stream for Exporting {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(coming) = &mut self.next else { return Poll::Ready(None) };
        let Poll::Ready((export, stop, brought)) = coming.as_mut().poll(context) else {
            return Poll::Pending;
        };
        self.next = None;
        match brought {
            Ok(Some(lines)) => {
                self.next = Some(next(export, stop, self.until));
                Poll::Ready(Some(Ok(lines.into())))
            }
            Ok(None) => Poll::Ready(None),
            Err(cut) => Poll::Ready(Some(Err(cut))),
        }
    }
}
