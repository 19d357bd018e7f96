//! A stream that waits with writing until all who are ready have asked.
//!
//! A batch of replies wakes many callers, and the first to ask again would have its question written
//! alone, at the cost of a system call on each side. So the task that writes lets the others run first;
//! with 64 in flight this is worth a fifth and more of the throughput. Whoever asks alone is not kept.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::slots::Slots;

pub(super) struct Gather<S> {
    stream: S,
    slots: Slots,
    /// Whether the others ran since the last flush.
    gathered: bool,
}

impl<S> Gather<S> {
    pub(super) fn new(stream: S, slots: Slots) -> Gather<S> {
        Gather { stream, slots, gathered: false }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gather<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.gathered || !self.slots.are_shared() {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        self.gathered = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.gathered = false;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gather<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}
