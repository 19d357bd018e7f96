//! Where a store's server is, and as whom it is spoken to.
//!
//! No error and no `Debug` repeats any part of the text: a password with a `/` in it would be taken for
//! a host, and one with a `?` for a query.

use std::fmt;
use std::net::Ipv6Addr;

use super::tls::{Tls, TlsError};
use crate::name::StoreName;

/// Where Redis listens unless told otherwise.
const PORT: u16 = 6379;

/// The address of one server, under the name that tokens call its store by.
#[derive(Clone)]
pub struct Address {
    name: StoreName,
    host: Box<str>,
    port: u16,
    user: Option<Box<str>>,
    password: Option<Box<str>>,
    tls: Option<Tls>,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Something else than Redis, or a unix socket.
    #[error("address starts with neither redis:// nor rediss://")]
    Scheme,
    /// A user or a password that cannot be read.
    #[error("user or password of the address is not percent-encoded utf-8")]
    Login,
    /// No host, or none that could be one.
    #[error("host of the address is missing or malformed")]
    Host,
    /// No port.
    #[error("port of the address is no number from 1 to 65535")]
    Port,
    /// Another database than 0. A store's functions have one memory for all databases of a server, so
    /// that two of them would fence each other.
    #[error("path of the address names another database than 0")]
    Database,
    /// A part that no address has.
    #[error("address has a {part}, which means nothing here")]
    Unknown {
        /// Which.
        part: &'static str,
    },
    /// Settings for TLS, and an address without.
    #[error("address starts with redis://, and there are tls settings for it")]
    TlsUnasked,
    /// TLS that cannot be had.
    #[error("tls cannot be set up")]
    Tls(#[from] TlsError),
}

impl Address {
    /// Reads `redis://user:password@host:port/0`, or the same with `rediss://`, which asks for TLS: as
    /// `tls` says, or else with the authorities that the machine trusts.
    ///
    /// User and password are percent-encoded; port and database may be left out.
    ///
    /// # Errors
    /// [`AddressError`] names what is wrong, and repeats nothing of it.
    pub fn parse(name: StoreName, url: &str, tls: Option<Tls>) -> Result<Address, AddressError> {
        let (rest, encrypted) = match (url.strip_prefix("redis://"), url.strip_prefix("rediss://"))
        {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return Err(AddressError::Scheme),
        };
        // A password that is not encoded may hold anything: whatever the last @ follows is its login.
        let (login, place) = rest.rsplit_once('@').map_or((None, rest), |(l, p)| (Some(l), p));
        let (user, password) = login.map_or(Ok((None, None)), read_login)?;
        let (host, port) = read_place(place)?;
        let tls = match (encrypted, tls) {
            (true, Some(tls)) => Some(tls),
            (true, None) => Some(Tls::system()?),
            (false, None) => None,
            (false, Some(_)) => return Err(AddressError::TlsUnasked),
        };
        if let Some(tls) = &tls {
            tls.name(&host)?;
        }
        Ok(Address { name, host, port, user, password, tls })
    }

    /// The same address with a password that stands elsewhere: in a file of its own, say.
    #[must_use]
    pub fn with_password(self, password: &str) -> Address {
        Address { password: Some(password.into()), ..self }
    }

    /// The store's name.
    #[must_use]
    pub fn name(&self) -> &StoreName {
        &self.name
    }

    /// Whether nobody says who asks: neither user nor password is there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.login().is_none()
    }

    pub(super) fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// User and password, if it is to be said who asks. A user without one is let in by servers that ask
    /// it for none.
    pub(super) fn login(&self) -> Option<(Option<&str>, &str)> {
        let (user, password) = (self.user.as_deref(), self.password.as_deref());
        (user.is_some() || password.is_some()).then(|| (user, password.unwrap_or_default()))
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("name", &self.name)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "secret"))
            .field("tls", &self.tls)
            .finish()
    }
}

type Login = (Option<Box<str>>, Option<Box<str>>);

fn read_login(login: &str) -> Result<Login, AddressError> {
    let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
    let user = decoded(user)?;
    let password = password.map(decoded).transpose()?;
    Ok(((!user.is_empty()).then_some(user), password.filter(|password| !password.is_empty())))
}

/// The text that a percent-encoded one stands for.
fn decoded(text: &str) -> Result<Box<str>, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let pair = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                let byte = pair.and_then(|value| u8::try_from(value).ok());
                bytes.push(byte.ok_or(AddressError::Login)?);
            }
            // These end a login; where they stand in one, somebody forgot to encode it.
            b'@' | b'/' | b'?' | b'#' => return Err(AddressError::Login),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map(Into::into).map_err(|_invalid| AddressError::Login)
}

