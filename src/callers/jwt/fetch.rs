//! Fetching a set of keys: over HTTP within a time and a size, following no redirect, or from a file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::key_set::{KeySet, KeySetError};
use super::source::KeysAt;
use crate::limits;

/// Why keys cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// A file cannot be read.
    #[error("{} cannot be read: {kind}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// A server cannot be reached, or nobody vouches for it.
    #[error("server cannot be reached")]
    Unreachable {
        /// Why not.
        source: Arc<hyper_util::client::legacy::Error>,
    },
    /// It took too long.
    #[error("not read within {} s", limits::JWKS_SECONDS_MAX)]
    Slow,
    /// It answered with something else than keys; where it would send us on is not followed.
    #[error("server answered {status}")]
    Status {
        /// With what.
        status: StatusCode,
    },
    /// It broke off, or sent more than any set of keys has.
    #[error("answer broke off, or is longer than {} bytes", limits::JWKS_BYTES_MAX)]
    Body,
    /// What was read is no set of keys.
    #[error("what was read is no set of keys")]
    Keys(#[from] KeySetError),
    /// The task that read them did not end well.
    #[error("reading was broken off")]
    Broken,
}

/// Why keys could never be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthoritiesError {
    /// The file of authorities cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no certificate, or a damaged one.
    #[error("{} holds no certificate, or one that is damaged", path.display())]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// The machine trusts nobody.
    #[error("machine has no certificates of authorities: give jwks_ca")]
    NoAuthorities,
}

/// Where a set of keys is read.
pub(super) enum Place {
    File(PathBuf),
    Url(Uri, Box<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>>),
}

impl Place {
    pub(super) fn of(at: &KeysAt) -> Result<Place, AuthoritiesError> {
        let (url, ca) = match at {
            KeysAt::File(path) => return Ok(Place::File(path.clone())),
            KeysAt::Url { url, ca } => (url, ca),
        };
        let trusted = match (ca, url.is_encrypted()) {
            (Some(path), _) => trusting(path)?,
            (None, true) => trusting_the_machine()?,
            (None, false) => trusting_nobody()?,
        };
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(trusted).https_or_http().enable_http1();
        let mut client = Client::builder(TokioExecutor::new());
        // Keys are read every few minutes: a connection that is kept until then is kept for nothing.
        client.pool_max_idle_per_host(0);
        Ok(Place::Url(url.uri(), Box::new(client.build(connector.build()))))
    }

    /// Reads the keys.
    pub(super) async fn read(&self) -> Result<KeySet, JwksError> {
        let limit = Duration::from_secs(limits::JWKS_SECONDS_MAX);
        let bytes = tokio::time::timeout(limit, self.bytes()).await.or(Err(JwksError::Slow))??;
        Ok(KeySet::parse(&bytes)?)
    }

    async fn bytes(&self) -> Result<Bytes, JwksError> {
        let (uri, client) = match self {
            Place::File(path) => return file(path).await,
            Place::Url(uri, client) => (uri, client),
        };
        let request = Request::get(uri.clone())
            .header("accept", "application/json")
            .header("user-agent", concat!("farebox/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new());
        let request = request.or(Err(JwksError::Body))?;
        let unreachable = |error| JwksError::Unreachable { source: Arc::new(error) };
        let response = client.request(request).await.map_err(unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(JwksError::Status { status: response.status() });
        }
        let body = Limited::new(response.into_body(), limits::JWKS_BYTES_MAX).collect().await;
        Ok(body.or(Err(JwksError::Body))?.to_bytes())
    }
}

async fn file(path: &Path) -> Result<Bytes, JwksError> {
    let failed = |e: io::Error| JwksError::File { path: path.to_owned(), kind: e.kind() };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    let most = limits::JWKS_BYTES_MAX as u64;
    file.take(most + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    if bytes.len() > limits::JWKS_BYTES_MAX { Err(JwksError::Body) } else { Ok(bytes.into()) }
}

fn trusting(path: &Path) -> Result<ClientConfig, AuthoritiesError> {
    let unreadable = |source| AuthoritiesError::Unreadable { path: path.to_owned(), source };
    let damaged = || AuthoritiesError::NoCertificate { path: path.to_owned() };
    let pem = std::fs::read(path).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_invalid| damaged())?;
        roots.add(certificate).map_err(|_invalid| damaged())?;
    }
    if roots.is_empty() {
        return Err(damaged());
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

fn trusting_the_machine() -> Result<ClientConfig, AuthoritiesError> {
    let builder = builder()?.with_native_roots().or(Err(AuthoritiesError::NoAuthorities))?;
    Ok(builder.with_no_client_auth())
}

fn trusting_nobody() -> Result<ClientConfig, AuthoritiesError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

type Builder =
    tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::WantsVerifier>;

/// The provider is named here, so that no other part of a process can choose it for us.
fn builder() -> Result<Builder, AuthoritiesError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.or(Err(AuthoritiesError::NoAuthorities))
}
