//! The token vectors: what every implementation of `farebox/1` must take and refuse.
//!
//! ```text
//! fixed keys, ids and times ─→ cases ─→ vectors/farebox-1.json ─→ the verifier, the engine, other libraries
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the fixtures run in tests only"
)]

mod vectors {
    mod biscuit;
    mod case;
    mod fixture;
    mod forge;
    mod random;

    mod authority;
    mod bytes;
    mod later;
    mod refused;
    mod third;
    mod verified;

    mod equal;
    mod golden;
}
