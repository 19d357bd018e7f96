//! `farebox store load`: the deployer's one command.

use farebox::store::redis::acl::Role;
use farebox_lab::{Options, Redis};

use super::desk::{Desk, Said};
use super::host::{as_user, look, named, with_another_library};
use crate::fleet::{PASSWORD, with_roles};

fn load(server: &str) -> Said {
    let said = Desk::empty().run(&["store", "load", "--server", server, "--json"]);
    assert!(!said.out.contains(PASSWORD) && !said.err.contains(PASSWORD));
    said
}

fn deployer(redis: &Redis) -> String {
    as_user("r1", redis, &format!("{}:{PASSWORD}@", Role::Deployer.user()))
}

#[test]
fn a_deployer_brings_the_library_once() {
    let redis = Redis::start(with_roles(Options::plain()));
    for _ in 0..2 {
        let said = load(&deployer(&redis));
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(said.json()["stores"][0], "r1");
        assert_eq!(
            said.json()["fingerprint"],
            look("single", &[named("r1", &redis)]).1.json()["fingerprint"]
        );
    }
}

#[test]
fn an_issuer_may_not_and_is_told_so() {
    let redis = Redis::start(with_roles(Options::plain()));
    let said = load(&named("r1", &redis));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("may not load it"), "{}", said.err);
}

#[test]
fn another_library_of_that_name_is_left_alone() {
    let redis = with_another_library(with_roles(Options::plain()));
    let said = load(&deployer(&redis));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("not the one that this program brings"), "{}", said.err);
}
