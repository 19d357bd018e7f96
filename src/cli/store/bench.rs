//! How fast a store registers, spends and settles, at so many callers at once.
//!
//! On servers this happens in a part of the store that nothing else uses, under a life of its own, which is
//! ended and cleared away; whoever serves there meanwhile shares the machine and nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use farebox_verifier::params::ParamsDigest;
use farebox_verifier::redis::{RedisStore, Waits};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Clock as _, Grant, GrantId, Outcome, PolicyHash, Resource,
    SpendStore, StoreName, SystemClock, Ticket, Uses, Window,
};
use serde_json::{Value, json};

use super::Servers;
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::load::{Load, drive};
use crate::store::redis::{self, Fleet};
use crate::store::registration::Registration;
use crate::store::{Embedded, GrantStore, Ledger};

/// How many ask at once.
const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// How long a grant lives: longer than its turn takes.
const TTL_SECONDS: u64 = 600;
const POLICY: PolicyHash = PolicyHash::from_bytes([0; 32]);
/// The number of a key that signs nothing.
const KEY_ID: u32 = 1;

#[derive(Args)]
pub(in crate::cli) struct Bench {
    #[command(flatten)]
    servers: Servers,
    /// The same servers with a verifier's user, who alone may spend: r1=redis://user:password@host:6379
    #[arg(
        long = "spender",
        value_name = "NAME=URL",
        env = "FAREBOX_SPENDERS",
        hide_env_values = true,
        value_delimiter = '\n'
    )]
    spenders: Vec<String>,
    /// Instead of servers: the embedded store, in a file of its own in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["servers", "spenders"])]
    folder: Option<PathBuf>,
    /// Grants for each number of callers
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    grants: u32,
}

/// What is measured, and the two hands that hold it.
struct Measured {
    store: Arc<dyn GrantStore>,
    spender: Arc<dyn SpendStore>,
}

/// One line of the table.
struct Line {
    callers: usize,
    step: &'static str,
    load: Load,
}

impl Bench {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::Runtime)?;
        let lines = runtime.block_on(async {
            match &self.folder {
                Some(folder) => self.in_file(folder).await,
                None => self.on_servers().await,
            }
        })?;
        let refused: usize = lines.iter().map(|line| line.load.refused()).sum();
        let json = json!({ "lines": lines.iter().map(Line::described).collect::<Vec<_>>() });
        let head = format!(
            "{:>7}  {:<8} {:>9} {:>9} {:>9} {:>8}",
            "callers", "step", "in 1 s", "p50 µs", "p99 µs", "refused"
        );
        let shown = std::iter::once(head).chain(lines.iter().map(Line::shown)).collect();
        let answer = Answer::done(shown, json);
        Ok(match refused {
            0 => answer,
            _ => Answer { exit: Exit::Refused, ..answer }.with_note(
                "some were refused: `farebox store check` says what is wrong with a server, and spending takes a \
                 verifier's user (--spender)",
            ),
        })
    }

    async fn in_file(&self, folder: &Path) -> Result<Vec<Line>, Failure> {
        let place = own_folder(folder)?;
        let (clock, name) = (Arc::new(SystemClock), StoreName::parse("bench")?);
        let opened = Embedded::open(&place.join("store"), name, clock, POLICY);
        let (store, _) = opened.map_err(Failure::StoreFile)?;
        let store = Arc::new(store);
        let measured = Measured { store: Arc::clone(&store) as _, spender: store as _ };
        let lines = self.measure(&measured).await;
        drop(measured);
        let removed = std::fs::remove_dir_all(&place);
        removed.map_err(|source| Failure::File { path: place, source })?;
        lines
    }

    async fn on_servers(&self) -> Result<Vec<Line>, Failure> {
        let addresses = self.servers.addresses()?;
        let spenders = match self.spenders.as_slice() {
            [] => addresses.clone(),
            given => self.servers.read(given)?,
        };
        let (topology, waits) = (self.servers.topology, Waits::default());
        let spender = RedisStore::new(topology, spenders.clone(), waits)?;
        let beside = RedisStore::new(topology, spenders, waits)?;
        let servers =
            redis::Servers { topology, addresses, spender: beside, waits, issuer: 0, issuers: 1 };
        let ledger = Arc::new(Ledger::in_memory(Arc::new(SystemClock)));
        let fleet = Fleet::apart(servers, Arc::new(SystemClock), POLICY, ledger)?;
        let fleet = Arc::new(fleet);
        if let Some(wrong) = fleet.tend().await.into_iter().next() {
            return Err(Failure::Store(wrong));
        }
        let measured = Measured { store: Arc::clone(&fleet) as _, spender: Arc::new(spender) };
        let lines = self.measure(&measured).await;
        fleet.clear_away().await;
        lines
    }

    async fn measure(&self, measured: &Measured) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        for callers in CALLERS {
            let grants = (0..self.grants).map(|_number| registration());
            let grants = grants.collect::<Result<Vec<_>, Failure>>()?;
            let (load, tickets) = measured.register(callers, grants).await;
            lines.push(Line { callers, step: "register", load });
            let (load, spent) = measured.spend(callers, tickets).await;
            lines.push(Line { callers, step: "spend", load });
            lines.push(Line {
                callers,
                step: "settle",
                load: measured.settle(callers, spent).await,
            });
        }
        Ok(lines)
    }
}

