//! Flags go before the environment, the environment before the file, the file before the default.

use std::path::{Path, PathBuf};

use farebox::config::{ConfigFile, Parameters, Tls};

use super::desk::{Desk, defaults, read, said};

#[test]
fn each_place_goes_before_the_next() {
    let desk = Desk::with("listen = \"127.0.0.1:1\"\n[grants]\nttl_seconds = 10\n");
    assert_eq!(desk.read().unwrap().listen.port(), 1);
    let variables = [("FAREBOX_LISTEN", "127.0.0.1:2"), ("FAREBOX_GRANTS_TTL_SECONDS", "20")];
    let config = desk.read_with(&variables, &[]).unwrap();
    assert_eq!((config.listen.port(), config.grants.ttl_seconds), (2, 20));
    let config = desk.read_with(&variables, &[("listen", "127.0.0.1:3")]).unwrap();
    assert_eq!((config.listen.port(), config.grants.ttl_seconds), (3, 20));
    assert_eq!(defaults().listen.port(), 8420);
}

#[test]
fn a_variable_can_say_what_a_file_can() {
    let variables = [
        ("FAREBOX_TLS_PROXIED", "true"),
        ("FAREBOX_RECORD_PARAMETERS", "digest"),
        ("FAREBOX_DATA", "elsewhere"),
        ("FAREBOX_ZONE", "Europe/Berlin"),
        ("FAREBOX_SERVERS", "r1=redis://127.0.0.1:1\nr2=redis://127.0.0.1:2\n"),
        ("FAREBOX_STORE_KIND", "redis"),
        ("FAREBOX_TOPOLOGY", "spread"),
    ];
    let config = read(ConfigFile::None, &variables, &[]).unwrap();
    assert_eq!((config.tls, config.record.parameters), (Tls::Proxied, Parameters::Digest));
    assert_eq!(config.data, PathBuf::from("elsewhere"));
    assert_eq!(config.keys.dir, PathBuf::from("elsewhere/keys"));
    assert_eq!(config.zone.iana_name(), Some("Europe/Berlin"));
    let farebox::config::Store::Redis(redis) = config.store else { panic!("redis was said") };
    assert_eq!(redis.servers.len(), 2);
}

#[test]
fn what_is_wrong_outside_of_the_file_is_named_by_its_variable_or_flag() {
    let desk = Desk::with("");
    for (variables, flags, want) in [
        (
            &[("FAREBOX_LISTEN", "here")][..],
            &[][..],
            "FAREBOX_LISTEN: listen cannot be used: not an address",
        ),
        (&[], &[("listen", "here")], "--listen: listen cannot be used: not an address"),
        (&[("FAREBOX_RATES_BURST_SECONDS", "0")], &[], "not a whole number from 1 to 60"),
        (
            &[("FAREBOX_TLS_PROXIED", "yes")],
            &[],
            "FAREBOX_TLS_PROXIED: tls.proxied cannot be used: not true or false",
        ),
        (
            &[("FAREBOX_STORE_KIND", "redis"), ("FAREBOX_SERVERS", "redis://u:hunter2@r1")],
            &[],
            "FAREBOX_SERVERS: store.servers cannot be used",
        ),
    ] {
        let error = said(&desk.read_with(variables, flags).unwrap_err());
        assert!(error.contains(want), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_that_was_named_must_be_there_and_the_usual_one_need_not() {
    let absent = Path::new("/nowhere/farebox.toml");
    let error = read(ConfigFile::Named(absent), &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/farebox.toml cannot be read");
    assert_eq!(read(ConfigFile::IfThere(absent), &[], &[]).unwrap(), defaults());
    // What is there and cannot be read is not passed over.
    let folder = tempfile::tempdir().unwrap();
    assert!(read(ConfigFile::IfThere(folder.path()), &[], &[]).is_err());
}
