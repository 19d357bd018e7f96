//! A look at the store's servers: what they are, how they answer, and what is wrong with them.
//!
//! Nothing is changed by it: functions are tried on a life that nobody has, where each can only say so.

use std::time::{Duration, Instant};

use farebox_verifier::redis::{Address, Link, Topology, TopologyError, Unanswered, Value, Waits};
use farebox_verifier::{Clock, StoreName, UnixSeconds};

use super::acl::Role;
use super::library::{self, LibraryError, ServerKind};

/// Questions asked to measure how fast a server answers.
const PINGS: usize = 100;
/// Clocks that differ by more stop mints.
const CLOCK_SECONDS_MAX: u64 = 5;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    Note,
    /// It works, and it is not wise.
    Unwise,
    /// It does not work, or does not keep what the store promises.
    Wrong,
}

impl Weight {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Weight::Note => "note",
            Weight::Unwise => "unwise",
            Weight::Wrong => "wrong",
        }
    }
}

/// Something about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What it is.
    pub what: String,
    /// Why it matters, and what to do.
    pub why: &'static str,
}

/// How fast a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of the questions took less.
    pub median: Duration,
    /// 99 of 100 took less.
    pub p99: Duration,
}

/// What one server is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its store's name.
    pub store: StoreName,
    /// What it is, where it said so.
    pub kind: Option<ServerKind>,
    /// The life that its data set names.
    pub generation: Option<String>,
    /// How fast it answered.
    pub latency: Option<Latency>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

impl Looked {
    /// The weight of the worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<Weight> {
        self.findings.iter().map(|finding| finding.weight).max()
    }

    fn find(&mut self, weight: Weight, what: impl Into<String>, why: &'static str) {
        self.findings.push(Finding { weight, what: what.into(), why });
    }
}

/// Looks at each server with the issuer's user.
///
/// # Errors
/// [`TopologyError`] where they make no such topology.
pub async fn check(
    topology: Topology,
    addresses: Vec<Address>,
    waits: Waits,
    clock: &dyn Clock,
) -> Result<Vec<Looked>, TopologyError> {
    topology.check(&addresses)?;
    let mut looked = Vec::new();
    for address in addresses {
        let open = address.is_open();
        let link = Link::new(address, waits);
        looked.push(look(&link, open, clock).await);
    }
    let mut runs: Vec<_> = looked.iter().filter_map(|l| l.kind.as_ref()).collect();
    runs.sort_by(|a, b| a.run_id.cmp(&b.run_id));
    if runs.windows(2).any(|pair| matches!(pair, [a, b] if a.run_id == b.run_id)) {
        for one in &mut looked {
            one.find(Weight::Wrong, "two stores are one server", "they would fail together");
        }
    }
    Ok(looked)
}

async fn look(link: &Link, open: bool, clock: &dyn Clock) -> Looked {
    let store = link.name().clone();
    let (kind, generation, latency) = (None, None, None);
    let mut looked = Looked { store, kind, generation, latency, findings: Vec::new() };
    match library::kind(link).await {
        Ok(kind) => looked.kind = Some(kind),
        Err(LibraryError::Unanswered(unanswered)) => {
            looked.find(Weight::Wrong, said(&unanswered), "nothing is minted or spent there");
            return looked;
        }
        Err(error) => {
            looked.find(Weight::Wrong, error.to_string(), "a life needs functions with a memory");
            return looked;
        }
    }
    if open {
        let why = "whoever reaches it can end every life: give it users, see farebox store acl";
        looked.find(Weight::Unwise, "server asks for no password", why);
    }
    settings(link, &mut looked).await;
    has_library(link, &mut looked).await;
    rights(link, &mut looked).await;
    same_time(link, &mut looked, clock).await;
    looked.generation = pointer(link).await;
    looked.latency = latency_of(link).await;
    looked
}

