//! The issuer that a command asks, and by whose key.

use std::path::{Path, PathBuf};

use axum::http::Method;
use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::bench::Target;
use crate::client::{Client, InTheClear};

/// Which issuer is asked, and by whom.
#[derive(Args)]
pub(super) struct Server {
    /// The issuer's address
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8420",
        env = "FAREBOX_SERVER"
    )]
    server: String,
    /// The file with the API key
    #[arg(
        long,
        value_name = "FILE",
        default_value = "farebox-data/api-key",
        env = "FAREBOX_API_KEY_FILE"
    )]
    api_key_file: PathBuf,
    /// Trust the certificates of this file for https, instead of the system's
    #[arg(long, value_name = "FILE", env = "FAREBOX_CA")]
    ca: Option<PathBuf>,
    /// Send the API key in the clear to another machine, where the network in between keeps it
    #[arg(long)]
    insecure_http: bool,
}

impl Server {
    /// What the issuer answers; a problem is a failure with the problem's own code.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        (body, key): (Option<&Value>, Option<&str>),
    ) -> Result<Value, Failure> {
        let secret = self.key()?;
        let client = Client::new(&self.server, &secret, self.ca.as_deref(), self.clear())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let asked = client.ask(method, path, (body, key));
        let reply = runtime.map_err(Failure::Runtime)?.block_on(asked)?;
        if reply.status < 300 {
            return Ok(reply.json);
        }
        let text = |name: &str| reply.json.get(name).and_then(Value::as_str);
        let (code, detail) = (text("code"), text("detail").or(text("title")));
        match (code, detail) {
            (Some(code), Some(detail)) => {
                Err(Failure::Problem { code: code.to_owned(), detail: detail.to_owned() })
            }
            _ => Err(Failure::Client(crate::client::ClientError::Garbled {
                server: self.server.as_str().into(),
            })),
        }
    }

    /// The API key that is asked with.
    pub(super) fn key(&self) -> Result<Zeroizing<String>, Failure> {
        key(&self.api_key_file)
    }

    /// The same issuer, to be driven rather than asked.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        Ok(Target::new(&self.server, self.ca.as_deref(), self.clear())?)
    }

    fn clear(&self) -> InTheClear {
        if self.insecure_http { InTheClear::Anywhere } else { InTheClear::Here }
    }
}

/// The API key in a file.
pub(super) fn key(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |source| Failure::File { path: path.to_owned(), source };
    Ok(Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?))
}

/// A text of the answer, or nothing.
pub(super) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A value as it stands in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_path_would_read_otherwise_is_encoded() {
        assert_eq!(super::encoded("key:a/b?c&d=é"), "key%3Aa%2Fb%3Fc%26d%3D%C3%A9");
    }
}
