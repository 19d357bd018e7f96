//! The sections of a configuration, in types.

use std::net::SocketAddr;
use std::path::PathBuf;

use farebox_verifier::limits as verifier;
use hyper::Uri;

use super::error::{ConfigError, ValueError};
use super::scope::Scope;

/// Where keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The folder.
    pub dir: PathBuf,
    /// The file with the passphrase of the private ones.
    pub passphrase_file: Option<PathBuf>,
}

/// Who speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Nobody.
    None,
    /// A proxy in front, and nothing else reaches us.
    Proxied,
    /// We do.
    Own {
        /// The chain of certificates.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// How much a caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Mints of one caller in a second.
    pub mint_per_second: u64,
    /// Its spends and settles.
    pub spend_per_second: u64,
    /// Everything else.
    pub other_per_second: u64,
    /// For how many seconds' worth it may come at once.
    pub burst_seconds: u64,
    /// Credentials that are not taken, of one address in a minute.
    pub login_failures_per_minute: u64,
}

/// How long anything may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The store.
    pub store_seconds: u64,
    /// A request's head.
    pub header_read_seconds: u64,
    /// Its body.
    pub body_read_seconds: u64,
    /// A stop.
    pub stop_seconds: u64,
}

/// Limits that can be lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A body.
    pub body_bytes: u64,
    /// A request's head.
    pub header_bytes: u64,
    /// Connections at once.
    pub connections: u64,
    /// Items of a list that asks for no number.
    pub list_items: u64,
}

/// The record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it goes on in a new file.
    pub segment_bytes: u64,
    /// What is kept of parameters.
    pub parameters: Parameters,
    /// After how many entries it is signed.
    pub checkpoint_entries: u64,
    /// After how many seconds.
    pub checkpoint_seconds: u64,
}

/// What the record keeps of a request's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// All of them.
    Full,
    /// Their digest.
    Digest,
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// For whom.
    pub format: LogFormat,
    /// How much: error, warn, info, debug or trace.
    pub level: &'static str,
}

/// For whom a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// The lives of grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants {
    /// Of one that nobody says otherwise of.
    pub ttl_seconds: u64,
    /// The longest.
    pub ttl_seconds_max: u64,
    /// How long a request waits for people.
    pub approval_seconds: u64,
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, ValueError> {
    text.parse().or(Err(ValueError::Listen))
}

pub(super) fn public_url(text: &str) -> Result<String, ValueError> {
    let uri: Uri = text.parse().or(Err(ValueError::PublicUrl))?;
    let web = matches!(uri.scheme_str(), Some("https" | "http"));
    let host = uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'));
    let bare = !text.ends_with('/') && !text.contains(['?', '#']);
    if web && host && bare { Ok(text.to_owned()) } else { Err(ValueError::PublicUrl) }
}

impl Tls {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Tls, ConfigError> {
        let (certificate, key) = ("tls.certificate", "tls.key");
        let beside = |path, key| Err(scope.wrong(path, ValueError::Beside { key }));
        match (scope.path(certificate)?, scope.path(key)?, scope.flag("tls.proxied")?) {
            (None, None, false) => Ok(Tls::None),
            (None, None, true) => Ok(Tls::Proxied),
            (Some(certificate), Some(key), false) => Ok(Tls::Own { certificate, key }),
            (Some(_), None, _) => beside(certificate, key),
            (None, Some(_), _) => beside(key, certificate),
            (Some(_), Some(_), true) => {
                Err(scope.wrong("tls.proxied", ValueError::Instead { key: certificate }))
            }
        }
    }
}

impl Rates {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Rates, ConfigError> {
        Ok(Rates {
            mint_per_second: scope.whole("rates.mint_per_second")?,
            spend_per_second: scope.whole("rates.spend_per_second")?,
            other_per_second: scope.whole("rates.other_per_second")?,
            burst_seconds: scope.whole("rates.burst_seconds")?,
            login_failures_per_minute: scope.whole("rates.login_failures_per_minute")?,
        })
    }
}

impl Deadlines {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Deadlines, ConfigError> {
        Ok(Deadlines {
            store_seconds: scope.whole("deadlines.store_seconds")?,
            header_read_seconds: scope.whole("deadlines.header_read_seconds")?,
            body_read_seconds: scope.whole("deadlines.body_read_seconds")?,
            stop_seconds: scope.whole("deadlines.stop_seconds")?,
        })
    }
}

impl Limits {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Limits, ConfigError> {
        Ok(Limits {
            body_bytes: scope.whole("limits.body_bytes")?,
            header_bytes: scope.whole("limits.header_bytes")?,
            connections: scope.whole("limits.connections")?,
            list_items: scope.whole("limits.list_items")?,
        })
    }
}

impl Record {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Record, ConfigError> {
        let full = scope.word("record.parameters")? == "full";
        Ok(Record {
            segment_bytes: scope.whole("record.segment_bytes")?,
            parameters: if full { Parameters::Full } else { Parameters::Digest },
            checkpoint_entries: scope.whole("record.checkpoint_entries")?,
            checkpoint_seconds: scope.whole("record.checkpoint_seconds")?,
        })
    }
}

impl Log {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Log, ConfigError> {
        let json = scope.word("log.format")? == "json";
        Ok(Log {
            format: if json { LogFormat::Json } else { LogFormat::Text },
            level: scope.word("log.level")?,
        })
    }
}

impl Grants {
    pub(super) fn read(scope: &Scope<'_>) -> Result<Grants, ConfigError> {
        let ttl_seconds_max = scope.whole("grants.ttl_seconds_max")?;
        let said = scope.is_said("grants.ttl_seconds")?.is_some();
        let ttl_seconds = scope.whole("grants.ttl_seconds")?;
        if said && ttl_seconds > ttl_seconds_max {
            let key = "grants.ttl_seconds_max";
            return Err(scope.wrong("grants.ttl_seconds", ValueError::Above { key }));
        }
        // Whoever lowers the longest life lowers the usual one with it.
        let ttl_seconds = ttl_seconds.min(ttl_seconds_max).min(verifier::TTL_SECONDS_MAX);
        let approval_seconds = scope.whole("grants.approval_seconds")?;
        Ok(Grants { ttl_seconds, ttl_seconds_max, approval_seconds })
    }
}
