//! The grant store on Redis, as an issuer sees it: one server, several that share the work, or a quorum.
//!
//! ```text
//!             fleet ── registers, revokes, drains ──→ server ──→ a life, in the memory of its functions
//!               │                                       │
//!             lives: every life that anything           └─ prove: version, library, eviction, the fence
//!             was minted under, until its last expiry
//! ```
//! A life is opened by [`Fleet::tend`], and by nothing else. What a life says only counts from the process
//! that has it; see `library.lua`, where the rules stand.

pub mod acl;
mod budgets;
mod calls;
pub mod check;
mod drains;
mod fleet;
mod grants;
pub mod library;
mod lives;
mod server;
mod staff;
mod together;

pub use fleet::{Fleet, Servers};
pub use library::{LibraryError, ServerKind};
pub use server::OpenError;
