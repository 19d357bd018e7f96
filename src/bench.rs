//! A bench: what a running issuer does in a second, driven over HTTP as orchestrators and APIs drive it.
//!
//! ```text
//! hand ─→ connection ─→ mint ─→ spend ─→ settle      a turn: so many hands, each doing one thing after another
//!   └───→ tally: how long each took that was done, and by which code each was refused
//! ```
//!
//! Nothing of it knows how the issuer is built: it asks what anybody may ask, with keys that anybody could have.

mod connection;
mod latencies;
mod life;
mod tally;
mod target;
mod turn;

pub use connection::{Connection, Heard};
pub use latencies::Latencies;
pub use life::{Bench, Keys, Plan, PlanError, Step};
pub use tally::Tally;
pub use target::Target;
pub use turn::{Hand, Refused, turn};
