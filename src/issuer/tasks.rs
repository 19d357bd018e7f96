//! Tasks that run to their end, whether or not whoever asked still listens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The tasks of an issuer. A caller that hangs up does not stop what it began: half a mint is worse than one
/// that nobody collects.
#[derive(Default)]
pub(super) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs it to its end, and gives what came of it; `None` where it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (told, tell) = oneshot::channel();
        {
            let mut tasks = self.lock();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                // Whoever hung up does not want to know.
                drop(told.send(work.await));
            });
        }
        tell.await.ok()
    }

    /// Waits until all of them have ended.
    pub(super) async fn end(&self) {
        let mut tasks = std::mem::take(&mut *self.lock());
        while tasks.join_next().await.is_some() {}
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
