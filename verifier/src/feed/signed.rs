//! What an issuer signs of its feed: a compact JWS under a type of its own, so that nothing else that the same key
//! might sign is taken for it.
//!
//! ```text
//! {"alg":"EdDSA","kid":KEY,"typ":"farebox-feed+jws"} . {"epoch":…,"number":7,"digest":…,"iat":1800000000} . signature
//! ```
//! A snapshot's has one member more: `state`, the hash of its lines.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::FeedError;
use super::event::{Epoch, FeedDigest};
use crate::clock::UnixSeconds;
use crate::crypto::{self, Signature};
use crate::key::PublicKey;
use crate::params::json::{Json, Object};

/// The type of a head.
pub const HEAD_TYPE: &str = "farebox-feed+jws";
/// The type of a snapshot's head.
pub const SNAPSHOT_TYPE: &str = "farebox-feed-snapshot+jws";

const STATE_TAG: &[u8] = b"farebox-feed-snapshot/1\0";

/// A head whose signature holds.
pub(super) struct Head {
    pub(super) epoch: Epoch,
    pub(super) number: u64,
    pub(super) digest: FeedDigest,
    pub(super) issued_at: UnixSeconds,
    /// Of a snapshot.
    pub(super) state: Option<FeedDigest>,
}

impl Head {
    /// Reads a head that one of these keys signed.
    pub(super) fn read(what: &str, text: &str, keys: &[PublicKey]) -> Result<Head, FeedError> {
        let (message, signature) = text.rsplit_once('.').ok_or(FeedError::Malformed)?;
        let (head, payload) = message.split_once('.').ok_or(FeedError::Malformed)?;
        let head = object(head)?;
        let known = [word(&head, "alg")?, word(&head, "typ")?] == ["EdDSA", what];
        if head.len() != 3 || !known {
            return Err(FeedError::Malformed);
        }
        let signer = word(&head, "kid")?;
        let key = keys.iter().find(|key| key.to_string() == signer).ok_or(FeedError::UnknownKey)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).or(Err(FeedError::Malformed))?;
        let signature = Signature::try_from(signature).or(Err(FeedError::Signature))?;
        if !key.verifies(message.as_bytes(), &signature) {
            return Err(FeedError::Signature);
        }
        let payload = object(payload)?;
        Ok(Head {
            epoch: Epoch::from_hex(word(&payload, "epoch")?).ok_or(FeedError::Malformed)?,
            number: number(&payload, "number")?,
            digest: FeedDigest::from_hex(word(&payload, "digest")?).ok_or(FeedError::Malformed)?,
            issued_at: UnixSeconds(number(&payload, "iat")?),
            state: match payload.get("state") {
                None => None,
                Some(_) => Some(
                    FeedDigest::from_hex(word(&payload, "state")?).ok_or(FeedError::Malformed)?,
                ),
            },
        })
    }
}

impl FeedDigest {
    /// The hash of a snapshot's lines: the events that stand, each in a line.
    #[must_use]
    pub fn of_snapshot<'a>(lines: impl IntoIterator<Item = &'a str>) -> FeedDigest {
        let text: String = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
        FeedDigest::from_bytes(crypto::sha256(&[STATE_TAG, text.as_bytes()]))
    }
}

fn object(part: &str) -> Result<Object, FeedError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).or(Err(FeedError::Malformed))?;
    match Json::parse(&bytes) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(FeedError::Malformed),
    }
}

fn word<'a>(object: &'a Object, name: &str) -> Result<&'a str, FeedError> {
    match object.get(name) {
        Some(Json::Text(text)) => Ok(text),
        _ => Err(FeedError::Malformed),
    }
}

fn number(object: &Object, name: &str) -> Result<u64, FeedError> {
    let value = object.get(name).and_then(Json::as_int);
    value.and_then(|value| u64::try_from(value).ok()).ok_or(FeedError::Malformed)
}
