//! A token: the signed bytes of a grant, layout `farebox/1`.
//!
//! ```text
//! text ── base64url ── wire (Biscuit's protobuf) ── layout (farebox/1) ── Grant + narrowing caveats
//!                        └── chain: who signed which block
//! ```

pub(crate) mod chain;
pub(crate) mod layout;
pub(crate) mod text;

mod mint;
mod narrow;

pub use crate::wire::flaw::Flaw;
pub use layout::mark;
pub use mint::{MintError, mint};
pub use narrow::{NarrowError, Statement, append_statement, narrow, unverified_statement_payload};
pub use text::TokenText;
