//! Files that may change while an issuer runs: keys, policies, certificates.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServeError;
use crate::keychain::Keychain;

/// What a file looks like: its name, length and time.
type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// What each of them looked like, where it could be looked at: a folder of policies that is gone must not hide a key
/// that was retired.
pub(super) struct Looked {
    pub(super) keys: Option<Look>,
    pub(super) policies: Option<Look>,
    pub(super) certificate: Option<Look>,
    /// What could not be looked at, and why. What was read of it stays.
    pub(super) wrong: Vec<String>,
}

impl Looked {
    pub(super) fn at(keychain: &Keychain, policies: Option<&Path>, tls: &TlsFiles) -> Looked {
        let below = |folder: &Path| {
            let mut seen = Vec::new();
            look_below(folder, 3, &mut seen)?;
            seen.sort();
            Ok(seen)
        };
        let files = tls.files.iter().flat_map(|files| [&files.chain, &files.key]);
        let mut wrong = Vec::new();
        let mut told = |what: &str, looked: io::Result<Look>| {
            let tell =
                |error: &io::Error| wrong.push(format!("{what} cannot be looked at: {error}"));
            looked.inspect_err(tell).ok()
        };
        let keys = told("keys", keychain.look());
        let policies = told("policies", policies.map_or(Ok(Vec::new()), below));
        let certificate = told("certificate", files.map(|path| look(path)).collect());
        Looked { keys, policies, certificate, wrong }
    }
}

/// Whether it looks otherwise than before. What cannot be looked at does not.
pub(super) fn differs(before: &mut Option<Look>, now: Option<Look>) -> bool {
    let differs = now.is_some() && *before != now;
    if differs {
        *before = now;
    }
    differs
}

fn look(path: &Path) -> io::Result<(PathBuf, u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path)?;
    Ok((path.to_owned(), metadata.len(), metadata.modified().ok()))
}

fn look_below(folder: &Path, depth: u32, seen: &mut Look) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && depth > 1 {
            look_below(&path, depth - 1, seen)?;
        } else {
            seen.push(look(&path)?);
        }
    }
    Ok(())
}

/// The files of a certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The chain, in PEM, its own certificate first.
    pub chain: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// The certificate that new connections are met with.
pub(super) struct TlsFiles {
    files: Option<Certificate>,
    newest: watch::Sender<Option<Arc<ServerConfig>>>,
}

impl TlsFiles {
    pub(super) fn open(files: Option<Certificate>) -> Result<TlsFiles, ServeError> {
        let config = files.as_ref().map(read).transpose()?;
        let (newest, _) = watch::channel(config);
        Ok(TlsFiles { files, newest })
    }

    pub(super) fn is_there(&self) -> bool {
        self.files.is_some()
    }

    pub(super) fn newest(&self) -> watch::Receiver<Option<Arc<ServerConfig>>> {
        self.newest.subscribe()
    }

    pub(super) fn reload(&self) {
        let Some(files) = &self.files else { return };
        match read(files) {
            Ok(config) => drop(self.newest.send_replace(Some(config))),
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be used: the one before stays")
            }
        }
    }
}

fn read(files: &Certificate) -> Result<Arc<ServerConfig>, ServeError> {
    let wrong = |path: &Path, why: String| ServeError::Certificate { path: path.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(&files.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.chain, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| wrong(&files.key, error.to_string()))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|error| wrong(&files.chain, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
