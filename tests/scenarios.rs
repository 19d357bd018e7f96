//! The twenty-four scenarios, each end to end: a real issuer with the policies that come with farebox, on the store in a
//! file and on a real Redis, and a real API that embeds the verifier. Every refusal is a case with its own code, and what
//! is seen makes `docs/scenarios.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the fixtures run in tests only"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod scenarios {
    mod api;
    mod ask;
    mod page;
    mod play;
    mod presented;
    mod stage;
    mod wire;

    mod action_authorization;
    mod action_layer_governance;
    mod per_action_authorization;
    mod per_action_autonomy;
    mod per_action_policy;
}
