//! The link to one server: what it sends, what it believes, and what it does when nobody answers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

mod link {
    mod fake;
    mod folder;
    mod server;
    mod world;

    mod answers;
    mod crowds;
    mod dropping;
    mod encrypted;
    mod faults;
    mod replies;
    mod rights;
}
