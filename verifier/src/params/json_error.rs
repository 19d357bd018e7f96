//! Why a text was refused as parameters, and where.

use std::fmt;

use super::pointer;

/// A refusal: what was wrong, at which byte, and under which names. It shows names and never
/// values, since parameters can hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    kind: Kind,
    offset: usize,
    place: String,
}

/// What was wrong with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// More bytes than parameters may have.
    #[error("too many bytes")]
    TooLong,
    /// The bytes are not UTF-8.
    #[error("invalid utf-8")]
    NotUtf8,
    /// A byte order mark stands before the value.
    #[error("byte order mark")]
    ByteOrderMark,
    /// The text ends inside a value.
    #[error("unexpected end")]
    UnexpectedEnd,
    /// A character stands where the grammar has none.
    #[error("unexpected character")]
    UnexpectedCharacter,
    /// Something other than white space follows the value.
    #[error("text after the end of the value")]
    TrailingText,
    /// Lists and objects nest too deep.
    #[error("nesting too deep")]
    TooDeep,
    /// More values than parameters may have.
    #[error("too many values")]
    TooManyValues,
    /// A name stands twice in one object, which readers resolve differently.
    #[error("duplicate key")]
    DuplicateKey,
    /// A backslash is followed by no escape that JSON knows.
    #[error("unknown escape")]
    BadEscape,
    /// An escape names one half of a surrogate pair without the other.
    #[error("lone surrogate")]
    LoneSurrogate,
    /// A control character stands in a string without being escaped.
    #[error("unescaped control character")]
    ControlCharacter,
    /// The digits are not a JSON number.
    #[error("malformed number")]
    BadNumber,
    /// An integer beyond ±(2^53−1), where neighbours are read as the same number.
    #[error("number out of range")]
    NumberOutOfRange,
    /// The number has a value that a double cannot give back, so JCS would print another one.
    #[error("number that a double does not keep")]
    NumberNotKept,
}

impl JsonError {
    pub(super) fn new(kind: Kind, offset: usize) -> Self {
        Self { kind, offset, place: String::new() }
    }

    /// The same error, seen from one level above. The place is put together only on the way out
    /// of a refusal, so reading good text pays nothing for it.
    pub(super) fn under(mut self, token: &str) -> Self {
        let mut place = String::new();
        pointer::push_token(&mut place, &pointer::shown(token));
        place.push_str(&self.place);
        self.place = place;
        self
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The byte at which it was seen.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The value in which it was seen, written like a JSON Pointer but with long or unprintable
    /// names shortened: for people, not for looking anything up. Empty for the whole document.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, offset, place } = self;
        match place.as_str() {
            "" => write!(f, "{kind} at byte {offset}"),
            place => write!(f, "{kind} at {place}, byte {offset}"),
        }
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_at_which_byte() {
        let error = JsonError::new(Kind::DuplicateKey, 172);
        assert_eq!(error.to_string(), "duplicate key at byte 172");
        let error = error.under("price").under("0").under("it/ems");
        assert_eq!(error.to_string(), "duplicate key at /it~1ems/0/price, byte 172");
    }
}
