//! Real Redis servers, mistreated: the laboratory of the tests that say what a grant store survives.
//!
//! ```text
//! Claimants ──→ Proxy ──→ Redis ←── a clock that is wrong, a disk that loses what was not synced,
//!     │       loses, cuts,   ↑         signals, reloads, memory that is full
//!     ↓       repeats, waits └─ Pair: one follows the other, and may be told to take over
//!   Tally     what was spent once, twice, refused without reason
//! ```
//!
//! Everything here is made of threads and blocks: a test with a runtime calls it from a thread of its own.
//! Servers listen on the loopback only, in a folder of their own, and end with the value that started
//! them, with the test that panics, and with the process that is killed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an instrument that breaks has measured nothing: the test that uses it fails there"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the servers are real, and so is the time they take; the binary is named by the environment"
)]

mod authority;
mod claimants;
mod clock;
mod connection;
mod counts;
mod fault;
mod folder;
mod frame;
mod meddling;
mod naive;
mod options;
mod pair;
mod pipe;
mod port;
mod power;
mod process;
mod proxy;
mod reply;
mod report;
mod server;
mod shared;
mod shim;
mod tally;
mod until;

pub use authority::Authority;
pub use claimants::{Claimants, Order, Progress};
pub use clock::ServerClock;
pub use connection::{Connection, deliver};
pub use counts::Counts;
pub use fault::{Answer, Fault};
pub use meddling::Pressure;
pub use naive::Naive;
pub use options::{Fsync, Options, Policy};
pub use pair::{Load, Pair, Side};
pub use power::{Lost, Power};
pub use proxy::Proxy;
pub use reply::{Reply, encode};
pub use report::Identity;
pub use server::Redis;
pub use tally::{Tally, Verdict};
pub use until::until;
