//! How much may happen in one run.

use std::fmt;

/// A kind of fault. Partitions need no fault: a replica may lag for ever, and whoever calls may reach either
/// server at any time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A server's memory is lost; its data set keeps any prefix.
    Loss,
    /// A replica is promoted with whatever it has; the old master goes on.
    Promotion,
    /// A server follows the other: a partial resync where the logs allow it, or a full one.
    Following,
    /// The two change places with nothing lost.
    Failover,
    /// Somebody flushes, deletes, evicts, renames, restores or forges.
    Tampering,
    /// The network delivers a command once more, or late.
    Delivery,
    /// A server's replication id changes with nothing lost.
    Identity,
}

/// All of them.
pub(crate) const ALL: &[Kind] = &[
    Kind::Loss,
    Kind::Promotion,
    Kind::Following,
    Kind::Failover,
    Kind::Tampering,
    Kind::Delivery,
    Kind::Identity,
];

/// What may happen, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    /// Grants, up to 2.
    pub(crate) grants: u8,
    /// Faults.
    pub(crate) faults: u8,
    /// Lives that issuers open beyond the first.
    pub(crate) openings: u8,
    /// Revocations that are asked for.
    pub(crate) revocations: u8,
    /// The kinds of faults.
    pub(crate) kinds: &'static [Kind],
    /// What else happens.
    pub(crate) scope: Scope,
}

/// What happens in a case beside minting and spending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scope {
    /// Each grant needs a hold of the budget.
    pub(crate) budget: bool,
    /// The second grant comes after the first.
    pub(crate) predecessor: bool,
    /// Replies to registrations are lost, and registrations come late.
    pub(crate) doubt: bool,
    /// Holds are freed, and given back.
    pub(crate) gives: bool,
    /// An issuer that opens a life tells the other at once; otherwise that one finds out by itself.
    pub(crate) told: bool,
    /// Events that nobody reads stand in the logs too. Without them logs agree more often than they would,
    /// so that more resyncs may be partial: more can happen, and nothing less.
    pub(crate) unread: bool,
    /// Grants end.
    pub(crate) expiry: bool,
}

impl Scope {
    /// With issuers that tell each other of the lives that they open.
    pub(crate) const fn told(self) -> Scope {
        Scope { told: true, ..self }
    }

    /// With registrations that are all answered, and heard.
    pub(crate) const fn sure(self) -> Scope {
        Scope { doubt: false, ..self }
    }

    /// With events in the logs that nobody reads.
    pub(crate) const fn whole(self) -> Scope {
        Scope { unread: true, ..self }
    }
}

impl Bounds {
    /// Whether a kind of fault happens.
    pub(crate) fn allow(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The grants.
    pub(crate) fn grants(&self) -> impl Iterator<Item = u8> {
        0..self.grants
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Loss => "loss of memory",
            Kind::Promotion => "promotion",
            Kind::Following => "resync",
            Kind::Failover => "graceful failover",
            Kind::Tampering => "tampering",
            Kind::Delivery => "late delivery",
            Kind::Identity => "new identity",
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |count: u8| if count == 1 { "" } else { "s" };
        write!(f, "{} grant{}, ", self.grants, several(self.grants))?;
        write!(f, "{} fault{}", self.faults, several(self.faults))?;
        if self.kinds != ALL {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.word()).collect();
            write!(f, " ({})", kinds.join(", "))?;
        }
        write!(
            f,
            ", {} more {}",
            self.openings,
            if self.openings == 1 { "life" } else { "lives" }
        )?;
        if self.revocations > 0 {
            write!(f, ", {} revocation{}", self.revocations, several(self.revocations))?;
        }
        Ok(())
    }
}
