//! The house rules that no lint knows: which module may use which, how long a file may be, what may be
//! depended on, and that the map in ARCHITECTURE.md is true.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a rule that cannot be read fails")]

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/floors.rs"]
mod floors;
