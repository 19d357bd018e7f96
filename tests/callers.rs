//! Callers: who is let in, who is not, and what a thief, a lying provider or a slow one changes about it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the fixtures run in tests only")]

mod callers {
    mod ground;
    mod provider;
    mod signing;

    mod claims;
    mod cli;
    mod confused;
    mod folder;
    mod keys;
    mod provided;
}
