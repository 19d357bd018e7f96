//! The names in a grant: newtypes, parsed once at the edge.
//!
//! A name is what a person will read in a record, a terminal and a log, so none may hold a character
//! that shows as something else than it is: controls, line separators, direction marks.

use std::fmt;

use crate::limits;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing.
    #[error("{what} is empty")]
    Empty {
        /// Which name.
        what: &'static str,
    },
    /// There is too much.
    #[error("{what} is longer than {bytes_max} bytes")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// The limit.
        bytes_max: usize,
    },
    /// A character that no name may hold.
    #[error("{what} holds U+{character:04X} at byte {at}, which no {what} may hold")]
    Character {
        /// Which name.
        what: &'static str,
        /// The character's code point.
        character: u32,
        /// Where it stands.
        at: usize,
    },
    /// A name that farebox's own facts have.
    #[error("{what} has a name that farebox's own facts have")]
    Reserved {
        /// Which name.
        what: &'static str,
    },
}

/// Whether a name may hold white space.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    Allowed,
    Refused,
}

fn parse(
    what: &'static str,
    text: &str,
    bytes_max: usize,
    spaces: Spaces,
) -> Result<Box<str>, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > bytes_max {
        return Err(NameError::TooLong { what, bytes_max });
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.into());
    }
    // A space at an end shows nowhere, and makes another name.
    let inner = text.trim().len() == text.len();
    let space = |c: char| c.is_whitespace() && (spaces == Spaces::Refused || !inner);
    match text.char_indices().find(|(_, c)| misleads(*c) || space(*c)) {
        Some((at, c)) => Err(NameError::Character { what, character: u32::from(c), at }),
        None => Ok(text.into()),
    }
}

/// Characters that move the reader's eye or cursor, or hide, instead of showing.
pub(crate) fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $spaces:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads the name.
            ///
            /// # Errors
            /// [`NameError`] where it is empty, too long, or holds what a name may not.
            pub fn parse(text: &str) -> Result<$name, NameError> {
                parse($what, text, $max, $spaces).map($name)
            }

            /// The name's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

name! {
    /// What is done: `payments.transfer`.
    Action, "action", limits::ACTION_BYTES_MAX, Spaces::Refused
}
name! {
    /// What it is done to: `account/42`.
    Resource, "resource", limits::RESOURCE_BYTES_MAX, Spaces::Allowed
}
name! {
    /// The API that acts: `payments-api`.
    Audience, "audience", limits::AUDIENCE_BYTES_MAX, Spaces::Refused
}
name! {
    /// Who asks: `spiffe://acme/agents/billing`.
    Agent, "agent", limits::AGENT_BYTES_MAX, Spaces::Refused
}
name! {
    /// The workflow that a step belongs to.
    Workflow, "workflow", limits::WORKFLOW_BYTES_MAX, Spaces::Refused
}
name! {
    /// The step of a workflow.
    Step, "step", limits::WORKFLOW_BYTES_MAX, Spaces::Refused
}
name! {
    /// What an action is for, in the agent's words.
    Purpose, "purpose", limits::PURPOSE_BYTES_MAX, Spaces::Allowed
}
name! {
    /// The name of a store, as the token and the verifier's configuration have it.
    StoreName, "store", limits::WORD_BYTES_MAX, Spaces::Refused
}
name! {
    /// The name of something that a handler's result is measured by: `rows`, or `/records`.
    OutputName, "output", limits::POINTER_BYTES_MAX, Spaces::Refused
}
name! {
    /// The name under which a third party's key is known: `change-mgmt`.
    ThirdParty, "third party", limits::WORD_BYTES_MAX, Spaces::Refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_mislead_its_reader_is_refused() {
        for text in [
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "a\u{2028}b",
            "\u{feff}a",
            "a\u{200b}b",
            "a\u{61c}b",
            "a\u{e0041}",
            "a\u{ad}b",
            " a",
            "a\u{a0}",
        ] {
            assert!(matches!(Purpose::parse(text), Err(NameError::Character { .. })), "{text:?}");
        }
    }

    #[test]
    fn an_action_holds_no_space_and_a_purpose_may() {
        assert!(Action::parse("payments transfer").is_err());
        assert!(Purpose::parse("invoice inv-7").is_ok());
    }

    #[test]
    fn a_name_has_at_least_one_byte_and_at_most_its_limit() {
        assert_eq!(Action::parse(""), Err(NameError::Empty { what: "action" }));
        assert!(Action::parse(&"a".repeat(128)).is_ok());
        let long = Action::parse(&"a".repeat(129));
        assert_eq!(long, Err(NameError::TooLong { what: "action", bytes_max: 128 }));
    }
}
