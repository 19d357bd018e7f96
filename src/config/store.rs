//! The store's section: which servers, and as whom they are spoken to.

use std::fmt;
use std::path::{Path, PathBuf};

use farebox_verifier::StoreName;
use farebox_verifier::redis::{Address, AddressError, Tls, Topology};
use zeroize::Zeroizing;

use super::error::{ConfigError, Place, ValueError};
use super::read_secret::{SecretFileError, read_secret};
use super::scope::Scope;
use super::setting::SETTINGS;

/// Several servers, one in each line, for containers.
const SERVERS: &str = "FAREBOX_SERVERS";

/// Where grants are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// In a file of the data folder.
    Embedded,
    /// On Redis or Valkey.
    Redis(Redis),
}

/// The servers of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// How they stand to each other.
    pub topology: Topology,
    /// Where they are.
    pub servers: Vec<Server>,
    /// The authorities that may vouch for them.
    pub ca: Option<PathBuf>,
    /// The user that registers, revokes and drains.
    pub issuer: Login,
    /// The user that spends and settles.
    pub spend: Login,
}

/// One server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// The name that tokens have for its store.
    pub name: StoreName,
    /// Where it is; it may hold a password.
    url: Box<str>,
}

/// A user of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// The file with its password.
    pub password_file: Option<PathBuf>,
}

/// Why servers cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreLoginError {
    /// A password cannot be read.
    #[error("password of user {user} cannot be used")]
    Password {
        /// Whose.
        user: String,
        /// Why not.
        source: SecretFileError,
    },
    /// A server's address cannot be used.
    #[error("address of store {name} cannot be used")]
    Address {
        /// Whose.
        name: StoreName,
        /// Why not.
        source: AddressError,
    },
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Server {
    /// Whether its URL brings a user or a password.
    #[must_use]
    pub fn has_login(&self) -> bool {
        self.url.contains('@')
    }

    /// Whether it is spoken to over TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.starts_with("rediss://")
    }

    /// Whether it is this machine, by its address or by the name that is its own.
    #[must_use]
    pub fn is_here(&self) -> bool {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let host = match place.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => place.split([':', '/']).next(),
        };
        let host = host.unwrap_or_default();
        let address = host.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The address as this user.
    fn address(
        &self,
        login: Option<(&str, &str)>,
        ca: Option<&Path>,
    ) -> Result<Address, AddressError> {
        let tls = ca.filter(|_| self.is_encrypted()).map(Tls::trusting).transpose()?;
        let Some((user, password)) = login else {
            return Address::parse(self.name.clone(), &self.url, tls);
        };
        let (scheme, rest) = self.url.split_once("://").ok_or(AddressError::Scheme)?;
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let user: String = user.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let url = format!("{scheme}://{user}@{place}");
        Ok(Address::parse(self.name.clone(), &url, tls)?.with_password(password))
    }
}

impl Login {
    fn password(&self) -> Result<Option<Zeroizing<String>>, StoreLoginError> {
        let failed = |source| StoreLoginError::Password { user: self.user.clone(), source };
        self.password_file.as_deref().map(|path| read_secret(path).map_err(failed)).transpose()
    }
}

impl Redis {
    /// The servers as the issuer speaks to them. Passwords are read now.
    ///
    /// # Errors
    /// [`StoreLoginError`] where a password or an address cannot be used.
    pub fn addresses(&self) -> Result<Vec<Address>, StoreLoginError> {
        self.addresses_of(&self.issuer)
    }

    /// The servers as a verifier speaks to them, for what is spent through the issuer.
    ///
    /// # Errors
    /// [`StoreLoginError`] where a password or an address cannot be used.
    pub fn spend_addresses(&self) -> Result<Vec<Address>, StoreLoginError> {
        self.addresses_of(&self.spend)
    }

    fn addresses_of(&self, login: &Login) -> Result<Vec<Address>, StoreLoginError> {
        let password = login.password()?;
        let login = password.as_ref().map(|password| (login.user.as_str(), password.as_str()));
        let address = |server: &Server| {
            let address = server.address(login, self.ca.as_deref());
            address.map_err(|source| StoreLoginError::Address { name: server.name.clone(), source })
        };
        self.servers.iter().map(address).collect()
    }
}

