//! What people and callers are called at the desk, and what is kept there unread.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::{Agent, NameError, Resource, Scope, ThirdParty};

use crate::limits;
use crate::store::packed::{Packed, PackedError, Reader, Writer};

/// The same error about a thing of another name: what is read as a resource is need not be called one.
fn called(what: &'static str, error: NameError) -> NameError {
    match error {
        NameError::Empty { .. } => NameError::Empty { what },
        NameError::TooLong { bytes_max, .. } => NameError::TooLong { what, bytes_max },
        NameError::Character { character, at, .. } => NameError::Character { what, character, at },
        other => other,
    }
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($rule);

        impl $name {
            /// Reads it.
            ///
            /// # Errors
            /// [`NameError`] where it is empty, too long, or would mislead its reader.
            pub fn parse(text: &str) -> Result<$name, NameError> {
                $rule::parse(text).map($name).map_err(|error| called($what, error))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl Packed for $name {
            fn pack(&self, to: &mut Writer) {
                to.bytes(self.as_str().as_bytes());
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$name, PackedError> {
                $name::parse(from.text()?).or(Err(PackedError::Value))
            }
        }
    };
}

word! {
    /// Who called, by the source that vouched for it: `oidc:corp:alice`. Read as an agent's id is.
    Caller, "caller", Agent
}
word! {
    /// The person, or the one thing, behind one or several callers: what an approval is counted by.
    Owner, "owner", Agent
}
word! {
    /// A group of approvers: `finance`. Read as a third party's name is.
    Group, "group", ThirdParty
}
word! {
    /// Why, in a person's words. Read as a resource's name is: one line.
    Reason, "reason", Resource
}

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Packed for $name {
            fn pack(&self, to: &mut Writer) {
                self.0.pack(to);
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$name, PackedError> {
                Packed::unpack(from).map($name)
            }
        }
    };
}

hash! {
    /// The hash of a caller and the idempotency key that it gave.
    KeyDigest, 32
}
hash! {
    /// The hash of everything in a request that must be the same for it to be the same request.
    RequestHash, 32
}
hash! {
    /// Half of a hash that is kept a million times: enough that nobody finds another with it.
    Half, 16
}

impl KeyDigest {
    /// This caller's key. One caller's keys are not another's.
    #[must_use]
    pub fn of(caller: &Caller, key: &str) -> KeyDigest {
        // No caller holds the separator, so no two pairs are one text.
        KeyDigest(sha256(&[b"farebox-key/1\0", caller.as_str().as_bytes(), b"\0", key.as_bytes()]))
    }

    pub(super) fn half(&self) -> Half {
        half(&self.0)
    }
}

impl RequestHash {
    pub(super) fn half(&self) -> Half {
        half(&self.0)
    }
}

fn half(whole: &[u8; 32]) -> Half {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(whole) {
        *to = *from;
    }
    Half(bytes)
}

/// Eight bytes for a name of a kind that no selector has.
pub(super) fn scope(kind: &str, name: &str) -> Scope {
    let [a, b, c, d, e, f, g, h, ..] =
        sha256(&[b"farebox-desk/1\0", kind.as_bytes(), b"\0", name.as_bytes()]);
    Scope::from_bytes([a, b, c, d, e, f, g, h])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, &parts.concat()).as_ref()) {
        *to = *from;
    }
    bytes
}

/// What is given to be kept is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("longer than {bytes_max} bytes")]
pub struct TooLong {
    /// The limit.
    pub bytes_max: usize,
}

macro_rules! unread {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $name(Arc<[u8]>);

        impl $name {
            /// Keeps these bytes.
            ///
            /// # Errors
            /// [`TooLong`] where there are too many.
            pub fn new(bytes: &[u8]) -> Result<$name, TooLong> {
                let bytes_max = $max;
                if bytes.len() > bytes_max { Err(TooLong { bytes_max }) } else { Ok($name(bytes.into())) }
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        impl Packed for $name {
            fn pack(&self, to: &mut Writer) {
                to.bytes(&self.0);
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$name, PackedError> {
                $name::new(from.bytes()?).or(Err(PackedError::TooLong))
            }
        }
    };
}

unread! {
    /// A request as its issuer keeps it, to decide it again. It holds parameters, and never shows.
    Body, limits::REQUEST_BODY_BYTES_MAX
}
unread! {
    /// What an approver signed with, as it came.
    DecisionSignature, limits::DECISION_SIGNATURE_BYTES_MAX
}

/// What the events of a life carry, so that the drain knows them from forged ones. It never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct EventSecret([u8; 16]);

impl EventSecret {
    /// The secret with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> EventSecret {
        EventSecret(bytes)
    }

    /// The bytes, for the store and its drain and for nobody else.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for EventSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventSecret(secret)")
    }
}

impl Packed for EventSecret {
    fn pack(&self, to: &mut Writer) {
        self.0.pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<EventSecret, PackedError> {
        Packed::unpack(from).map(EventSecret)
    }
}
