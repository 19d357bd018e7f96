//! A failure: why a command did not do what it was asked.

use std::io;
use std::path::PathBuf;

use farebox_verifier::keys::{KeyFileError, KeysError};
use farebox_verifier::params::json::JsonError;
use farebox_verifier::redis::{AddressError, TopologyError};
use farebox_verifier::token::{Flaw, MintError, NarrowError};
use farebox_verifier::{
    BoundsError, NameError, NoRandom, OneOfError, ParamsError, ProofError, Refusal, StoreName,
    ThirdParty, WindowError,
};

use super::Exit;
use crate::demo::DemoError;
use crate::signer::PrivateKeyError;
use crate::store::{OpenError, redis};

/// Why a command did not do what it was asked: first what is wrong with the command line, then with what it
/// names, then with farebox. None repeats a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("standard input can be read once, and two arguments ask for it")]
    StdinTwice,
    #[error("parameters cannot be used")]
    Params(#[source] ParamsError),
    #[error("bounds are no JSON")]
    BoundsJson(#[source] JsonError),
    #[error("bounds cannot be used")]
    Bounds(#[from] BoundsError),
    #[error("a text in the bounds cannot stand in a token")]
    BoundText(#[source] NameError),
    #[error("a list in the bounds cannot stand in a token")]
    BoundList(#[source] OneOfError),
    #[error("--proof cannot be used")]
    Proof(#[from] ProofError),
    #[error("no token has such a time")]
    Window(#[from] WindowError),
    #[error("nothing would be narrowed: give at least one caveat")]
    NoCaveat,
    #[error("the file name of {} is no key's number: give --key-id", path.display())]
    NoKeyId { path: PathBuf },
    #[error("--holder is neither a public key in hexadecimal nor a file that can be read")]
    NoHolder(#[source] io::Error),
    #[error("--holder cannot be used")]
    WeakHolder(#[source] KeyFileError),
    #[error("{name} cannot be the name of a key file: it holds a slash or starts with a dot")]
    KeyName { name: ThirdParty },

    #[error("no server is named: give --server NAME=URL")]
    NoServer,
    #[error("server {number} has no name: say NAME=URL")]
    ServerName { number: usize },
    #[error("address of server {number} cannot be used")]
    Address { number: usize, source: AddressError },
    #[error("these servers make no store")]
    Topology(#[from] TopologyError),
    #[error("a name cannot be used")]
    Name(#[from] NameError),
    #[error("the store cannot be used")]
    Store(#[source] redis::OpenError),
    #[error("store {store} has no library")]
    Library { store: StoreName, source: redis::LibraryError },
    #[error("the store's file cannot be used")]
    StoreFile(#[source] OpenError),

    #[error("{} cannot be read or written", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("private key {} cannot be used", path.display())]
    PrivateKey { path: PathBuf, source: PrivateKeyError },
    #[error("public key {} cannot be used", path.display())]
    PublicKey { path: PathBuf, source: KeyFileError },
    #[error("keys cannot be used")]
    Keys(#[from] KeysError),
    #[error("there is no key {id} in {}", dir.display())]
    NoSuchKey { id: u32, dir: PathBuf },
    #[error("key {id} is retired already")]
    RetiredAlready { id: u32 },
    #[error("key {id} is there already, and a number is never used twice")]
    KeyTaken { id: u32 },
    #[error("every number for a key is taken")]
    NoKeyLeft,
    #[error("third party {name} has a key already")]
    ThirdPartyTaken { name: ThirdParty },
    #[error("there is no key of third party {name}; known: {known}")]
    NoSuchThirdParty { name: ThirdParty, known: String },
    #[error("{0}")]
    Refused(Refusal),
    #[error("not a token")]
    Token(#[from] Flaw),
    #[error("nothing was appended")]
    Narrow(#[from] NarrowError),
    #[error("nothing was minted")]
    Mint(#[from] MintError),

    #[error("no grant could be named")]
    Random(#[from] NoRandom),
    #[error("the demo did not run to its end")]
    Demo(#[from] DemoError),
    #[error("no task can be run")]
    Runtime(#[source] io::Error),
}

impl Failure {
    /// The name that programs see.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Failure::StdinTwice
            | Failure::Params(_)
            | Failure::BoundsJson(_)
            | Failure::Bounds(_)
            | Failure::BoundText(_)
            | Failure::BoundList(_)
            | Failure::Proof(_)
            | Failure::Window(_)
            | Failure::NoCaveat
            | Failure::NoKeyId { .. }
            | Failure::NoHolder(_)
            | Failure::WeakHolder(_)
            | Failure::KeyName { .. }
            | Failure::NoServer
            | Failure::ServerName { .. }
            | Failure::Address { .. }
            | Failure::Topology(_)
            | Failure::Name(_) => "usage",
            Failure::Store(_) | Failure::Library { .. } => "store",
            Failure::StoreFile(_) => "store-file",
            Failure::File { .. } => "file",
            Failure::PrivateKey { source: PrivateKeyError::Unusable, .. } => "internal",
            Failure::PrivateKey { .. } => "private-key",
            Failure::PublicKey { .. } | Failure::Keys(_) => "public-key",
            Failure::NoSuchKey { .. } | Failure::NoSuchThirdParty { .. } => "no-such-key",
            Failure::RetiredAlready { .. } => "retired",
            Failure::KeyTaken { .. } | Failure::NoKeyLeft | Failure::ThirdPartyTaken { .. } => {
                "key-taken"
            }
            Failure::Refused(refusal) => refusal.code(),
            Failure::Narrow(NarrowError::Random(_)) | Failure::Mint(MintError::NextKey) => {
                "internal"
            }
            Failure::Token(_) | Failure::Narrow(_) => "bad-token",
            Failure::Mint(_) => "bad-request",
            Failure::Random(_) | Failure::Demo(_) | Failure::Runtime(_) => "internal",
        }
    }

    /// The exit code of its kind.
    pub(super) fn exit(&self) -> Exit {
        match self.code() {
            "usage" => Exit::Usage,
            "store" => Exit::Unreachable,
            "internal" => Exit::Internal,
            _ => Exit::Refused,
        }
    }
}
