//! The configuration: what is said where goes before what, and what is wrong is named with its place.

#![expect(clippy::unwrap_used, reason = "the fixtures run in tests only")]

mod config {
    mod desk;

    mod file;
    mod jwt;
    mod places;
    mod refused;
    mod stores;
    mod unsafe_points;
}
