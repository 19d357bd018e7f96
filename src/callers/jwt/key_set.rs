//! A set of keys (JWKS), of which only what can verify a signature is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::PublicKey;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::algorithm::Algorithm;
use super::token::Token;
use crate::callers::Reason;
use crate::limits;

/// The keys of one source at one time.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    name: Option<String>,
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

enum Material {
    Rsa(DecodingKey),
    P256(DecodingKey),
    P384(DecodingKey),
    Ed25519(PublicKey),
}

/// A key of which nothing is secret.
#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private half, or a shared secret: whoever publishes one has given the key away.
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

/// Why a text is no set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// No JSON object with `keys`.
    #[error("not a set of keys")]
    Malformed,
    /// Too many.
    #[error("more than {} keys", limits::JWKS_KEYS_MAX)]
    TooMany,
    /// Nothing in it could verify a token. A source that withdraws all its keys at once is most likely out of order.
    #[error("no key in it can be used")]
    Useless,
}

impl KeySet {
    pub(super) fn parse(text: &[u8]) -> Result<KeySet, KeySetError> {
        let jwks: Jwks = serde_json::from_slice(text).or(Err(KeySetError::Malformed))?;
        if jwks.keys.len() > limits::JWKS_KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        // A key of a kind that nobody here knows must not take the others with it.
        let known = jwks
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Jwk>(key).ok().and_then(|key| key.key()));
        let keys: Vec<Key> = known.collect();
        if keys.is_empty() { Err(KeySetError::Useless) } else { Ok(KeySet(keys)) }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks the token's signature with the key that it names.
    pub(super) fn verify(&self, token: &Token<'_>) -> Result<(), Reason> {
        let named = |key: &&Key| token.key.is_none() || key.name == token.key;
        let mut named = self.0.iter().filter(named).peekable();
        if named.peek().is_none() {
            return Err(Reason::UnknownKey);
        }
        let mut fitting = named.filter(|key| key.fits(token.algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) if key.verifies(token) => Ok(()),
            (Some(_), None) => Err(Reason::Signature),
            (None, _) => Err(Reason::KeyKind),
            // Trying one after the other would let whoever sends tokens choose how much is computed.
            (Some(_), Some(_)) => Err(Reason::UnknownKey),
        }
    }
}

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self.material, Material::Rsa(_)),
            Algorithm::Es256 => matches!(self.material, Material::P256(_)),
            Algorithm::Es384 => matches!(self.material, Material::P384(_)),
            Algorithm::EdDsa => matches!(self.material, Material::Ed25519(_)),
        };
        kind && self.algorithm.is_none_or(|only| only == algorithm)
    }

    fn verifies(&self, token: &Token<'_>) -> bool {
        let message = token.message.as_bytes();
        match &self.material {
            Material::Rsa(key) | Material::P256(key) | Material::P384(key) => {
                let algorithm = token.algorithm.of_library();
                let verdict =
                    jsonwebtoken::crypto::verify(token.signature, message, key, algorithm);
                verdict.unwrap_or(false)
            }
            // Strictly: the library would take keys and signatures of small order.
            Material::Ed25519(key) => {
                let signature = URL_SAFE_NO_PAD.decode(token.signature).unwrap_or_default();
                signature.as_slice().try_into().is_ok_and(|bytes| key.verifies(message, bytes))
            }
        }
    }
}

impl Jwk {
    /// The key, if it is one that verifies signatures.
    fn key(self) -> Option<Key> {
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        let usage = self.usage.as_deref().is_none_or(|usage| ["sig", "jwt-svid"].contains(&usage));
        let secret = self.d.is_some() || self.k.is_some();
        if secret || !usage || !self.key_ops.as_ref().is_none_or(verifies) {
            return None;
        }
        let algorithm = match self.alg.as_deref() {
            None => None,
            // The name that RFC 9864 gives to what tokens go on calling EdDSA.
            Some("Ed25519") => Some(Algorithm::EdDsa),
            Some(word) => Some(Algorithm::parse(word).ok()?),
        };
        Some(Key { algorithm, material: self.material()?, name: self.kid })
    }

    fn material(&self) -> Option<Material> {
        match (self.kty.as_deref()?, self.crv.as_deref()) {
            ("RSA", None) => {
                let (n, e) = (part(self.n.as_deref())?, part(self.e.as_deref())?);
                // 2,048 bits at least, and what aws-lc computes with at most.
                let bytes = n.iter().skip_while(|byte| **byte == 0).count();
                let fits = (256..=1_024).contains(&bytes);
                fits.then(|| Material::Rsa(DecodingKey::from_rsa_raw_components(&n, &e)))
            }
            ("EC", Some("P-256")) => Some(Material::P256(self.point(32)?)),
            ("EC", Some("P-384")) => Some(Material::P384(self.point(48)?)),
            ("OKP", Some("Ed25519")) => {
                let x = part(self.x.as_deref())?.try_into().ok()?;
                PublicKey::from_bytes(x).ok().map(Material::Ed25519)
            }
            _ => None,
        }
    }

    fn point(&self, bytes: usize) -> Option<DecodingKey> {
        let (x, y) = (part(self.x.as_deref())?, part(self.y.as_deref())?);
        let fits = x.len() == bytes && y.len() == bytes;
        fits.then(|| DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
    }
}

fn part(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(keys: &str) -> Result<usize, KeySetError> {
        KeySet::parse(format!("{{\"keys\":[{keys}]}}").as_bytes()).map(|set| set.len())
    }

    #[test]
    fn only_keys_that_verify_signatures_are_kept() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let good = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}"#);
        assert_eq!(count(&good), Ok(1));
        let n = URL_SAFE_NO_PAD.encode([255; 128]);
        for odd in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{x}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","key_ops":["sign"]}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"HS256"}}"#),
            format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, URL_SAFE_NO_PAD.encode([0; 32])),
            format!(r#"{{"kty":"oct","k":"{x}"}}"#),
            format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"AA"}}"#),
            r#"{"kty":7}"#.to_owned(),
            "7".to_owned(),
        ] {
            assert_eq!(count(&odd), Err(KeySetError::Useless), "{odd}");
            assert_eq!(count(&format!("{odd},{good}")), Ok(1), "{odd}");
        }
        assert_eq!(count(&vec![good.as_str(); 101].join(",")), Err(KeySetError::TooMany));
        for garbage in ["", "{}", "[]", "<html>", "{\"keys\":{}}", "null"] {
            let read = KeySet::parse(garbage.as_bytes()).err();
            assert_eq!(read, Some(KeySetError::Malformed), "{garbage}");
        }
    }
}
