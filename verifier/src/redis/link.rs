//! The link to one server: a connection when there is one, and one attempt for all when there is none.
//!
//! ```text
//! Resting ──(somebody asks, the rest is over)──→ Opening ──(greeted)──→ Open ──(given up)──→ Resting
//!    ↑                                              │
//!    └───────────────────(failed)───────────────────┘
//! ```

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::address::Address;
use super::backoff;
use super::call::{Call, Reply};
use super::connection::Connection;
use super::open;
use super::slots::Slots;
use super::turn::Turn;
use super::unanswered::{Unanswered, Why};
use crate::name::StoreName;

/// The longest that anything here may take, whatever is asked for.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The most calls in flight, whatever is asked for: each keeps about a kilobyte.
const IN_FLIGHT_MAX: usize = 65_536;

/// How long is waited, and for how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For a connection: name, TCP, TLS and greeting.
    pub connect: Duration,
    /// For an answer, from the moment it is asked for: a connection and a slot included. What could not
    /// be sent within half of it is not sent: a question without time for its answer would end in doubt.
    pub call: Duration,
    /// Calls whose answers are awaited. Above it, calls wait for a slot.
    pub in_flight_max: usize,
}

impl Default for Waits {
    /// A second for a connection: a lost first packet is sent again after one, and one that needs two is
    /// tried anew. 200 ms for a call: a healthy server takes one, a spend may ask three times, and a
    /// caller waits for less than a second. 1,024 in flight: ten milliseconds' work of one server.
    fn default() -> Waits {
        Waits {
            connect: Duration::from_secs(1),
            call: Duration::from_millis(200),
            in_flight_max: 1024,
        }
    }
}

/// The link of this process to one server; share it in an `Arc`.
///
/// It opens its connection when it is first asked, and again when the one it had is lost: one attempt at a
/// time, and after a failure not before a rest of 50 ms to 2 s. While it rests, calls fail at once.
pub struct Link {
    address: Arc<Address>,
    waits: Waits,
    state: Arc<watch::Sender<State>>,
    slots: Slots,
    tasks: TaskTracker,
    /// The one attempt; it ends with the link.
    opening: Mutex<Option<AbortOnDropHandle<()>>>,
    runtime: OnceLock<Handle>,
}

impl Link {
    /// A link that is not open yet.
    #[must_use]
    pub fn new(address: Address, waits: Waits) -> Link {
        let waits = Waits {
            connect: waits.connect.min(WAIT_MAX),
            call: waits.call.min(WAIT_MAX),
            in_flight_max: waits.in_flight_max.clamp(1, IN_FLIGHT_MAX),
        };
        let unopened = State::Resting { failures: 0, until: Instant::now(), why: Why::Closed };
        Link {
            address: Arc::new(address),
            waits,
            state: Arc::new(watch::Sender::new(unopened)),
            slots: Slots::new(waits.in_flight_max),
            tasks: TaskTracker::new(),
            opening: Mutex::default(),
            runtime: OnceLock::new(),
        }
    }

    /// The name of the store.
    #[must_use]
    pub fn name(&self) -> &StoreName {
        self.address.name()
    }

    /// Calls a function, once. Its reply begins with `echo`, or it is not believed.
    ///
    /// A call that is dropped is not taken back: it may have been sent, and it keeps its slot until it is
    /// answered or its time is over.
    ///
    /// # Errors
    /// [`Unanswered`] says whether the call may have been carried out.
    pub async fn call(&self, call: Call<'_>, echo: &[u8; 16]) -> Result<Reply, Unanswered> {
        let (question, echo) = (call.command(), *echo);
        let turn = self.turn().await?;
        self.asked(turn.call(question, echo)).await.inspect_err(|_| self.rest())
    }

    /// Runs any other command, once: `PING`, `INFO`, `XRANGE`, whatever has one reply and leaves the
    /// connection as it was. The server's user needs the right to `PING`, which follows each.
    ///
    /// # Errors
    /// [`Unanswered`] says whether the command may have been carried out.
    pub async fn command(
        &self,
        name: &'static str,
        arguments: &[&[u8]],
    ) -> Result<redis::Value, Unanswered> {
        let mut question = redis::Pipeline::with_capacity(2);
        question.cmd(name).arg(arguments);
        let turn = self.turn().await?;
        self.asked(turn.command(question)).await.inspect_err(|_| self.rest())
    }

    /// A slot on an open connection, or the reason why there is none.
    async fn turn(&self) -> Result<Turn, Unanswered> {
        let begun = Instant::now();
        let latest = begun + self.waits.call / 2;
        loop {
            let open = self.state.borrow().fit();
            let connection = match open {
                Some(connection) => connection,
                None => self.connection(latest).await.map_err(Unanswered::Down)?,
            };
            let slot = self.slots.take(latest).await.map_err(Unanswered::Down)?;
            // It may have been lost while a slot was waited for.
            if connection.is_fit() {
                return Ok(Turn { connection, until: begun + self.waits.call, _slot: slot });
            }
        }
    }

    /// The connection, waited for while it is being opened; but an attempt that takes long is not waited
    /// for by those who come late: it may be that nobody is there.
    async fn connection(&self, latest: Instant) -> Result<Arc<Connection>, Why> {
        loop {
            let mut news = self.state.subscribe();
            let since = match self.find() {
                Found::Open(connection) => return Ok(connection),
                Found::Resting(why) => return Err(why),
                Found::Opening { since } => since,
            };
            let until = latest.min(since + self.waits.call / 2);
            if until <= Instant::now() || timeout_at(until, news.changed()).await.is_err() {
                return Err(Why::Opening);
            }
        }
    }

