//! A running issuer, from outside: the program itself, over HTTP, on the store in a file.

#![expect(clippy::disallowed_methods, reason = "how long the real thing takes")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the fixtures run in tests only"
)]

mod serve {
    mod scene;

    mod approvals;
    mod feed;
    mod grants;
    mod hostile;
    mod killed;
    mod later;
    mod measured;
    mod mended;
    mod numbers;
    mod patience;
    mod people;
    mod plans;
    mod policies;
    mod races;
    mod record;
    mod rights;
    mod staff;
    mod tenants;
    mod told;
    mod uses;
}
