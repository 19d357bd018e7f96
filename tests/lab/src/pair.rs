//! Two servers, of which one follows the other, with a proxy on each link.

use crate::options::Options;
use crate::proxy::Proxy;
use crate::server::Redis;
use crate::until::until;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is master at first.
    A,
    /// The one that follows it at first.
    B,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// How a replica takes over the whole data set of its master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// By a file, as it is unless one says otherwise.
    Disk,
    /// From the wire, into its memory beside what it has until then.
    DisklessSwapdb,
    /// From the wire, where it is empty.
    DisklessOnEmptyDb,
}

/// Two servers. A is master and B follows it, until a test says otherwise.
#[derive(Debug)]
pub struct Pair {
    // The links end before what they link.
    before_a: Proxy,
    before_b: Proxy,
    a: Redis,
    b: Redis,
}

impl Pair {
    /// A pair in step.
    #[must_use]
    pub fn start() -> Pair {
        Pair::start_with(&Options::plain(), Load::Disk)
    }

    /// A pair in step, both started like this.
    #[must_use]
    pub fn start_with(options: &Options, load: Load) -> Pair {
        let (sync, load) = match load {
            Load::Disk => ("no", "disabled"),
            Load::DisklessSwapdb => ("yes", "swapdb"),
            Load::DisklessOnEmptyDb => ("yes", "on-empty-db"),
        };
        let options =
            options.clone().with("repl-diskless-sync", sync).with("repl-diskless-load", load);
        let (a, b) = (Redis::start(options.clone()), Redis::start(options));
        let (before_a, before_b) = (Proxy::before(a.address()), Proxy::before(b.address()));
        let pair = Pair { before_a, before_b, a, b };
        pair.demote(Side::B);
        pair
    }

    /// One of the servers.
    #[must_use]
    pub fn server(&self, side: Side) -> &Redis {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// The link by which the other server follows this one.
    #[must_use]
    pub fn link(&self, side: Side) -> &Proxy {
        match side {
            Side::A => &self.before_a,
            Side::B => &self.before_b,
        }
    }

    /// From now on neither hears the other. What is acknowledged now is lost if the follower takes over.
    pub fn lag(&self) {
        self.before_a.hold();
        self.before_b.hold();
    }

    /// The links carry what they held; returns when this side, which follows, has everything.
    pub fn catch_up(&self, side: Side) {
        self.before_a.release();
        self.before_b.release();
        self.in_step(side);
    }

    /// This side is master from now on, with what it has. The other one is not told.
    pub fn promote(&self, side: Side) {
        self.server(side).command(&["REPLICAOF", "NO", "ONE"]);
    }

    /// This side follows the other from now on, and gives up what that does not have. Returns when they
    /// are in step.
    pub fn demote(&self, side: Side) {
        let link = self.link(side.other());
        link.release();
        self.server(side).command(&["REPLICAOF", "127.0.0.1", &link.port().to_string()]);
        self.in_step(side);
    }

    /// This side, which follows, takes over its master's whole data set anew. The master's own identity
    /// stays as it is.
    ///
    /// # Panics
    /// Where that does not come to a full resynchronization.
    pub fn full_resync(&self, side: Side) {
        let full = || self.server(side.other()).count("sync_full");
        let before = full();
        // Who was master, were it for a moment, has a history that no other master knows.
        self.promote(side);
        self.demote(side);
        assert!(full() > before, "a full resynchronization");
    }

    /// This side, which follows, loses its link for a moment and goes on where it was.
    ///
    /// # Panics
    /// Where it does not go on, but begins anew.
    pub fn partial_resync(&self, side: Side) {
        let partial = || self.server(side.other()).count("sync_partial_ok");
        let before = partial();
        self.link(side.other()).cut();
        until("a partial resynchronization", || partial() > before);
        self.in_step(side);
    }

    /// Waits until this side, which follows, has everything that the other has.
    pub fn in_step(&self, side: Side) {
        let (replica, master) = (self.server(side), self.server(side.other()));
        until("a replica to be in step", || {
            replica.info("role") == "slave"
                && replica.info("master_link_status") == "up"
                && replica.count("slave_repl_offset") == master.count("master_repl_offset")
        });
    }
}
