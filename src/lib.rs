//! farebox: a token for one action, that works once.

pub mod approval;
pub mod bench;
pub mod callers;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod evidence;
pub mod feed;
pub mod fields;
pub mod http;
pub mod issuer;
pub mod jws;
pub mod keychain;
pub mod limits;
pub mod load;
pub mod log;
pub mod metrics;
pub mod oracle;
pub mod policy;
pub mod record;
pub mod serve;
pub mod signer;
pub mod steady;
pub mod store;
