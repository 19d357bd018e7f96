//! The function library: its text, whether a server has it, and loading it where it is missing.

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::redis::{Link, Unanswered, Value};

/// What the functions are.
const TEXT: &str = include_str!("library.lua");
/// The library's name, which has its version in it.
pub(crate) const NAME: &str = "farebox_1";
/// The oldest server whose functions work as ours need them.
const MAJOR_MIN: u32 = 7;

/// What is wrong with a server or its library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// A server that has no functions, by what it calls itself.
    #[error("{server} {version} has no functions with a memory: farebox needs Redis 7.0 or Valkey")]
    Server {
        /// Its name.
        server: String,
        /// Its version.
        version: String,
    },
    /// A library of our name with another text: a word of somebody else's.
    #[error("library {NAME} on the server is not the one that this program brings")]
    Altered,
    /// The server has no library, and we may not load it.
    #[error("library {NAME} is missing, and this user may not load it")]
    Missing,
    /// The server cannot be asked.
    #[error("server cannot be asked for its library")]
    Unanswered(#[source] Unanswered),
    /// It answered what no server answers.
    #[error("server's answer about its library makes no sense")]
    Garbled,
}

/// Which server it is, and how new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKind {
    /// `redis`, `valkey`, or what it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does when its memory is full.
    pub eviction: String,
    /// The id of its process.
    pub run_id: String,
}

/// The library's text as a fingerprint, for people to compare.
#[must_use]
pub fn fingerprint() -> String {
    let digest = digest(&SHA256, TEXT.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Asks the server what it is; refuses one that cannot have a life.
pub(super) async fn kind(link: &Link) -> Result<ServerKind, LibraryError> {
    let value = link.command("INFO", &[b"everything"]).await.map_err(LibraryError::Unanswered)?;
    let text = text(&value).ok_or(LibraryError::Garbled)?;
    let field = |name: &str| {
        let lines = text.lines();
        lines.filter_map(|line| line.split_once(':')).find(|(n, _)| *n == name).map(|(_, v)| v)
    };
    let valkey = field("server_name").is_some_and(|name| name == "valkey");
    let foreign = ["dragonfly_version", "keydb_version"].iter().find(|name| field(name).is_some());
    let (name, version) = match (foreign, valkey) {
        (Some(field_name), _) => (field_name.trim_end_matches("_version"), field(field_name)),
        (None, true) => ("valkey", field("valkey_version")),
        (None, false) => ("redis", field("redis_version")),
    };
    let version = version.unwrap_or_default().to_owned();
    let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if foreign.is_some() || major < MAJOR_MIN {
        return Err(LibraryError::Server { server: name.to_owned(), version });
    }
    let owned = |name| field(name).unwrap_or_default().to_owned();
    let (eviction, run_id) = (owned("maxmemory_policy"), owned("run_id"));
    Ok(ServerKind { name: name.to_owned(), version, eviction, run_id })
}

/// Makes sure that the server has the library, and that it is ours, byte for byte. A deployer's user may
/// do this where the issuer's may not.
///
/// # Errors
/// [`LibraryError`] where it is not there, or not ours.
pub async fn ensure(link: &Link) -> Result<(), LibraryError> {
    if is_there(link).await? {
        return Ok(());
    }
    // Never REPLACE: it would end every life of a process that serves already.
    match link.command("FUNCTION", &[b"LOAD", TEXT.as_bytes()]).await {
        Ok(_) => Ok(()),
        Err(Unanswered::Refused { code, .. }) if &*code == "NOPERM" => Err(LibraryError::Missing),
        // Another issuer may have loaded it at the same moment.
        Err(unanswered) => match is_there(link).await {
            Ok(true) => Ok(()),
            _ => Err(LibraryError::Unanswered(unanswered)),
        },
    }
}

/// Whether the library is there. One of our name and another text is an error.
pub(super) async fn is_there(link: &Link) -> Result<bool, LibraryError> {
    let arguments: [&[u8]; 4] = [b"LIST", b"LIBRARYNAME", NAME.as_bytes(), b"WITHCODE"];
    let list = link.command("FUNCTION", &arguments).await.map_err(LibraryError::Unanswered)?;
    let Value::Array(libraries) = list else { return Err(LibraryError::Garbled) };
    let Some(library) = libraries.first() else { return Ok(false) };
    match code(library) {
        Some(code) if code == TEXT => Ok(true),
        Some(_) => Err(LibraryError::Altered),
        None => Err(LibraryError::Garbled),
    }
}

fn code(library: &Value) -> Option<&str> {
    let fields: Vec<(&Value, &Value)> = match library {
        Value::Array(items) => items.chunks_exact(2).filter_map(pair).collect(),
        Value::Map(items) => items.iter().map(|(key, value)| (key, value)).collect(),
        _ => return None,
    };
    let found = fields.into_iter().find(|(key, _)| text(key) == Some("library_code"));
    found.and_then(|(_, value)| text(value))
}

fn pair(items: &[Value]) -> Option<(&Value, &Value)> {
    match items {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

/// What a server says, as text.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{self, *};

    #[test]
    fn the_librarys_limits_are_those_of_the_other_stores() {
        let (ttl, settle) = (
            farebox_verifier::limits::TTL_SECONDS_MAX,
            farebox_verifier::limits::SETTLE_SECONDS_MAX,
        );
        let lines = [
            format!("local TTL_MAX, STEP_MAX = {ttl}, {CLOCK_STEP_SECONDS_MAX} "),
            format!("local SETTLE_MAX, REMEMBERED = {settle}, {REMEMBERED_SECONDS}\n"),
            format!("local AMOUNT_MAX = {AMOUNT_MAX}\n"),
            format!(
                "WATERMARKS_MAX, BLOCKS_MAX, ABANDONED_MAX, AFTER_MAX = {WATERMARKS_MAX}, {BLOCKS_MAX}, \
                 {ABANDONED_MAX}, {PREDECESSORS_MAX}\n"
            ),
            format!(
                "COUNTERS_MAX, HOLDS_MAX, HOLDS_OF_MAX, LEASES_MAX, LEASE_MAX = {BUDGETS_PER_CALLER_MAX}, \
                 {HOLDS_MAX}, {HOLDS_PER_CALLER_MAX}, {LEASES_MAX}, {LEASE_SECONDS_MAX}\n"
            ),
            format!("local REPEATS_MAX, REPEATS = {}, ", limits::REPEATS_MAX),
        ];
        for line in lines {
            assert!(TEXT.contains(&line), "{line}");
        }
    }
}
