//! Keys of a provider, and tokens made with them by hand, so that any of them can be wrong.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ground::NOW;

/// A key that signs tokens.
pub(super) enum Key {
    Rsa(&'static RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Making one takes a while, and which one it is changes nothing.
static RSA: LazyLock<[RsaKeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));

impl Key {
    pub(super) fn rsa(which: usize) -> Key {
        Key::Rsa(&RSA[which])
    }

    pub(super) fn p256() -> Key {
        Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(super) fn ed25519(seed: u8) -> Key {
        Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    /// The public half, under a name.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        match self {
            Key::Rsa(key) => {
                // The public key of PKCS #1: two numbers, of which the second is 65537.
                let der = key.public_key().as_ref();
                let n = &der[der.len() - 5 - 256..der.len() - 5];
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": text(n), "e": "AQAB" })
            }
            Key::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y })
            }
            Key::Ed25519(key) => {
                let x = text(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "x": x })
            }
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (self, alg) {
            (Key::Rsa(key), "PS256") => {
                let mut signature = vec![0; 256];
                key.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            (Key::Rsa(key), _) => {
                let mut signature = vec![0; 256];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            (Key::P256(key), _) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            (Key::Ed25519(key), _) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this head and these claims.
    pub(super) fn token(&self, head: &Value, claims: &Value) -> String {
        self.token_of(&head.to_string(), &claims.to_string())
    }

    /// The same of any two texts.
    pub(super) fn token_of(&self, head: &str, claims: &str) -> String {
        let alg: Value = serde_json::from_str(head).unwrap_or_default();
        let message = format!("{}.{}", text(head.as_bytes()), text(claims.as_bytes()));
        let signature = self.sign(alg["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", text(&signature))
    }
}

/// Bytes as tokens have them.
pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a good token of the provider says.
pub(super) fn claims() -> Value {
    json!({
        "iss": "https://corp.example",
        "aud": "https://farebox.example",
        "sub": "alice",
        "team": "billing",
        "iat": NOW - 10,
        "exp": NOW + 60,
    })
}

/// The same with one claim otherwise; null takes it out.
pub(super) fn claims_but(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

pub(super) fn head(alg: &str, kid: &str) -> Value {
    json!({ "alg": alg, "kid": kid, "typ": "JWT" })
}
