//! What a proxy has seen.

use std::collections::BTreeMap;

/// Counts since the proxy began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that came, whatever became of them.
    pub requests: u64,
    /// Requests that the server was sent, each time that it was.
    pub delivered: u64,
    /// Replies that came from a server: the commands were executed.
    pub executed: u64,
    /// Replies that went to a client, whole.
    pub answered: u64,
    /// Requests that a fault was applied to.
    pub faults: u64,
    /// Requests by their command's name, in capitals.
    pub commands: BTreeMap<String, u64>,
}

impl Counts {
    /// How many requests of this name came.
    #[must_use]
    pub fn of(&self, command: &str) -> u64 {
        self.commands.get(&command.to_uppercase()).copied().unwrap_or(0)
    }
}
