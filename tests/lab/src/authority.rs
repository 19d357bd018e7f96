//! A certificate authority that lives as long as a test, made by the `openssl` that is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An authority, with one certificate for a server on this machine and one for a client.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// A key and what is signed for it is one command each, in the folder.
const KEY: &str = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
const SIGN: &str = "x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -sha256";

impl Authority {
    /// A fresh authority, which nobody trusts but who is told to.
    ///
    /// # Panics
    /// Without an `openssl`.
    #[must_use]
    pub fn new() -> Authority {
        let folder = tempfile::Builder::new().prefix("farebox-lab-ca-").tempdir().unwrap();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        file("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n");
        file(
            "server.ext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
        );
        file("client.ext", "subjectAltName=DNS:client\nextendedKeyUsage=clientAuth\n");
        let run = |line: &str| openssl(line, folder.path());
        run(&format!("{KEY} -keyout ca.key -out ca.csr -subj /CN=farebox-lab"));
        run("x509 -req -in ca.csr -signkey ca.key -out ca.pem -days 2 -sha256 -extfile ca.ext");
        for who in ["server", "client"] {
            run(&format!("{KEY} -keyout {who}.key -out {who}.csr -subj /CN={who}"));
            run(&format!("{SIGN} -in {who}.csr -out {who}.pem -extfile {who}.ext"));
        }
        Authority { folder }
    }

    /// The authority's own certificate, PEM: what a client trusts.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's certificate and key, PEM.
    #[must_use]
    pub fn server(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("server.pem"), self.folder.path().join("server.key"))
    }

    /// A client's certificate and key, PEM.
    #[must_use]
    pub fn client(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("client.pem"), self.folder.path().join("client.key"))
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

fn openssl(line: &str, folder: &Path) {
    let made = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
    let made = made.expect("openssl, to make certificates");
    assert!(made.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&made.stderr));
}
