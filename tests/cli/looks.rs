//! `farebox store check`: what is wrong with a server is named, and why it matters.

use std::time::Duration;

use farebox::store::redis::acl::Role;
use farebox_lab::{Options, Pair, Policy, Redis, Side};

use super::desk::Desk;
use super::host::{
    as_user, found, good, look, look_at, named, of_weight, well_kept, with_another_library,
    with_library,
};
use crate::fleet::PASSWORD;

const NOTHING: [String; 0] = [];

/// The only finding of a server, which is wrong, and the exit code.
fn only_wrong(redis: &Redis) -> (String, i32) {
    let looked = look_at(named("r1", redis));
    let wrong = of_weight(&found(&looked, 0), "wrong");
    assert_eq!(wrong.len(), 1, "{}", looked.0.out);
    (wrong[0].clone(), looked.0.code)
}

#[test]
fn a_server_as_it_should_be_has_nothing_wrong_with_it() {
    let redis = good();
    let looked = look_at(named("r1", &redis));
    assert_eq!((looked.0.code, looked.0.err.as_str()), (0, ""), "{}", looked.0.out);
    assert_eq!(found(&looked, 0), []);
    let lines: Vec<&str> = looked.0.out.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("single, library farebox_1 ("), "{lines:?}");
    let identity = redis.identity();
    let start = format!("r1: {} {}, no life yet, answers in ", identity.name, identity.version);
    assert!(lines[1].starts_with(&start), "{lines:?}");
    let json = looked.1.json();
    assert_eq!((&json["topology"], &json["library"]), (&"single".into(), &"farebox_1".into()));
    assert!(lines[0].contains(json["fingerprint"].as_str().unwrap()));
    let server = &json["servers"][0];
    assert_eq!(server["store"], "r1");
    assert_eq!(server["server"], *identity.name);
    assert_eq!(server["version"], *identity.version);
    assert!(server["generation"].is_null());
    for name in ["median_us", "p99_us"] {
        assert!(server[name].as_str().unwrap().parse::<u64>().is_ok(), "{server}");
    }
}

#[test]
fn the_life_that_is_open_is_named_and_left_alone() {
    let redis = good();
    let life = "00112233445566778899aabbccddeeff";
    redis.command(&["SET", "fb1:{00}:life", life]);
    let before = redis.command(&["DBSIZE"]).text();
    let looked = look_at(named("r1", &redis));
    assert!(looked.0.out.contains(&format!(", {life}, answers in ")), "{}", looked.0.out);
    assert_eq!(looked.1.json()["servers"][0]["generation"], life);
    assert_eq!(redis.command(&["DBSIZE"]).text(), before, "looking changes nothing");
    assert_eq!(redis.command(&["GET", "fb1:{00}:life"]).text(), life);
}

#[test]
fn a_server_that_evicts_is_wrong() {
    for policy in [Policy::ALL_KEYS_LRU, Policy::VOLATILE_LRU, Policy::ALL_KEYS_RANDOM] {
        let redis = with_library(well_kept().memory(64 << 20, policy));
        let expected = ("server evicts keys when its memory is full".to_owned(), 1);
        assert_eq!(only_wrong(&redis), expected, "{policy:?}");
    }
    let redis = with_library(well_kept().memory(64 << 20, Policy::NO_EVICTION));
    assert_eq!(found(&look_at(named("r1", &redis)), 0), []);
}

