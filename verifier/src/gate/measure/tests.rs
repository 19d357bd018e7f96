//! What a result measures, and what cannot be measured.

use axum::response::IntoResponse as _;

use super::*;
use crate::caveat::CaveatText;

fn max(name: &str, max: i64) -> Caveat {
    Caveat::OutputMax(OutputName::parse(name).unwrap(), max)
}

fn one_of(name: &str, texts: &[&str]) -> Caveat {
    let texts = texts.iter().map(|text| CaveatText::parse(text).unwrap());
    Caveat::OutputOneOf(OutputName::parse(name).unwrap(), OneOf::new(texts).unwrap())
}

fn keeps(measures: &Measures, body: &str, caveat: &Caveat) -> bool {
    let body = Bytes::from(body.to_owned());
    let response = (measures.clone(), ()).into_response();
    Measured::of(&response.into_parts().0, &body).keeps(caveat)
}

#[test]
fn a_body_is_measured_by_its_bytes_and_by_what_stands_in_it() {
    let body = r#"{"n":3,"rows":[1,2],"a/b":{"~":["x","y"]},"t":"x","f":1.0,"neg":-5,"none":null}"#;
    let holds = [
        max("bytes", 200),
        max("/n", 3),
        max("/neg", -5),
        max("/rows", 2),
        max("/rows/1", 2),
        one_of("/t", &["x", "z"]),
        one_of("/a~1b/~0", &["x", "y"]),
        one_of("/a~1b/~0/0", &["x"]),
    ];
    for caveat in holds {
        assert!(keeps(&Measures::new(), body, &caveat), "{caveat}");
    }
    let breaks = [
        max("bytes", 3),
        max("/n", 2),
        max("/neg", -6),
        max("/rows", 1),
        max("/rows/01", 9),
        max("/rows/-", 9),
        max("/t", 9),
        max("/f", 9),
        max("/none", 9),
        max("/absent", 9),
        max("/~", 9),
        max("rows", 9),
        one_of("/t", &["y"]),
        one_of("/a~1b/~0", &["x"]),
        one_of("/rows", &["1", "2"]),
        one_of("/n", &["3"]),
        one_of("/absent", &["x"]),
        one_of("bytes", &["x"]),
        one_of("t", &["x"]),
    ];
    for caveat in breaks {
        assert!(!keeps(&Measures::new(), body, &caveat), "{caveat}");
    }
}

#[test]
fn a_body_that_two_readers_could_take_differently_is_not_measured() {
    for body in [r#"{"n":1,"n":9}"#, r#"{"n":1} 2"#, r#"{"n":1"#, "", "\u{feff}{\"n\":1}"] {
        assert!(!keeps(&Measures::new(), body, &max("/n", 5)), "{body}");
    }
}

#[test]
fn an_encoded_body_is_not_measured() {
    let body = Bytes::from_static(b"{}");
    let response = ([("content-encoding", "gzip")], ()).into_response();
    assert!(!Measured::of(&response.into_parts().0, &body).keeps(&max("bytes", 99)));
}

#[test]
fn every_declared_measure_is_held_to_the_caveat() {
    let two = Measures::new().number("rows", 3).number("rows", 7);
    assert!(keeps(&two, "", &max("rows", 7)));
    assert!(!keeps(&two, "", &max("rows", 6)));
    let texts = Measures::new().text("classification", "public").text("classification", "secret");
    assert!(keeps(&texts, "", &one_of("classification", &["public", "secret"])));
    assert!(!keeps(&texts, "", &one_of("classification", &["public"])));
    assert!(!keeps(&texts, "", &max("classification", 9)));
    assert!(!keeps(&two, "", &one_of("rows", &["3", "7"])));
}

#[test]
fn measures_that_are_declared_apart_come_together() {
    let response = (Measures::new().number("rows", 3), Measures::new().number("rows", 9), ());
    let response = response.into_response();
    assert!(!Measured::of(&response.into_parts().0, &Bytes::new()).keeps(&max("rows", 5)));
}

#[test]
fn a_handler_cannot_declare_what_the_gate_measures() {
    let lies = Measures::new().number("bytes", 0).number("/n", 0);
    assert!(!keeps(&lies, r#"{"n":7}"#, &max("bytes", 1)));
    assert!(!keeps(&lies, r#"{"n":7}"#, &max("/n", 1)));
}
