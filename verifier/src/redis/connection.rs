//! One open connection, from its greeting until it is given up.

use std::sync::{Arc, OnceLock};

use redis::aio::MultiplexedConnection;
use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::unanswered::Why;

/// A connection that answered its greeting.
///
/// Given up, it takes no more questions; those that it has are answered, or not, within their own time,
/// and with the last of them it is closed.
pub(super) struct Connection {
    wire: MultiplexedConnection,
    opened: Instant,
    lost: Arc<OnceLock<Lost>>,
    driver: AbortOnDropHandle<()>,
}

/// When a connection was given up, and why.
pub(super) struct Lost {
    pub(super) at: Instant,
    pub(super) why: Why,
}

impl Connection {
    /// Begins to read and write: the driver is the one task that touches the socket.
    pub(super) fn new(
        wire: MultiplexedConnection,
        driver: impl Future<Output = ()> + Send + 'static,
        tasks: &TaskTracker,
    ) -> Connection {
        let lost = Arc::default();
        let end = End(Arc::clone(&lost));
        let driver = tasks.spawn(async move {
            let _end = end;
            driver.await;
        });
        let driver = AbortOnDropHandle::new(driver);
        Connection { wire, opened: Instant::now(), lost, driver }
    }

    pub(super) fn wire(&self) -> MultiplexedConnection {
        self.wire.clone()
    }

    /// Whether it takes questions.
    pub(super) fn is_fit(&self) -> bool {
        self.lost.get().is_none()
    }

    /// How it was lost, if it was.
    pub(super) fn lost(&self) -> Option<&Lost> {
        self.lost.get()
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Gives it up; the questions that it has may still be answered.
    pub(super) fn leave(&self, why: Why) {
        lose(&self.lost, why);
    }

    /// Gives it up with all its questions: its replies are not to be believed.
    pub(super) fn cut(&self, why: Why) {
        self.leave(why);
        self.driver.abort();
    }
}

/// Knows that the driver ended, also if it panicked or its runtime stopped.
struct End(Arc<OnceLock<Lost>>);

impl Drop for End {
    fn drop(&mut self) {
        lose(&self.0, Why::Closed);
    }
}

fn lose(lost: &OnceLock<Lost>, why: Why) {
    // The first reason is the one that counts.
    lost.get_or_init(|| Lost { at: Instant::now(), why });
}
