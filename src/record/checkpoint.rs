//! A checkpoint: the issuer's signature under all that stands before it in a chain.
//!
//! It stands in the chain as an entry, and the last one also beside the record, so that a record that lost its
//! end is found out. Whoever keeps one elsewhere can prove that nothing before it was changed, ever.

use std::fmt::Write as _;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use farebox_verifier::{PublicKey, Signature, UnixSeconds};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::entry::Entry;
use super::kind::Kind;
use super::line::{Chain, Hash, Recorded};
use crate::signer::PrivateKey;

const TAG: &[u8] = b"farebox-record/1\0";

/// What signs checkpoints.
pub trait CheckpointKey: Send + Sync {
    /// Its number, under which its public half is known.
    fn id(&self) -> u32;

    /// Its public half.
    fn public(&self) -> PublicKey;

    /// Signs.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// A private key under its number.
pub struct NumberedKey {
    id: u32,
    key: PrivateKey,
}

impl NumberedKey {
    /// This key, under this number.
    #[must_use]
    pub fn new(id: u32, key: PrivateKey) -> NumberedKey {
        NumberedKey { id, key }
    }
}

impl CheckpointKey for NumberedKey {
    fn id(&self) -> u32 {
        self.id
    }

    fn public(&self) -> PublicKey {
        self.key.public()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }
}

/// A signature under a chain up to one of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The chain.
    pub chain: Chain,
    /// The last entry that it covers.
    pub n: u64,
    /// Its hash.
    pub hash: Hash,
    /// When it was signed.
    pub at: UnixSeconds,
    /// The number of the key.
    pub key: u32,
    /// The signature.
    pub signature: Signature,
}

/// A text that is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint")]
pub struct NoCheckpoint;

impl Checkpoint {
    /// Signs for a chain up to this entry.
    pub(super) fn sign(
        chain: &Chain,
        (n, hash): (u64, Hash),
        at: UnixSeconds,
        key: &dyn CheckpointKey,
    ) -> Checkpoint {
        let key_id = key.id();
        let signature = key.sign(&statement(chain, (n, hash), at, key_id));
        Checkpoint { chain: chain.clone(), n, hash, at, key: key_id, signature }
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = statement(&self.chain, (self.n, self.hash), self.at, self.key);
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(&message, &self.signature).is_ok()
    }

    /// The entry that says it: what it covers is what stands right before that entry.
    pub(super) fn entry(&self) -> Entry {
        let entry = Entry::of(Kind::Checkpoint).at(self.at);
        entry.detail("key", self.key).detail("signature", hex(&self.signature))
    }

    /// The checkpoint that an entry says; `None` also for an entry of another kind.
    #[must_use]
    pub fn of(recorded: &Recorded) -> Option<Checkpoint> {
        if recorded.entry.kind != Kind::Checkpoint {
            return None;
        }
        let detail = recorded.entry.detail.as_ref()?;
        Some(Checkpoint {
            chain: recorded.chain.clone(),
            n: recorded.n.checked_sub(1)?,
            hash: recorded.prev,
            at: recorded.entry.at?,
            key: detail.get("key")?.as_u64()?.try_into().ok()?,
            signature: unhex(detail.get("signature")?.as_str()?)?,
        })
    }

    /// As text, to be kept elsewhere.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "chain": self.chain.as_str(),
            "n": self.n,
            "hash": self.hash.to_string(),
            "time": self.at.to_string(),
            "key": self.key,
            "signature": hex(&self.signature),
        })
    }

    /// Reads what [`Checkpoint::to_json`] wrote.
    ///
    /// # Errors
    /// [`NoCheckpoint`] where it is none.
    pub fn from_json(text: &[u8]) -> Result<Checkpoint, NoCheckpoint> {
        let value: Value = serde_json::from_slice(text).or(Err(NoCheckpoint))?;
        let read = || {
            let date = OffsetDateTime::parse(value.get("time")?.as_str()?, &Rfc3339).ok()?;
            Some(Checkpoint {
                chain: Chain::parse(value.get("chain")?.as_str()?).ok()?,
                n: value.get("n")?.as_u64()?,
                hash: Hash::from_hex(value.get("hash")?.as_str()?)?,
                at: date.into(),
                key: value.get("key")?.as_u64()?.try_into().ok()?,
                signature: unhex(value.get("signature")?.as_str()?)?,
            })
        };
        read().ok_or(NoCheckpoint)
    }
}

/// What is signed: a text, so that it can be made again in any language.
fn statement(chain: &Chain, (n, hash): (u64, Hash), at: UnixSeconds, key: u32) -> Vec<u8> {
    let text =
        format!(r#"{{"chain":"{chain}","n":{n},"hash":"{hash}","time":"{at}","key":{key}}}"#);
    [TAG, text.as_bytes()].concat()
}

fn hex(signature: &Signature) -> String {
    let mut text = String::with_capacity(128);
    for byte in signature {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Signature> {
    let (left, right) = text.split_at_checked(64)?;
    let mut signature = [0; 64];
    let halves = [Hash::from_hex(left)?, Hash::from_hex(right)?];
    for (to, from) in signature.iter_mut().zip(halves.iter().flat_map(Hash::bytes)) {
        *to = *from;
    }
    Some(signature)
}
