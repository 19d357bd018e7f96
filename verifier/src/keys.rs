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

/// The number is taken by another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {id} is there already")]
pub struct KeyIdTaken {
    /// The number.
    pub id: u32,
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
    /// [`KeyIdTaken`] where the number is another key's, for a number must say which key it was.
    pub fn add_issuer(&mut self, id: u32, issuer: Issuer) -> Result<(), KeyIdTaken> {
        match self.issuers.insert(id, issuer) {
            None => Ok(()),
            Some(earlier) => {
                self.issuers.insert(id, earlier);
                Err(KeyIdTaken { id })
            }
        }
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
