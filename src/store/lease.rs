//! Leases: who alone may do something for a while, with a number that grows with each new holder.

use std::collections::HashMap;

use farebox_verifier::UnixSeconds;

use crate::limits;

/// A lease that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its number: what is done under it names it, and a later holder's is greater.
    pub number: u64,
    /// The first second in which it is over.
    pub end: UnixSeconds,
}

/// Why a lease was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another has it.
    #[error("held by another until {until}")]
    Held {
        /// Until when.
        until: UnixSeconds,
    },
    /// It lasts too long, its name does, or there are too many.
    #[error("no such lease is given")]
    Limit,
    /// Nobody knows; asking again is safe.
    #[error("store is down")]
    Down,
}

/// The leases of one life.
#[derive(Clone, Default)]
pub(crate) struct Leases(HashMap<Box<str>, Held>);

#[derive(Clone)]
struct Held {
    holder: Box<str>,
    lease: Lease,
}

impl Leases {
    pub(crate) fn check(
        &self,
        now: UnixSeconds,
        name: &str,
        holder: &str,
        seconds: u64,
    ) -> Result<Lease, LeaseError> {
        let named = name.len().max(holder.len()) <= limits::LEASE_NAME_BYTES_MAX;
        if !named || seconds == 0 || seconds > limits::LEASE_SECONDS_MAX {
            return Err(LeaseError::Limit);
        }
        let end = now.plus(seconds);
        match self.0.get(name) {
            None if self.0.len() >= limits::LEASES_MAX => Err(LeaseError::Limit),
            None => Ok(Lease { number: 1, end }),
            Some(held) => {
                let Lease { number, end: until } = held.lease;
                match (now < until, *held.holder == *holder) {
                    (true, true) => Ok(Lease { number, end }),
                    (true, false) => Err(LeaseError::Held { until }),
                    (false, _) => Ok(Lease { number: number.saturating_add(1), end }),
                }
            }
        }
    }

    pub(crate) fn give(&mut self, name: &str, holder: &str, lease: Lease) {
        self.0.insert(name.into(), Held { holder: holder.into(), lease });
    }

    /// Every one: its name, its holder, and the lease.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, Lease)> + '_ {
        self.0.iter().map(|(name, held)| (&**name, &*held.holder, held.lease))
    }

    /// Whether this is the lease's last number, and not over.
    pub(crate) fn holds(&self, now: UnixSeconds, name: &str, number: u64) -> bool {
        self.0.get(name).is_some_and(|held| held.lease.number == number && now < held.lease.end)
    }
}
