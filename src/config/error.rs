//! What is wrong with a configuration, and where it stands.

use std::io;
use std::path::PathBuf;

use farebox_verifier::redis::{AddressError, TopologyError};
use farebox_verifier::{NameError, PointerError};

use super::document::Spot;
use crate::callers::jwt::{AlgorithmError, ClaimTextError, JwksUrlError, TrustDomainError};
use crate::callers::{AttributeError, OwnedTwice, RoleError, WordError};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{spot}: {what}")]
    Syntax {
        /// Where.
        spot: Box<Spot>,
        /// What its reader says.
        what: String,
    },
    /// There is no such setting.
    #[error("{spot}: there is no setting {key}{}", meant.as_ref().map_or_else(String::new, |m| format!("; is {m} meant?")))]
    Unknown {
        /// Where.
        spot: Box<Spot>,
        /// What was said.
        key: String,
        /// What was most likely meant.
        meant: Option<String>,
    },
    /// A setting cannot be used.
    #[error("{place}{key} cannot be used")]
    Wrong {
        /// Which one.
        key: String,
        /// Who said so.
        place: Place,
        /// Why not.
        source: ValueError,
    },
}

impl ConfigError {
    /// The line that is meant, with a caret below it, where it stands in a file.
    #[must_use]
    pub fn excerpt(&self) -> Vec<String> {
        match self {
            ConfigError::Syntax { spot, .. }
            | ConfigError::Unknown { spot, .. }
            | ConfigError::Wrong { place: Place::File(spot), .. } => spot.excerpt(),
            ConfigError::File { .. } | ConfigError::Wrong { .. } => Vec::new(),
        }
    }
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file.
    File(Box<Spot>),
    /// A variable of the environment.
    Environment(&'static str),
    /// A flag on the command line.
    Flag(&'static str),
    /// Nobody: it is the default.
    Default,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(spot) => write!(f, "{spot}: "),
            Place::Environment(name) => write!(f, "{name}: "),
            Place::Flag(path) => write!(f, "--{}: ", path.replace(['.', '_'], "-")),
            Place::Default => Ok(()),
        }
    }
}

/// Why a value cannot be used. It never repeats the value, which could be a password in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each says itself what it is")]
pub enum ValueError {
    #[error("not {wanted}")]
    Kind { wanted: &'static str },
    #[error("not a whole number from {min} to {max}")]
    Range { min: u64, max: u64 },
    #[error("not one of {}", words.join(", "))]
    Word { words: &'static [&'static str] },
    #[error("empty")]
    Empty,
    #[error("more than {max} of them")]
    TooMany { max: usize },
    #[error("not an address such as 127.0.0.1:8420 or [::]:8420")]
    Listen,
    #[error(
        "not a url such as https://farebox.example, without a slash at its end, login, query or fragment"
    )]
    PublicUrl,
    #[error("not a time zone such as UTC or Europe/Berlin")]
    Zone,
    #[error("not 1 to 64 lower-case letters, digits, dots, dashes and underscores")]
    Issuer,
    #[error("{key} must stand beside it")]
    Beside { key: &'static str },
    #[error("{key} stands beside it, and only one of them may")]
    Instead { key: &'static str },
    #[error("it means nothing without {key}")]
    Without { key: &'static str },
    #[error("greater than {key}")]
    Above { key: &'static str },
    #[error("the name stands twice")]
    Twice,
    #[error("not NAME=URL, one in each line")]
    Server,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    CallerWord(#[from] WordError),
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    #[error(transparent)]
    Claim(#[from] PointerError),
    #[error(transparent)]
    ClaimText(#[from] ClaimTextError),
    #[error(transparent)]
    Jwks(#[from] JwksUrlError),
    #[error(transparent)]
    TrustDomain(#[from] TrustDomainError),
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    #[error(transparent)]
    Owned(#[from] OwnedTwice),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

impl From<std::convert::Infallible> for ValueError {
    fn from(never: std::convert::Infallible) -> ValueError {
        match never {}
    }
}
