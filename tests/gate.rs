//! The gate, over real sockets: what a caller sees, what a handler sees, and what the store hears.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what went wrong by panicking"
)]

mod gate {
    mod fixture;
    mod http;
    mod store;

    mod building;
    mod handlers;
    mod methods;
    mod outputs;
    mod passing;
    mod reading;
    mod refusals;
    mod running;
    mod secrets;
    mod settling;
    mod stopping;
}
