//! Names and parameters from small domains, so that about half of them meet.

use farebox_verifier::{Leaf, Params, Pointer};
use serde_json::{Map, Value, json};

use super::chance::Chance;

/// Symbols that every biscuit knows, names of farebox's own facts, and ordinary words: any name may be
/// equal to any other.
pub(crate) const WORDS: [&str; 14] = [
    "read",
    "query",
    "time",
    "request",
    "t",
    "v",
    "payments.transfer",
    "acme",
    "grant",
    "farebox/1",
    "once",
    "00",
    "/amount",
    "ümlaut",
];
/// Names of members; some have escapes in a pointer, and one has no pointer at all.
const MEMBERS: [&str; 12] =
    ["amount", "to", "note", "path", "read", "query", "a/b", "~", "", "0", "time", "ü"];
const INTS: [i64; 8] = [0, 1, -1, 5, 4000, 4001, (1 << 53) - 1, -((1 << 53) - 1)];
pub(crate) const TEXTS: [&str; 14] = [
    "",
    "a",
    "ac",
    "acme",
    "acme corp",
    "globex",
    "read",
    "query",
    "5",
    "src/main.rs",
    "ü",
    "{x} $v \"q\" \\",
    "/amount",
    "true",
];
/// Places that are no place, or are in one spelling alone.
const ODD_PLACES: [&str; 12] = [
    "",
    "/",
    "/amount",
    "/missing",
    "/list/00",
    "/list/-",
    "/list/+1",
    "/list/-0",
    "/list/1",
    "/nested/amount",
    "/a~1b",
    "/~0",
];

pub(crate) fn text(chance: &mut Chance) -> &'static str {
    chance.pick(&TEXTS)
}

/// One value, not an object.
fn leaf(chance: &mut Chance) -> Value {
    match chance.below(10) {
        0..=3 => json!(chance.choose(&INTS)),
        4..=7 if chance.once_in(8) => json!("two\nlines\u{7}"),
        4..=7 => json!(text(chance)),
        8 => chance.choose(&[json!(true), json!(null), json!(0.5), json!("")]).clone(),
        _ => json!([1, "x", chance.choose(&INTS), text(chance)]),
    }
}

/// Parameters: an object of a few members, now and then something else.
pub(crate) fn params(chance: &mut Chance) -> Params {
    let value = match chance.below(40) {
        0 => leaf(chance),
        1 => json!({ "x".repeat(300): 1, "amount": leaf(chance) }),
        _ => {
            let count = chance.below(5);
            let mut object: Map<_, _> =
                (0..count).map(|_| (chance.pick(&MEMBERS).to_owned(), leaf(chance))).collect();
            if chance.once_in(3) {
                object.insert("nested".to_owned(), json!({ "amount": leaf(chance) }));
            }
            if chance.once_in(3) {
                object.insert("list".to_owned(), json!([leaf(chance), leaf(chance)]));
            }
            Value::Object(object)
        }
    };
    Params::parse(value.to_string().as_bytes()).unwrap()
}

/// The integers and texts of parameters.
pub(crate) fn leaves(params: &Params) -> Vec<(Pointer, Leaf<'_>)> {
    let leaves = params.leaves().unwrap_or_default();
    leaves.into_iter().filter(|(_, leaf)| matches!(leaf, Leaf::Int(_) | Leaf::Text(_))).collect()
}

/// Any place.
pub(crate) fn place(chance: &mut Chance) -> Pointer {
    Pointer::parse(chance.pick(&ODD_PLACES)).unwrap()
}