#[test]
fn a_server_without_a_file_is_unwise() {
    let redis = with_library(well_kept().with("appendonly", "no"));
    let looked = look_at(named("r1", &redis));
    assert_eq!(looked.0.code, 0);
    let findings = found(&looked, 0);
    assert_eq!(of_weight(&findings, "unwise"), ["server keeps no append-only file"]);
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_server_that_anybody_may_use_is_unwise() {
    let redis = with_library(Options::plain());
    let looked = look_at(as_user("r1", &redis, ""));
    assert_eq!(looked.0.code, 0);
    let unwise = of_weight(&found(&looked, 0), "unwise");
    assert_eq!(unwise[0], "server asks for no password");
    // Who may everything may also spend.
    for function in ["spend", "settle"] {
        assert!(unwise.contains(&format!("user may call fb1_{function}")), "{unwise:?}");
    }
}

#[test]
fn a_server_without_the_library_is_told_how_to_get_it() {
    let redis = Redis::start(well_kept());
    let looked = look_at(named("r1", &redis));
    assert_eq!(looked.0.code, 0);
    assert_eq!(of_weight(&found(&looked, 0), "note"), ["library farebox_1 is not loaded"]);
}

#[test]
fn a_library_of_another_text_is_wrong() {
    let redis = with_another_library(well_kept());
    let (what, code) = only_wrong(&redis);
    assert_eq!(code, 1);
    assert_eq!(what, "library farebox_1 on the server is not the one that this program brings");
}

/// A newer one beside it is nobody's trouble.
#[test]
fn another_library_beside_ours_is_left_alone() {
    let redis = good();
    let text = "#!lua name=farebox_2\nredis.register_function('fb2_x', function() return 1 end)";
    redis.command(&["FUNCTION", "LOAD", text]);
    assert_eq!(found(&look_at(named("r1", &redis)), 0), []);
}

#[test]
fn a_replica_is_wrong_and_its_master_is_told_of_it() {
    let pair = Pair::start_with(&well_kept(), farebox_lab::Load::Disk);
    for side in [Side::A, Side::B] {
        let libraries = pair.server(side).command(&["FUNCTION", "LIST"]);
        assert_eq!(libraries, farebox_lab::Reply::Array(Vec::new()));
    }
    let (master, replica) = (pair.server(Side::A), pair.server(Side::B));
    let looked = look("spread", &[named("r1", master), named("r2", replica)]);
    assert_eq!(looked.0.code, 1);
    let notes = of_weight(&found(&looked, 0), "note");
    assert_eq!(notes, ["server has replicas", "library farebox_1 is not loaded"]);
    assert_eq!(of_weight(&found(&looked, 0), "wrong"), NOTHING);
    assert_eq!(of_weight(&found(&looked, 1), "wrong"), ["server is a replica"]);
}

#[test]
fn a_server_of_a_cluster_is_wrong() {
    let redis = with_library(well_kept().with("cluster-enabled", "yes"));
    let (what, code) = only_wrong(&redis);
    assert_eq!((what.as_str(), code), ("server is part of a cluster or a sentinel", 1));
}

#[test]
fn a_clock_that_is_wrong_is_wrong() {
    let redis = with_library(well_kept().clock());
    for offset in [-60, 60] {
        redis.clock().set_offset_seconds(offset);
        let (what, code) = only_wrong(&redis);
        assert_eq!(code, 1);
        let seconds: u64 = what.split(' ').nth(3).unwrap().parse().unwrap();
        assert!((58..=62).contains(&seconds), "{what}");
    }
    redis.clock().set_offset_seconds(2);
    assert_eq!(found(&look_at(named("r1", &redis)), 0), []);
}

#[test]
fn one_server_under_two_names_is_wrong() {
    let redis = good();
    let looked = look("spread", &[named("r1", &redis), named("r2", &redis)]);
    assert_eq!(looked.0.code, 1);
    for place in [0, 1] {
        let wrong = of_weight(&found(&looked, place), "wrong");
        assert_eq!(wrong, ["two stores are one server"]);
    }
    let (one, other) = (good(), good());
    let looked = look("spread", &[named("r1", &one), named("r2", &other)]);
    assert_eq!(looked.0.code, 0, "{}", looked.0.out);
}

/// What is far away takes a while, and is no worse for it.
#[test]
fn a_server_that_is_slow_to_answer_is_looked_at() {
    let redis = good();
    let door = farebox_lab::Proxy::before(redis.address());
    // A way of a tenth of a second, back and forth, for the greeting; then it is measured.
    door.next(4, farebox_lab::Fault::DelayReply(Duration::from_millis(150)));
    let server = named("r1", &redis).replace(&redis.port().to_string(), &door.port().to_string());
    let said = Desk::empty().run(&["store", "check", "--server", &server]);
    assert_eq!((said.code, said.out.lines().count()), (0, 2), "{}", said.out);
}

/// Each server is looked at, whatever is wrong with the others.
#[test]
fn a_server_that_is_away_hides_no_other() {
    let (redis, away) = (good(), good());
    away.kill();
    let looked = look("spread", &[named("r1", &away), named("r2", &redis)]);
    assert_eq!(looked.0.code, 1, "one of two is reached");
    let wrong = of_weight(&found(&looked, 0), "wrong");
    assert!(wrong[0].contains("cannot be reached: connection refused"), "{wrong:?}");
    assert!(looked.0.out.contains("r1: not reached"), "{}", looked.0.out);
    assert_eq!(found(&looked, 1), []);
    // Nobody is left: that is another exit code.
    redis.kill();
    let looked = look("spread", &[named("r1", &away), named("r2", &redis)]);
    assert_eq!(looked.0.code, 3);
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let redis = good();
    redis.freeze();
    #[expect(clippy::disallowed_methods, reason = "a real server takes real time")]
    let begun = std::time::Instant::now();
    let looked = look_at(named("r1", &redis));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    redis.resume();
    assert_eq!(looked.0.code, 3);
    let wrong = of_weight(&found(&looked, 0), "wrong");
    assert!(wrong[0].contains("no answer in time"), "{wrong:?}");
}

#[test]
fn a_wrong_password_is_said_and_not_shown() {
    let redis = good();
    for login in ["farebox-issuer:hunter2@", "nobody:hunter2@", ":hunter2@", ""] {
        let looked = look_at(as_user("r1", &redis, login));
        assert_eq!(looked.0.code, 3, "{login}");
        let wrong = of_weight(&found(&looked, 0), "wrong");
        let code = if login.is_empty() { "NOAUTH" } else { "WRONGPASS" };
        assert!(wrong[0].contains(code), "{login}: {wrong:?}");
    }
}

#[test]
fn an_address_that_cannot_be_read_is_not_repeated() {
    let desk = Desk::empty();
    let wrong = ["r1=redis://u:hunter2/x@h", "hunter2", "=redis://h:hunter2", "r1=hunter2://h"];
    for server in wrong {
        let said = desk.run(&["store", "check", "--server", server]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{server}");
        assert!(!said.err.contains("hunter2") && said.err.contains("server 1"), "{}", said.err);
    }
    let variables = [("FAREBOX_SERVERS", "r1=redis://u:hunter2@127.0.0.1:1\nr2=hunter2")];
    let said = desk.pipe_with("", &["store", "check"], &variables);
    assert_eq!(said.code, 2);
    assert!(!said.err.contains("hunter2") && said.err.contains("server 2"), "{}", said.err);
    let help = desk.pipe_with("", &["store", "check", "--help"], &variables);
    assert!(!help.out.contains("hunter2"), "{}", help.out);
}

#[test]
fn servers_that_make_no_topology_are_a_matter_of_usage() {
    let redis = good();
    let (one, two) = (named("r1", &redis), named("r2", &redis));
    for (topology, servers) in [
        ("single", vec![one.clone(), two.clone()]),
        ("quorum", vec![one.clone()]),
        ("quorum", vec![one.clone(), two]),
        ("spread", vec![one.clone(), one]),
    ] {
        let (said, _) = look(topology, &servers);
        assert_eq!(said.code, 2, "{topology}");
        assert!(said.err.contains("these servers make no store"), "{}", said.err);
    }
}

#[test]
fn a_user_with_other_rights_is_told_which() {
    let rules = Role::Issuer.rules();
    let less = rules.iter().filter(|rule| *rule != "+fcall|fb1_trim").cloned();
    let more = rules.iter().cloned().chain(["+fcall|fb1_spend".to_owned()]);
    let user = |name: &str, rules: Vec<String>| format!("{name} {} >{PASSWORD}", rules.join(" "));
    let redis = with_library(
        well_kept().user(&user("less", less.collect())).user(&user("more", more.collect())),
    );
    let looked = look_at(as_user("r1", &redis, &format!("less:{PASSWORD}@")));
    assert_eq!(looked.0.code, 1);
    assert_eq!(of_weight(&found(&looked, 0), "wrong"), ["user may not call fb1_trim"]);
    let looked = look_at(as_user("r1", &redis, &format!("more:{PASSWORD}@")));
    assert_eq!(looked.0.code, 0);
    assert_eq!(of_weight(&found(&looked, 0), "unwise"), ["user may call fb1_spend"]);
    // Another role's user is none that can look.
    let verifier = format!("{}:{PASSWORD}@", Role::Verifier.user());
    let looked = look_at(as_user("r1", &redis, &verifier));
    let wrong = of_weight(&found(&looked, 0), "wrong");
    assert!(wrong[0].contains("NOPERM") && wrong[0].contains("'info'"), "{wrong:?}");
    assert_ne!(looked.0.code, 0);
}

#[test]
fn a_server_is_looked_at_over_tls() {
    let redis = with_library(well_kept().tls());
    let desk = Desk::empty();
    let port = redis.tls_address().port();
    let server = format!("r1=rediss://{}:{PASSWORD}@localhost:{port}", Role::Issuer.user());
    let trusted = redis.authority().certificate();
    let stranger = farebox_lab::Authority::new();
    let (trusted, other) = (trusted.to_str().unwrap(), stranger.certificate());
    let look = |ca: &str| desk.run(&["store", "check", "--server", &server, "--ca", ca]);
    let said = look(trusted);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    let said = look(other.to_str().unwrap());
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(said.out.contains("no tls with the server"), "{}", said.out);
    assert!(!said.out.contains(PASSWORD), "{}", said.out);
    let said = look("absent.pem");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("absent.pem") && !said.err.contains(PASSWORD), "{}", said.err);
}
