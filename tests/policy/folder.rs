//! A folder of policies that a test writes.

use std::fs;
use std::path::Path;

use farebox::policy::{Asked, Decision, Flaw, PolicySet, Warning, Written, Zone};
use farebox_verifier::UnixSeconds;
use tempfile::TempDir;

/// Monday, 23 November 2026, 10:00 UTC.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_795_428_000);

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn load(files: &[(&str, &str)]) -> (PolicySet, Vec<Warning>) {
    PolicySet::load(folder(files).path(), &Zone::utc()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A set of one file.
pub(crate) fn set(policy: &str) -> PolicySet {
    load(&[("a.datalog", policy)]).0
}

/// What is wrong with these files.
pub(crate) fn flaws(files: &[(&str, &str)]) -> Vec<Flaw> {
    match PolicySet::load(folder(files).path(), &Zone::utc()) {
        Ok(_) => panic!("loaded: {files:?}"),
        Err(errors) => errors.flaws().to_vec(),
    }
}

/// A question about the action `act`, with whatever else this says, in JSON.
pub(crate) fn asked(json: &str) -> Asked {
    let base = r#"{"action":"act","resource":"thing/1","audience":"api","agent":"key:bot"}"#;
    let base: Written = serde_json::from_str(base).unwrap();
    let own: Written = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    own.over(&base).read(NOW).unwrap_or_else(|error| panic!("{json}: {error}"))
}

pub(crate) fn decide(set: &PolicySet, json: &str) -> Decision {
    set.decide(&asked(json).question())
}

/// The decision as one word.
pub(crate) fn word(set: &PolicySet, json: &str) -> &'static str {
    decide(set, json).word()
}
