//! Compact JWS as farebox writes and takes it: Ed25519 alone, and a head of three words.
//!
//! ```text
//! {"alg":"EdDSA","kid":WHO,"typ":WHAT} . {…} . signature
//! ```
//! `typ` keeps what the same key signs for one purpose from being taken for another. Nothing of the head is believed
//! before the signature holds, but for whose key it must hold under.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{PublicKey, Signature};
use serde_json::{Value, json};

/// Why a text is not taken, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsFlaw {
    /// It is no compact JWS of two JSON objects that can be read in one way only.
    #[error("not a compact jws")]
    Malformed,
    /// Its head is not the one that is asked for: EdDSA, the type, a name, and nothing else.
    #[error("head says something else than EdDSA, the type and a name")]
    Head,
    /// Its signature does not hold.
    #[error("signature does not hold")]
    Signature,
}

/// A text that was read, and that nobody has verified.
#[derive(Debug)]
pub struct Unverified<'a> {
    message: &'a str,
    who: String,
    payload: &'a str,
    signature: &'a str,
}

/// Signs a payload as this, by this name: `sign` signs with its key, wherever that is kept.
pub fn sign(
    what: &str,
    who: &str,
    payload: &Value,
    sign: impl FnOnce(&[u8]) -> Signature,
) -> String {
    let head = json!({ "alg": "EdDSA", "kid": who, "typ": what });
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(&head), part(payload));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Reads a text that says it is this.
///
/// # Errors
/// [`JwsFlaw`] where it is something else.
pub fn read<'a>(what: &str, text: &'a str) -> Result<Unverified<'a>, JwsFlaw> {
    let (message, signature) = text.rsplit_once('.').ok_or(JwsFlaw::Malformed)?;
    let (head, payload) = message.split_once('.').ok_or(JwsFlaw::Malformed)?;
    let head = object(head)?;
    let text = |name| match head.get(name) {
        Some(Json::Text(text)) => Ok(&**text),
        _ => Err(JwsFlaw::Head),
    };
    // A head with anything else in it (`crit`, `jwk`, `jku`, `b64`) was written by somebody who expects it to be
    // heeded.
    if head.len() != 3 || text("alg")? != "EdDSA" || text("typ")? != what {
        return Err(JwsFlaw::Head);
    }
    let who = text("kid")?.to_owned();
    Ok(Unverified { message, who, payload, signature })
}

impl Unverified<'_> {
    /// Whose word it says that it is.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// What was signed with this key.
    ///
    /// # Errors
    /// [`JwsFlaw`] where it was not, or is no JSON object.
    pub fn verify(&self, key: &PublicKey) -> Result<Object, JwsFlaw> {
        let signature = URL_SAFE_NO_PAD.decode(self.signature).or(Err(JwsFlaw::Malformed))?;
        let signature = Signature::try_from(signature).or(Err(JwsFlaw::Signature))?;
        if !key.verifies(self.message.as_bytes(), &signature) {
            return Err(JwsFlaw::Signature);
        }
        object(self.payload)
    }
}

fn object(part: &str) -> Result<Object, JwsFlaw> {
    let bytes = URL_SAFE_NO_PAD.decode(part).or(Err(JwsFlaw::Malformed))?;
    match Json::parse(&bytes) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(JwsFlaw::Malformed),
    }
}
