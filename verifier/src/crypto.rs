//! The few primitives, behind one door: SHA-256, Ed25519, random bytes.
//!
//! `aws_lc` is the default and wins where both features are on; `dalek` is the same in pure Rust.
//! Neither backend is trusted to refuse small-order keys: [`crate::key::PublicKey`] does.

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(all(feature = "dalek", not(feature = "aws-lc")))]
mod dalek;

#[cfg(feature = "aws-lc")]
pub(crate) use aws_lc::{public_of, random, sha256, sign, verify};
#[cfg(all(feature = "dalek", not(feature = "aws-lc")))]
pub(crate) use dalek::{public_of, random, sha256, sign, verify};

#[cfg(not(any(feature = "aws-lc", feature = "dalek")))]
compile_error!("farebox-verifier needs one of the features `aws-lc` and `dalek`");

/// An Ed25519 signature.
pub type Signature = [u8; 64];

/// The machine gave no random bytes, so nothing unpredictable can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoRandom;
