//! farebox: a token for one action, that works once.

pub mod signer;