fn read_place(place: &str) -> Result<(Box<str>, u16), AddressError> {
    for (mark, part) in [('#', "fragment"), ('?', "query")] {
        if place.contains(mark) {
            return Err(AddressError::Unknown { part });
        }
    }
    let (place, database) = place.split_once('/').map_or((place, ""), |(p, d)| (p, d));
    if !["", "0"].contains(&database) {
        return Err(AddressError::Database);
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(AddressError::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_invalid| AddressError::Host)?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("")))
        }
        None => place.split_once(':').map_or((place, Some("")), |(h, p)| (h, Some(p))),
    };
    let colon = place.ends_with(':');
    let port = match port.ok_or(AddressError::Host)? {
        "" if !colon => PORT,
        digits => read_port(digits)?,
    };
    let named = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if host.is_empty() || !place.starts_with('[') && !named(host) {
        return Err(AddressError::Host);
    }
    Ok((host.into(), port))
}

fn read_port(digits: &str) -> Result<u16, AddressError> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain && port != 0 => Ok(port),
        _ => Err(AddressError::Port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(StoreName::parse("r1").unwrap(), url, None)
    }

    #[test]
    fn an_address_says_where_and_as_whom() {
        type Read = (&'static str, u16, Option<(Option<&'static str>, &'static str)>);
        let table: [(&str, Read); 9] = [
            ("redis://localhost", ("localhost", 6379, None)),
            ("redis://10.0.0.7:7000", ("10.0.0.7", 7000, None)),
            ("redis://r1.internal:7000/", ("r1.internal", 7000, None)),
            ("redis://r1/0", ("r1", 6379, None)),
            ("redis://[::1]:7000/0", ("::1", 7000, None)),
            ("redis://[2001:db8::7]", ("2001:db8::7", 6379, None)),
            ("redis://api:se:cret@r1", ("r1", 6379, Some((Some("api"), "se:cret")))),
            ("redis://:p%40ss%2F%C3%A9@r1", ("r1", 6379, Some((None, "p@ss/é")))),
            ("redis://api@r1", ("r1", 6379, Some((Some("api"), "")))),
        ];
        for (url, (host, port, login)) in table {
            let address = parse(url).unwrap();
            assert_eq!((address.place(), address.login()), ((host, port), login), "{url}");
            assert!(address.tls().is_none());
        }
    }

    #[test]
    fn what_no_address_has_is_refused_by_its_name() {
        let table = [
            ("http://r1", AddressError::Scheme),
            ("unix:///run/redis.sock", AddressError::Scheme),
            ("redis:r1", AddressError::Scheme),
            ("redis://", AddressError::Host),
            ("redis://api:pw@", AddressError::Host),
            ("redis://:7000", AddressError::Host),
            ("redis://r1 r2", AddressError::Host),
            ("redis://r1,r2", AddressError::Host),
            ("redis://[::1", AddressError::Host),
            ("redis://[r1]", AddressError::Host),
            ("redis://[::1]7000", AddressError::Host),
            ("redis://r1:", AddressError::Port),
            ("redis://r1:0", AddressError::Port),
            ("redis://r1:+70", AddressError::Port),
            ("redis://r1:70000", AddressError::Port),
            ("redis://r1/1", AddressError::Database),
            ("redis://r1/0/1", AddressError::Database),
            ("redis://r1?protocol=resp3", AddressError::Unknown { part: "query" }),
            ("rediss://r1/0#insecure", AddressError::Unknown { part: "fragment" }),
            ("redis://api:p%zz@r1", AddressError::Login),
            ("redis://api:p%f@r1", AddressError::Login),
            ("redis://api:%ff@r1", AddressError::Login),
            ("redis://api:p/w@r1", AddressError::Login),
            ("redis://api:p@w@r1", AddressError::Login),
        ];
        for (url, error) in table {
            assert_eq!(parse(url).unwrap_err(), error, "{url}");
        }
    }

    #[test]
    fn a_password_shows_nowhere() {
        let shown = format!("{:?}", parse("redis://api:hunter2@r1").unwrap());
        assert!(shown.contains("r1") && shown.contains("api") && !shown.contains("hunter2"));
        // Each of these takes a part of the password for something else, and must not say which.
        for url in
            ["redis://u:hunter2/x@r1", "redis://u:hunter2", "redis://r1:hunter2?", "hunter2://"]
        {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
        }
        assert_eq!(
            parse("redis://api@r1").unwrap().with_password("p").login(),
            Some((Some("api"), "p"))
        );
    }
}
