//! Which bounds are taken, and their one text.

use crate::limits::{BOUNDS_MAX, ONE_OF_MAX, TEXT_BOUND_BYTES_MAX};

use super::Params;
use super::bounds::{Bound, Bounds, BoundsError};
use super::json::{INT_MAX, Json};
use super::pointer::Pointer;

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn read(text: &str) -> Result<Bounds, BoundsError> {
    Bounds::from_json(&Json::parse(text.as_bytes()).unwrap())
}

/// The refusal in its own words.
fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn print(text: &str) -> String {
    String::from_utf8(read(text).unwrap().canonical()).unwrap()
}

#[test]
fn bounds_are_read_in_all_their_kinds() {
    let text = r#"{"/to":{"one_of":["b","a","b"]},"/amount":{"max":4000,"min":-1},
                   "/n":{"min":1.0},"/path":{"prefix":"src/"}}"#;
    let one_of = ["a", "b"].map(Box::from).into();
    let want = [
        ("/amount", Bound::Int { min: Some(-1), max: Some(4000) }),
        ("/n", Bound::Int { min: Some(1), max: None }),
        ("/path", Bound::Prefix("src/".into())),
        ("/to", Bound::OneOf(one_of)),
    ]
    .map(|(text, bound)| (pointer(text), bound));
    let bounds = read(text).unwrap();
    assert!(bounds.iter().eq(want.iter().map(|(pointer, bound)| (pointer, bound))));
    assert!(bounds.pointers().eq(want.iter().map(|(pointer, _)| pointer)));
    assert_eq!(Bounds::new(want), Ok(bounds));
}

#[test]
fn bounds_have_one_text() {
    let want = r#"{"/amount":{"max":4000,"min":1},"/path":{"prefix":"a\"b"},"/to":{"one_of":["","a","b"]}}"#;
    let other = r#"{"/to":{"one_of":["b","","a","a"]},"/path":{"prefix":"\u0061\u0022b"},
                    "/amount":{"min":1.0,"max":4e3}}"#;
    assert_eq!(print(other), want);
    assert_eq!(print(want), want);
}

#[test]
fn pointers_are_printed_as_json_sorts_them() {
    let text = "{\"/\u{1f600}\":{\"max\":1},\"/\u{fb33}\":{\"max\":1}}";
    assert_eq!(print(text), text);
}

