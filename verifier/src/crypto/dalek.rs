//! The primitives in pure Rust.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{NoRandom, Signature};

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

pub(crate) fn public_of(seed: &[u8; 32]) -> Option<[u8; 32]> {
    Some(SigningKey::from_bytes(seed).verifying_key().to_bytes())
}

pub(crate) fn sign(seed: &[u8; 32], message: &[u8]) -> Option<Signature> {
    Some(SigningKey::from_bytes(seed).sign(message).to_bytes())
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(NoRandom),
    }
}
