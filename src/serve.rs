//! Serving: everything an issuer is made of, started in an order, tended while it runs, and stopped in another.
//!
//! ```text
//! start   keys ─→ policies ─→ store ─→ record ─→ what the record knows, told to the store ─→ issuer ─→ listener
//! tend    each second, and when somebody knocks: lives, journals to the record, keys, callers, policies
//! stop    listener ─→ what was begun ─→ journals to the record ─→ record ─→ store, sealed
//! ```

mod error;
mod place;
mod retired;
mod tend;
mod watch;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use farebox_verifier::{GrantId, Issuer as Trusted, KeyRing, PolicyHash, Selector, StoreName};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch as tell};
use tokio::task::JoinSet;

use self::place::Place;
use self::tend::Tending;
use self::watch::TlsFiles;
use crate::callers::{self, Callers, first_key};
use crate::feed::Feed;
use crate::http::{self, Limits, Listener, Patience, Shared};
use crate::issuer::{Issuer, Parameters, Parts};
use crate::keychain::Keychain;
use crate::metrics::Metrics;
use crate::policy::{PolicySet, Zone};
use crate::record::{self, Begun, Entry, Kind, Record};
use crate::signer::Passphrase;
use crate::steady::Clocks;
use crate::store::Ledger;

pub use error::ServeError;
pub use place::{RedisSettings, StoreSettings};
pub use watch::Certificate;

/// What an issuer is started with. Every member has been read and checked.
pub struct Settings {
    /// The folder of everything that it keeps.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its policies are; nowhere for the examples that come with it.
    pub policies: Option<PathBuf>,
    /// Where others find it; nothing for the address it listens at.
    pub public_url: Option<String>,
    /// The folder of keys.
    pub keys: PathBuf,
    /// Its certificate, for TLS.
    pub certificate: Option<Certificate>,
    /// The store.
    pub store: StoreSettings,
    /// Who may call, beside the accounts in the data folder.
    pub callers: callers::Settings,
    /// How often is asked, and how long is waited for a body.
    pub limits: Limits,
    /// How patient the listener is.
    pub patience: Patience,
    /// How the record is kept, and the name of its chain.
    pub record: record::Options,
    /// What the record keeps of parameters.
    pub parameters: Parameters,
    /// For how long a token lives that asks for nothing else.
    pub ttl_seconds: u64,
    /// For how long any token may live.
    pub ttl_seconds_max: u64,
    /// How long a request waits for people.
    pub approval_seconds: u64,
    /// What opens private keys, where they are encrypted. It stays in memory, for keys that come later.
    pub passphrase: Option<Passphrase>,
    /// The zone in which policies read a minute of the day.
    pub zone: Zone,
}

/// A running issuer.
pub struct Running {
    address: SocketAddr,
    first_key: Option<String>,
    warnings: Vec<String>,
    issuer: Arc<Issuer>,
    tending: Arc<Tending>,
    stop: tell::Sender<bool>,
    tasks: JoinSet<()>,
    listening: JoinSet<()>,
}

