//! The store's section: which servers, and as whom.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use farebox::config::{Config, Store};
use farebox_verifier::redis::Topology;

use super::desk::{Desk, of, said};

const TWO: &str = "[[store.servers]]\nname = \"r1\"\nurl = \"redis://r1:1\"\n\
                   [[store.servers]]\nname = \"r2\"\nurl = \"redis://r2:2\"\n";

fn secret(desk: &Desk, name: &str, text: &str) -> String {
    fs::write(desk.path(name), text).unwrap();
    fs::set_permissions(desk.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    desk.path(name).display().to_string()
}

fn redis(config: Config) -> farebox::config::Redis {
    match config.store {
        Store::Redis(redis) => Some(redis),
        Store::Embedded => None,
    }
    .unwrap()
}

#[test]
fn each_user_speaks_to_the_servers_with_its_own_password() {
    let desk = Desk::with("");
    let (issuer, spend) = (secret(&desk, "i", "hunter2\n"), secret(&desk, "s", "p@ss/w?rd"));
    let text = format!(
        "[store]\nkind = \"redis\"\ntopology = \"spread\"\n\
         issuer.password_file = \"{issuer}\"\nspend.password_file = \"{spend}\"\n{TWO}"
    );
    let redis = redis(of(&text).unwrap());
    assert_eq!(redis.topology, Topology::Spread);
    for (addresses, user) in [
        (redis.addresses().unwrap(), "farebox-issuer"),
        (redis.spend_addresses().unwrap(), "farebox-verifier"),
    ] {
        let shown = format!("{addresses:?}");
        assert_eq!(addresses.len(), 2);
        assert_eq!(shown.matches(&format!("Some({user:?})")).count(), 2, "{shown}");
        assert_eq!(shown.matches("Some(\"secret\")").count(), 2, "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("p@ss"), "{shown}");
    }
    fs::set_permissions(desk.path("i"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = redis.addresses().unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("can be read by others (mode 644)"), "{why}");
}

#[test]
fn servers_that_make_no_store_are_refused() {
    let start = "[store]\nkind = \"redis\"\n";
    let login = "[[store.servers]]\nname = \"r1\"\nurl = \"redis://u:hunter2@r1\"\n";
    for (text, want) in [
        (start.to_owned(), "store.servers must stand beside it"),
        (format!("{start}{TWO}"), "single does not work with 2 servers"),
        (format!("{start}topology = \"quorum\"\n{TWO}"), "quorum does not work with 2 servers"),
        (TWO.to_owned(), "store.servers cannot be used: it means nothing without store.kind"),
        (format!("{start}{login}"), "store.spend.password_file must stand beside it"),
        (
            format!("{start}issuer.password_file = \"f\"\n{login}"),
            "a login in the url of a server stands beside it",
        ),
        (
            format!(
                "{start}spend.password_file = \"f\"\n{}",
                TWO.split_once("[[store.servers]]\nname = \"r2\"").unwrap().0
            ),
            "store.issuer.password_file must stand beside it",
        ),
        (
            format!("{start}[[store.servers]]\nname = \"r1\"\nurl = \"http://r1\""),
            "neither redis:// nor rediss://",
        ),
        (
            format!("{start}topology = \"spread\"\n{}", TWO.replace("r2", "r1")),
            "two servers have one name",
        ),
    ] {
        let error = said(&of(&text).unwrap_err());
        assert!(error.contains(want), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_password_in_a_url_shows_nowhere() {
    let text = "[store]\nkind = \"redis\"\nspend.password_file = \"f\"\n[[store.servers]]\nname = \"r1\"\n\
                url = \"redis://u:hunter2@127.0.0.1:1\"\n";
    let config = of(text).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let addresses = redis(config).addresses().unwrap();
    assert!(format!("{addresses:?}").contains("Some(\"u\")"));
}
