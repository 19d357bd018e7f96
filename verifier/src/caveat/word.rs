//! The words in caveats: names of statements, texts, and sets of texts.

use std::fmt;

use crate::limits;
use crate::name::{self, NameError};
use crate::wire::flaw::Flaw;

/// The names of facts that tokens bring or verifiers supply: no third party may say them.
const RESERVED: [&str; 24] = [
    "grant",
    "action",
    "resource",
    "params",
    "audience",
    "window",
    "agent",
    "policy",
    "varies",
    "approval",
    "stores",
    "store",
    "workflow",
    "purpose",
    "holder",
    "time",
    "request",
    "once",
    "fresh",
    "proved",
    "int",
    "text",
    "output_max",
    "output_one_of",
];

/// The name of a third party's statement: `change_approved`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementName(Box<str>);

impl StatementName {
    /// Reads the name: a lower-case letter, then lower-case letters, digits and `_`.
    ///
    /// # Errors
    /// [`NameError`] where it is another text, or a name that a verifier's own facts have.
    pub fn parse(text: &str) -> Result<StatementName, NameError> {
        let what = "statement";
        let odd = |(at, c): (usize, char)| {
            !(c.is_ascii_lowercase() || (at > 0 && (c.is_ascii_digit() || c == '_')))
        };
        if text.is_empty() {
            return Err(NameError::Empty { what });
        }
        if text.len() > limits::WORD_BYTES_MAX {
            return Err(NameError::TooLong { what, bytes_max: limits::WORD_BYTES_MAX });
        }
        if let Some((at, c)) = text.char_indices().find(|found| odd(*found)) {
            return Err(NameError::Character { what, character: u32::from(c), at });
        }
        if RESERVED.contains(&text) || text == "query" {
            return Err(NameError::Reserved { what });
        }
        Ok(StatementName(text.into()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text within a caveat: not too long, and nothing that misleads the reader of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaveatText(Box<str>);

impl CaveatText {
    /// Reads the text.
    ///
    /// # Errors
    /// [`NameError`] where it is too long or misleads. The empty text is one that a value can be.
    pub fn parse(text: &str) -> Result<CaveatText, NameError> {
        let (what, bytes_max) = ("text", limits::TEXT_BOUND_BYTES_MAX);
        if text.len() > bytes_max {
            return Err(NameError::TooLong { what, bytes_max });
        }
        match text.char_indices().find(|(_, c)| name::misleads(*c)) {
            Some((at, c)) => Err(NameError::Character { what, character: u32::from(c), at }),
            None => Ok(CaveatText(text.into())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A set of texts: at least one, and not too many. In order, each once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OneOf(Box<[CaveatText]>);

/// A set of texts is empty or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a set of texts holds 1 to {} members", limits::ONE_OF_MAX)]
pub struct OneOfError;

impl OneOf {
    /// The set of these texts.
    ///
    /// # Errors
    /// [`OneOfError`] where there is none, or there are too many.
    pub fn new(texts: impl IntoIterator<Item = CaveatText>) -> Result<OneOf, OneOfError> {
        let mut set: Vec<_> = texts.into_iter().take(limits::ONE_OF_MAX + 1).collect();
        if !(1..=limits::ONE_OF_MAX).contains(&set.len()) {
            return Err(OneOfError);
        }
        set.sort_unstable();
        set.dedup();
        Ok(OneOf(set.into()))
    }

    /// The texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(CaveatText::as_str)
    }

    /// Whether `text` is one of them.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.iter().any(|member| member == text)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn read(members: &[&str]) -> Result<OneOf, Flaw> {
        let texts: Result<Vec<_>, _> = members.iter().map(|m| CaveatText::parse(m)).collect();
        OneOf::new(texts.or(Err(Flaw::Value))?).or(Err(Flaw::Value))
    }
}

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(i, member)| {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{member:?}")
        })
    }
}
