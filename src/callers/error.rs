//! Why callers cannot be read or changed, and why somebody is none.

use std::io;
use std::path::PathBuf;

use farebox_verifier::{NoRandom, UnixSeconds};

use super::account::AccountError;
use super::caller::{CallerName, SourceName};
use super::jwt::AuthoritiesError;
use super::secret::KeyId;
use crate::limits;

/// Why the accounts of callers cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallersError {
    /// The folder cannot be read, made or locked.
    #[error("folder {} cannot be used", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("{} can be read or written by others (mode {mode:03o}): chmod 600 it", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It says no caller.
    #[error("{} is no caller", path.display())]
    Account {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: AccountError,
    },
    /// It says another caller than its name does.
    #[error("{} says caller {name}, which has a file of its own", path.display())]
    Misnamed {
        /// Which.
        path: PathBuf,
        /// Whom it says.
        name: CallerName,
    },
    /// Two callers have a key of one number.
    #[error("callers {first} and {second} both have key {id}")]
    KeyTwice {
        /// Which key.
        id: KeyId,
        /// One of them.
        first: CallerName,
        /// The other.
        second: CallerName,
    },
    /// The file of the first key holds something else.
    #[error("{} holds no api key", path.display())]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// There are too many.
    #[error("more than {} callers", limits::CALLERS_MAX)]
    TooMany,
    /// A caller has too many keys at once.
    #[error(
        "caller {name} has {} living keys already: end one, or shorten the overlap",
        limits::CALLER_KEYS_MAX
    )]
    TooManyKeys {
        /// Who.
        name: CallerName,
    },
    /// The name is or was somebody's.
    #[error("caller {name} is or was there already, and a name is never used twice")]
    Taken {
        /// Which.
        name: CallerName,
    },
    /// There is no such caller.
    #[error("there is no caller {name} in {}", folder.display())]
    NoSuch {
        /// Who.
        name: CallerName,
        /// Where.
        folder: PathBuf,
    },
    /// The caller has no such key that lives.
    #[error("caller {name} has no living key {id}")]
    NoSuchKey {
        /// Who.
        name: CallerName,
        /// Which key.
        id: KeyId,
    },
    /// The caller is retired.
    #[error("caller {name} is retired")]
    Retired {
        /// Who.
        name: CallerName,
    },
    /// Its rights do not fit.
    #[error("caller cannot have so much")]
    Rights {
        /// What.
        source: AccountError,
    },
    /// The keys of a source could never be fetched.
    #[error("source {name} cannot be asked for its keys")]
    Source {
        /// Which.
        name: SourceName,
        /// Why not.
        source: AuthoritiesError,
    },
    /// No key could be made.
    #[error("no key could be made")]
    Random(#[from] NoRandom),
}

/// Somebody is not known here. Whoever asks hears this and no more; [`Unauthenticated::reason`] is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credential is not taken here")]
pub struct Unauthenticated {
    reason: Reason,
}

impl Unauthenticated {
    /// Why, for the log. It repeats nothing of the credential.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }
}

impl From<Reason> for Unauthenticated {
    fn from(reason: Reason) -> Unauthenticated {
        Unauthenticated { reason }
    }
}

/// Why a credential is not taken, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is too long to be looked at.
    #[error("longer than {} bytes", limits::BEARER_BYTES_MAX)]
    TooLong,
    /// It is neither an API key nor a JWT.
    #[error("neither an api key nor a jwt")]
    Neither,
    /// It is spelt like an API key, and nobody has it.
    #[error("no such api key")]
    NoSuchKey,
    /// It is a key that has ended.
    #[error("api key {id} of caller {name} has ended")]
    KeyEnded {
        /// Which key.
        id: KeyId,
        /// Whose.
        name: CallerName,
    },
    /// It is a key of a caller that is retired.
    #[error("caller {name} is retired, and api key {id} with it")]
    CallerRetired {
        /// Which key.
        id: KeyId,
        /// Whose.
        name: CallerName,
    },
    /// It is no JWT that anybody could read in one way only.
    #[error("jwt is malformed")]
    Malformed,
    /// It must not be taken by whoever does not know what it says about itself.
    #[error("jwt has critical members that are not known here")]
    Critical,
    /// It is a token for something else.
    #[error("jwt is of a kind that is no credential")]
    Type,
    /// It is signed in a way that its source does not sign in, or not at all.
    #[error("jwt is signed with an algorithm that is not taken")]
    Algorithm,
    /// It is of nobody that is configured.
    #[error("jwt is of no source that is known here")]
    UnknownIssuer,
    /// It was made for somebody else.
    #[error("jwt is for another audience")]
    Audience,
    /// There are no keys to verify it with.
    #[error("no keys of its source could be read")]
    NoKeys,
    /// It is signed with a key that its source does not have.
    #[error("jwt is signed with a key that its source does not have")]
    UnknownKey,
    /// It names a key of another kind than its algorithm needs.
    #[error("jwt names a key of another kind")]
    KeyKind,
    /// Its signature does not hold.
    #[error("signature of the jwt does not hold")]
    Signature,
    /// It says no end.
    #[error("jwt of {from} has no end")]
    Endless {
        /// Whose.
        from: SourceName,
    },
    /// It has ended.
    #[error("jwt of {from} has ended at {end}")]
    Expired {
        /// Whose.
        from: SourceName,
        /// When.
        end: UnixSeconds,
    },
    /// It is of later.
    #[error("jwt of {from} is not valid yet")]
    NotYet {
        /// Whose.
        from: SourceName,
    },
    /// It was made too long ago.
    #[error("jwt of {from} is too old, or does not say when it was made")]
    TooOld {
        /// Whose.
        from: SourceName,
    },
    /// A claim is not there, or does not fit.
    #[error("claim {claim} of the jwt of {from} is missing or does not fit")]
    Claim {
        /// Whose.
        from: SourceName,
        /// Which, as the configuration names it.
        claim: String,
    },
    /// It says more than one caller may have.
    #[error("jwt of {from} says too much")]
    TooMuch {
        /// Whose.
        from: SourceName,
    },
    /// No rule says what its caller may do.
    #[error("jwt of {from} fits no rule")]
    NoRule {
        /// Whose.
        from: SourceName,
    },
    /// The name of whoever it is makes no agent.
    #[error("name makes no agent's id")]
    Name,
}
