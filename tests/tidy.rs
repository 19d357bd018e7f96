//! The house rules that no lint knows: which module may use which, how long a file may be, what may be
//! depended on, that the map in ARCHITECTURE.md is true, and that what the pages claim is there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a rule that cannot be read fails")]

#[path = "tidy/claims.rs"]
mod claims;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/floors.rs"]
mod floors;
