//! The public keys that a verifier trusts: issuers by their number, third parties by name.

mod file;
mod folder;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::key::PublicKey;
use crate::name::ThirdParty;

pub use file::{KeyFileError, KeyFormat, hex_text, jwk_text, parse, pem_text};
pub use folder::KeysError;

/// An issuer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Its tokens are taken.
    Trusted(PublicKey),
    /// Its tokens are dead; it is kept to say so.
    Retired(PublicKey),
}

impl Issuer {
    /// The key, whatever became of it.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        match self {
            Issuer::Trusted(key) | Issuer::Retired(key) => key,
        }
    }
}

/// Why a key does not join a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The number is another key's.
    #[error("key {id} is there already")]
    IdTaken {
        /// The number.
        id: u32,
    },
    /// The key has another number. A token's key id is outside its signature, so a key under two numbers
    /// could not be retired under one of them.
    #[error("the key of number {id} is there already, as number {other}")]
    KeyTaken {
        /// The number.
        id: u32,
        /// The other one.
        other: u32,
    },
}

/// A set of keys at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRing {
    issuers: HashMap<u32, Issuer>,
    third_parties: BTreeMap<ThirdParty, PublicKey>,
}

impl KeyRing {
    /// Adds an issuer's key.
    ///
    /// # Errors
    /// [`IssuerError`] where the number or the key is there already: each must say which the other was.
    pub fn add_issuer(&mut self, id: u32, issuer: Issuer) -> Result<(), IssuerError> {
        if self.issuers.contains_key(&id) {
            return Err(IssuerError::IdTaken { id });
        }
        let twin = self.issuers.iter().find(|(_, known)| known.key() == issuer.key());
        if let Some((other, _)) = twin {
            return Err(IssuerError::KeyTaken { id, other: *other });
        }
        self.issuers.insert(id, issuer);
        Ok(())
    }

    /// Adds or replaces a third party's key.
    pub fn add_third_party(&mut self, name: ThirdParty, key: PublicKey) {
        self.third_parties.insert(name, key);
    }

    /// The issuer's key of this number.
    #[must_use]
    pub fn issuer(&self, id: u32) -> Option<&Issuer> {
        self.issuers.get(&id)
    }

    /// The issuers' keys, by number.
    #[must_use]
    pub fn issuers(&self) -> BTreeMap<u32, Issuer> {
        self.issuers.iter().map(|(id, issuer)| (*id, *issuer)).collect()
    }

    /// The third party's key of this name.
    #[must_use]
    pub fn third_party(&self, name: &ThirdParty) -> Option<&PublicKey> {
        self.third_parties.get(name)
    }

    /// Whose key this is among the third parties.
    #[must_use]
    pub fn name_of(&self, key: &PublicKey) -> Option<&ThirdParty> {
        self.third_parties.iter().find(|(_, known)| *known == key).map(|(name, _)| name)
    }

    /// The third parties' keys, by name.
    pub fn third_parties(&self) -> impl Iterator<Item = (&ThirdParty, &PublicKey)> {
        self.third_parties.iter()
    }
}

/// The keys in force, exchanged whole while verifications run; none of them waits for a lock.
pub struct Keys(ArcSwap<KeyRing>);

impl Keys {
    /// Starts with this ring.
    #[must_use]
    pub fn new(ring: KeyRing) -> Keys {
        Keys(ArcSwap::from_pointee(ring))
    }

    /// Puts another ring in force. A verification that began under the old one ends under it.
    pub fn swap(&self, ring: KeyRing) {
        self.0.store(Arc::new(ring));
    }

    /// The ring in force.
    pub fn now(&self) -> Guard<Arc<KeyRing>> {
        self.0.load()
    }
}
