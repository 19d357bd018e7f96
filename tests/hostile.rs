//! What a thief, a malicious agent or a broken client may present, each case with its own code.
//!
//! `refusals` are about the request, the time and the keys, `holders` about proofs; `shapes` about blocks that say
//! what the layout cannot; `costs` about what refusing costs beside accepting.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene fails"
)]
#![allow(dead_code, reason = "each test binary uses its part of the world")]

#[path = "hostile/costs.rs"]
mod costs;
#[path = "hostile/forge.rs"]
mod forge;
#[path = "hostile/holders.rs"]
mod holders;
#[path = "hostile/refusals.rs"]
mod refusals;
#[path = "hostile/shapes.rs"]
mod shapes;
mod world;
