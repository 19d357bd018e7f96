//! A public key: an Ed25519 key that somebody can hold.

use std::fmt;

use crate::crypto::{self, Signature};
use crate::hex;

/// The small-order points by their y coordinate, the sign bit cleared, canonical or not.
///
/// A key of small order verifies signatures that nobody made, and neither aws-lc nor ring refuses it.
const SMALL_ORDER: [[u8; 32]; 7] = [
    y(0x00, 0x00, 0x00), // 0: order 4
    y(0x01, 0x00, 0x00), // 1: the identity
    y(0xec, 0xff, 0x7f), // p - 1: order 2
    y(0xed, 0xff, 0x7f), // p, the same as 0
    y(0xee, 0xff, 0x7f), // p + 1, the same as 1
    [
        // order 8
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        // order 8, the other pair
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Thirty-two bytes of which all but the first and the last are alike.
const fn y(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// The key has small order: signatures under it prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public key has small order, signatures under it prove nothing")]
pub struct SmallOrder;

fn has_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// An Ed25519 public key that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these bytes.
    ///
    /// # Errors
    /// [`SmallOrder`] where a signature under it would prove nothing.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<PublicKey, SmallOrder> {
        if has_small_order(&bytes) { Err(SmallOrder) } else { Ok(PublicKey(bytes)) }
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the holder of this key signed `message`.
    ///
    /// A signature whose nonce is a point of small order is none, as strict libraries have it: aws-lc
    /// would take it, and two verifiers must not differ.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let nonce = signature.first_chunk();
        nonce.is_some_and(|nonce| !has_small_order(nonce))
            && crypto::verify(&self.0, message, signature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_small_order_key_is_refused_with_either_sign() {
        for y in SMALL_ORDER {
            for sign in [0x00, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                assert_eq!(PublicKey::from_bytes(bytes), Err(SmallOrder));
                // The other library agrees, wherever it takes the bytes for a point at all.
                if let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&bytes) {
                    assert!(key.is_weak(), "{bytes:02x?}");
                }
            }
        }
    }

    #[test]
    fn the_list_of_small_order_keys_is_whole() {
        use curve25519_dalek::constants::EIGHT_TORSION;
        for point in EIGHT_TORSION {
            let bytes = point.compress().to_bytes();
            assert_eq!(PublicKey::from_bytes(bytes), Err(SmallOrder));
        }
    }

    #[test]
    fn an_ordinary_key_is_taken() {
        for seed in 0..64 {
            let key = crypto::public_of(&[seed; 32]).unwrap();
            assert!(PublicKey::from_bytes(key).is_ok());
        }
    }
}
