//! A running issuer on real servers, from outside: the program itself, over HTTP, on Redis as an operator sets
//! it up; and what it does while it, or they, are killed, frozen and started again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "the fixtures run in tests only, and measure how long servers take"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;
#[allow(dead_code, reason = "each test binary uses its part of the scene")]
#[path = "serve/scene.rs"]
mod scene;

mod served {
    mod ground;

    mod crashes;
    mod down;
    mod quorum;
    mod single;
    mod spread;
}
