//! A holder's proof: who presents the token holds the key that it is bound to, and sent this request.
//!
//! `Farebox-Proof: <key>.<unix seconds>.<signature>`, in base64url. The signature is over the audience,
//! the token's last block, the request with the parameters actually sent, and the time: it fits no other
//! token, no token narrowed further, no other request, and no other half minute.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::UnixSeconds;
use crate::crypto::{self, Signature};
use crate::key::PublicKey;
use crate::limits;
use crate::name::{Action, Audience, Resource};
use crate::params::ParamsDigest;
use crate::params::bounds::Bounds;
use crate::refusal::ProofFlaw;
use crate::token::{Flaw, TokenText};
use crate::wire::envelope::Envelope;

/// The digest of a request: what approvals, evidence and holder proofs are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDigest([u8; 32]);

impl RequestDigest {
    /// The digest over action, resource, audience, parameters and, where there are any, bounds.
    #[must_use]
    pub fn of(
        action: &Action,
        resource: &Resource,
        audience: &Audience,
        params: ParamsDigest,
        bounds: Option<&Bounds>,
    ) -> RequestDigest {
        let bounds = bounds.map(Bounds::canonical).unwrap_or_default();
        let (action, resource) = (action.as_str().as_bytes(), resource.as_str().as_bytes());
        let audience = audience.as_str().as_bytes();
        // Each part is counted, so that no two requests run together into one text.
        RequestDigest(crypto::sha256(&[
            b"farebox-request/1\0",
            &length(action),
            action,
            &length(resource),
            resource,
            &length(audience),
            audience,
            params.as_bytes(),
            &length(&bounds),
            &bounds,
        ]))
    }

    /// The digest with these bytes, which somebody else computed.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> RequestDigest {
        RequestDigest(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn length(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

/// A text is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a proof is <key>.<unix seconds>.<signature> in base64url, by a key that is not of small order"
)]
pub struct ProofError;

/// A holder's proof, read and not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    key: PublicKey,
    at: UnixSeconds,
    signature: Signature,
}

impl Proof {
    /// Proves, at a time, that the holder of `key` sends this request with this token: `sign` signs
    /// with that key, wherever it is kept.
    ///
    /// # Errors
    /// [`Flaw`] where the token is none.
    pub fn make(
        token: &TokenText,
        audience: &Audience,
        request: &RequestDigest,
        (key, at): (PublicKey, UnixSeconds),
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Result<Proof, Flaw> {
        let bytes = token.bytes()?;
        let last = Envelope::read(&bytes)?.last().signature;
        Ok(Proof { key, at, signature: sign(&message(audience, &last, request, at)) })
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// [`ProofError`] where it is none.
    pub fn parse(text: &str) -> Result<Proof, ProofError> {
        let mut parts = text.split('.');
        let (Some(key), Some(at), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ProofError);
        };
        let digits = (1..=12).contains(&at.len()) && at.bytes().all(|b| b.is_ascii_digit());
        let at = at.parse().or(Err(ProofError))?;
        let key = PublicKey::from_bytes(decode(key)?).or(Err(ProofError))?;
        let signature = decode(signature)?;
        if digits { Ok(Proof { key, at: UnixSeconds(at), signature }) } else { Err(ProofError) }
    }

    /// Whose it is.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Checks it against the token's last signature, the request and the time.
    pub(crate) fn check(
        &self,
        audience: &Audience,
        last: &Signature,
        request: &RequestDigest,
        now: UnixSeconds,
    ) -> Result<(), ProofFlaw> {
        if now.0.abs_diff(self.at.0) > limits::PROOF_SECONDS_MAX {
            return Err(ProofFlaw::Stale);
        }
        if self.key.verifies(&message(audience, last, request, self.at), &self.signature) {
            Ok(())
        } else {
            Err(ProofFlaw::Signature)
        }
    }
}

fn message(
    audience: &Audience,
    last: &Signature,
    request: &RequestDigest,
    at: UnixSeconds,
) -> Vec<u8> {
    let audience = audience.as_str().as_bytes();
    let (count, at) = (length(audience), at.0.to_be_bytes());
    [b"farebox-proof/1\0".as_slice(), &count, audience, last, request.as_bytes(), &at].concat()
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], ProofError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).or(Err(ProofError))?;
    bytes.try_into().or(Err(ProofError))
}

/// The header's value. A proof is good for one token and half a minute, yet it is not for logs.
impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = URL_SAFE_NO_PAD.encode(self.key.as_bytes());
        write!(f, "{key}.{}.{}", self.at.0, URL_SAFE_NO_PAD.encode(self.signature))
    }
}

/// Only whose it is: while it is fresh, the rest is worth something to a thief.
impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof(by {})", self.key)
    }
}
