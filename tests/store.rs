//! What every grant store must do, and each store that does it.
//!
//! ```text
//! subject.rs   a store under test
//! draft.rs     grants to be, and the few words in which the tests speak to a store
//! NOUN.rs      what must hold of each part of its work, for any subject
//! contract.rs  the list of all that, and the macros that make tests of it
//! STORE.rs     a subject, for each store there is
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

#[allow(dead_code, reason = "each test binary uses its part of the world")]
mod world;

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod store {
    #[macro_use]
    mod contract;
    mod archive;
    mod draft;
    mod subject;

    mod abandon;
    mod block;
    mod budget;
    mod clock;
    mod crowd;
    mod drain;
    mod ended;
    mod hand_back;
    mod journal;
    mod lapse;
    mod lease;
    mod policy;
    mod predecessor;
    mod race;
    mod register;
    mod revoke;
    mod settle;
    mod spend;
    mod token;
    mod view;

    mod embedded;
    mod encrypted;
    mod memory;
    mod redis;
    mod several;
    mod torn;
    mod unheard;
}
