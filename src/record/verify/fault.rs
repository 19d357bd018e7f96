//! What is wrong with a record: in which chain, at which entry, and what.

use std::fmt;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The chain, as its lines name it.
    pub chain: Box<str>,
    /// The entry at which it was seen; the last good one where none can be named.
    pub n: u64,
    /// What it is.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A file is damaged before its end, or is no file of a record.
    #[error("{what}")]
    File {
        /// Which, and how.
        what: Box<str>,
    },
    /// A line behind this entry is no entry, or is not spelled as farebox spells it.
    #[error("what follows is no entry")]
    Malformed,
    /// The bytes are not those that were hashed.
    #[error("it was changed: its bytes do not have its hash")]
    Altered,
    /// Entries are not there.
    #[error("entries {from} to {to} are missing")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// It stands behind one that came later, or stands there again.
    #[error("it stands behind entry {behind}")]
    OutOfOrder {
        /// The one before it.
        behind: u64,
    },
    /// It was written behind another entry than the one that stands there.
    #[error("it does not follow from entry {from}: one of the two was put there")]
    Spliced {
        /// The one that stands before it.
        from: u64,
    },
    /// It belongs to another chain than those around it.
    #[error("it stands among entries of chain {among}")]
    OtherChain {
        /// Whose.
        among: Box<str>,
    },
    /// A checkpoint is none.
    #[error("it is no checkpoint")]
    NoCheckpoint,
    /// Nobody knows the key of a checkpoint.
    #[error("key {key}, which signed it, is not known")]
    UnknownKey {
        /// Its number.
        key: u32,
    },
    /// The key of a checkpoint did not sign it.
    #[error("key {key} did not sign it")]
    BadSignature {
        /// Its number.
        key: u32,
    },
    /// A retired key signed last: whoever has it could have written all of it since.
    #[error("key {key} is retired, and no trusted key has signed since")]
    RetiredKey {
        /// Its number.
        key: u32,
    },
    /// No trusted key has signed anything.
    #[error("no trusted key has signed any of it")]
    Unsigned,
    /// More is unsigned at the end than any issuer leaves so.
    #[error("entries {from} to {to} are not signed: an issuer signs far more often")]
    UnsignedTail {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The record ends before an entry that was signed.
    #[error("the end is missing: entry {known} was signed")]
    Truncated {
        /// Which.
        known: u64,
    },
    /// Another entry stands where one was signed.
    #[error("it is not the entry that was signed under this number")]
    Replaced,
    /// Events of a journal are not there, and nothing says so.
    #[error("events {from} to {to} of {life} are missing, and no gap says so")]
    EventsMissing {
        /// Whose.
        life: Box<str>,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// An event of a journal stands there again.
    #[error("event {number} of {life} is recorded again")]
    EventAgain {
        /// Whose.
        life: Box<str>,
        /// Its number.
        number: u64,
    },
    /// A grant was spent before.
    #[error("grant {grant} was spent before, by entry {n} of chain {chain}")]
    SpentTwice {
        /// Which.
        grant: Box<str>,
        /// Where the first spend stands.
        chain: Box<str>,
        /// Its entry.
        n: u64,
    },
}

impl Flaw {
    /// The word for it, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Flaw::File { .. } => "file",
            Flaw::Malformed => "malformed",
            Flaw::Altered => "altered",
            Flaw::Missing { .. } => "missing",
            Flaw::OutOfOrder { .. } => "out-of-order",
            Flaw::Spliced { .. } => "spliced",
            Flaw::OtherChain { .. } => "other-chain",
            Flaw::NoCheckpoint => "no-checkpoint",
            Flaw::UnknownKey { .. } => "unknown-key",
            Flaw::BadSignature { .. } => "bad-signature",
            Flaw::RetiredKey { .. } => "retired-key",
            Flaw::Unsigned => "unsigned",
            Flaw::UnsignedTail { .. } => "unsigned-tail",
            Flaw::Truncated { .. } => "truncated",
            Flaw::Replaced => "replaced",
            Flaw::EventsMissing { .. } => "events-missing",
            Flaw::EventAgain { .. } => "event-again",
            Flaw::SpentTwice { .. } => "spent-twice",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.chain, self.n, self.flaw)
    }
}
