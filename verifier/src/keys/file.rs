//! A public key's text: hexadecimal, PEM or JWK, read and written.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::hex;
use crate::key::PublicKey;
use crate::params::json::{Json, Object};

/// The DER before an Ed25519 key in a `SubjectPublicKeyInfo`: nothing in it varies.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// `ed25519/` and 64 digits, or the digits alone.
    Hex,
    /// A PEM `PUBLIC KEY`.
    Pem,
    /// A JSON Web Key, `OKP` with `Ed25519`.
    Jwk,
}

impl KeyFormat {
    /// The format that a file's ending names.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<KeyFormat> {
        match ending {
            "hex" => Some(KeyFormat::Hex),
            "pem" => Some(KeyFormat::Pem),
            "jwk" => Some(KeyFormat::Jwk),
            _ => None,
        }
    }
}

/// Why a text is no public key. It never repeats the text, which could be a private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A private key, where only public ones belong.
    #[error("this is a private key, and only public keys belong here")]
    Private,
    /// Another kind of key.
    #[error("not an Ed25519 key")]
    NotEd25519,
    /// Not the format that it should be.
    #[error("not a public key in {format:?} format")]
    Malformed {
        /// Which one.
        format: KeyFormat,
    },
    /// A key under which signatures prove nothing.
    #[error("public key has small order, signatures under it prove nothing")]
    SmallOrder,
}

/// Reads a public key.
///
/// # Errors
/// [`KeyFileError`] where the text is none.
pub fn parse(text: &str, format: KeyFormat) -> Result<PublicKey, KeyFileError> {
    let bytes = match format {
        KeyFormat::Hex => parse_hex(text.trim())?,
        KeyFormat::Pem => parse_pem(text)?,
        KeyFormat::Jwk => parse_jwk(text)?,
    };
    PublicKey::from_bytes(bytes).or(Err(KeyFileError::SmallOrder))
}

fn parse_hex(text: &str) -> Result<[u8; 32], KeyFileError> {
    if text.contains("private") {
        return Err(KeyFileError::Private);
    }
    let digits = match text.split_once('/') {
        Some(("ed25519", digits)) => digits,
        Some(_) => return Err(KeyFileError::NotEd25519),
        None => text,
    };
    hex::read(&digits.to_ascii_lowercase())
        .ok_or(KeyFileError::Malformed { format: KeyFormat::Hex })
}

fn parse_pem(text: &str) -> Result<[u8; 32], KeyFileError> {
    let malformed = KeyFileError::Malformed { format: KeyFormat::Pem };
    if text.contains("PRIVATE KEY") {
        return Err(KeyFileError::Private);
    }
    let body = text.trim().strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
    let body: String = body.ok_or(malformed)?.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).or(Err(malformed))?;
    let key = der.strip_prefix(&SPKI).ok_or(KeyFileError::NotEd25519)?;
    key.try_into().or(Err(malformed))
}

fn parse_jwk(text: &str) -> Result<[u8; 32], KeyFileError> {
    let malformed = KeyFileError::Malformed { format: KeyFormat::Jwk };
    let Ok(Json::Object(jwk)) = Json::parse(text.as_bytes()) else { return Err(malformed) };
    if jwk.get("d").is_some() {
        return Err(KeyFileError::Private);
    }
    if text_of(&jwk, "kty") != Some("OKP") || text_of(&jwk, "crv") != Some("Ed25519") {
        return Err(KeyFileError::NotEd25519);
    }
    let x = URL_SAFE_NO_PAD.decode(text_of(&jwk, "x").ok_or(malformed)?).or(Err(malformed))?;
    x.try_into().or(Err(malformed))
}

fn text_of<'a>(jwk: &'a Object, member: &str) -> Option<&'a str> {
    if let Some(Json::Text(text)) = jwk.get(member) { Some(text) } else { None }
}

/// The key in hexadecimal, with its algorithm before it.
#[must_use]
pub fn hex_text(key: &PublicKey) -> String {
    format!("ed25519/{key}\n")
}

/// The key as PEM.
#[must_use]
pub fn pem_text(key: &PublicKey) -> String {
    let der = [SPKI.as_slice(), key.as_bytes()].concat();
    format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(der))
}

/// The key as a JWK, with its number as `kid`.
#[must_use]
pub fn jwk_text(key: &PublicKey, id: Option<u32>) -> String {
    let mut jwk = String::from(r#"{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA""#);
    if let Some(id) = id {
        // Writing to a string cannot fail.
        let _infallible = write!(jwk, r#","kid":"{id}""#);
    }
    jwk + &format!(r#","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(key.as_bytes())) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto;

    fn key() -> PublicKey {
        PublicKey::from_bytes(crypto::public_of(&[7; 32]).unwrap()).unwrap()
    }

    #[test]
    fn every_format_is_read_as_it_is_written() {
        let key = key();
        assert_eq!(parse(&hex_text(&key), KeyFormat::Hex), Ok(key));
        assert_eq!(parse(&pem_text(&key), KeyFormat::Pem), Ok(key));
        assert_eq!(parse(&jwk_text(&key, Some(17)), KeyFormat::Jwk), Ok(key));
        assert_eq!(parse(&key.to_string(), KeyFormat::Hex), Ok(key));
    }

    #[test]
    fn a_private_key_is_refused_and_not_repeated() {
        let secret = "5e".repeat(32);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----");
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","d":"{secret}","x":"AA"}}"#);
        for (text, format) in [
            (format!("ed25519-private/{secret}"), KeyFormat::Hex),
            (pem, KeyFormat::Pem),
            (jwk, KeyFormat::Jwk),
        ] {
            let error = parse(&text, format).unwrap_err();
            assert_eq!(error, KeyFileError::Private);
            assert!(!format!("{error:?} {error}").contains("5e5e"));
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let p256 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAAAA";
        let pem = format!("{PEM_BEGIN}\n{p256}\n{PEM_END}");
        assert_eq!(parse(&pem, KeyFormat::Pem), Err(KeyFileError::NotEd25519));
        let ec = r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#;
        assert_eq!(parse(ec, KeyFormat::Jwk), Err(KeyFileError::NotEd25519));
        let other = format!("secp256r1/{}", key());
        assert_eq!(parse(&other, KeyFormat::Hex), Err(KeyFileError::NotEd25519));
    }

    #[test]
    fn a_small_order_key_is_refused_in_every_format() {
        let zero = [0; 32];
        let spki = STANDARD.encode([SPKI.as_slice(), &zero].concat());
        let x = URL_SAFE_NO_PAD.encode(zero);
        for (text, format) in [
            ("00".repeat(32), KeyFormat::Hex),
            (format!("{PEM_BEGIN}\n{spki}\n{PEM_END}"), KeyFormat::Pem),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#), KeyFormat::Jwk),
        ] {
            assert_eq!(parse(&text, format), Err(KeyFileError::SmallOrder));
        }
    }
}
