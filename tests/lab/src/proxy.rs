//! A proxy before a server, which loses, cuts, repeats and delays what goes through it.
//!
//! It knows where a command and a reply end, so that a cut is made where the test says and not where a
//! packet happened to end; TLS, replication and subscriptions it carries as bytes. What was pipelined
//! before a fault is answered before it, as on a wire.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::counts::Counts;
use crate::fault::{Fault, Plan, split};
use crate::pipe;
use crate::port;
use crate::shared::{Accepting, Shared};
use crate::until::until;

/// A proxy on a port of its own. It and its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// A proxy before this server, which passes everything on.
    ///
    /// # Panics
    /// Where it finds no port.
    #[must_use]
    pub fn before(server: SocketAddr) -> Proxy {
        let shared = Arc::new(Shared::new(server));
        let proxy = Proxy { shared, port: port::free(), acceptor: Mutex::new(None) };
        proxy.accept();
        proxy
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        port::loopback(self.port)
    }

    /// The port of [`Proxy::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a client is given.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Every request has this fault until something else is said; [`Proxy::next`] goes first.
    ///
    /// A client's own first words (`HELLO`, `AUTH`, `CLIENT`) are requests too: see [`Proxy::set_for`].
    pub fn set(&self, fault: Fault) {
        self.set_for("", fault);
    }

    /// Every request that begins with these words (`FCALL`, `FCALL fb1_spend`) has this fault until
    /// something else is said of them.
    pub fn set_for(&self, words: &str, fault: Fault) {
        self.shared.plan(|plan| plan.set(words, fault));
    }

    /// The next so many requests have this fault. What was said before goes first.
    pub fn next(&self, count: usize, fault: Fault) {
        self.next_for("", count, fault);
    }

    /// The next so many requests that begin with these words have this fault.
    pub fn next_for(&self, words: &str, count: usize, fault: Fault) {
        self.shared.plan(|plan| plan.next(words, count, fault));
    }

    /// No request has a fault from now on.
    pub fn pass(&self) {
        self.shared.plan(Plan::clear);
    }

    /// Nothing goes through, either way, and nothing is lost: connecting works, and then silence.
    pub fn hold(&self) {
        self.shared.hold();
    }

    /// What was held goes through, and what follows.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Ends all connections; new ones are accepted.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Refuses new connections, as a machine does on which nothing listens. Those that are there stay.
    ///
    /// # Panics
    /// Where the thread that accepted has.
    pub fn refuse(&self) {
        let acceptor = self.acceptor.lock().unwrap().take();
        if let Some(acceptor) = acceptor {
            self.shared.set_accepting(Accepting::No);
            // It waits for a connection, so it is given one.
            drop(TcpStream::connect(self.address()));
            acceptor.join().unwrap();
            // A process that is being started has a copy of every socket, until it has begun.
            until("the port to refuse", || TcpStream::connect(self.address()).is_err());
        }
    }

    /// Accepts connections again after [`Proxy::refuse`].
    ///
    /// # Panics
    /// Where somebody else has the port now.
    pub fn accept(&self) {
        let mut acceptor = self.acceptor.lock().unwrap();
        if acceptor.is_none() {
            let mut listener = None;
            until("the port that was ours", || {
                listener = TcpListener::bind(self.address()).ok();
                listener.is_some()
            });
            let listener = listener.unwrap();
            let shared = Arc::clone(&self.shared);
            shared.set_accepting(Accepting::Yes);
            *acceptor = Some(thread::spawn(move || pipe::accept(&listener, &shared)));
        }
    }

    /// New connections go to this server: an address that moves, while those who are connected stay.
    pub fn turn_to(&self, server: SocketAddr) {
        self.shared.turn_to(server);
    }

    /// What it has seen until now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Waits until what it has seen is enough: that a request was executed, say, whose reply is lost.
    ///
    /// # Panics
    /// Where that does not come.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&Counts) -> bool) -> Counts {
        self.shared.wait_for(what, enough)
    }

    /// The bytes of the last request that began with these words, for [`deliver`](crate::deliver).
    #[must_use]
    pub fn last(&self, words: &str) -> Option<Vec<u8>> {
        self.shared.last(&split(words))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.refuse();
        self.shared.end();
    }
}
