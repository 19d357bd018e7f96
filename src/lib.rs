//! farebox: a token for one action, that works once.

pub mod cli;
pub mod demo;
pub mod limits;
pub mod load;
pub mod log;
pub mod oracle;
pub mod signer;
pub mod store;
