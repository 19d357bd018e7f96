//! The committed file: made again and compared, and every case of it tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use biscuit_auth::format::SerializedBiscuit;
use farebox_verifier::Presented;
use farebox_verifier::facts::Fact;

use super::case::{Case, NamedKey, Vectors};
use super::fixture::{ISSUER, Key, NAMED};
use super::{authority, bytes, forge, later, refused, third, verified};

const ABOUT: &str = "Token vectors of farebox/1. README.md beside this file explains the fields.";
const AGAIN: &str = "FAREBOX_REGENERATE=1 cargo test --test vectors";

/// Refused for what a verifier is set up to take, of which a token's Datalog knows nothing. This list may
/// only shrink.
const BEYOND_DATALOG: [&str; 2] = ["other-stores", "no-store"];

/// Every flaw that a token can have.
const FLAWS: [&str; 20] = [
    "algorithm",
    "blocks",
    "check",
    "facts",
    "fresh",
    "layout",
    "not-canonical",
    "proof",
    "protobuf",
    "rules",
    "scope",
    "signature",
    "small-order",
    "stores",
    "symbols",
    "text",
    "third-party",
    "too-long",
    "value",
    "version",
];

/// Every code with which a verifier refuses before a store is asked.
const CODES: [&str; 11] = [
    "bad-token",
    "caveat-failed",
    "expired",
    "holder-proof-invalid",
    "holder-proof-missing",
    "not-yet-valid",
    "unknown-key",
    "wrong-action",
    "wrong-audience",
    "wrong-params",
    "wrong-resource",
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/farebox-1.json")
}

fn made() -> String {
    let named = |(name, key): (&str, Key)| NamedKey {
        name: name.to_owned(),
        public: key.public().to_string(),
        seed: key.seed().iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let cases = [
        verified::cases(),
        refused::cases(),
        third::cases(),
        bytes::cases(),
        authority::cases(),
        later::cases(),
    ];
    let vectors = Vectors {
        layout: "farebox/1".to_owned(),
        about: ABOUT.to_owned(),
        keys: NAMED.map(named).into(),
        cases: cases.into_iter().flatten().map(Case::completed).collect(),
    };
    serde_json::to_string_pretty(&vectors).unwrap() + "\n"
}

fn committed() -> Vec<Case> {
    let text = fs::read_to_string(path()).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    vectors.cases
}

#[test]
fn the_committed_vectors_are_those_that_are_made_again() {
    let made = made();
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, not configuration")]
    let regenerate = std::env::var("FAREBOX_REGENERATE").is_ok_and(|value| value == "1");
    if regenerate {
        let new = path().with_extension("json.new");
        fs::write(&new, &made).unwrap();
        fs::rename(new, path()).unwrap();
    }
    let committed = fs::read_to_string(path()).unwrap_or_default();
    if made != committed {
        let (made, committed): (Vec<_>, Vec<_>) =
            (made.lines().collect(), committed.lines().collect());
        let count = made.len().max(committed.len());
        let line = (0..count).find(|line| made.get(*line) != committed.get(*line)).unwrap_or(count);
        panic!(
            "tests/vectors/farebox-1.json differs from line {} on\n  committed: {}\n  made:      {}\nWhere that is \
             meant, run {AGAIN} and read the diff: a token that changed is a layout that changed",
            line + 1,
            committed.get(line).unwrap_or(&"nothing"),
            made.get(line).unwrap_or(&"nothing"),
        );
    }
}

#[test]
fn the_verifier_says_of_every_vector_what_the_file_says() {
    let differing: Vec<String> = committed()
        .iter()
        .filter(|case| case.decided() != (case.result.clone(), case.flaw.clone()))
        .map(|case| {
            let (want, got) = ((&case.result, &case.flaw), case.decided());
            format!("{}: the file says {want:?}, the verifier {got:?}", case.name)
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_engine_says_of_every_vector_of_the_layout_what_the_file_says() {
    for case in committed() {
        if Presented::read(&case.token).is_err() {
            assert!(case.facts.is_empty(), "{} is no token, and facts are given", case.name);
            continue;
        }
        let facts = case.supplied();
        assert_eq!(facts.iter().map(ToString::to_string).collect::<Vec<_>>(), case.facts);
        let want = case.result == "verified" || BEYOND_DATALOG.contains(&case.name.as_str());
        assert_eq!(case.accepted_by_engine(&facts), want, "{}", case.name);
    }
}

#[test]
fn a_fact_that_a_vector_needs_is_one_that_the_engine_misses() {
    for case in committed().into_iter().filter(|case| case.result == "verified") {
        let facts = case.supplied();
        for left_out in &facts {
            let others: Vec<Fact> =
                facts.iter().filter(|fact| *fact != left_out).cloned().collect();
            let needed = case.needs.contains(&left_out.to_string());
            assert_eq!(case.accepted_by_engine(&others), !needed, "{}: {left_out}", case.name);
        }
    }
}

#[test]
fn every_code_and_every_flaw_has_a_vector_and_every_vector_a_name_of_its_own() {
    let cases = committed();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    let flaws: BTreeSet<&str> = cases.iter().filter_map(|case| case.flaw.as_deref()).collect();
    assert_eq!(flaws, BTreeSet::from(FLAWS));
    let codes: BTreeSet<&str> = cases.iter().map(|case| case.result.as_str()).collect();
    assert_eq!(codes, CODES.into_iter().chain(["verified"]).collect());
}

/// Forms that biscuit-auth itself does not read, so that it cannot say whether their signatures hold. This
/// list may only shrink.
const UNREAD: [&str; 2] = ["third-party-of-version-0", "authority-by-a-third-party"];

#[test]
fn where_a_shape_is_wrong_the_signatures_hold() {
    let shapes = [
        "blocks",
        "check",
        "facts",
        "layout",
        "not-canonical",
        "rules",
        "scope",
        "symbols",
        "third-party",
        "too-long",
        "value",
        "version",
    ];
    let shaped = |case: &Case| case.flaw.as_deref().is_some_and(|flaw| shapes.contains(&flaw));
    for case in committed().iter().filter(|case| shaped(case)) {
        let bytes = forge::bytes(&case.token);
        let read = SerializedBiscuit::from_slice(&bytes, ISSUER.biscuit().public());
        assert_eq!(read.is_err(), UNREAD.contains(&case.name.as_str()), "{}", case.name);
    }
}
