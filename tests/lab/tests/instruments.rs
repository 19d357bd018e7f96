//! Each instrument does what it says, to a real server.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what went wrong by panicking; the time that passes here is real"
)]

mod instruments {
    mod memory;

    mod claimants;
    mod clock;
    mod faults;
    mod links;
    mod meddling;
    mod pair;
    mod power;
    mod server;
    mod tls;
}