impl Running {
    /// Starts an issuer.
    ///
    /// # Errors
    /// [`ServeError`]; each says how it is mended.
    pub async fn start(settings: Settings, clocks: Clocks) -> Result<Running, ServeError> {
        let data = folder(&settings.data)?;
        let secret = first_key(&data, clocks.wall.now())?.map(|secret| secret.expose().to_owned());
        let callers = Callers::open(&data, settings.callers.clone(), Arc::clone(&clocks.wall))?;
        let callers = Arc::new(callers);
        let built = build(&settings, &data, clocks, Arc::clone(&callers)).await?;
        let Built { issuer, place, keychain, warnings } = built;
        let record = Arc::clone(issuer.record());
        let (socket, address) = listen(&settings, &record).await?;

        let metrics = Arc::new(Metrics::default());
        let tls = TlsFiles::open(settings.certificate)?;
        let scheme = if tls.is_there() { "https" } else { "http" };
        let public_url = settings.public_url.unwrap_or_else(|| format!("{scheme}://{address}"));
        let (stop, stopped) = tell::channel(false);
        let shared = Shared::new(
            Arc::clone(&issuer),
            Arc::clone(&callers),
            Arc::clone(&metrics),
            &public_url,
            (settings.limits, stopped.clone()),
        );
        let app = http::router(&Arc::new(shared));
        let listener = Listener::new(socket, tls.newest(), app, settings.patience);
        let mut listening = JoinSet::new();
        listening.spawn(listener.serve(stopped.clone()));
        let tending = Arc::new(Tending {
            issuer: Arc::clone(&issuer),
            callers,
            keychain,
            passphrase: settings.passphrase,
            policies: settings.policies,
            zone: settings.zone,
            place,
            record,
            metrics,
            tls,
            alone: Mutex::new(()),
            retired: Mutex::default(),
            checkpoint: Duration::from_secs(settings.record.checkpoint_seconds),
        });
        let mut tasks = JoinSet::new();
        tending.begin(&mut tasks, &stopped);
        let first_key = secret;
        Ok(Running { address, first_key, warnings, issuer, tending, stop, tasks, listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The administrator's API key, where it was made just now.
    #[must_use]
    pub fn first_key(&self) -> Option<&str> {
        self.first_key.as_deref()
    }

    /// What its operator should know.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The issuer itself.
    #[must_use]
    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// Reads keys, callers, policies and certificates again, whatever they look like.
    pub async fn reload(&self) {
        self.tending.reload().await;
    }

    /// Takes nothing more, ends what was begun, and closes everything in good order.
    pub async fn stop(mut self) {
        // Whoever listened is gone only if nothing listens any more.
        self.stop.send_replace(true);
        while self.listening.join_next().await.is_some() {}
        self.issuer.finish().await;
        while self.tasks.join_next().await.is_some() {}
        self.tending.end().await;
    }
}

/// An issuer that does not listen yet, and what it stands on.
struct Built {
    issuer: Arc<Issuer>,
    place: Place,
    keychain: Keychain,
    warnings: Vec<String>,
}

async fn build(
    settings: &Settings,
    data: &Path,
    clocks: Clocks,
    callers: Arc<Callers>,
) -> Result<Built, ServeError> {
    let Clocks { wall, steady: clock } = clocks;
    let passphrase = settings.passphrase.as_ref();
    let keychain = Keychain::at(&settings.keys);
    keychain.begin(passphrase)?;
    let (signers, keys) = keychain.open(passphrase)?;
    let (policies, mut warnings) = policies(settings.policies.as_deref(), &settings.zone)?;

    let place = Place::open(&settings.store, data, Arc::clone(&clock), policies.hash()).await?;
    warnings.extend(place.told.iter().cloned());
    let key = Box::new(keychain.checkpoint_key(passphrase)?);
    let options = settings.record.clone();
    let (record, opened) = Record::open(&data.join("record"), options, key, Arc::clone(&clock))?;
    if !opened.created && !opened.witnessed {
        warnings.push(
            "the checkpoint beside the record is gone: nobody can tell whether its end was cut off"
                .to_owned(),
        );
    }
    close_begun(&record, &opened.begun, &place.ledger).await?;
    warnings.extend(place.begin(&record).await);

    let record = Arc::new(record);
    let feed = keychain.feed_key(passphrase)?;
    let made = (feed, Arc::clone(&clock));
    let feed = Feed::open(&data.join("feed"), &record, policies.hash(), made)?;
    // What a crash cut off is read first. Where it cannot be, that is said each second.
    let (Ok(()) | Err(_)) = feed.turn().await;
    say_missed(&feed, &record, policies.hash(), &keys).await?;

    let issuer = Issuer::new(Parts {
        clock,
        wall,
        signers,
        keys,
        callers,
        policies,
        record,
        feed: Arc::new(feed),
        store: Arc::clone(&place.store),
        spender: Arc::clone(&place.spender),
        ledger: Arc::clone(&place.ledger),
        needed: place.needed,
        ttl_seconds: settings.ttl_seconds,
        ttl_seconds_max: settings.ttl_seconds_max,
        approval_seconds: settings.approval_seconds,
        parameters: settings.parameters,
    })?;
    let issuer = Arc::new(issuer);
    // What happened between two words of an issuer that was killed, or while nobody served.
    issuer.cancel_others().await;
    issuer.revoke_taken_back().await;
    Ok(Built { issuer, place, keychain, warnings })
}

/// What was taken back while no issuer ran: other policies, and keys. Stores were told when they were opened.
async fn say_missed(
    feed: &Feed,
    record: &Record,
    policy: PolicyHash,
    keys: &KeyRing,
) -> Result<(), ServeError> {
    let (standing, before) = feed.standing().await;
    let mut last = None;
    if let Some(before) = before.filter(|before| *before != policy.to_string()) {
        let entry = Entry::of(Kind::PolicyChanged).policy(policy).detail("replaced", before);
        last = Some(record.append(entry).or(Err(ServeError::Record))?);
    }
    let retired = keys.issuers().into_iter().filter_map(|(id, key)| {
        let retired = matches!(key, Trusted::Retired(_)) && !standing.blocks(&Selector::Key(id));
        retired.then_some(id)
    });
    let retired: Vec<u32> = retired.collect();
    if !retired.is_empty() {
        let entry = Entry::of(Kind::KeyChanged).detail("retired", retired);
        last = Some(record.append(entry).or(Err(ServeError::Record))?);
    }
    match last {
        Some(last) => last.await.map(drop).or(Err(ServeError::Record)),
        None => Ok(()),
    }
}

/// The socket, and the record's word that somebody listens there.
async fn listen(
    settings: &Settings,
    record: &Record,
) -> Result<(TcpListener, SocketAddr), ServeError> {
    let unbound = |source| ServeError::Listen { address: settings.listen, source };
    let socket = TcpListener::bind(settings.listen).await.map_err(unbound)?;
    let address = socket.local_addr().map_err(unbound)?;
    let started = Entry::of(Kind::Started).detail("address", address.to_string());
    let kept = record.append(started.detail("version", env!("CARGO_PKG_VERSION")));
    kept.or(Err(ServeError::Record))?.await.or(Err(ServeError::Record))?;
    Ok((socket, address))
}

/// The data folder, which is its owner's alone.
fn folder(path: &Path) -> Result<PathBuf, ServeError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let failed = |source| ServeError::Data { path: path.to_owned(), source };
    if !path.exists() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    }
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(ServeError::Exposed { path: path.to_owned(), mode });
    }
    std::fs::canonicalize(path).map_err(failed)
}

