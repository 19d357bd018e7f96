//! The raw signature work that the format demands, with the fastest library in the tree.

use std::hint::black_box;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::meter::Case;

/// As many bytes as the signed payload of the canonical block has.
const PAYLOAD: usize = 700;

struct Raw {
    pair: Ed25519KeyPair,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Raw {
    fn new() -> Raw {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[4; 32]).unwrap();
        let message = vec![7; PAYLOAD];
        let signature = pair.sign(&message).as_ref().to_vec();
        Raw { pair, message, signature }
    }

    fn verify(&self) {
        let key = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        black_box(key.verify(&self.message, &self.signature)).unwrap();
    }

    fn sign(&self) {
        black_box(self.pair.sign(&self.message));
    }
}

fn derive() {
    black_box(Ed25519KeyPair::from_seed_unchecked(black_box(&[8; 32])).unwrap());
}

fn verifies(name: &'static str, signatures: usize) -> Case {
    let raw = Raw::new();
    Case::new(name, move || {
        (0..signatures).for_each(|_| raw.verify());
        derive();
    })
}

pub fn cases() -> Vec<Case> {
    let (mint, narrow) = (Raw::new(), Raw::new());
    vec![
        verifies("floor: 1 verify + 1 key", 1),
        verifies("floor: 2 verifies + 1 key", 2),
        verifies("floor: 3 verifies + 1 key", 3),
        Case::new("floor: 1 sign + 1 key", move || {
            mint.sign();
            derive();
        }),
        Case::new("floor: 1 sign + 2 keys", move || {
            narrow.sign();
            derive();
            derive();
        }),
    ]
}
