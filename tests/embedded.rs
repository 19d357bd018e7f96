//! The store in a file against what takes memory away: power cuts at every byte, kills, full disks, clocks.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set its scene fails"
)]
mod embedded {
    #[allow(dead_code, reason = "each test binary uses its part of the archive")]
    #[path = "../store/archive.rs"]
    mod archive;
    mod child;
    #[path = "../log/disk.rs"]
    mod disk;
    #[path = "../log/parts.rs"]
    mod parts;
    mod scene;
    mod told;
    #[path = "../log/trace.rs"]
    mod trace;

    mod claimants;
    mod clock;
    mod drained;
    mod failing;
    mod full;
    mod killed;
    mod ledger;
    mod power;
    mod random;
    mod refusals;
    mod restarts;
    mod rewrites;
}
