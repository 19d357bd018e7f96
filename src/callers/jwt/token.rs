//! A JWT as text, taken apart and not yet believed.
//!
//! Its JSON is read by the reader that also reads parameters: a name that stands twice, a number that readers take
//! differently and deep nesting are no token. Whatever its head says about where a key could be found (`jku`, `x5u`,
//! `jwk`, `x5c`) is not even looked at: keys are those of the configuration.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::params::json::Json;

use super::algorithm::Algorithm;
use crate::callers::Reason;
use crate::limits;

/// The kinds of token that are credentials. A logout token or a proof of the same provider is none.
const TYPES: [&str; 3] = ["jwt", "jose", "at+jwt"];

/// A token, taken apart.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    /// Which key it says signed it.
    pub(super) key: Option<String>,
    pub(super) claims: Json,
    /// What was signed.
    pub(super) message: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str) -> Result<Token<'a>, Reason> {
        let (message, signature) = text.rsplit_once('.').ok_or(Reason::Neither)?;
        let (head, claims) = message.split_once('.').ok_or(Reason::Neither)?;
        // Five parts are an encrypted token, and nothing here decrypts.
        if claims.contains('.') || signature.is_empty() {
            return Err(Reason::Neither);
        }
        let (head, claims) = (object(head)?, object(claims)?);
        if member(&head, "crit").is_some() {
            return Err(Reason::Critical);
        }
        if let Some(kind) = member(&head, "typ") {
            let kind = text_of(kind).ok_or(Reason::Type)?.to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            if !TYPES.contains(&kind) {
                return Err(Reason::Type);
            }
        }
        let algorithm = member(&head, "alg").and_then(text_of).ok_or(Reason::Malformed)?;
        let key = match member(&head, "kid") {
            None => None,
            Some(key) => {
                let key = text_of(key).filter(|key| key.len() <= limits::KEY_NAME_BYTES_MAX);
                Some(key.ok_or(Reason::Malformed)?.to_owned())
            }
        };
        let algorithm = Algorithm::parse(algorithm).or(Err(Reason::Algorithm))?;
        Ok(Token { algorithm, key, claims, message, signature })
    }

    pub(super) fn claim(&self, name: &str) -> Option<&Json> {
        member(&self.claims, name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(text_of)
    }
}

fn object(part: &str) -> Result<Json, Reason> {
    let bytes = URL_SAFE_NO_PAD.decode(part).or(Err(Reason::Malformed))?;
    let json = Json::parse(&bytes).or(Err(Reason::Malformed))?;
    if matches!(json, Json::Object(_)) { Ok(json) } else { Err(Reason::Malformed) }
}

fn member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    if let Json::Object(object) = json { object.get(name) } else { None }
}

fn text_of(json: &Json) -> Option<&str> {
    if let Json::Text(text) = json { Some(text) } else { None }
}
