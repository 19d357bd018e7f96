//! A failure: why a command did not do what it was asked.

use std::io;
use std::path::PathBuf;

use farebox_verifier::keys::{KeyFileError, KeysError};
use farebox_verifier::params::json::JsonError;
use farebox_verifier::redis::{AddressError, TopologyError};
use farebox_verifier::token::{Flaw, MintError, NarrowError};
use farebox_verifier::{
    BoundedError, BoundsError, NameError, NoRandom, ParamsError, ProofError, Refusal, StoreName,
    ThirdParty, WindowError,
};

use super::Exit;
use crate::callers::CallersError;
use crate::client::ClientError;
use crate::config::SecretFileError;
use crate::config::{ConfigError, StoreLoginError, UnsafePoint};
use crate::demo::DemoError;
use crate::policy::{AskedError, ZoneError};
use crate::record::ReadError;
use crate::record::verify::VerifyError;
use crate::serve::ServeError;
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
    #[error("bounds cannot stand in a token")]
    Bounded(#[from] BoundedError),
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

    #[error("the role spend and --spends-for go together")]
    SpendsFor,
    #[error("the key would have ended before it is made")]
    EndPast,
    #[error("callers cannot be read or changed")]
    Callers(#[from] CallersError),

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
    #[error("the request is no JSON")]
    RequestJson(#[source] serde_json::Error),
    #[error("the request cannot be used")]
    Request(#[from] AskedError),
    #[error("the zone cannot be used")]
    Zone(#[from] ZoneError),
    #[error("give --request or --test, which of them is to be explained")]
    NothingAsked,
    #[error("the store cannot be used")]
    Store(#[source] redis::OpenError),
    #[error("store {store} has no library")]
    Library { store: StoreName, source: redis::LibraryError },
    #[error("the store's file cannot be used")]
    StoreFile(#[source] OpenError),
    #[error("the record cannot be read")]
    Record(#[from] ReadError),
    #[error("nothing was verified")]
    Verify(#[source] Box<VerifyError>),
    #[error("there is no record in {}: name the data folder of an issuer with --data", path.display())]
    NoRecord { path: PathBuf },
    #[error("{} is no checkpoint", path.display())]
    NoCheckpoint { path: PathBuf },

    #[error("{} cannot be read or written", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("passphrase cannot be used")]
    Passphrase(#[from] SecretFileError),
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
    #[error("no test is called {name:?}{hint}")]
    NoSuchTest { name: String, hint: String },
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

    #[error("{name} is no JSON")]
    Json { name: &'static str, source: serde_json::Error },
    #[error("the issuer cannot be asked")]
    Client(#[from] ClientError),
    #[error("{detail}")]
    Problem { code: String, detail: String },
    #[error(
        "the issuer shows another request than the one that is to be signed: nothing was signed"
    )]
    OtherRequest,
    #[error("the issuer's name cannot name a chain of the record")]
    ChainName,
    #[error("--{name} is no UTF-8")]
    NotUtf8 { name: &'static str },
    #[error("the configuration cannot be used")]
    Config(#[source] Box<ConfigError>),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unsafe(Vec<UnsafePoint>),
    #[error("the store's servers cannot be used")]
    StoreLogin(#[source] Box<StoreLoginError>),
    #[error("the issuer does not start")]
    Serve(#[source] Box<ServeError>),
    #[error("no grant could be named")]
    Random(#[from] NoRandom),
    #[error("the demo did not run to its end")]
    Demo(#[source] Box<DemoError>),
    #[error("no task can be run")]
    Runtime(#[source] io::Error),
}

/// Errors that hold places and texts are kept beside, so that an answer stays small.
macro_rules! boxed {
    ($($variant:ident $error:ty,)+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::$variant(Box::new(error))
            }
        })+
    };
}

boxed! {
    Config ConfigError,
    Serve ServeError,
    Demo DemoError,
    StoreLogin StoreLoginError,
    Verify VerifyError,
}

impl Failure {
    /// The name that programs see.
    pub(super) fn code(&self) -> &str {
        match self {
            Failure::StdinTwice
            | Failure::Params(_)
            | Failure::BoundsJson(_)
            | Failure::Bounds(_)
            | Failure::Bounded(_)
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
            | Failure::SpendsFor
            | Failure::EndPast
            | Failure::Topology(_)
            | Failure::RequestJson(_)
            | Failure::Request(_)
            | Failure::Zone(_)
            | Failure::NothingAsked
            | Failure::Name(_) => "usage",
            Failure::Json { .. }
            | Failure::NotUtf8 { .. }
            | Failure::ChainName
            | Failure::Config(_) => "usage",
            Failure::OtherRequest => "wrong-params",
            Failure::Unsafe(_) => "unsafe",
            Failure::StoreLogin(_) => "store-login",
            Failure::Client(ClientError::Unreachable { .. } | ClientError::Garbled { .. }) => {
                "unreachable"
            }
            Failure::Client(_) => "usage",
            Failure::Problem { code, .. } => code,
            Failure::Serve(_) => "serve",
            Failure::Callers(error) => caller_code(error),
            Failure::NoSuchTest { .. } => "no-such-test",
            Failure::Store(_) | Failure::Library { .. } => "store",
            Failure::StoreFile(_) => "store-file",
            Failure::Record(_) | Failure::Verify(_) => "record",
            Failure::NoRecord { .. } => "no-record",
            Failure::NoCheckpoint { .. } => "no-checkpoint",
            Failure::File { .. } => "file",
            Failure::PrivateKey { source: PrivateKeyError::Unusable, .. } => "internal",
            Failure::PrivateKey { .. } | Failure::Passphrase(_) => "private-key",
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
            "store" | "unreachable" | "store-down" => Exit::Unreachable,
            "internal" => Exit::Internal,
            _ => Exit::Refused,
        }
    }
}

fn caller_code(error: &CallersError) -> &'static str {
    match error {
        CallersError::Taken { .. } => "caller-taken",
        CallersError::NoSuch { .. } => "no-such-caller",
        CallersError::NoSuchKey { .. } => "no-such-key",
        CallersError::Retired { .. } => "retired",
        CallersError::TooMany | CallersError::TooManyKeys { .. } => "too-many",
        CallersError::Rights { .. } => "usage",
        CallersError::Random(_) => "internal",
        CallersError::Folder { .. }
        | CallersError::Unreadable { .. }
        | CallersError::Unwritable { .. } => "file",
        CallersError::Exposed { .. }
        | CallersError::Account { .. }
        | CallersError::Misnamed { .. }
        | CallersError::KeyTwice { .. }
        | CallersError::Source { .. }
        | CallersError::NoKey { .. } => "caller-file",
    }
}
