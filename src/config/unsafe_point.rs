//! What would be unsafe to start with, and how to mend it.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::store::Store;
use super::{Config, Tls};
use crate::callers::FIRST_KEY_FILE;

/// One thing that farebox does not start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafePoint {
    /// What it is.
    pub what: Unsafe,
    /// How to mend it.
    pub mend: String,
}

impl fmt::Display for UnsafePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.mend)
    }
}

/// What is unsafe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsafe {
    /// Credentials and tokens would pass in the clear.
    #[error("{listen} can be reached by others, and nobody speaks TLS there")]
    Plain {
        /// Where.
        listen: std::net::SocketAddr,
    },
    /// Others may read or write what they must not.
    #[error("{} can be {} by others (mode {mode:03o})", path.display(), if *mode & 0o022 != 0 { "changed" } else { "read" })]
    Exposed {
        /// What.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A password stands in a file that others may read.
    #[error("{} holds a password, and others can read it (mode {mode:03o})", path.display())]
    PasswordInFile {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A server of the store lets everybody in.
    #[error("store {name} is on another machine, and is spoken to without a password")]
    OpenStore {
        /// Which.
        name: farebox_verifier::StoreName,
    },
    /// A password would pass in the clear.
    #[error("store {name} is on another machine, and is spoken to without TLS")]
    PlainStore {
        /// Which.
        name: farebox_verifier::StoreName,
    },
}

impl Config {
    /// What farebox must not start with. An empty list says that nothing was found, not that all is well.
    #[must_use]
    pub fn unsafe_points(&self) -> Vec<UnsafePoint> {
        let mut points = Vec::new();
        if !self.listen.ip().is_loopback() && self.tls == Tls::None {
            points.push(UnsafePoint {
                what: Unsafe::Plain { listen: self.listen },
                mend: "give tls.certificate and tls.key, or listen on 127.0.0.1, or say tls.proxied = true where a \
                       proxy in front speaks TLS and nothing else reaches this address"
                    .to_owned(),
            });
        }
        self.store_points(&mut points);
        if let Some(path) = self.file.as_ref().filter(|_| self.has_password())
            && let Some(mode) = mode(path).filter(|mode| mode & 0o077 != 0)
        {
            let what = Unsafe::PasswordInFile { path: path.clone(), mode };
            let mend = format!(
                "chmod 600 {}, or give the password in a file of its own (store.issuer.password_file)",
                path.display()
            );
            points.push(UnsafePoint { what, mend });
        }
        // Whoever may write the configuration is the administrator.
        for path in self.file.iter().chain(&self.policies) {
            refuse(&mut points, path, 0o002, "o-w");
        }
        for path in self.secrets() {
            refuse(&mut points, &path, 0o077, "go-rwx");
        }
        for path in self.mounted() {
            refuse(&mut points, path, 0o027, "g-w,o-rwx");
        }
        points
    }

    fn store_points(&self, points: &mut Vec<UnsafePoint>) {
        let Store::Redis(redis) = &self.store else { return };
        for server in redis.servers.iter().filter(|server| !server.is_here()) {
            let name = server.name.clone();
            if !server.has_login() && redis.issuer.password_file.is_none() {
                points.push(UnsafePoint {
                    what: Unsafe::OpenStore { name },
                    mend: "make the users that `farebox store acl` prints, and give store.issuer.password_file and \
                           store.spend.password_file"
                        .to_owned(),
                });
            } else if !server.is_encrypted() {
                points.push(UnsafePoint {
                    what: Unsafe::PlainStore { name },
                    mend:
                        "say rediss:// in its url, and store.ca where its certificate is your own"
                            .to_owned(),
                });
            }
        }
    }

    fn has_password(&self) -> bool {
        match &self.store {
            Store::Redis(redis) => redis.servers.iter().any(super::Server::has_login),
            Store::Embedded => false,
        }
    }

    /// Secrets that farebox itself wrote, in its own folders.
    fn secrets(&self) -> Vec<PathBuf> {
        let callers = self.data.join("callers");
        let private = self.keys.dir.join("private");
        let mut paths = vec![self.data.join(FIRST_KEY_FILE)];
        for folder in [&callers, &private, &private.join("third-parties")] {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
            paths.extend(files.filter(|path| path.is_file()));
        }
        paths
    }

    /// Secrets that others mount for us, to be read by a group at most.
    fn mounted(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.keys.passphrase_file.as_deref().into_iter().collect();
        if let Tls::Own { key, .. } = &self.tls {
            paths.push(key);
        }
        if let Store::Redis(redis) = &self.store {
            paths.extend(redis.issuer.password_file.as_deref());
            paths.extend(redis.spend.password_file.as_deref());
        }
        paths
    }
}

fn refuse(points: &mut Vec<UnsafePoint>, path: &Path, others: u32, change: &str) {
    if let Some(mode) = mode(path).filter(|mode| mode & others != 0) {
        let what = Unsafe::Exposed { path: path.to_owned(), mode };
        points.push(UnsafePoint { what, mend: format!("chmod {change} {}", path.display()) });
    }
}

/// What is not there is not exposed, and whoever needs it says so.
fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|meta| meta.mode() & 0o777)
}
