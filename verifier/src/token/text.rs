//! A token's text: base64url without padding, and a secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits;
use crate::wire::flaw::Flaw;

/// The text of the longest token.
const TEXT_BYTES_MAX: usize = limits::TOKEN_BYTES_MAX.div_ceil(3) * 4;

/// A token as it stands in a header. Who has it may act, so it never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

impl TokenText {
    /// The text of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> TokenText {
        TokenText(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Takes a text for a token's, unread.
    #[must_use]
    pub fn unread(text: &str) -> TokenText {
        TokenText(text.to_owned())
    }

    /// The same, where it is no longer than a token's can be.
    pub(crate) fn bounded(text: &str) -> Result<TokenText, Flaw> {
        if text.len() > TEXT_BYTES_MAX { Err(Flaw::TooLong) } else { Ok(TokenText::unread(text)) }
    }

    /// The text, for a header and for nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The token's bytes. One text stands for one sequence of bytes: spare bits and padding are
    /// refused.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Flaw> {
        if self.0.len() > TEXT_BYTES_MAX {
            return Err(Flaw::TooLong);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).or(Err(Flaw::Text))?;
        if bytes.len() > limits::TOKEN_BYTES_MAX { Err(Flaw::TooLong) } else { Ok(bytes) }
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(secret)")
    }
}
