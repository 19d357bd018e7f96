//! A real server to look at, and what is said of it.

use farebox::store::redis::acl::Role;
use farebox_lab::{Fsync, Options, Redis};
use serde_json::Value;

use super::desk::{Desk, Said};
use crate::fleet::{PASSWORD, with_roles};

/// The library as it is loaded.
const LIBRARY: &str = include_str!("../../src/store/redis/library.lua");

/// A server as the documentation wants it, with the library.
pub(super) fn good() -> Redis {
    with_library(well_kept())
}

/// Options of such a server.
pub(super) fn well_kept() -> Options {
    with_roles(Options::plain()).aof(Fsync::EverySecond).user("default off")
}

pub(super) fn with_library(options: Options) -> Redis {
    let redis = Redis::start(options);
    redis.command(&["FUNCTION", "LOAD", LIBRARY]);
    redis
}

/// A server that has somebody else's library under our name.
pub(super) fn with_another_library(options: Options) -> Redis {
    let redis = Redis::start(options);
    let other = LIBRARY.replace("local VERSION = '1'", "local VERSION = '0'");
    assert_ne!(other, LIBRARY);
    redis.command(&["FUNCTION", "LOAD", &other]);
    redis
}

/// The flag's value for a server, with the issuer's password.
pub(super) fn named(name: &str, redis: &Redis) -> String {
    as_user(name, redis, &format!("{}:{PASSWORD}@", Role::Issuer.user()))
}

pub(super) fn as_user(name: &str, redis: &Redis, login: &str) -> String {
    format!("{name}=redis://{login}127.0.0.1:{}", redis.port())
}

/// What is said of these servers: in text, and then in JSON.
pub(super) fn look(topology: &str, servers: &[String]) -> (Said, Said) {
    let desk = Desk::empty();
    let flags = servers.iter().flat_map(|server| ["--server", server.as_str()]);
    let arguments: Vec<&str> =
        ["store", "check", "--topology", topology].into_iter().chain(flags).collect();
    let text = desk.run(&arguments);
    let json = desk.run(&[arguments.as_slice(), &["--json"]].concat());
    assert_eq!(text.code, json.code, "{}", text.out);
    for said in [&text, &json] {
        for secret in [PASSWORD, "hunter2"] {
            let shown = said.out.contains(secret) || said.err.contains(secret);
            assert!(!shown, "{}{}", said.out, said.err);
        }
    }
    (text, json)
}

/// What is said of a single server.
pub(super) fn look_at(server: String) -> (Said, Said) {
    look("single", &[server])
}

/// What was found on a server: how much it matters, and what it is. Each says why, in text and in JSON.
pub(super) fn found((text, json): &(Said, Said), place: usize) -> Vec<(String, String)> {
    let described = json.json();
    let findings = described["servers"][place]["findings"].as_array().unwrap().clone();
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let each = findings.iter().map(|finding| {
        let (weight, what, why) =
            (word(finding, "weight"), word(finding, "what"), word(finding, "why"));
        assert!(!why.is_empty());
        let lines = format!("  {weight}: {what}\n    {why}\n");
        assert!(text.out.contains(&lines), "{lines} is not in {}", text.out);
        (weight, what)
    });
    each.collect()
}

/// The same without saying how much it matters, for those that weigh so much.
pub(super) fn of_weight(findings: &[(String, String)], weight: &str) -> Vec<String> {
    let these = findings.iter().filter(|(heavy, _)| heavy == weight);
    these.map(|(_, what)| what.clone()).collect()
}
