//! The command line as people and programs meet it: the real binary, its exit codes and what it says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the fixtures run in tests only")]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod cli {
    mod desk;
    mod host;

    mod errors;
    mod keys;
    mod loaded;
    mod looks;
    mod measured;
    mod mint;
    mod shapes;
    mod users;
    mod walk;
}
