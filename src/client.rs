//! A client of a running issuer, as the command line and the bench use it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::uri::InvalidUri;
use axum::http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

/// An answer is a page of a list at most.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Whoever has not answered by then is away.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why an issuer was not asked, or not heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none.
    #[error("the server's address cannot be used")]
    Address(#[source] InvalidUri),
    /// It has no host, or another scheme than http and https.
    #[error("the server's address is not http://… or https://…")]
    Scheme,
    /// The key would pass in the clear between two machines.
    #[error(
        "the API key would travel to {host} in the clear: use https://, or --insecure-http where that is meant"
    )]
    InTheClear {
        /// Where to.
        host: Box<str>,
    },
    /// The key is no text that a header takes.
    #[error("the API key cannot be sent")]
    Key,
    /// The certificates that are trusted cannot be read.
    #[error("certificates in {} cannot be used", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
    },
    /// Nobody answers.
    #[error("{server} does not answer")]
    Unreachable {
        /// Who.
        server: Box<str>,
        /// Why.
        source: Option<hyper_util::client::legacy::Error>,
    },
    /// What was answered is nothing that an issuer says.
    #[error("{server} answers what no issuer says")]
    Garbled {
        /// Who.
        server: Box<str>,
    },
}

/// What an issuer answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub json: Value,
}

/// To whom an API key may be sent over http, where whoever is in between can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTheClear {
    /// To this machine.
    Here,
    /// To whatever is named: somebody else sees to it that nobody listens.
    Anywhere,
}

/// An issuer, and the right to ask it.
pub struct Client {
    base: Box<str>,
    authorization: HeaderValue,
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// A client of the issuer at this address, with this API key. For https the system's certificates are
    /// trusted, or those of a file instead.
    ///
    /// # Errors
    /// [`ClientError`] where one of them cannot be used.
    pub fn new(
        server: &str,
        key: &Zeroizing<String>,
        roots: Option<&Path>,
        clear: InTheClear,
    ) -> Result<Client, ClientError> {
        let base = server.trim_end_matches('/');
        address(base, clear)?;
        let authorization = authorization(key)?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls(roots)?);
        let connector = connector.https_or_http().enable_http1().build();
        let http = Http::builder(TokioExecutor::new()).build(connector);
        Ok(Client { base: base.into(), authorization, http })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError`] where there is none. A refusal is an answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        (body, key): (Option<&Value>, Option<&str>),
    ) -> Result<Reply, ClientError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(AUTHORIZATION, self.authorization.clone());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body)).or(Err(ClientError::Scheme))?;
        let away = |source| ClientError::Unreachable { server: self.base.clone(), source };
        let asked = tokio::time::timeout(PATIENCE, self.http.request(request)).await;
        let response = asked.or(Err(away(None)))?.map_err(|error| away(Some(error)))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let garbled = || ClientError::Garbled { server: self.base.clone() };
        let body = tokio::time::timeout(PATIENCE, body).await.or(Err(away(None)))?;
        let body = body.or(Err(garbled()))?.to_bytes();
        let json = serde_json::from_slice(&body).or(Err(garbled()))?;
        Ok(Reply { status, json })
    }
}

/// Where an issuer is, if a key may be sent there.
pub(crate) fn address(server: &str, clear: InTheClear) -> Result<Uri, ClientError> {
    let uri: Uri = server.parse().map_err(ClientError::Address)?;
    let (Some(scheme @ ("http" | "https")), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(ClientError::Scheme);
    };
    if scheme == "http" && clear == InTheClear::Here && !is_here(host) {
        return Err(ClientError::InTheClear { host: host.into() });
    }
    Ok(uri)
}

/// The header that says who asks.
pub(crate) fn authorization(key: &Zeroizing<String>) -> Result<HeaderValue, ClientError> {
    let bearer = Zeroizing::new(format!("Bearer {}", key.trim()));
    let mut authorization = HeaderValue::from_str(&bearer).or(Err(ClientError::Key))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

/// Whether this is our own machine. A name that only resolves to it is another's word.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |ip| ip.to_canonical().is_loopback())
}

/// Whom to believe by https: the system's certificates, or those of a file instead.
pub(crate) fn tls(roots: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let Some(path) = roots else {
        let config = hyper_rustls::ConfigBuilderExt::with_native_roots(ClientConfig::builder());
        // A system without certificates trusts nobody by https, and may still ask by http.
        return Ok(
            config.map_or_else(|_| trusting(RootCertStore::empty()), |c| c.with_no_client_auth())
        );
    };
    let unusable = || ClientError::Roots { path: path.to_owned() };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).or(Err(unusable()))? {
        store.add(certificate.or(Err(unusable()))?).or(Err(unusable()))?;
    }
    Ok(trusting(store))
}

fn trusting(store: RootCertStore) -> ClientConfig {
    ClientConfig::builder().with_root_certificates(store).with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leaves_this_machine_in_the_clear_only_where_that_is_said() {
        let new = |server: &str, clear| {
            Client::new(server, &Zeroizing::new("fbk_1".to_owned()), None, clear).map(drop)
        };
        for here in
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1/", "http://LocalHost:1"]
        {
            assert!(new(here, InTheClear::Here).is_ok(), "{here}");
        }
        let elsewhere = [
            "http://192.0.2.7:8420",
            "http://farebox.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://127.0.0.1@farebox.example",
            "http://0.0.0.0:1",
            "http://[2001:db8::1]:1",
        ];
        for server in elsewhere {
            let refused = new(server, InTheClear::Here);
            assert!(matches!(refused, Err(ClientError::InTheClear { .. })), "{server}");
            assert!(new(server, InTheClear::Anywhere).is_ok(), "{server}");
        }
        assert!(new("https://farebox.example", InTheClear::Here).is_ok());
    }
}
