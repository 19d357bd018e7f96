//! The feed of revocations, as whoever verifies without a store follows it: bytes in, a verdict out, no HTTP.
//!
//! ```text
//! issuer ──snapshot, signed──→ ┌──────────┐
//!        ──events + head─────→ │ Follower │ ←── covers(ticket, now)?   no │ revoked │ feed-stale
//!          (each second)       └──────────┘
//! ```
//! An issuer numbers what it takes back, and chains it by hash. Each second it signs where the chain stands: its head.
//! So whoever brings the bytes can hold them up, and nothing else: what is cut out, moved, repeated or made up does not
//! fit the head, and a head that is not renewed grows stale, upon which every token is refused.
//!
//! A revocation takes what was minted up to its second; a block, what was minted after it, which its issuer did not.

mod event;
mod follower;
mod signed;
mod standing;

pub use event::{Epoch, Event, FeedDigest, Word};
pub use follower::Follower;
pub use signed::{HEAD_TYPE, SNAPSHOT_TYPE};
pub use standing::Standing;

/// Why what was brought is not taken. What was known before stays so, and grows stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// It is no document of a feed.
    #[error("not a document of a feed")]
    Malformed,
    /// Its head names a key that is not pinned.
    #[error("head names a key that is not pinned")]
    UnknownKey,
    /// Its signature does not hold.
    #[error("signature of the head does not hold")]
    Signature,
    /// The signed head was made later than it can be by now.
    #[error("head was made in the future")]
    Future,
    /// It was made before the last one that was taken.
    #[error("head is older than one that was taken")]
    Older,
    /// It belongs to another chain of events, and does not say how that stands.
    #[error("head is of another epoch")]
    Epoch,
    /// It ends before what was taken: the issuer, or whoever is in between, went back.
    #[error("feed went back from {known} to {number}")]
    Back {
        /// The last event that was taken.
        known: u64,
        /// The last event of the head.
        number: u64,
    },
    /// An event is missing, or stands where another belongs.
    #[error("event {wanted} is missing")]
    Gap {
        /// The event that was to come.
        wanted: u64,
    },
    /// The events are not those that were signed for.
    #[error("events are not those that were signed for")]
    Digest,
}

#[cfg(test)]
mod feed_tests;
