//! How many servers there are, and how many of them make a grant.

use super::address::Address;
use crate::limits;

/// How the servers of a store stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server. Down, nothing is minted or spent; begun anew, what was outstanding is refused.
    Single,
    /// Independent servers, each with its own grants: a token names the one that holds it.
    Spread,
    /// Three or five independent servers that hold every grant: a majority of them must agree.
    Quorum,
}

/// Why servers make no such topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// Too few, too many, or an even number that could split in half.
    #[error("{topology} does not work with {servers} servers")]
    Servers {
        /// Which topology.
        topology: &'static str,
        /// How many servers there are.
        servers: usize,
    },
    /// Two servers have one name.
    #[error("two servers have one name")]
    Name,
}

impl Topology {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Topology::Single => "single",
            Topology::Spread => "spread",
            Topology::Quorum => "quorum",
        }
    }

    /// The topology of this name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Topology> {
        [Topology::Single, Topology::Spread, Topology::Quorum]
            .into_iter()
            .find(|topology| topology.word() == word)
    }

    /// How many of so many servers must agree.
    #[must_use]
    pub fn needed(self, servers: usize) -> usize {
        match self {
            Topology::Single | Topology::Spread => 1,
            Topology::Quorum => servers / 2 + 1,
        }
    }

    /// Whether these servers make this topology.
    ///
    /// # Errors
    /// [`TopologyError`] says why not.
    pub fn check(self, addresses: &[Address]) -> Result<(), TopologyError> {
        let servers = addresses.len();
        let fits = match self {
            Topology::Single => servers == 1,
            Topology::Spread => (1..=limits::SERVERS_MAX).contains(&servers),
            Topology::Quorum => (3..=limits::STORES_MAX).contains(&servers) && servers % 2 == 1,
        };
        if !fits {
            return Err(TopologyError::Servers { topology: self.word(), servers });
        }
        let named_before = |(i, address): (usize, &Address)| {
            addresses.iter().take(i).any(|earlier| earlier.name() == address.name())
        };
        if addresses.iter().enumerate().any(named_before) {
            return Err(TopologyError::Name);
        }
        Ok(())
    }
}
