//! Why an issuer does not start. Each says how it is mended.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use farebox_verifier::redis::TopologyError;

use crate::callers::CallersError;
use crate::feed::FeedFileError;
use crate::keychain::KeychainError;
use crate::policy::PolicyErrors;
use crate::record::{ReadError, RecordError};
use crate::store::OpenError;

/// Why an issuer does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The data folder cannot be made or read.
    #[error("data folder {} cannot be used", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may write to it.
    #[error("others may write to {} (mode {mode:03o}): chmod 700 it, and look at what is in it", path.display())]
    Exposed {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The keys cannot be used.
    #[error("keys cannot be used")]
    Keys(#[from] KeychainError),
    /// The callers cannot be read.
    #[error("callers cannot be read")]
    Callers(#[from] CallersError),
    /// The policies cannot be used.
    #[error("policies cannot be used")]
    Policies(#[from] PolicyErrors),
    /// The store's file cannot be used.
    #[error("the store's file cannot be used")]
    Store(#[from] OpenError),
    /// The servers make no store.
    #[error("the servers make no store")]
    Topology(#[from] TopologyError),
    /// The store took nothing as soon as it was open.
    #[error("the store takes nothing: is its disk full?")]
    StoreDown,
    /// A name of our own is none: a defect.
    #[error("the store has no name")]
    StoreName,
    /// The feed of revocations cannot be opened.
    #[error("the feed of revocations cannot be opened")]
    Feed(#[from] FeedFileError),
    /// The record cannot be opened.
    #[error("the record cannot be opened")]
    OpenRecord(#[from] RecordError),
    /// It cannot be read.
    #[error("the record cannot be read")]
    ReadRecord(#[from] ReadError),
    /// It took nothing as soon as it was open.
    #[error("the record takes nothing: is its disk full?")]
    Record,
    /// The certificate cannot be used.
    #[error("certificate {} cannot be used: {why}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nobody can listen there.
    #[error("cannot listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// What went wrong and what lies below it, in one line: nobody asks a log for the rest.
pub(super) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text.push_str(": ");
        text.push_str(&source.to_string());
        below = source.source();
    }
    text.replace('\n', "; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_what_lies_below_an_error() {
        let source = io::Error::other("no\nspace");
        let error = ServeError::Data { path: PathBuf::from("here"), source };
        assert_eq!(whole(&error), "data folder here cannot be used: no; space");
    }
}
