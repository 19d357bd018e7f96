//! `farebox store acl`: the users, as a server takes them.

use farebox_lab::{Options, Redis};

use super::desk::Desk;

#[test]
fn the_users_are_lines_that_a_server_takes() {
    let desk = Desk::empty();
    let said = desk.run(&["store", "acl"]);
    assert_eq!(said.code, 0);
    let redis = Redis::start(Options::plain());
    let mut users = Vec::new();
    for line in said.out.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[..2], ["ACL", "SETUSER"]);
        assert_eq!(redis.command(&words).text(), "OK");
        users.push(words[2].to_owned());
    }
    assert_eq!(users, ["farebox-issuer", "farebox-verifier", "farebox-deployer"]);
    assert!(!said.out.contains('>'), "no password is made up: {}", said.out);
    for word in ["ACL SETUSER NAME >PASSWORD", "ACL SETUSER default off"] {
        assert!(said.err.contains(word), "{}", said.err);
    }
}

#[test]
fn the_users_are_the_same_for_programs() {
    let desk = Desk::empty();
    let said = desk.run(&["store", "acl", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let json = said.json();
    let users = json["users"].as_array().unwrap();
    let lines: Vec<String> = users
        .iter()
        .map(|user| {
            let rules = user["rules"].as_array().unwrap().iter();
            let rules: Vec<&str> = rules.map(|rule| rule.as_str().unwrap()).collect();
            format!("ACL SETUSER {} {}", user["user"].as_str().unwrap(), rules.join(" "))
        })
        .collect();
    assert_eq!(lines, desk.done(&["store", "acl"]).lines().collect::<Vec<_>>());
}
