//! The command line on records: what it says, its exit codes, and that it needs no lock.

use std::fs;
use std::process::{Command, Output};

use farebox_verifier::keys::hex_text;
use serde_json::Value;

use super::scene::{Scene, ring};

fn farebox(scene: &Scene, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farebox"));
    command.current_dir(scene.beside("")).args(["record"]).args(arguments).output().unwrap()
}

fn with_keys(scene: Scene) -> Scene {
    let issuers = scene.beside("keys").join("issuers");
    fs::create_dir_all(&issuers).unwrap();
    let ring = ring(&[(1, 1)], &[]);
    fs::write(issuers.join("1.hex"), hex_text(ring.issuer(1).unwrap().key())).unwrap();
    scene
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_record_in_use_is_verified_searched_and_exported_and_the_export_verified() {
    let scene = with_keys(Scene::new().short_files().filled(100));
    let _in_use = scene.open();
    let verified = farebox(&scene, &["verify", "--data", "."]);
    assert!(verified.status.success(), "{}", out(&verified));
    assert!(out(&verified).contains("good: 100 grants spent, each once"), "{}", out(&verified));

    let found = farebox(
        &scene,
        &["search", "--data", ".", "--workflow", "run-7", "--kind", "spent", "--json"],
    );
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((found["items"].as_array().unwrap().len(), &found["next"]), (2, &Value::Null));
    let found = farebox(&scene, &["search", "--data", ".", "--limit", "3", "--newest-first"]);
    assert_eq!(out(&found).lines().count(), 3);

    let exported = farebox(&scene, &["export", "--data", ".", "--to", "export.ndjson"]);
    assert!(exported.status.success());
    let verified = farebox(&scene, &["verify", "export.ndjson", "--json"]);
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified["good"], &verified["spent"]), (&Value::Bool(true), &100.into()));
    // Nothing is written over.
    let again = farebox(&scene, &["export", "--data", ".", "--to", "export.ndjson"]);
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn a_fault_is_named_and_is_no_success() {
    let scene = with_keys(Scene::new().filled(10));
    farebox(&scene, &["export", "--data", ".", "--to", "export.ndjson"]);
    let path = scene.beside("export.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("payments.transfer", "payments.transfeR", 1)).unwrap();
    let verified = farebox(&scene, &["verify", "export.ndjson"]);
    assert_eq!(verified.status.code(), Some(1));
    let said = out(&verified);
    assert!(said.contains("fault issuer-1 3: it was changed"), "{said}");
    assert!(said.contains("not good: 1 faults"), "{said}");
}

#[test]
fn what_is_not_there_or_not_understood_is_said() {
    let scene = with_keys(Scene::new());
    let none = farebox(&scene, &["search", "--data", "."]);
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no record in"));
    let none = farebox(&scene, &["verify", "nothing.ndjson"]);
    assert_eq!(none.status.code(), Some(1));
    let unknown = farebox(&scene, &["search", "--kind", "spend"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("spent"));
}
