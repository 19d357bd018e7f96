//! Joining, digests and leaves.

use super::*;

fn params(text: &str) -> Params {
    Params::parse(text.as_bytes()).unwrap()
}

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn without(text: &str, pointers: &[&str]) -> Result<ParamsDigest, ParamsError> {
    let pointers: Vec<_> = pointers.iter().map(|text| pointer(text)).collect();
    params(text).digest_without(&pointers)
}

#[test]
fn no_body_is_an_empty_object() {
    assert_eq!(params(""), Params::empty());
    assert_eq!(params("{ }"), Params::empty());
    // printf '{}' | sha256sum
    let want = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(Params::empty().digest().to_string(), want);
}

#[test]
fn white_space_alone_is_no_body() {
    assert!(Params::parse(b" ").is_err());
}

#[test]
fn spelling_order_and_space_do_not_change_the_digest() {
    let digest = params(r#"{"a":[1,0.1],"b":"ü/"}"#).digest();
    assert_eq!(params(" { \"b\" : \"\\u00fc\\/\", \"\\u0061\":[ 1.0,1e-1 ] } ").digest(), digest);
}

#[test]
fn another_value_has_another_digest() {
    let texts = [
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":2}"#,
        r#"{"a":-1}"#,
        r#"{"a":1.5}"#,
        r#"{"a":"1.5"}"#,
        r#"{"a":true}"#,
        r#"{"a":null}"#,
        r#"{"a":[1]}"#,
        r#"{"b":1}"#,
        r#"{"a":1,"b":1}"#,
        "{}",
        "[]",
        "\"\"",
        r#"{"a":{}}"#,
        r#"{"a":[]}"#,
        r#"{"a":"é"}"#,
        r#"{"a":"e\u0301"}"#,
    ];
    let mut digests: Vec<_> = texts.map(|text| params(text).digest().to_string()).into();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), texts.len());
}

#[test]
fn leaving_members_out_gives_the_digest_of_what_is_left() {
    let text = r#"{"a":1,"items":[{"price":5,"id":"x"},{"price":6}],"to":{"iban":"y"}}"#;
    let table: [(&[&str], &str); 6] = [
        (&[], text),
        (&["/a"], r#"{"items":[{"price":5,"id":"x"},{"price":6}],"to":{"iban":"y"}}"#),
        (&["/items/0/price"], r#"{"a":1,"items":[{"id":"x"},{"price":6}],"to":{"iban":"y"}}"#),
        (
            &["/items/1/price", "/a", "/items/0/price"],
            r#"{"items":[{"id":"x"},{}],"to":{"iban":"y"}}"#,
        ),
        (&["/to/iban"], r#"{"a":1,"items":[{"price":5,"id":"x"},{"price":6}],"to":{}}"#),
        (&["/a", "/items", "/to"], "{}"),
    ];
    for (pointers, left) in table {
        assert_eq!(without(text, pointers), Ok(params(left).digest()), "{pointers:?}");
    }
}

#[test]
fn an_equal_member_elsewhere_is_not_left_out_too() {
    let left = params(r#"{"a":{},"b":{"x":1}}"#).digest();
    assert_eq!(without(r#"{"a":{"x":1},"b":{"x":1}}"#, &["/a/x"]), Ok(left));
}

#[test]
fn only_members_that_are_there_are_left_out() {
    let text = r#"{"a":[1,{"b":null}]}"#;
    for absent in ["/b", "/a/2", "/a/-", "/a/1/c", "/a/0/0"] {
        let pointer = pointer(absent);
        assert_eq!(without(text, &[absent]), Err(ParamsError::Absent { pointer }));
    }
    for no_member in ["", "/a/0", "/a/1"] {
        let pointer = pointer(no_member);
        assert_eq!(without(text, &[no_member]), Err(ParamsError::NotAMember { pointer }));
    }
    assert!(without(text, &["/a/1/b"]).is_ok());
}

#[test]
fn no_more_members_are_left_out_than_may_vary() {
    assert!(without(r#"{"a":1}"#, &["/a"; BOUNDS_MAX]).is_ok());
    let more = without(r#"{"a":1}"#, &["/a"; BOUNDS_MAX + 1]);
    assert_eq!(more, Err(ParamsError::TooManyOmitted));
}

#[test]
fn sources_are_joined_into_one_object() {
    let body = Json::parse(br#"{"amount":5}"#).unwrap();
    let joined = Params::from_members([("path", Json::text("/x")), ("body", body)]).unwrap();
    assert_eq!(joined.digest(), params(r#"{"body":{"amount":5},"path":"/x"}"#).digest());
    assert_eq!(joined.leaf(&pointer("/body/amount")), Some(Leaf::Int(5)));
}

#[test]
fn a_source_is_joined_once() {
    let twice = Params::from_members([("body", Json::Null), ("body", Json::Null)]);
    assert_eq!(twice, Err(ParamsError::SameName { name: "body".to_owned() }));
}

#[test]
fn what_is_joined_is_taken_exactly_where_its_text_is() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (text, fits) in [
        (nested(PARAMS_DEPTH_MAX - 1), true),
        (nested(PARAMS_DEPTH_MAX), false),
        (format!("[{}0]", "0,".repeat(PARAMS_LEAVES_MAX - 3)), true),
        (format!("[{}0]", "0,".repeat(PARAMS_LEAVES_MAX - 2)), false),
    ] {
        let joined = Params::from_members([("body", Json::parse(text.as_bytes()).unwrap())]);
        let parsed = Params::parse(format!("{{\"body\":{text}}}").as_bytes());
        assert_eq!(joined.is_ok(), fits);
        assert_eq!(parsed.is_ok(), fits);
    }
}

#[test]
fn each_leaf_has_its_pointer_and_its_kind() {
    let text = r#"{"z":null,"a/b":{"~":[true,{"c":"x"}]},"n":-1.0,"d":0.50,"":[],"e":{}}"#;
    let params = params(text);
    let found = params.leaves().unwrap();
    let want = [
        ("/a~1b/~0/0", Leaf::Flag(true)),
        ("/a~1b/~0/1/c", Leaf::Text("x")),
        ("/d", Leaf::Decimal("0.5")),
        ("/n", Leaf::Int(-1)),
    ];
    assert_eq!(found, want.map(|(text, leaf)| (pointer(text), leaf)));
    for (pointer, leaf) in found {
        assert_eq!(params.leaf(&pointer), Some(leaf));
    }
    assert_eq!(params.leaf(&pointer("/z")), None);
    assert_eq!(params.leaf(&pointer("/e")), None);
}

#[test]
fn parameters_that_are_one_leaf_have_the_root_as_their_pointer() {
    assert_eq!(params("7").leaves(), Ok(vec![(pointer(""), Leaf::Int(7))]));
}

#[test]
fn a_leaf_that_no_pointer_leads_to_is_not_passed_over() {
    let long = format!(r#"{{"a":1,"{}":2}}"#, "k".repeat(256));
    assert_eq!(params(&long).leaves(), Err(PointerError::TooLong { bytes: 257 }));
    let control = params(r#"{"\u0007":2}"#);
    assert_eq!(control.leaves(), Err(PointerError::ControlCharacter { at: 1 }));
}

#[test]
fn debug_shows_no_parameter() {
    let params = params(r#"{"pin":4711,"name":"eve","ratio":0.5}"#);
    let leaves = params.leaves().unwrap();
    let shown = format!("{params:?} {:?}", leaves.iter().map(|(_, leaf)| leaf).collect::<Vec<_>>());
    for secret in ["4711", "eve", "0.5"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
