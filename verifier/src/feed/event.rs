//! An event of the feed: one line of text, whose bytes are what is hashed.
//!
//! ```text
//! 7 1800000000 revoked agent key:ci
//! │ │          │       └ which grants     no name of a selector holds white space
//! │ │          └ what                     digest = SHA-256(tag, digest before, line)
//! │ └ when
//! └ its number
//! ```

use std::fmt;

use crate::clock::UnixSeconds;
use crate::crypto;
use crate::hex;
use crate::selector::Selector;

const TAG: &[u8] = b"farebox-feed/1\0";

hex::bytes! {
    /// One chain of events: an issuer that lost its chain begins another one.
    Epoch, 16
}
hex::bytes! {
    /// The hash of an event and all before it.
    FeedDigest, 32
}

impl FeedDigest {
    /// What stands before the first event.
    pub const NONE: FeedDigest = FeedDigest::from_bytes([0; 32]);

    /// The hash once this event has come.
    #[must_use]
    pub fn then(&self, event: &Event) -> FeedDigest {
        let line = event.to_string();
        FeedDigest::from_bytes(crypto::sha256(&[TAG, self.as_bytes(), line.as_bytes()]))
    }
}

/// What is said of the grants that a selector names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// What was minted up to this second is worth nothing.
    Revoked,
    /// Nothing is minted after it.
    Blocked,
    /// It is minted again.
    Lifted,
}

impl Word {
    /// The word itself.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Word::Revoked => "revoked",
            Word::Blocked => "blocked",
            Word::Lifted => "lifted",
        }
    }

    fn parse(word: &str) -> Option<Word> {
        [Word::Revoked, Word::Blocked, Word::Lifted].into_iter().find(|known| known.word() == word)
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number: one more than that of the event before.
    pub number: u64,
    /// When.
    pub at: UnixSeconds,
    /// What.
    pub word: Word,
    /// Which grants.
    pub selector: Selector,
}

impl Event {
    /// Reads the line of an event, which has one spelling.
    #[must_use]
    pub fn parse(line: &str) -> Option<Event> {
        let mut parts = line.splitn(5, ' ');
        let number = parts.next()?.parse().ok()?;
        let at = UnixSeconds(parts.next()?.parse().ok()?);
        let word = Word::parse(parts.next()?)?;
        let selector = Selector::parse(parts.next()?, parts.next().unwrap_or_default())?;
        let event = Event { number, at, word, selector };
        (event.to_string() == line).then_some(event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { number, at, word, selector } = self;
        write!(f, "{number} {} {} {selector}", at.0, word.word())
    }
}