/// What was begun before a crash and not ended is ended now: no token left for it, and none will.
async fn close_begun(record: &Record, begun: &[Begun], ledger: &Ledger) -> Result<(), ServeError> {
    let mut last = None;
    for begun in begun {
        let Some(grant) = GrantId::from_hex(&begun.grant) else { continue };
        // What waits for people ends what was begun for it by an event of the ledger, which comes after this.
        if ledger.request(grant).is_some_and(|request| request.collected.is_none()) {
            continue;
        }
        let entry = Entry::of(Kind::Refused).grant(grant).code("internal");
        let entry = entry.reason("the issuer stopped before it answered").detail("begun", begun.n);
        last = Some(record.append(entry).or(Err(ServeError::Record))?);
    }
    // What comes last is durable when all before it is.
    match last {
        Some(last) => last.await.map(drop).or(Err(ServeError::Record)),
        None => Ok(()),
    }
}

/// The policies of a folder, or the examples; and what their authors should know.
pub(crate) fn policies(
    folder: Option<&Path>,
    zone: &Zone,
) -> Result<(PolicySet, Vec<String>), ServeError> {
    let (set, warnings) = match folder {
        Some(folder) => PolicySet::load(folder, zone)?,
        None => PolicySet::built_in(zone)?,
    };
    let mut told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    if folder.is_none() {
        told.push("no policies of your own: the examples that come with farebox decide".to_owned());
    }
    Ok((set, told))
}

/// How long the tending waits between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// The name of the store in a file.
fn file_store() -> Option<StoreName> {
    StoreName::parse("file").ok()
}
