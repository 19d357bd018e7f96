//! The command line as people and programs meet it: the real binary, its exit codes and what it says.

#![expect(clippy::unwrap_used, reason = "the fixtures run in tests only")]

mod cli {
    mod desk;

    mod errors;
    mod keys;
    mod mint;
    mod shapes;
    mod walk;
}
