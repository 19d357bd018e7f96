//! `farebox store bench`: what a store does in a second, and that nothing of it is left behind.

use farebox::store::redis::acl::Role;
use farebox_lab::Reply;
use serde_json::Value;

use super::desk::{Desk, Said};
use super::host::{as_user, good, named};
use crate::fleet::PASSWORD;

const FEW: &str = "40";

fn bench(arguments: &[&str]) -> Said {
    let said = Desk::empty().run(&[&["store", "bench", "--grants", FEW], arguments].concat());
    assert!(!said.out.contains(PASSWORD) && !said.err.contains(PASSWORD));
    said
}

/// Each step at each number of callers, with all of it done.
fn all_done(said: &Said) {
    let lines = said.json()["lines"].as_array().unwrap().clone();
    let of = |key: &str| lines.iter().map(|line| line[key].clone()).collect::<Vec<Value>>();
    let steps = ["register", "spend", "settle"];
    assert_eq!(of("step"), steps.repeat(4));
    assert_eq!(of("callers"), [1, 16, 64, 256].map(|callers| [callers; 3]).concat());
    assert!(lines.iter().all(|line| (&line["done"], &line["refused"]) == (&40.into(), &0.into())));
    assert!(lines.iter().all(|line| line["per_second"].as_u64().unwrap() > 0));
}

#[test]
fn a_server_is_measured_and_left_as_it_was() {
    let redis = good();
    let verifier = as_user("r1", &redis, &format!("{}:{PASSWORD}@", Role::Verifier.user()));
    let servers = ["--server", &named("r1", &redis), "--spender", &verifier, "--json"];
    let said = bench(&servers);
    assert_eq!(said.code, 0, "{}", said.err);
    all_done(&said);
    assert_eq!(redis.command(&["DBSIZE"]), Reply::Integer(0));
}

#[test]
fn who_may_not_spend_is_told_so() {
    let redis = good();
    let said = bench(&["--server", &named("r1", &redis)]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("--spender"), "{}", said.err);
    assert_eq!(redis.command(&["DBSIZE"]), Reply::Integer(0));
}

#[test]
fn a_file_is_measured_and_removed() {
    let desk = Desk::empty();
    let folder = desk.path("here");
    std::fs::create_dir(&folder).unwrap();
    let said = bench(&["--folder", folder.to_str().unwrap(), "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    all_done(&said);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let nobody = bench(&[]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("--server"), "{}", nobody.err);
    let away = bench(&["--server", "r1=redis://127.0.0.1:1"]);
    assert_eq!(away.code, 3, "{}", away.err);
    let nowhere = bench(&["--folder", "/proc/nothing"]);
    assert_eq!(nowhere.code, 1, "{}", nowhere.err);
}
