//! A token's symbol table: strings stand once, and everything else refers to them by number.

use super::flaw::Flaw;

/// The strings that every biscuit knows, by their number.
const DEFAULT: [&str; 28] = [
    "read", "write", "resource", "operation", "right", "time", "role", "owner", "tenant",
    "namespace", "user", "team", "service", "admin", "email", "group", "member", "ip_address",
    "client", "client_ip", "domain", "path", "version", "cluster", "node", "hostname", "nonce",
    "query",
];

/// The number of the first string that a token brings itself.
const OWN: u64 = 1024;

/// The length of the longest of them.
const DEFAULT_BYTES_MAX: usize = 10;

/// The strings of a token so far.
#[derive(Clone, Default)]
pub(crate) struct Symbols<'a>(Vec<&'a str>);

impl<'a> Symbols<'a> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The strings from the `from`th on.
    pub(crate) fn since(&self, from: usize) -> &[&'a str] {
        self.0.get(from..).unwrap_or_default()
    }

    /// Takes a string that a block brings. One that is known already is refused: two numbers for one
    /// string would let two readers differ on whether they are equal.
    pub(crate) fn bring(&mut self, symbol: &'a str) -> Result<(), Flaw> {
        if default(symbol).is_some() || self.0.contains(&symbol) {
            return Err(Flaw::Symbols);
        }
        self.0.push(symbol);
        Ok(())
    }

    /// The string with this number.
    pub(crate) fn resolve(&self, number: u64) -> Result<&'a str, Flaw> {
        let found = match number.checked_sub(OWN) {
            Some(own) => usize::try_from(own).ok().and_then(|own| self.0.get(own)),
            None => usize::try_from(number).ok().and_then(|number| DEFAULT.get(number)),
        };
        found.copied().ok_or(Flaw::Symbols)
    }

    /// The number of this string, which is added where it is new.
    pub(crate) fn intern(&mut self, symbol: &'a str) -> u64 {
        if let Some(number) = default(symbol) {
            return number;
        }
        let own = self.0.iter().position(|known| *known == symbol).unwrap_or_else(|| {
            self.0.push(symbol);
            self.0.len() - 1
        });
        OWN + own as u64
    }
}

fn default(symbol: &str) -> Option<u64> {
    if symbol.len() > DEFAULT_BYTES_MAX {
        return None;
    }
    DEFAULT.iter().position(|known| *known == symbol).map(|number| number as u64)
}
