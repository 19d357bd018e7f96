//! The record against what takes data away and against people: cut power, killed processes, full disks, and
//! every way to change what was written.
//!
//! `scene` is the fixture and `child` what other processes do; `trace`, `disk` and `parts` are those of the log's tests.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set its scene fails"
)]

mod record {
    mod child;
    #[path = "../log/disk.rs"]
    mod disk;
    #[path = "../log/parts.rs"]
    mod parts;
    mod scene;
    #[path = "../log/trace.rs"]
    mod trace;

    mod appends;
    mod archive;
    mod commands;
    mod following;
    mod full;
    mod killed;
    mod power;
    mod rate;
    mod searches;
    mod tampering;
    mod verifies;
}
