//! TLS to a store's server: whose certificates are trusted, and under which name.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// How a server proves who it is: its certificate is always checked, and so is its name.
#[derive(Clone)]
pub struct Tls {
    roots: Arc<RootCertStore>,
    config: Arc<ClientConfig>,
    /// The name in the certificate, where it is not the one in the address.
    name: Option<ServerName<'static>>,
}

/// Why no TLS can be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{path:?} cannot be read: {kind}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A file without a certificate, or with one that is none.
    #[error("{path:?} holds no certificate, or one that is damaged")]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// A file without a private key, or with one that is none.
    #[error("{path:?} holds no private key in pem")]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// A certificate and a key that do not belong together, or of a kind that TLS does not take.
    #[error("certificate and private key do not make a pair")]
    NoPair,
    /// The machine trusts nobody.
    #[error("machine has no certificates of authorities")]
    NoAuthorities,
    /// Not the name of a server.
    #[error("server name is neither a dns name nor an ip address")]
    ServerName,
}

impl Tls {
    /// Trusts the authorities that the machine trusts.
    ///
    /// # Errors
    /// [`TlsError`] where there are none.
    pub fn system() -> Result<Tls, TlsError> {
        let mut roots = RootCertStore::empty();
        // Machines carry an odd certificate or two; what cannot be read cannot be trusted, and that is all.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() { Err(TlsError::NoAuthorities) } else { Tls::of(roots) }
    }

    /// Trusts the authorities in a PEM file, and no others.
    ///
    /// # Errors
    /// [`TlsError`] where the file cannot be read or one of its certificates is damaged.
    pub fn trusting(authorities: &Path) -> Result<Tls, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authorities)? {
            let damaged = |_: rustls::Error| TlsError::NoCertificate { path: authorities.into() };
            roots.add(certificate).map_err(damaged)?;
        }
        Tls::of(roots)
    }

    /// Shows the server a certificate of this process: PEM files of the chain and of its private key.
    ///
    /// # Errors
    /// [`TlsError`] where a file cannot be read or the two do not belong together.
    pub fn presenting(self, chain: &Path, key: &Path) -> Result<Tls, TlsError> {
        let pem = read(key)?;
        let no_key = |_: rustls::pki_types::pem::Error| TlsError::NoKey { path: key.into() };
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(no_key)?;
        let no_pair = |_: rustls::Error| TlsError::NoPair;
        let builder = builder().map_err(no_pair)?.with_root_certificates(Arc::clone(&self.roots));
        let config = builder.with_client_auth_cert(certificates(chain)?, key).map_err(no_pair)?;
        Ok(Tls { config: Arc::new(config), ..self })
    }

    /// Expects the server's certificate to bear this name, whatever the address says.
    ///
    /// # Errors
    /// [`TlsError::ServerName`] where no certificate could.
    pub fn naming(self, name: &str) -> Result<Tls, TlsError> {
        Ok(Tls { name: Some(server_name(name)?), ..self })
    }

    fn of(roots: RootCertStore) -> Result<Tls, TlsError> {
        let roots = Arc::new(roots);
        let unusable = |_: rustls::Error| TlsError::NoAuthorities;
        let config = builder().map_err(unusable)?.with_root_certificates(Arc::clone(&roots));
        Ok(Tls { roots, config: Arc::new(config.with_no_client_auth()), name: None })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name to look for, unless one was asked for: the host's.
    pub(super) fn name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        self.name.clone().map_or_else(|| server_name(host), Ok)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

/// The provider is named here, so that no other part of a process can choose it for us.
fn builder() -> Result<Builder, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    let name = ServerName::try_from(name.to_owned());
    name.map_err(|_invalid| TlsError::ServerName)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|e| TlsError::Unreadable { path: path.into(), kind: e.kind() })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsError::NoCertificate { path: path.into() }),
    }
}
