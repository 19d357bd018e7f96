//! The durable log against what takes data away: cut power, killed processes, full and failing disks, restored
//! backups, and people.
//!
//! `scene` is the fixture, `child` what other processes do and `parts` how they are started; `shim`, `trace` and `disk` are a disk of which every
//! possible crash can be looked at.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set its scene fails"
)]

mod log {
    mod child;
    mod disk;
    mod parts;
    mod scene;
    mod trace;

    mod appends;
    mod failing;
    mod full;
    mod killed;
    mod onward;
    mod power;
    mod refusals;
    mod rewrites;
    mod seals;
}
