//! The configuration: every setting in its type, with who said it.
//!
//! ```text
//! defaults ─→ farebox.toml ─→ FAREBOX_… ─→ flags        each goes before what stands left of it
//! ```
//! The list of settings is [`SETTINGS`]; `farebox.toml` in the repository and `docs/configuration.md` are written
//! from it. Nothing below this module reads the environment, and this one reads it through a closure.

mod document;
mod error;
mod jwt;
mod jwt_setting;
mod page;
mod read_secret;
mod scope;
mod section;
mod setting;
mod store;
mod suggest;
mod unsafe_point;

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use farebox_verifier::Agent;
use jiff::tz::TimeZone;

pub use document::Spot;
pub use error::{ConfigError, Place, ValueError};
pub use jwt_setting::JWT_SETTINGS;
pub use page::{example_file, reference};
pub use read_secret::{SecretFileError, read_secret};
pub use section::{
    Deadlines, Grants, Keys, Limits, Log, LogFormat, Parameters, Rates, Record, Tls,
};
pub use setting::{Kind, SETTINGS, Setting};
pub use store::{Login, Redis, Server, Store, StoreLoginError};
pub use unsafe_point::{Unsafe, UnsafePoint};

use self::document::Document;
use self::scope::{Outside, Scope};
use crate::callers::jwt::Source;
use crate::callers::{CallerName, Owners};
use crate::limits;
use crate::store::desk::Owner;

/// The file that is read where no other is named, if it is there.
pub const FILE: &str = "farebox.toml";

/// Everything that an issuer is told before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The folder of policies; nobody named one where it is `None`.
    pub policies: Option<PathBuf>,
    /// How clients reach it, without a slash at the end.
    pub public_url: String,
    /// The name of its chain in the record.
    pub issuer: String,
    /// The time zone of policies.
    pub zone: TimeZone,
    /// The keys.
    pub keys: Keys,
    /// Who speaks TLS.
    pub tls: Tls,
    /// The store.
    pub store: Store,
    /// The sources of JWTs.
    pub jwt: Vec<Source>,
    /// The people behind identities.
    pub owners: Owners,
    /// How much a caller may ask.
    pub rates: Rates,
    /// How long anything may take.
    pub deadlines: Deadlines,
    /// Limits that can be lowered.
    pub limits: Limits,
    /// The record.
    pub record: Record,
    /// The log.
    pub log: Log,
    /// The lives of grants.
    pub grants: Grants,
}

/// Where a configuration comes from.
pub struct Sources<'a> {
    /// The file.
    pub file: ConfigFile<'a>,
    /// The environment, by the names of its variables.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The flags that were given, by the paths of their settings: `("listen", "[::]:8420")`.
    pub flags: &'a [(&'static str, String)],
}

/// Which file is read.
#[derive(Clone, Copy, Debug)]
pub enum ConfigFile<'a> {
    /// None.
    None,
    /// This one, which must be there.
    Named(&'a Path),
    /// This one, if it is there.
    IfThere(&'a Path),
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] names the first thing that is wrong, and where it stands.
    pub fn read(sources: &Sources<'_>) -> Result<Config, ConfigError> {
        let found = match sources.file {
            ConfigFile::None => None,
            ConfigFile::Named(path) => Some((path, text_of(path)?)),
            ConfigFile::IfThere(path) => match text_of(path) {
                Err(ConfigError::File { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    None
                }
                text => Some((path, text?)),
            },
        };
        let document = match &found {
            Some((path, text)) => Some(Document::parse(path, text)?),
            None => None,
        };
        let outside = Outside { env: sources.env, flags: sources.flags };
        let scope = Scope::whole_file(document.as_ref(), &SETTINGS, outside);
        scope.refuse_unknown()?;
        let config = Config::of(&scope, sources.env)?;
        Ok(Config { file: found.as_ref().map(|(path, _)| path.to_path_buf()), ..config })
    }

    fn of(scope: &Scope<'_>, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let listen = scope.one("listen", section::listen)?;
        let data = scope.one("data", |text| {
            if text.is_empty() { Err(ValueError::Empty) } else { Ok(PathBuf::from(text)) }
        })?;
        let tls = Tls::read(scope)?;
        let public_url = scope.maybe("public_url", section::public_url)?;
        let keys = Keys {
            dir: scope.path("keys.dir")?.unwrap_or_else(|| data.join("keys")),
            passphrase_file: scope.path("keys.passphrase_file")?,
        };
        Ok(Config {
            file: None,
            policies: scope.path("policies")?,
            public_url: public_url.unwrap_or_else(|| made_of(listen, &tls)),
            issuer: scope.one("issuer", |text| {
                let name = CallerName::parse(text).or(Err(ValueError::Issuer))?;
                Ok::<_, ValueError>(name.to_string())
            })?,
            zone: scope.one("zone", |text| TimeZone::get(text).or(Err(ValueError::Zone)))?,
            keys,
            store: Store::read(scope, env)?,
            jwt: jwt::sources(scope)?,
            owners: owners(scope)?,
            rates: Rates::read(scope)?,
            deadlines: Deadlines::read(scope)?,
            limits: Limits::read(scope)?,
            record: Record::read(scope)?,
            log: Log::read(scope)?,
            grants: Grants::read(scope)?,
            listen,
            data,
            tls,
        })
    }
}

fn made_of(listen: SocketAddr, tls: &Tls) -> String {
    let scheme = if matches!(tls, Tls::Own { .. }) { "https" } else { "http" };
    format!("{scheme}://{listen}")
}

fn owners(scope: &Scope<'_>) -> Result<Owners, ConfigError> {
    let mut owners = Owners::default();
    for said in scope.names("owners")? {
        let owner = Owner::parse(&said.key).map_err(|why| said.wrong(why))?;
        for agent in said.texts(&Agent::parse)? {
            owners.add(agent, owner.clone()).map_err(|why| said.wrong(why))?;
        }
    }
    Ok(owners)
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limits::CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > limits::CONFIG_BYTES_MAX {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(text)
}