impl Store {
    pub(super) fn read(
        scope: &Scope<'_>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Store, ConfigError> {
        let kind = scope.word("store.kind")?;
        let (servers, place) = servers(scope, env)?;
        let redis = Redis {
            topology: scope.one("store.topology", |word| {
                let words = &["single", "spread", "quorum"];
                Topology::parse(word).ok_or(ValueError::Word { words })
            })?,
            servers,
            ca: scope.path("store.ca")?,
            issuer: login(scope, ("store.issuer.user", "store.issuer.password_file"))?,
            spend: login(scope, ("store.spend.user", "store.spend.password_file"))?,
        };
        if kind == "embedded" {
            // Whoever named servers and forgot to say so would otherwise wonder where their grants are.
            if let (Some(place), None) = (place, scope.is_said("store.kind")?) {
                let source = ValueError::Without { key: "store.kind = \"redis\"" };
                return Err(ConfigError::Wrong { key: "store.servers".to_owned(), place, source });
            }
            return Ok(Store::Embedded);
        }
        let Some(place) = place else {
            return Err(scope.wrong("store.kind", ValueError::Beside { key: "store.servers" }));
        };
        redis.check().map_err(|(key, source)| match key {
            "store.servers" => ConfigError::Wrong { key: key.to_owned(), place, source },
            _ => scope.wrong(key, source),
        })?;
        Ok(Store::Redis(redis))
    }
}

impl Redis {
    fn check(&self) -> Result<(), (&'static str, ValueError)> {
        let servers = |why: ValueError| ("store.servers", why);
        let bare = self.servers.iter().map(|server| server.address(None, None));
        let bare: Vec<Address> =
            bare.collect::<Result<_, _>>().map_err(|why| servers(why.into()))?;
        self.topology.check(&bare).map_err(|why| servers(why.into()))?;
        let (issuer, spend) = ("store.issuer.password_file", "store.spend.password_file");
        let in_url = self.servers.iter().any(Server::has_login);
        if in_url && self.issuer.password_file.is_some() {
            return Err((issuer, ValueError::Instead { key: "a login in the url of a server" }));
        }
        // The issuer's own user may not spend, so that spending as it would fail later, at the first spend.
        let with_login = in_url || self.issuer.password_file.is_some();
        match (with_login, self.spend.password_file.is_some()) {
            (true, false) => Err(servers(ValueError::Beside { key: spend })),
            (false, true) => Err((spend, ValueError::Beside { key: issuer })),
            _ => Ok(()),
        }
    }
}

fn login(
    scope: &Scope<'_>,
    (user, file): (&'static str, &'static str),
) -> Result<Login, ConfigError> {
    let named = |text: &str| {
        if text.is_empty() { Err(ValueError::Empty) } else { Ok(text.to_owned()) }
    };
    Ok(Login { user: scope.one(user, named)?, password_file: scope.path(file)? })
}

/// The servers, and who says so.
fn servers(
    scope: &Scope<'_>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Vec<Server>, Option<Place>), ConfigError> {
    if let Some(lines) = env(SERVERS) {
        let place = Place::Environment(SERVERS);
        let wrong = |source: ValueError| ConfigError::Wrong {
            key: "store.servers".to_owned(),
            place: place.clone(),
            source,
        };
        let each = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
            let (name, url) = line.split_once('=').ok_or_else(|| wrong(ValueError::Server))?;
            let name = StoreName::parse(name).map_err(|why| wrong(why.into()))?;
            Ok(Server { name, url: url.into() })
        });
        return Ok((each.collect::<Result<_, _>>()?, Some(place)));
    }
    let mut servers = Vec::new();
    let mut first = None;
    for (table, place) in scope.tables("store.servers", (&SETTINGS, "store.servers."))? {
        let name = table.one("store.servers.name", StoreName::parse)?;
        let url = table.one("store.servers.url", |text| Ok::<_, ValueError>(text.into()))?;
        servers.push(Server { name, url });
        first.get_or_insert(place);
    }
    Ok((servers, first))
}
