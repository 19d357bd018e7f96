//! The file that a store and a desk write their lines into: a durable log, read whole when it is opened and
//! rewritten when it has grown long.

mod error;
pub(crate) mod line;
mod reading;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

use super::solo::{Lost, NotTaken};
use crate::limits;
use crate::log::{
    AppendError, Durable, Log, PAYLOAD_BYTES_MAX, Pending, RewriteError, Rewriting, SealError,
};

pub use error::OpenError;
pub(crate) use error::open;
pub(crate) use reading::{Found, Reading};

/// An open file.
pub(crate) struct Book {
    log: Log,
    rewrites: Mutex<Rewrites>,
}

/// What is known of rewriting.
struct Rewrites {
    under_way: Option<Rewriting>,
    /// How many bytes the last one took, as far as it is written.
    bytes: Arc<AtomicU64>,
    /// How long the file must be for another one: longer after one that failed.
    from_bytes: u64,
}

/// Resolves when lines are kept, and all before them.
pub(crate) struct Kept(Pending);

impl Book {
    /// A book over this log, whose carried lines have so many bytes.
    pub(crate) fn over(log: Log, carried_bytes: u64) -> Book {
        let (bytes, from_bytes) = (Arc::new(carried_bytes.into()), limits::BOOK_BYTES_MIN);
        let rewrites = Rewrites { under_way: None, bytes, from_bytes };
        Book { log, rewrites: Mutex::new(rewrites) }
    }

    /// Appends lines, all or none. Never waits.
    pub(crate) fn append(&self, lines: &[Vec<u8>]) -> Result<Kept, NotTaken> {
        self.log.append(lines).map(Kept).map_err(|_full_or_over| NotTaken)
    }

    /// Appends lines, and blocks until they are kept.
    pub(crate) fn append_now(&self, lines: &[Vec<u8>]) -> Result<Durable, AppendError> {
        wait(self.log.append(lines)?)
    }

    /// Why nothing is taken any more, if that is so, and how it is mended.
    pub(crate) fn trouble(&self) -> Option<AppendError> {
        // Whoever appends nothing asks for nothing but this.
        match self.log.append::<Vec<u8>>(&[]) {
            Err(AppendError::Disk(error)) => Some(AppendError::Disk(error)),
            Ok(_) | Err(_) => None,
        }
    }

    /// Whether it is so long that rewriting it is worth the while, and nobody does that yet.
    pub(crate) fn is_long(&self) -> bool {
        let length = self.log.length_bytes();
        length > limits::BOOK_BYTES_MIN && self.rewrites(|rewrites| rewrites.are_due(length))
    }

    /// Puts these lines in place of all that was appended. They must say what was true at this call.
    pub(crate) fn rewrite(
        &self,
        lines: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Result<Rewriting, RewriteError> {
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        let lines = lines.inspect(move |line| {
            counted.fetch_add(u64::try_from(line.len()).unwrap_or(0), Ordering::Relaxed);
        });
        let rewriting = self.log.rewrite(lines)?;
        self.rewrites(|rewrites| rewrites.bytes = bytes);
        Ok(rewriting)
    }

    /// Nobody waits for this one: how it ended is found out when the next is due.
    pub(crate) fn leave(&self, begun: Result<Rewriting, RewriteError>) {
        let length = self.log.length_bytes();
        self.rewrites(|rewrites| match begun {
            Ok(rewriting) => rewrites.under_way = Some(rewriting),
            // Somebody else has begun one.
            Err(RewriteError::Busy) => {}
            Err(_refused) => rewrites.put_off(length),
        });
    }

    /// Takes nothing more, and seals it.
    pub(crate) async fn seal(&self) -> Result<(), SealError> {
        self.log.seal().await
    }

    fn rewrites<T>(&self, change: impl FnOnce(&mut Rewrites) -> T) -> T {
        change(&mut self.rewrites.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rewrites {
    fn are_due(&mut self, length: u64) -> bool {
        if let Some(rewriting) = &mut self.under_way {
            match Pin::new(rewriting).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return false,
                Poll::Ready(Ok(())) => self.from_bytes = limits::BOOK_BYTES_MIN,
                Poll::Ready(Err(_failed)) => self.put_off(length),
            }
            self.under_way = None;
        }
        let twice = self.bytes.load(Ordering::Relaxed).saturating_mul(2);
        length > self.from_bytes.max(twice)
    }

    fn put_off(&mut self, length: u64) {
        self.from_bytes = length.saturating_add(limits::BOOK_BYTES_MIN);
    }
}

impl Future for Kept {
    type Output = Result<(), Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let kept = Pin::new(&mut self.0).poll(context);
        kept.map(|kept| kept.map(|_durable| ()).map_err(|_why| Lost))
    }
}

/// A line of a file that is rewritten. One that cannot be written is made one that no log takes, so that the
/// rewrite fails and the file stays as it is.
pub(crate) fn or_none<E>(line: Result<Vec<u8>, E>) -> Vec<u8> {
    line.unwrap_or_else(|_unwritable| vec![0; PAYLOAD_BYTES_MAX + 1])
}

/// Blocks until the future is ready: a file is opened before anything else runs.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
