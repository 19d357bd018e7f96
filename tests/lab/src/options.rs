//! How a server is started.

/// When a server with an append-only file has it on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// When the system likes: what is acknowledged is written, and safe from SIGKILL alone.
    Never,
    /// Once a second. While that takes, nothing is written and replies go out all the same, so that on a
    /// slow disk even SIGKILL loses what was acknowledged.
    EverySecond,
    /// Before each reply.
    Always,
}

/// What a server does when its memory is full, by Redis' own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy(pub &'static str);

impl Policy {
    /// Refuses what would take more.
    pub const NO_EVICTION: Policy = Policy("noeviction");
    /// Deletes what was not used for long.
    pub const ALL_KEYS_LRU: Policy = Policy("allkeys-lru");
    /// Deletes anything.
    pub const ALL_KEYS_RANDOM: Policy = Policy("allkeys-random");
    /// Deletes what has an end and was not used for long.
    pub const VOLATILE_LRU: Policy = Policy("volatile-lru");
    /// Deletes what ends soonest.
    pub const VOLATILE_TTL: Policy = Policy("volatile-ttl");
}

/// How a server is started: without persistence, alone, in clear text and under the true clock, unless
/// it is said here.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) users: Vec<String>,
    pub(crate) tls: Option<Callers>,
    pub(crate) clock: bool,
    pub(crate) power: bool,
}

/// Who may connect by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    Anyone,
    Certified,
}

impl Options {
    /// Nothing special.
    #[must_use]
    pub fn plain() -> Options {
        Options::default()
    }

    /// With any setting of `redis.conf`; a later one replaces an earlier one.
    #[must_use]
    pub fn with(mut self, setting: &str, value: &str) -> Options {
        self.settings.push((setting.to_owned(), value.to_owned()));
        self
    }

    /// With an append-only file.
    #[must_use]
    pub fn aof(self, fsync: Fsync) -> Options {
        let when = match fsync {
            Fsync::Never => "no",
            Fsync::EverySecond => "everysec",
            Fsync::Always => "always",
        };
        self.with("appendonly", "yes").with("appendfsync", when)
    }

    /// With as many bytes of memory, and what happens when they are taken.
    #[must_use]
    pub fn memory(self, bytes_max: u64, policy: Policy) -> Options {
        self.with("maxmemory", &bytes_max.to_string()).with("maxmemory-policy", policy.0)
    }

    /// As the replica of the server, or of the proxy, on this port of this machine.
    #[must_use]
    pub fn replica_of(self, port: u16) -> Options {
        self.with("replicaof", &format!("127.0.0.1 {port}"))
    }

    /// With TLS on a port of its own, for everybody. The plain one stays, for the laboratory.
    #[must_use]
    pub fn tls(mut self) -> Options {
        self.tls = Some(Callers::Anyone);
        self
    }

    /// With TLS, for those who show a certificate of the server's authority.
    #[must_use]
    pub fn tls_certified(mut self) -> Options {
        self.tls = Some(Callers::Certified);
        self
    }

    /// With a user, in the words of an ACL file: `api on >secret ~fb1:* +fcall|fb1_spend`. What is said of
    /// `default` replaces what it may; unsaid, it may everything.
    #[must_use]
    pub fn user(mut self, rule: &str) -> Options {
        self.users.push(rule.to_owned());
        self
    }

    /// With a clock that the test sets: [`Redis::clock`](crate::Redis::clock).
    #[must_use]
    pub fn clock(mut self) -> Options {
        self.clock = true;
        self
    }

    /// With a disk that forgets what was not synced:
    /// [`Redis::power_cut`](crate::Redis::power_cut).
    #[must_use]
    pub fn power(mut self) -> Options {
        self.power = true;
        self
    }
}
