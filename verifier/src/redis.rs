//! Redis and Valkey: one link to each server, shared by all who ask it.
//!
//! ```text
//! Link::call ─→ a slot ─→ the connection ─→ FCALL ─→ the reply, which repeats the echo
//!                          │ opened when first needed, by one attempt for all who wait
//!                          └ given up on silence, on a stranger's reply, on a server that is not fit
//! ```
//!
//! Nothing is sent twice here or below: whoever asks again does so knowingly, with the same attempt.

mod address;
mod backoff;
mod call;
mod connection;
mod link;
mod open;
pub mod question;
mod redis_store;
mod slots;
mod tls;
mod topology;
mod turn;
mod unanswered;
mod votes;

/// What a server says, in its protocol's own types.
pub use ::redis::Value;
pub use address::{Address, AddressError};
pub use call::{Call, Reply};
pub use link::{Link, Waits};
pub use redis_store::RedisStore;
pub use tls::{Tls, TlsError};
pub use topology::{Topology, TopologyError};
pub use unanswered::{Effect, Unanswered, Why};
