//! Where a value stands in a JSON document: an RFC 6901 JSON Pointer.
//!
//! The text is checked once, here. Since `~` and `/` have one escape each and nothing else is
//! escaped, two pointers lead to the same place exactly if their texts are equal, so comparing,
//! ordering and hashing the text is enough.

use std::borrow::Cow;
use std::fmt;

use crate::limits::POINTER_BYTES_MAX;

/// A checked JSON Pointer, for example `/items/0/price`. The empty pointer is the whole document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Box<str>);

/// Why a text is no JSON Pointer, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointerError {
    /// It has more bytes than a pointer may have.
    #[error("pointer has {bytes} bytes, more than {POINTER_BYTES_MAX}")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// It is not empty and does not start with a slash.
    #[error("pointer does not start with a slash")]
    NoSlash,
    /// A control character stands in it: pointers are written into logs and headers.
    #[error("control character in pointer at byte {at}")]
    ControlCharacter {
        /// Where it stands.
        at: usize,
    },
    /// A tilde is followed by neither 0 nor 1.
    #[error("tilde without 0 or 1 in pointer at byte {at}")]
    BadEscape {
        /// Where the tilde stands.
        at: usize,
    },
}

impl Pointer {
    /// Checks a text and keeps it.
    ///
    /// # Errors
    /// The first rule of [`PointerError`] that the text breaks.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.len() > POINTER_BYTES_MAX {
            return Err(PointerError::TooLong { bytes: text.len() });
        }
        if !text.is_empty() && !text.starts_with('/') {
            return Err(PointerError::NoSlash);
        }
        if let Some(at) = text.find(char::is_control) {
            return Err(PointerError::ControlCharacter { at });
        }
        match bad_escape(text) {
            Some(at) => Err(PointerError::BadEscape { at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The text, escapes and all.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the empty pointer, which leads to the whole document.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and indexes on the way, unescaped. The root has none.
    pub fn tokens(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').skip(1).map(unescape)
    }

    /// Whether `other` leads to this place or to a place below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        // "/a" must not contain "/ab": what is left has to start a token of its own.
        other
            .as_str()
            .strip_prefix(self.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn bad_escape(text: &str) -> Option<usize> {
    text.match_indices('~').map(|(at, _)| at).find(|&at| {
        let next = text.as_bytes().get(at.saturating_add(1));
        !matches!(next, Some(b'0' | b'1'))
    })
}

fn unescape(token: &str) -> Cow<'_, str> {
    if !token.contains('~') {
        return Cow::Borrowed(token);
    }
    // ~1 first: the other way round "~01" would become "~1" and then "/".
    Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
}

/// Writes one more token at the end of a pointer's text.
pub(super) fn push_token(path: &mut String, token: &str) {
    path.push('/');
    for letter in token.chars() {
        match letter {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            other => path.push(other),
        }
    }
}

/// A name as an error may show it: short, and without characters that would forge a log line.
pub(super) fn shown(name: &str) -> String {
    const LETTERS_MAX: usize = 40;
    let mut text: String = name.chars().take(LETTERS_MAX).flat_map(char::escape_debug).collect();
    if name.chars().nth(LETTERS_MAX).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        Pointer::parse(text).unwrap().tokens().map(Cow::into_owned).collect()
    }

    #[test]
    fn the_pointers_of_the_rfc_have_these_tokens() {
        let table: [(&str, &[&str]); 9] = [
            ("", &[]),
            ("/", &[""]),
            ("/foo", &["foo"]),
            ("/foo/0", &["foo", "0"]),
            ("/a~1b", &["a/b"]),
            ("/m~0n", &["m~n"]),
            ("/ ", &[" "]),
            ("//", &["", ""]),
            ("/~01", &["~1"]),
        ];
        for (text, want) in table {
            assert_eq!(tokens(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        let table = [
            ("a", PointerError::NoSlash),
            ("#/a", PointerError::NoSlash),
            ("/~", PointerError::BadEscape { at: 1 }),
            ("/a~2", PointerError::BadEscape { at: 2 }),
            ("/~0~/b", PointerError::BadEscape { at: 3 }),
            ("/a\n", PointerError::ControlCharacter { at: 2 }),
            ("/\u{85}", PointerError::ControlCharacter { at: 1 }),
        ];
        for (text, want) in table {
            assert_eq!(Pointer::parse(text), Err(want), "{text:?}");
        }
    }

    #[test]
    fn a_pointer_ends_at_its_limit() {
        let longest = format!("/{}", "a".repeat(POINTER_BYTES_MAX - 1));
        assert!(Pointer::parse(&longest).is_ok());
        let longer = format!("{longest}a");
        assert_eq!(Pointer::parse(&longer), Err(PointerError::TooLong { bytes: 257 }));
    }

    #[test]
    fn a_pointer_contains_what_stands_below_it_and_nothing_else() {
        let contains = |above: &str, below: &str| {
            Pointer::parse(above).unwrap().contains(&Pointer::parse(below).unwrap())
        };
        assert!(contains("/a", "/a"));
        assert!(contains("/a", "/a/b"));
        assert!(contains("/a", "/a/"));
        assert!(contains("", "/a"));
        assert!(contains("", ""));
        assert!(!contains("/a", "/ab"));
        assert!(!contains("/a/b", "/a"));
        assert!(!contains("/a", ""));
        assert!(!contains("/a~1", "/a/b"));
    }

    #[test]
    fn a_token_that_was_written_is_read_back() {
        for token in ["", "a", "~", "/", "~1", "~0~1/", "ü/~", "0"] {
            let mut path = String::new();
            push_token(&mut path, token);
            assert_eq!(tokens(&path), [token]);
        }
    }

    #[test]
    fn a_shown_name_is_short_and_forges_no_line() {
        assert_eq!(shown("a\nb"), "a\\nb");
        assert_eq!(shown("\u{202e}"), "\\u{202e}");
        assert_eq!(shown(&"x".repeat(40)), "x".repeat(40));
        assert_eq!(shown(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }
}
