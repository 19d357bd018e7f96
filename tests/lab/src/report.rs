//! What a server says of itself.

use crate::server::Redis;

/// Which server it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `redis` or `valkey`.
    pub name: String,
    /// As it says it itself: `7.0.15`.
    pub version: String,
    /// New at every start.
    pub run_id: String,
}

impl Redis {
    /// Which server it is.
    ///
    /// # Panics
    /// Where it does not answer.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let info = self.command(&["INFO", "server"]).text();
        let of = |name| field(&info, name).map(str::to_owned);
        let (name, version) = match of("valkey_version") {
            Some(version) => ("valkey", version),
            None => ("redis", of("redis_version").unwrap()),
        };
        Identity { name: name.to_owned(), version, run_id: of("run_id").unwrap() }
    }

    /// The id of this start of it.
    #[must_use]
    pub fn run_id(&self) -> String {
        self.identity().run_id
    }

    /// One field of what it says of itself.
    ///
    /// # Panics
    /// Where it does not answer, or says nothing of that.
    #[must_use]
    pub fn info(&self, name: &str) -> String {
        let info = self.command(&["INFO", "everything"]).text();
        field(&info, name).unwrap_or_else(|| panic!("{name} in INFO")).to_owned()
    }

    /// A number that it says of itself.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.info(name).parse().unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

/// The value of a field in the text of INFO.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
