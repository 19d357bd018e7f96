//! The primitives by aws-lc-rs.

use aws_lc_rs::digest::{self, Context, SHA256};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::{NoRandom, Signature};

/// What is no longer than this is hashed at one go: each call of the library costs as much as a block does.
const SHORT_BYTES: usize = 256;

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = match gathered(parts, &mut [0; SHORT_BYTES]) {
        Some(short) => digest::digest(&SHA256, short),
        None => {
            let mut context = Context::new(&SHA256);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        }
    };
    let mut bytes = [0; 32];
    // The digest of SHA-256 has 32 bytes, so both sides are always of one length.
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

fn gathered<'a>(parts: &[&[u8]], into: &'a mut [u8; SHORT_BYTES]) -> Option<&'a [u8]> {
    let mut end = 0_usize;
    for part in parts {
        let from = end;
        end = end.checked_add(part.len())?;
        into.get_mut(from..end)?.copy_from_slice(part);
    }
    into.get(..end)
}

pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}

pub(crate) fn public_of(seed: &[u8; 32]) -> Option<[u8; 32]> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    pair.public_key().as_ref().try_into().ok()
}

pub(crate) fn sign(seed: &[u8; 32], message: &[u8]) -> Option<Signature> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    pair.sign(message).as_ref().try_into().ok()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(aws_lc_rs::error::Unspecified) => Err(NoRandom),
    }
}