#[test]
fn what_is_no_bound_is_refused_in_these_words() {
    let table = [
        ("[]", "bounds are not an object"),
        ("null", "bounds are not an object"),
        ("{}", "bounds name no member"),
        (r#"{"a":{"max":1}}"#, "bounds name a, which is no json pointer"),
        (r#"{"/a~":{"max":1}}"#, "bounds name /a~, which is no json pointer"),
        (r#"{"":{"max":1}}"#, "bounds name the whole of the parameters"),
        (r#"{"/a":4}"#, "bound of /a is not an object"),
        (r#"{"/a":{}}"#, "bound of /a allows anything"),
        (r#"{"/a":{"prefix":""}}"#, "bound of /a allows anything"),
        (r#"{"/a":{"maximum":1}}"#, "bound of /a has the unknown word maximum"),
        (r#"{"/a":{"max":1,"Min":0}}"#, "bound of /a has the unknown word Min"),
        (r#"{"/a":{"max":1,"prefix":"x"}}"#, "bound of /a mixes kinds"),
        (r#"{"/a":{"one_of":["x"],"prefix":"x"}}"#, "bound of /a mixes kinds"),
        (r#"{"/a":{"min":1,"one_of":["x"]}}"#, "bound of /a mixes kinds"),
        (r#"{"/a":{"max":"1"}}"#, "max of /a is not an integer"),
        (r#"{"/a":{"min":1.5}}"#, "min of /a is not an integer"),
        (r#"{"/a":{"min":null,"max":1}}"#, "min of /a is not an integer"),
        (r#"{"/a":{"one_of":"x"}}"#, "one_of of /a is not a list of texts"),
        (r#"{"/a":{"one_of":["x",1]}}"#, "one_of of /a is not a list of texts"),
        (r#"{"/a":{"prefix":1}}"#, "prefix of /a is not a text"),
        (r#"{"/a":{"min":2,"max":1}}"#, "bound of /a allows nothing"),
        (r#"{"/a":{"one_of":[]}}"#, "bound of /a allows nothing"),
        (r#"{"/a":{"max":1},"/a/b":{"max":1}}"#, "bounds name /a and /a/b inside of it"),
    ];
    for (text, want) in table {
        assert_eq!(refusal(text), want, "{text}");
    }
}

#[test]
fn one_value_is_the_smallest_range() {
    assert_eq!(print(r#"{"/a":{"min":2,"max":2}}"#), r#"{"/a":{"max":2,"min":2}}"#);
}

#[test]
fn an_overlap_is_seen_past_pointers_that_sort_between() {
    let text = r#"{"/a":{"max":1},"/a-":{"max":1},"/a/b":{"max":1}}"#;
    assert_eq!(refusal(text), "bounds name /a and /a/b inside of it");
    assert!(read(r#"{"/a":{"max":1},"/ab":{"max":1},"/b/a":{"max":1}}"#).is_ok());
}

#[test]
fn a_member_is_named_once() {
    let bound = Bound::Prefix("x".into());
    let twice = Bounds::new([(pointer("/a"), bound.clone()), (pointer("/a"), bound)]);
    assert_eq!(twice, Err(BoundsError::Overlap { outer: pointer("/a"), inner: pointer("/a") }));
}

#[test]
fn bounds_end_at_their_limits() {
    let members = |count: usize| {
        Bounds::new((0..count).map(|at| (pointer(&format!("/{at}")), Bound::Prefix("x".into()))))
    };
    assert!(members(BOUNDS_MAX).is_ok());
    assert_eq!(members(BOUNDS_MAX + 1), Err(BoundsError::TooMany));
    let many: Vec<_> = (0..=BOUNDS_MAX).map(|at| format!(r#""/{at}":0"#)).collect();
    assert_eq!(read(&format!("{{{}}}", many.join(","))), Err(BoundsError::TooMany));

    let one = |bound: Bound| Bounds::new([(pointer("/a"), bound)]).map(|_| ());
    let values = |count: usize| Bound::OneOf((0..count).map(|at| at.to_string().into()).collect());
    assert_eq!(one(values(ONE_OF_MAX)), Ok(()));
    let pointer = pointer("/a");
    let refused = Err(BoundsError::TooManyValues { pointer: pointer.clone() });
    assert_eq!(one(values(ONE_OF_MAX + 1)), refused);

    let text = |bytes: usize| "x".repeat(bytes).into_boxed_str();
    let refused = Err(BoundsError::TextTooLong { pointer: pointer.clone() });
    assert_eq!(one(Bound::Prefix(text(TEXT_BOUND_BYTES_MAX))), Ok(()));
    assert_eq!(one(Bound::Prefix(text(TEXT_BOUND_BYTES_MAX + 1))), refused);
    assert_eq!(one(Bound::OneOf([text(TEXT_BOUND_BYTES_MAX)].into())), Ok(()));
    assert_eq!(one(Bound::OneOf([text(TEXT_BOUND_BYTES_MAX + 1)].into())), refused);

    let refused = Err(BoundsError::OutOfRange { pointer });
    assert_eq!(one(Bound::Int { min: Some(-INT_MAX), max: Some(INT_MAX) }), Ok(()));
    assert_eq!(one(Bound::Int { min: None, max: Some(INT_MAX + 1) }), refused);
    assert_eq!(one(Bound::Int { min: Some(i64::MIN), max: None }), refused);
}

#[test]
fn bounds_built_by_hand_follow_the_same_rules() {
    let one = |at: &str, bound: Bound| Bounds::new([(pointer(at), bound)]).unwrap_err();
    let anything = BoundsError::Unbounded { pointer: pointer("/a") };
    assert_eq!(one("/a", Bound::Int { min: None, max: None }), anything);
    assert_eq!(one("/a", Bound::Prefix("".into())), anything);
    let nothing = BoundsError::Unsatisfiable { pointer: pointer("/a") };
    assert_eq!(one("/a", Bound::Int { min: Some(1), max: Some(0) }), nothing);
    assert_eq!(one("/a", Bound::OneOf([].into())), nothing);
    assert_eq!(one("", Bound::Prefix("x".into())), BoundsError::Root);
    assert_eq!(Bounds::new([]), Err(BoundsError::Empty));
}

#[test]
fn a_member_is_either_bound_exactly_or_may_vary() {
    let bounds = read(r#"{"/a":{"max":1},"/b/c":{"max":1}}"#).unwrap();
    let check = |text: &str| {
        bounds.stand_apart_from(&Params::parse(text.as_bytes()).unwrap()).map_err(|error| {
            match error {
                BoundsError::StandsInParams { pointer } => pointer.to_string(),
                other => panic!("{other}"),
            }
        })
    };
    assert_eq!(check("{}"), Ok(()));
    assert_eq!(check(r#"{"b":{"d":1},"c":1}"#), Ok(()));
    assert_eq!(check(r#"{"a":1}"#), Err("/a".to_owned()));
    assert_eq!(check(r#"{"a":null}"#), Err("/a".to_owned()));
    assert_eq!(check(r#"{"b":{"c":{}}}"#), Err("/b/c".to_owned()));
}
