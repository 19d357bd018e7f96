//! JWTs as credentials: tokens of CI systems, identity providers and SPIFFE workloads.
//!
//! A source is pinned to its issuer or trust domain, to audiences, to algorithms and to where its keys are; a token
//! chooses none of them.

mod algorithm;
mod cache;
mod fetch;
mod key_set;
mod source;
mod sources;
mod token;
mod url;

pub use algorithm::{Algorithm, AlgorithmError};
pub use fetch::{AuthoritiesError, JwksError};
pub use key_set::KeySetError;
pub use source::{
    ClaimPath, ClaimText, ClaimTextError, KeysAt, Rule, Source, SourceKind, Tenancy, TrustDomain,
    TrustDomainError,
};
pub use sources::SourceState;
pub(in crate::callers) use sources::Sources;
pub use url::{JwksUrl, JwksUrlError};
