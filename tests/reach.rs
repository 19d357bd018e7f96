//! Whom a revocation reaches: an issuer that begins again knows what it minted and where, and calls nothing
//! revoked that somebody may still let through.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set its scene fails"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod reach {
    mod scene;

    mod lives;
    mod words;
}
