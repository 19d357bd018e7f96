//! What a proxy and the threads of its connections know together.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::counts::Counts;
use crate::fault::{Fault, Plan};
use crate::until::PATIENCE;

/// How many requests are kept for [`Shared::last`].
const KEPT_MAX: usize = 256;

/// What becomes of a reply that has not come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Pass,
    Drop,
    DropAll,
    Cut,
    CutInside,
    Delay(Duration),
}

/// One connection: both of its sockets, and the replies that the server owes on it.
#[derive(Debug)]
struct Open {
    sockets: [TcpStream; 2],
    due: VecDeque<Due>,
    /// From here on it is bytes, and nothing answers anything.
    raw: bool,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    plan: Plan,
    counts: Counts,
    kept: VecDeque<(Vec<String>, Vec<u8>)>,
    open: BTreeMap<u64, Open>,
    /// Never given twice: the threads of one that has ended still name it.
    next_number: u64,
    threads: Vec<JoinHandle<()>>,
    accepting: bool,
    held: bool,
    ended: bool,
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn new(server: SocketAddr) -> Shared {
        let state = State {
            server,
            plan: Plan::default(),
            counts: Counts::default(),
            kept: VecDeque::new(),
            open: BTreeMap::new(),
            next_number: 0,
            threads: Vec::new(),
            accepting: false,
            held: false,
            ended: false,
        };
        Shared { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has ended its connection and left nothing half done here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes whoever waits for it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_all();
        changed
    }

    fn wait_while(&self, waiting: impl Fn(&State) -> bool) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| !state.ended && waiting(state)));
    }

    pub(crate) fn plan<T>(&self, say: impl FnOnce(&mut Plan) -> T) -> T {
        say(&mut self.state().plan)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        self.change(|state| count(&mut state.counts));
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    pub(crate) fn wait_for(&self, what: &str, enough: impl Fn(&Counts) -> bool) -> Counts {
        let state = self.state();
        let waited =
            self.changed.wait_timeout_while(state, PATIENCE, |state| !enough(&state.counts));
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "waited {PATIENCE:?} for {what}: {:?}", state.counts);
        state.counts.clone()
    }

    pub(crate) fn turn_to(&self, server: SocketAddr) {
        self.state().server = server;
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.state().server
    }

    pub(crate) fn set_accepting(&self, accepting: Accepting) {
        self.state().accepting = accepting == Accepting::Yes;
    }

    pub(crate) fn is_accepting(&self) -> bool {
        self.state().accepting
    }

    pub(crate) fn hold(&self) {
        self.change(|state| state.held = true);
    }

    pub(crate) fn release(&self) {
        self.change(|state| state.held = false);
    }

    /// Returns while nothing is held.
    pub(crate) fn gate(&self) {
        self.wait_while(|state| state.held);
    }

    /// Returns after this time, or where the proxy ends.
    pub(crate) fn pause(&self, time: Duration) {
        let state = self.state();
        drop(self.changed.wait_timeout_while(state, time, |state| !state.ended));
    }

    /// A request has come: from now on it may be waited for, and what becomes of it is settled.
    pub(crate) fn arrived(&self, words: &[String]) {
        let name = words.first().cloned().unwrap_or_default();
        self.count(|counts| {
            counts.requests += 1;
            *counts.commands.entry(name).or_default() += 1;
        });
    }

    pub(crate) fn decide(&self, words: Vec<String>, frame: &[u8]) -> Fault {
        self.change(|state| {
            let fault = state.plan.decide(&words);
            state.counts.faults += u64::from(fault != Fault::Pass);
            state.kept.truncate(KEPT_MAX - 1);
            state.kept.push_front((words, frame.to_vec()));
            fault
        })
    }

    pub(crate) fn last(&self, begin: &[String]) -> Option<Vec<u8>> {
        let state = self.state();
        let found = state.kept.iter().find(|(words, _)| words.starts_with(begin));
        found.map(|(_, frame)| frame.clone())
    }

    /// A connection has begun; nothing where the proxy ends.
    pub(crate) fn begin(&self, client: &TcpStream, server: &TcpStream) -> io::Result<Option<u64>> {
        let sockets = [client.try_clone()?, server.try_clone()?];
        let mut state = self.state();
        if state.ended {
            return Ok(None);
        }
        let number = state.next_number;
        state.next_number += 1;
        state.open.insert(number, Open { sockets, due: VecDeque::new(), raw: false });
        Ok(Some(number))
    }

    pub(crate) fn owe(&self, connection: u64, due: &[Due]) {
        if let Some(open) = self.state().open.get_mut(&connection) {
            open.due.extend(due);
        }
    }

    /// What becomes of the reply that has come; nothing where it answers no request.
    pub(crate) fn due(&self, connection: u64) -> Option<Due> {
        self.state().open.get(&connection)?.due.front().copied()
    }

    /// It has become of it.
    pub(crate) fn paid(&self, connection: u64) {
        self.change(|state| {
            state.open.get_mut(&connection).and_then(|open| open.due.pop_front());
        });
    }

    /// Returns once the server owes nothing on this connection, or it has ended.
    pub(crate) fn drained(&self, connection: u64) {
        self.wait_while(|state| {
            state.open.get(&connection).is_some_and(|open| !open.due.is_empty())
        });
    }

    pub(crate) fn make_raw(&self, connection: u64) {
        if let Some(open) = self.state().open.get_mut(&connection) {
            open.raw = true;
        }
    }

    pub(crate) fn is_raw(&self, connection: u64) -> bool {
        self.state().open.get(&connection).is_some_and(|open| open.raw)
    }

    /// Ends one connection, which its threads see at once.
    pub(crate) fn end_one(&self, connection: u64) {
        self.change(|state| state.open.remove(&connection).iter().for_each(shut));
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        self.change(|state| std::mem::take(&mut state.open).values().for_each(shut));
    }

    pub(crate) fn keep(&self, thread: JoinHandle<()>) {
        self.state().threads.push(thread);
    }

    /// Ends everything, and returns once every thread has.
    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
        self.cut();
        let threads = std::mem::take(&mut self.state().threads);
        for thread in threads {
            // One that panicked has said so itself.
            drop(thread.join());
        }
    }
}

/// Whether new connections are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepting {
    Yes,
    No,
}

fn shut(open: &Open) {
    for socket in &open.sockets {
        // The other side may have been quicker.
        drop(socket.shutdown(Shutdown::Both));
    }
}