impl Measured {
    async fn register(&self, callers: usize, grants: Vec<Registration>) -> (Load, Vec<Ticket>) {
        let store = Arc::clone(&self.store);
        let deed = move |registration: Registration| {
            let store = Arc::clone(&store);
            async move {
                let seats = store.register(&registration).await.ok()?;
                Some(Ticket { stores: Some(seats), ..registration.ticket })
            }
        };
        drive(callers, grants, deed).await
    }

    async fn spend(&self, callers: usize, tickets: Vec<Ticket>) -> (Load, Vec<(Ticket, Attempt)>) {
        let spender = Arc::clone(&self.spender);
        let deed = move |ticket: Ticket| {
            let spender = Arc::clone(&spender);
            async move {
                let attempt = Attempt::fresh().ok()?;
                spender.spend(&ticket, &attempt).await.ok()?;
                Some((ticket, attempt))
            }
        };
        drive(callers, tickets, deed).await
    }

    async fn settle(&self, callers: usize, spent: Vec<(Ticket, Attempt)>) -> Load {
        let spender = Arc::clone(&self.spender);
        let deed = move |(ticket, attempt): (Ticket, Attempt)| {
            let spender = Arc::clone(&spender);
            async move { spender.settle(&ticket, &attempt, Outcome::Succeeded).await.ok() }
        };
        drive(callers, spent, deed).await.0
    }
}

impl Line {
    fn shown(&self) -> String {
        let Line { callers, step, load } = self;
        let [p50, p99] = [50, 99].map(|of| load.percentile(of).as_micros());
        let (rate, refused) = (load.per_second(), load.refused());
        format!("{callers:>7}  {step:<8} {rate:>9} {p50:>9} {p99:>9} {refused:>8}")
    }

    fn described(&self) -> Value {
        let Line { callers, step, load } = self;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        json!({
            "callers": callers,
            "step": step,
            "done": load.done(),
            "refused": load.refused(),
            "per_second": load.per_second(),
            "p50_us": micros(load.percentile(50)),
            "p99_us": micros(load.percentile(99)),
        })
    }
}

/// A folder in this one that nobody else has.
fn own_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let id = GrantId::fresh()?;
    let place = folder.join(format!("farebox-bench-{id}"));
    let made = std::fs::create_dir_all(&place);
    made.map_err(|source| Failure::File { path: place.clone(), source })?;
    Ok(place)
}

fn registration() -> Result<Registration, Failure> {
    let grant = Grant {
        id: GrantId::fresh()?,
        action: Action::parse("bench.step")?,
        resource: Resource::parse("bench/1")?,
        params: ParamsDigest::from_bytes([0; 32]),
        audience: Audience::parse("bench")?,
        window: Window::minted(SystemClock.now(), TTL_SECONDS)?,
        agent: Agent::parse("key:bench")?,
        policy: POLICY,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    };
    Ok(Registration::of(&grant, KEY_ID, Vec::new()))
}
