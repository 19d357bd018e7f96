//! Where keys may be fetched from: over TLS, or without it from this machine alone.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// The URL of a set of keys.
#[derive(Clone, PartialEq, Eq)]
pub struct JwksUrl(Uri);

/// Why a text is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksUrlError {
    /// No URL with a scheme and a host.
    #[error("no url such as https://issuer.example/jwks.json")]
    Malformed,
    /// Keys that anybody on the way could exchange.
    #[error("keys are fetched over https; http is for a server on this machine")]
    Plain,
    /// A user or a password in it, which would end in logs.
    #[error("url of keys holds no user and no password")]
    Login,
}

impl JwksUrl {
    /// Reads it.
    ///
    /// # Errors
    /// [`JwksUrlError`] where keys cannot or must not be fetched from there.
    pub fn parse(text: &str) -> Result<JwksUrl, JwksUrlError> {
        let uri: Uri = text.parse().or(Err(JwksUrlError::Malformed))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(JwksUrlError::Malformed);
        };
        if authority.as_str().contains('@') {
            return Err(JwksUrlError::Login);
        }
        if authority.host().is_empty() {
            return Err(JwksUrlError::Malformed);
        }
        match scheme {
            "https" => Ok(JwksUrl(uri)),
            "http" if is_here(authority.host()) => Ok(JwksUrl(uri)),
            "http" => Err(JwksUrlError::Plain),
            _ => Err(JwksUrlError::Malformed),
        }
    }

    pub(super) fn uri(&self) -> Uri {
        self.0.clone()
    }

    /// Whether it is fetched over TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

/// Addresses only: `localhost` is a name, and whoever answers for names could answer otherwise.
fn is_here(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for text in ["https://a.example/jwks", "http://127.0.0.1:8080/k", "http://[::1]:1/k"] {
            assert_eq!(JwksUrl::parse(text).unwrap().to_string(), text);
        }
        for (text, why) in [
            ("http://a.example/jwks", JwksUrlError::Plain),
            ("http://127.0.0.1.evil.example/k", JwksUrlError::Plain),
            ("http://localhost/k", JwksUrlError::Plain),
            ("https://me:pw@a.example/k", JwksUrlError::Login),
            ("http://127.0.0.1@evil.example/k", JwksUrlError::Login),
            ("ftp://a.example/k", JwksUrlError::Malformed),
            ("file:///etc/passwd", JwksUrlError::Malformed),
            ("/jwks", JwksUrlError::Malformed),
            ("", JwksUrlError::Malformed),
        ] {
            assert_eq!(JwksUrl::parse(text), Err(why), "{text}");
        }
    }
}
