//! Policies from outside: the example set and its golden table, what loading refuses and what it remarks on, hostile
//! questions, what a decision may cost, sets that are swapped, and rows that are taken by key.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[path = "policy/bounds.rs"]
mod bounds;
#[path = "policy/commands.rs"]
mod commands;
#[path = "policy/costs.rs"]
mod costs;
#[path = "policy/decisions.rs"]
mod decisions;
#[path = "policy/folder.rs"]
mod folder;
#[path = "policy/hostile.rs"]
mod hostile;
#[path = "policy/keyed.rs"]
mod keyed;
#[path = "policy/refused.rs"]
mod refused;
#[path = "policy/remarks.rs"]
mod remarks;
#[path = "policy/swaps.rs"]
mod swaps;
#[path = "policy/terms.rs"]
mod terms;
