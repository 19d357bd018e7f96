//! What a user of the store's servers cannot do, with the users as `farebox store acl` prints them.
//!
//! ```text
//! ground.rs     a real server with these users, and a store that speaks to it as them
//! commands.rs   the table: who may which command, on whose keys
//! appending.rs  a right that is missing: no record, no yes
//! reach.rs      how far somebody gets who has a verifier's password
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod acl {
    #[allow(dead_code, reason = "each test binary uses its part of the drafts")]
    #[path = "../store/draft.rs"]
    mod draft;
    #[allow(dead_code, reason = "each test binary uses its part of a subject")]
    #[path = "../store/subject.rs"]
    mod subject;

    mod appending;
    mod commands;
    mod ground;
    mod reach;
}
