//! The store that everybody writes first: `SET nonce used NX PX ttl`, and whoever set it may act.
//!
//! It is here to be compared with. Whatever loses the key gives the use away a second time: a restart, an
//! eviction, a failover, a clock.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::connection::Connection;
use crate::reply::Reply;
use crate::tally::Verdict;

/// How long a nonce is remembered: as long as its token would be valid.
const TTL_MILLIS: &str = "300000";

/// The naive store. Each claim has a connection to itself, which goes back to the others if it is sound.
#[derive(Debug)]
pub struct Naive {
    address: SocketAddr,
    patience: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Naive {
    /// A store on this server, or behind this proxy, that waits so long for an answer.
    #[must_use]
    pub fn at(address: SocketAddr, patience: Duration) -> Naive {
        Naive { address, patience, idle: Mutex::default() }
    }

    /// Whether this nonce is claimed by this call.
    ///
    /// # Errors
    /// The socket's, and the server's own.
    pub fn claim(&self, nonce: &str) -> io::Result<bool> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.address, self.patience)?,
        };
        let reply = connection.call(&["SET", nonce, "used", "NX", "PX", TTL_MILLIS])?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        match reply {
            Reply::Nil => Ok(false),
            Reply::Simple(_) => Ok(true),
            other => Err(io::Error::other(other.text())),
        }
    }

    /// The same for a token by its number, as [`Claimants`](crate::Claimants) ask it.
    #[must_use]
    pub fn verdict(&self, token: usize) -> Verdict {
        match self.claim(&format!("nonce:{token}")) {
            Ok(true) => Verdict::Granted,
            Ok(false) => Verdict::Refused,
            Err(_) => Verdict::Unavailable,
        }
    }
}
