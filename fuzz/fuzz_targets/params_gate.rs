//! Whatever is sent as parameters: it is refused, or everyone reads it alike.
#![no_main]

use farebox_verifier::{Bounds, Params};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let Ok(params) = Params::parse(input) else { return };
    let canonical = params.canonical();
    agrees(input, &canonical);
    let again = Params::parse(&canonical).expect("the canonical text is read");
    assert!(again == params);
    assert!(again.canonical() == canonical);
    assert_eq!(again.digest(), params.digest());
    leaves(&params);
    bounds(&params);
});

/// Another library reads the same in the text and in its canonical form.
fn agrees(input: &[u8], canonical: &[u8]) {
    let input = if input.is_empty() { b"{}" } else { input };
    let read: Value = serde_json::from_slice(input).expect("serde_json reads it too");
    let canonical: Value = serde_json::from_slice(canonical).expect("and its canonical text");
    assert!(same(&read, &canonical), "{read} is not {canonical}");
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        // `1.0` is canonically `1`, which serde_json takes for another kind of number.
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let alike = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| same(a, b));
            a.len() == b.len() && a.iter().all(alike)
        }
        _ => a == b,
    }
}

/// Every leaf is found again where it is said to stand.
fn leaves(params: &Params) {
    for (at, leaf) in params.leaves().unwrap_or_default() {
        assert!(params.leaf(&at) == Some(leaf), "{at}");
    }
}

/// What is read as bounds is written and read again as the same bounds.
fn bounds(params: &Params) {
    let Ok(bounds) = Bounds::from_json(params.as_json()) else { return };
    let canonical = bounds.canonical();
    let again = Params::parse(&canonical).expect("bounds are written as parameters are");
    assert!(Bounds::from_json(again.as_json()) == Ok(bounds));
    assert!(again.canonical() == canonical);
}