    /// What there is; begins an attempt where it is time for one.
    fn find(&self) -> Found {
        let (mut begun, mut found) = (None, None);
        self.state.send_if_modified(|state| {
            begun = state.step(Instant::now());
            found = Some(state.found());
            begun.is_some()
        });
        if let Some(failures) = begun {
            self.open(failures);
        }
        found.unwrap_or(Found::Resting(Why::Closed))
    }

    /// Lets go of a connection that was given up: it is closed once its last question is done with.
    fn rest(&self) {
        self.state.send_if_modified(State::rest);
    }

    fn open(&self, failures: u32) {
        let attempt = Attempt { state: Arc::clone(&self.state), failures, opened: None };
        let (address, slots) = (Arc::clone(&self.address), self.slots.clone());
        let (tasks, until) = (self.tasks.clone(), Instant::now() + self.waits.connect);
        self.runtime.get_or_init(Handle::current);
        // Held meanwhile, so that no later attempt is overwritten by this one, and thereby ended.
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let task = self.tasks.spawn(async move {
            let opened = open::open(&address, until, &slots, &tasks);
            let opened = timeout_at(until, opened).await.unwrap_or(Err(Why::TimedOut));
            attempt.ended(opened);
        });
        *opening = Some(AbortOnDropHandle::new(task));
    }

    fn asked<F: Future + Send + 'static>(&self, question: F) -> Asked<'_, F> {
        Asked { question: Some(Box::pin(question)), link: self }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("address", &self.address)
            .field("waits", &self.waits)
            .finish_non_exhaustive()
    }
}

enum State {
    Resting { failures: u32, until: Instant, why: Why },
    Opening { since: Instant },
    Open { failures: u32, connection: Arc<Connection> },
}

enum Found {
    Resting(Why),
    Opening { since: Instant },
    Open(Arc<Connection>),
}

impl State {
    fn resting(failures: u32, since: Instant, why: Why) -> State {
        // A connection that was of use is replaced at once; whatever failed is left alone for a while.
        let rest = if failures == 0 { Duration::ZERO } else { backoff::rest(failures) };
        State::Resting { failures, until: since + rest, why }
    }

    fn fit(&self) -> Option<Arc<Connection>> {
        match self {
            State::Open { connection, .. } if connection.is_fit() => Some(Arc::clone(connection)),
            _ => None,
        }
    }

    /// Rests if the connection was given up; whether it was.
    fn rest(&mut self) -> bool {
        if let State::Open { failures, connection } = self
            && let Some(lost) = connection.lost()
        {
            // One that was lost as soon as it was open is as good as none: a server that greets well and
            // then answers badly is not to be connected to again and again.
            let lasted = lost.at.saturating_duration_since(connection.opened());
            let failures = if lasted < backoff::REST_MAX { failures.saturating_add(1) } else { 0 };
            *self = State::resting(failures, lost.at, lost.why.clone());
            return true;
        }
        false
    }

    /// Moves on as far as it is time to; the failures before an attempt that is to begin now.
    fn step(&mut self, now: Instant) -> Option<u32> {
        self.rest();
        match *self {
            State::Resting { failures, until, .. } if until <= now => {
                *self = State::Opening { since: now };
                Some(failures)
            }
            _ => None,
        }
    }

    fn found(&self) -> Found {
        match self {
            State::Resting { why, .. } => Found::Resting(why.clone()),
            State::Opening { since } => Found::Opening { since: *since },
            State::Open { connection, .. } => Found::Open(Arc::clone(connection)),
        }
    }
}

/// An attempt to open. However it ends, even with its runtime, the link knows.
struct Attempt {
    state: Arc<watch::Sender<State>>,
    failures: u32,
    opened: Option<Result<Connection, Why>>,
}

impl Attempt {
    fn ended(mut self, opened: Result<Connection, Why>) {
        self.opened = Some(opened);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let failures = self.failures;
        self.state.send_replace(match self.opened.take().unwrap_or(Err(Why::Closed)) {
            Ok(connection) => State::Open { failures, connection: Arc::new(connection) },
            Err(why) => State::resting(failures.saturating_add(1), Instant::now(), why),
        });
    }
}

/// A question that was sent. Whoever drops it does not take it back: it is heard to its end, so that its
/// slot is taken as long as the server is busy with it, and a silence is noticed.
struct Asked<'a, F: Future + Send + 'static> {
    question: Option<Pin<Box<F>>>,
    link: &'a Link,
}

impl<F: Future + Send + 'static> Future for Asked<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(question) = &mut self.question else { return Poll::Pending };
        let answer = question.as_mut().poll(cx);
        if answer.is_ready() {
            self.question = None;
        }
        answer
    }
}

impl<F: Future + Send + 'static> Drop for Asked<'_, F> {
    fn drop(&mut self) {
        let runtime = Handle::try_current().ok().or_else(|| self.link.runtime.get().cloned());
        if let (Some(question), Some(runtime)) = (self.question.take(), runtime) {
            self.link.tasks.spawn_on(async move { drop(question.await) }, &runtime);
        }
    }
}
