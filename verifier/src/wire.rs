//! The wire format in both directions: Biscuit's messages, as much of them as `farebox/1` uses.
//!
//! ```text
//! token     = 1 key id?  2 signed block  3 signed block*  4 proof
//! signed    = 1 block  2 next key  3 signature  4 external signature?  5 signature version?
//! block     = 1 symbol*  2 context?  3 version  4 fact*  6 check*  8 public key*
//! ```

pub(crate) mod block;
pub(crate) mod datalog;
pub(crate) mod envelope;
pub(crate) mod flaw;
mod protobuf;
pub(crate) mod symbols;
