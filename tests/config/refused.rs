//! What is wrong in the file is shown where it stands, and nothing that may be a password is.

use super::desk::{of, said};

#[test]
fn a_wrong_value_is_shown_with_its_line_and_a_caret() {
    let error = of("data = \"d\"\n\n[grants]\n  ttl_seconds = 3601 # an hour\n").unwrap_err();
    let text = said(&error);
    assert!(
        text.ends_with("farebox.toml:4:17: grants.ttl_seconds cannot be used: not a whole number from 1 to 3600"),
        "{text}"
    );
    assert_eq!(error.excerpt(), ["4 |   ttl_seconds = 3601 # an hour", "  |                 ^^^^"]);
}

#[test]
fn an_unknown_setting_is_named_with_what_was_meant() {
    for (text, key, meant) in [
        ("lisen = \"x\"", "lisen", "listen"),
        ("[grants]\nttl_secnds = 1", "grants.ttl_secnds", "grants.ttl_seconds"),
        ("ttl_seconds = 1", "ttl_seconds", "grants.ttl_seconds"),
        ("[grant]\nttl_seconds = 1", "grant", "grants"),
        ("store.isuer.user = \"x\"", "store.isuer", "store.issuer"),
        ("[[store.servers]]\nnmae = \"r1\"", "store.servers.nmae", "store.servers.name"),
        ("[[callers.jwt]]\nisuer = \"x\"", "isuer", "issuer"),
        ("[[callers.jwt]]\n[[callers.jwt.rules]]\nrole = [\"mint\"]", "rules.role", "rules.roles"),
    ] {
        let error = said(&of(text).unwrap_err());
        let want = format!("there is no setting {key}; is {meant} meant?");
        assert!(error.ends_with(&want), "{error}");
    }
    let error = said(&of("zzzzzz = 1").unwrap_err());
    assert!(error.ends_with("farebox.toml:1:1: there is no setting zzzzzz"), "{error}");
}

#[test]
fn every_kind_of_value_is_checked() {
    for (text, want) in [
        ("listen = 8420", "1:10: listen cannot be used: not a text in quotation marks"),
        ("listen = \"localhost:8420\"", "not an address such as 127.0.0.1:8420"),
        ("grants.ttl_seconds = \"60\"", "not a whole number from 1 to 3600"),
        ("grants.ttl_seconds = 0", "not a whole number from 1 to 3600"),
        ("grants.ttl_seconds = -1", "not a whole number from 1 to 3600"),
        ("grants.ttl_seconds = 1.5", "not a whole number from 1 to 3600"),
        ("grants.ttl_seconds = 99999999999999999999", "not a whole number from 1 to 3600"),
        ("[grants]\nttl_seconds = 61\nttl_seconds_max = 60", "greater than grants.ttl_seconds_max"),
        ("store = \"redis\"", "store cannot be used: not a table"),
        ("store.kind = \"Redis\"", "not one of embedded, redis"),
        ("tls.proxied = \"true\"", "not true or false"),
        ("tls.certificate = \"c.pem\"", "tls.key must stand beside it"),
        ("tls.key = \"k.pem\"", "tls.certificate must stand beside it"),
        (
            "tls = { key = \"k\", certificate = \"c\", proxied = true }",
            "tls.certificate stands beside it",
        ),
        ("zone = \"Mars/Base\"", "not a time zone"),
        ("issuer = \"Farebox One\"", "not 1 to 64 lower-case letters"),
        ("public_url = \"https://a.example/\"", "not a url such as"),
        ("public_url = \"https://me:hunter2@a.example\"", "not a url such as"),
        ("data = \"\"", "data cannot be used: empty"),
        ("owners = { alice = [\"key:a\"], bob = [\"key:a\"] }", "key:a is of alice and of bob"),
        ("owners = 5", "not a table"),
        ("callers.jwt = {}", "not a list of tables"),
        ("listen = 127.0.0.1", "farebox.toml:1:"),
        ("listen = \"a\"\nlisten = \"b\"", "farebox.toml:2:1: duplicate key"),
    ] {
        let error = said(&of(text).unwrap_err());
        assert!(error.contains(want), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn nothing_that_may_be_a_password_is_repeated() {
    for text in [
        "password = \"hunter2\"",
        "[store]\npasswrd = \"hunter2\"",
        "[store.issuer]\npassword = \"hunter2\"",
        "[store]\nkind = \"redis\"\n[[store.servers]]\nname = \"r1\"\nurl = \"redis://u:hunter2\"",
        "[store]\nkind = \"redis\"\n[[store.servers]]\nname = \"r 1\"\nurl = \"redis://u:hunter2@r1\"",
        "[[store.servers]]\nname = \"r1\"\nurl = \"redis://u:hunter2@r1",
        "[[store.servers]]\nname = 5, url = \"redis://u:hunter2@r1\"",
        "password = \"hunter2",
        "store.kind = { password = \"hunter2\" }",
    ] {
        let error = of(text).unwrap_err();
        let shown = format!("{} {:?} {}", said(&error), error, error.excerpt().join("\n"));
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
    }
}
