//! Routes that are wrong are found when the router is built.

use std::sync::Arc;

use axum::routing::MethodRouter;
use farebox_verifier::gate::Gate;
use farebox_verifier::{Audience, KeyRing, Keys, Memory, Registered, SystemClock, Verifier};

fn gate() -> Gate {
    let keys = Arc::new(Keys::new(KeyRing::default()));
    let store = Arc::new(Memory::new(Arc::new(SystemClock)));
    let audience = Audience::parse("payments-api").unwrap();
    Gate::new(Verifier::new(keys, Registered::Anyhow), store, audience)
}

/// What building a route panics with.
fn panic_of(build: impl FnOnce(&Gate) -> MethodRouter + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(move || build(&gate())).err().unwrap();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_name_that_is_none_is_no_route() {
    let action = panic_of(|gate| gate.action("pay now").on("x").post(|| async {}));
    assert!(action.starts_with("\"pay now\" is no action: "), "{action}");
    for template in ["account/{id", "account/{}", "{a}{b}", "", "a\u{202e}/{b}"] {
        let panic = panic_of(|gate| gate.action("pay").on(template).post(|| async {}));
        assert!(panic.contains("is no template of a resource"), "{panic}");
    }
}

#[test]
fn sources_that_exclude_each_other_are_no_route() {
    let on = |gate: &Gate| gate.action("pay").on("x");
    let raw = "pay reads its body raw, which can have no members beside it";
    assert_eq!(panic_of(move |gate| on(gate).raw().path().post(|| async {})), raw);
    assert_eq!(panic_of(move |gate| on(gate).query().raw().post(|| async {})), raw);
    let twice = "the body of pay is read twice";
    assert_eq!(panic_of(move |gate| on(gate).raw().json().post(|| async {})), twice);
    assert_eq!(panic_of(move |gate| on(gate).json().json_as::<u8>().post(|| async {})), twice);
}