fn said(unanswered: &Unanswered) -> String {
    let mut text = unanswered.to_string();
    let mut source = std::error::Error::source(unanswered);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

async fn settings(link: &Link, looked: &mut Looked) {
    let Ok(value) = link.command("INFO", &[b"everything"]).await else { return };
    let text = library::text(&value).unwrap_or_default().to_owned();
    let is = |name: &str, value: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.any(|(n, v)| n == name && v.trim() == value)
    };
    if !is("maxmemory_policy", "noeviction") {
        let why = "an evicted journal ends its life: set maxmemory-policy noeviction";
        looked.find(Weight::Wrong, "server evicts keys when its memory is full", why);
    }
    if !is("role", "master") {
        let why = "nothing can be written there: name the server that it follows";
        looked.find(Weight::Wrong, "server is a replica", why);
    }
    if is("redis_mode", "cluster") || is("redis_mode", "sentinel") {
        let why = "this topology is not supported: name independent servers";
        looked.find(Weight::Wrong, "server is part of a cluster or a sentinel", why);
    }
    if !is("aof_enabled", "1") {
        let why = "a restart loses the journal, and what was outstanding ends as unknown: set \
                   appendonly yes";
        looked.find(Weight::Unwise, "server keeps no append-only file", why);
    }
    if !is("connected_slaves", "0") {
        let why = "what outlives a server is not its grants: a replica costs and brings nothing";
        looked.find(Weight::Note, "server has replicas", why);
    }
}

async fn has_library(link: &Link, looked: &mut Looked) {
    match library::is_there(link).await {
        Ok(true) => {}
        Ok(false) => {
            let what = format!("library {} is not loaded", library::NAME);
            let why =
                "the issuer loads it when it starts, if its user may; else the deployer's does";
            looked.find(Weight::Note, what, why);
        }
        Err(error) => {
            let why = "nothing is opened beside a library that is not ours";
            looked.find(Weight::Wrong, error.to_string(), why);
        }
    }
}

/// Which functions the user may call: on a life that nobody has, each says that it is over.
async fn rights(link: &Link, looked: &mut Looked) {
    for function in Role::Issuer.functions().iter().filter(|name| !ONCE.contains(name)) {
        if refused(link, function).await {
            let what = format!("user may not call fb1_{function}");
            let why = "the issuer needs it: see farebox store acl";
            looked.find(Weight::Wrong, what, why);
        }
    }
    let mine = Role::Issuer.functions();
    for function in Role::Verifier.functions().iter().filter(|name| !mine.contains(name)) {
        if may(link, function).await {
            let what = format!("user may call fb1_{function}");
            let why = "an issuer that can also spend can use what it mints: give each role a user \
                       of its own";
            looked.find(Weight::Unwise, what, why);
        }
    }
}

/// Functions that do something of their own: the issuer's start tries them.
const ONCE: [&str; 3] = ["hello", "probe", "open"];

async fn call(link: &Link, function: &str) -> Result<Value, Unanswered> {
    let name = format!("fb1_{function}");
    let key = format!("fb1:{{00}}:j:{}", "0".repeat(32));
    let attempt = [0_u8; 64];
    link.command("FCALL", &[name.as_bytes(), b"1", key.as_bytes(), &attempt]).await
}

async fn refused(link: &Link, function: &str) -> bool {
    match call(link, function).await {
        Err(Unanswered::Refused { code, .. }) => &*code == "NOPERM",
        _ => false,
    }
}

async fn may(link: &Link, function: &str) -> bool {
    call(link, function).await.is_ok()
}

async fn same_time(link: &Link, looked: &mut Looked, clock: &dyn Clock) {
    let Ok(Value::Array(parts)) = link.command("TIME", &[]).await else { return };
    let Some(theirs) = parts.first().and_then(library::text).and_then(|s| s.parse().ok()) else {
        return;
    };
    let (theirs, ours) = (UnixSeconds(theirs), clock.now());
    let apart = theirs.0.abs_diff(ours.0);
    if apart > CLOCK_SECONDS_MAX {
        let what = format!("server's clock is {apart} seconds from this one");
        looked.find(Weight::Wrong, what, "what one calls living the other calls over: run NTP");
    }
}

async fn pointer(link: &Link) -> Option<String> {
    let value = link.command("GET", &[b"fb1:{00}:life"]).await.ok()?;
    library::text(&value).map(str::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "latency is measured by the machine's own clock")]
async fn latency_of(link: &Link) -> Option<Latency> {
    let mut took = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let begun = Instant::now();
        link.command("PING", &[]).await.ok()?;
        took.push(begun.elapsed());
    }
    took.sort();
    let at = |hundredths: usize| took.get(PINGS * hundredths / 100).copied();
    Some(Latency { median: at(50)?, p99: at(99)? })
}
