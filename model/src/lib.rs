//! The grant store's protocol as a model: every order of its steps, with every fault in between, up to a bound.
//!
//! ```text
//!   staff ──revoke──→ issuer 1, issuer 2 ──open, register, hold──→ server A ⇄ server B ←──spend, settle── claimants
//!                     each with its record                        memory + data set
//! ```
//!
//! `rules` can be taken away one by one; `property` says what must hold; `promise`, `mutation`, `matrix` and
//! `majority` list what is checked, and [`report`] runs it and writes it down.
#![expect(
    clippy::indexing_slicing,
    reason = "a number beyond the model's bounds is a mistake in the model, and must end the run"
)]

mod bounds;
mod budget;
mod case;
mod claim;
mod data;
mod fault;
mod fleet;
mod issuer;
mod life;
mod majority;
mod matrix;
mod mint;
mod mutation;
mod page;
mod promise;
mod property;
mod quorum;
pub mod report;
mod revocation;
mod rules;
mod run;
mod server;
mod set;
mod step;
mod world;
