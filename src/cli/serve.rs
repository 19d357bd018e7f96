//! The issuer, served until somebody stops it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use farebox_verifier::SystemClock;
use farebox_verifier::redis::Waits;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::answer::Answer;
use super::failure::Failure;
use super::output::{Form, Output};
use crate::callers;
use crate::config::{self, Config, ConfigFile, LogFormat, Sources, Store, Tls};
use crate::http::{Limits, Patience, Rate};
use crate::issuer::Parameters;
use crate::policy::Zone;
use crate::record::{Chain, Options};
use crate::serve::{Certificate, RedisSettings, Running, Settings, StoreSettings};
use crate::signer::Passphrase;
use crate::steady::Clocks;

/// What a process is sent that writes beyond the limit on the size of its files; Linux and macOS agree on it.
const SIGXFSZ: i32 = 25;

#[derive(Args)]
pub(super) struct Serve {
    /// The folder of everything that it keeps
    #[arg(long, value_name = "DIR", env = "FAREBOX_DATA")]
    data: Option<PathBuf>,
    /// Where it listens
    #[arg(long, value_name = "ADDR", env = "FAREBOX_LISTEN")]
    listen: Option<SocketAddr>,
    /// The folder of policies; without one, ./policies where it exists, else the examples that come with farebox
    #[arg(long, value_name = "DIR", env = "FAREBOX_POLICIES")]
    policies: Option<PathBuf>,
    /// The configuration; without one, ./farebox.toml where it exists
    #[arg(long, value_name = "FILE", env = "FAREBOX_CONFIG")]
    config: Option<PathBuf>,
}

impl Serve {
    pub(super) fn run(&self, form: Form) -> Result<Answer, Failure> {
        let config = self.config()?;
        log(&config.log);
        let settings = settings(config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_err(Failure::Runtime)?.block_on(serve(settings, form))
    }
}

impl Serve {
    #[expect(clippy::disallowed_methods, reason = "the one place where configuration reads it")]
    fn config(&self) -> Result<Config, Failure> {
        let mut flags = Vec::new();
        let folders = [("data", &self.data), ("policies", &self.policies)];
        for (name, path) in
            folders.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)))
        {
            let path = path.to_str().ok_or(Failure::NotUtf8 { name })?;
            flags.push((name, path.to_owned()));
        }
        flags.extend(self.listen.map(|listen| ("listen", listen.to_string())));
        let file = match &self.config {
            Some(path) => ConfigFile::Named(path),
            None => ConfigFile::IfThere(Path::new(config::FILE)),
        };
        let env = |name: &str| std::env::var(name).ok();
        let config = Config::read(&Sources { file, env: &env, flags: &flags })?;
        let points = config.unsafe_points();
        if points.is_empty() { Ok(config) } else { Err(Failure::Unsafe(points)) }
    }
}

/// What is written about a run, on standard error: standard output is for whoever started it.
fn log(log: &config::Log) {
    let level = log.level.parse().unwrap_or(tracing::Level::INFO);
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    // A second subscriber of one process changes nothing.
    drop(match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    });
}

fn settings(config: Config) -> Result<Settings, Failure> {
    let Config { rates, deadlines, limits, .. } = config;
    // Each is far below what any machine can address.
    let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    let rate = |per_second: u64| Rate {
        per_second,
        burst: per_second.saturating_mul(rates.burst_seconds),
    };
    let failures = rates.login_failures_per_minute;
    let seconds = Duration::from_secs;
    let store = match &config.store {
        Store::Embedded => StoreSettings::Embedded,
        Store::Redis(redis) => StoreSettings::Redis(RedisSettings {
            topology: redis.topology,
            servers: redis.addresses()?,
            spenders: redis.spend_addresses()?,
            waits: Waits { call: seconds(deadlines.store_seconds), ..Waits::default() },
        }),
    };
    let passphrase = config.keys.passphrase_file.as_deref().map(config::read_secret).transpose()?;
    let policies = config.policies.or_else(|| {
        let here = PathBuf::from("policies");
        here.is_dir().then_some(here)
    });
    Ok(Settings {
        data: config.data,
        listen: config.listen,
        policies,
        public_url: (config.listen.port() != 0).then_some(config.public_url),
        keys: config.keys.dir,
        certificate: match config.tls {
            Tls::Own { certificate, key } => Some(Certificate { chain: certificate, key }),
            Tls::None | Tls::Proxied => None,
        },
        store,
        callers: callers::Settings { jwt: config.jwt, owners: config.owners },
        limits: Limits {
            mint: rate(rates.mint_per_second),
            spend: rate(rates.spend_per_second),
            other: rate(rates.other_per_second),
            unknown: Rate { per_second: failures.div_ceil(60), burst: failures },
            body: seconds(deadlines.body_read_seconds),
            body_bytes: size(limits.body_bytes),
            list_items: size(limits.list_items),
        },
        patience: Patience {
            connections: size(limits.connections),
            head_bytes: size(limits.header_bytes),
            head: seconds(deadlines.header_read_seconds),
            stop: seconds(deadlines.stop_seconds),
        },
        record: Options {
            chain: Chain::parse(&config.issuer).or(Err(Failure::ChainName))?,
            segment_bytes: config.record.segment_bytes,
            checkpoint_entries: config.record.checkpoint_entries,
            checkpoint_seconds: config.record.checkpoint_seconds,
        },
        parameters: match config.record.parameters {
            config::Parameters::Full => Parameters::Full,
            config::Parameters::Digest => Parameters::Digest,
        },
        ttl_seconds: config.grants.ttl_seconds,
        ttl_seconds_max: config.grants.ttl_seconds_max,
        approval_seconds: config.grants.approval_seconds,
        passphrase: passphrase.map(Passphrase::new),
        zone: Zone::parse(config.zone.iana_name().unwrap_or("UTC")).unwrap_or_else(|_| Zone::utc()),
    })
}

/// Serves until it is told to stop, and says in one line when it is ready.
async fn serve(settings: Settings, form: Form) -> Result<Answer, Failure> {
    let mut stop = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
    let mut reload = signal(SignalKind::hangup()).map_err(Failure::Runtime)?;
    // A limit on the size of files is an error that is told, as a full disk is, and no death.
    let mut too_large = signal(SignalKind::from_raw(SIGXFSZ)).map_err(Failure::Runtime)?;
    let scheme = if settings.certificate.is_some() { "https" } else { "http" };
    let clocks = Clocks::doubting(Arc::new(SystemClock));
    let running = Running::start(settings, clocks).await?;
    let mut output = Output::new(form);
    for warning in running.warnings() {
        drop(output.note(warning));
    }
    if let Some(key) = running.first_key() {
        drop(output.line(&format!("administrator's API key {key}")));
    }
    drop(output.line(&format!("listening {scheme}://{}", running.address())));
    drop(output);
    loop {
        tokio::select! {
            _told = stop.recv() => break,
            _told = interrupt.recv() => break,
            _told = reload.recv() => running.reload().await,
            _told = too_large.recv() => tracing::error!("a file has reached the limit that this process has"),
        }
    }
    running.stop().await;
    Ok(Answer::done(vec!["stopped".to_owned()], json!({ "stopped": true })))
}
