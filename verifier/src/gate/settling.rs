//! The report of what came of an action, made before the reply or, if the store is away, after it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::events::{self, About};
use crate::limits;
use crate::passage::{Settled, Spent, Unsettled};
use crate::store::{Outcome, SettleError};

/// How long after the first failed report the second is made. Each wait is twice the one before.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait between two reports: the store is asked soon after it is back.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Who runs and who reports: the tasks of a gate, and the end of their time.
#[derive(Clone)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    /// No more actions begin.
    closed: CancellationToken,
    /// None goes on.
    halted: CancellationToken,
    /// Places of those whose first report failed.
    queue: Arc<Semaphore>,
}

impl Tasks {
    pub(super) fn new() -> Tasks {
        Tasks {
            tracker: TaskTracker::new(),
            closed: CancellationToken::new(),
            halted: CancellationToken::new(),
            queue: Arc::new(Semaphore::new(limits::SETTLINGS_QUEUED_MAX)),
        }
    }

    /// The right to begin a task, unless none begins any more. Whoever stops waits for its holder, so
    /// that nobody slips in between the question and the task.
    pub(super) fn enter(&self) -> Option<TaskTrackerToken> {
        let token = self.tracker.token();
        (!self.closed.is_cancelled()).then_some(token)
    }

    /// Runs a task to its end, whether or not anybody awaits it.
    pub(super) fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Option<T>> {
        let task = self.tracker.spawn(task);
        async move { task.await.ok() }
    }

    /// Ends when what still runs is to end.
    pub(super) async fn halted(&self) {
        self.halted.cancelled().await;
    }

    /// Lets nobody in any more, and waits for all: until `deadline`, and then as long as it takes to
    /// settle what is cut off.
    pub(super) async fn stop(&self, deadline: Duration, settle: Duration) {
        self.closed.cancel();
        self.tracker.close();
        if timeout(deadline, self.tracker.wait()).await.is_ok() {
            return;
        }
        self.halted.cancel();
        // An action may not hear that it is cut off until it awaits something, and nobody knows when.
        let _late = timeout(settle.saturating_mul(2), self.tracker.wait()).await;
    }

    /// Reports what came of an action, and waits for the store no longer than `deadline`.
    pub(super) async fn settle(
        &self,
        spent: Spent,
        outcome: Outcome,
        deadline: Duration,
        about: &About,
    ) {
        // What it said itself counts; but a result that it thought was let out was not.
        let outcome = match (spent.said(), outcome) {
            (None | Some(Outcome::Succeeded), seen @ Outcome::OutputRefused) => seen,
            (said, seen) => said.unwrap_or(seen),
        };
        let report = self.run(self.clone().report(spent, outcome, about.clone()));
        if timeout(deadline, report).await.is_err() {
            events::settling_on(about, outcome);
        }
    }

    /// Reports that nobody can tell what came of an action, whose handler let go of it after its reply.
    pub(super) fn report_late(&self, about: About) -> impl FnOnce(Spent) + Send + 'static {
        let tasks = self.clone();
        // It may let go on a thread that knows of no runtime.
        let runtime = tokio::runtime::Handle::current();
        move |spent| {
            let outcome = spent.said().unwrap_or(Outcome::Unknown);
            tasks.tracker.spawn_on(tasks.clone().report(spent, outcome, about), &runtime);
        }
    }

    async fn report(self, spent: Spent, outcome: Outcome, about: About) {
        // From here on it has no home: dropped, it is left to the store, which knows when to give up.
        let answer = match spent.later().settle(outcome).await {
            Err(away) if away.why() == SettleError::Down => self.report_again(away).await,
            answer => answer.map_err(|refused| refused.why().into()),
        };
        match answer {
            Ok(_settled) => events::settled(&about, outcome),
            Err(why) => events::unsettled(&about, outcome, why),
        }
    }

    async fn report_again(&self, unsettled: Unsettled) -> Result<Settled, events::Unsettled> {
        let place = self.queue.try_acquire();
        let _place = place.or(Err(events::Unsettled::QueueFull))?;
        let limit = Duration::from_secs(limits::SETTLE_SECONDS_MAX);
        tokio::select! {
            answer = timeout(limit, again(unsettled)) => match answer {
                Ok(answer) => Ok(answer?),
                Err(_elapsed) => Err(events::Unsettled::TooLate),
            },
            () = self.halted() => Err(events::Unsettled::Stopped),
        }
    }
}

async fn again(mut unsettled: Unsettled) -> Result<Settled, SettleError> {
    let mut wait = WAIT_MIN;
    loop {
        sleep(wait).await;
        match unsettled.again().await {
            Ok(settled) => return Ok(settled),
            Err(away) if away.why() == SettleError::Down => unsettled = away,
            Err(refused) => return Err(refused.why()),
        }
        wait = wait.saturating_mul(2).min(WAIT_MAX);
    }
}
