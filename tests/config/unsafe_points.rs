//! What farebox must not start with is found, and how to mend it is said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use farebox::config::Config;

use super::desk::Desk;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn points(config: &Config) -> Vec<String> {
    config.unsafe_points().iter().map(ToString::to_string).collect()
}

#[test]
fn an_address_that_others_reach_needs_tls() {
    for (text, unsafe_) in [
        ("", false),
        ("listen = \"[::1]:1\"", false),
        ("listen = \"0.0.0.0:8420\"", true),
        ("listen = \"[::]:8420\"", true),
        ("listen = \"10.0.0.7:8420\"", true),
        ("listen = \"0.0.0.0:8420\"\ntls.proxied = true", false),
        ("listen = \"0.0.0.0:8420\"\ntls = { certificate = \"c\", key = \"k\" }", false),
    ] {
        let desk = Desk::with(text);
        mode(&desk.path("farebox.toml"), 0o600);
        let points = points(&desk.read().unwrap());
        assert_eq!(points.len(), usize::from(unsafe_), "{text}: {points:?}");
        assert!(points.iter().all(|point| point.contains("give tls.certificate and tls.key")));
    }
}

#[test]
fn secrets_that_others_can_read_are_named_with_what_mends_them() {
    let desk = Desk::with("");
    let data = desk.path("data");
    let text = format!(
        "data = {data:?}\n[keys]\npassphrase_file = {:?}\n[tls]\ncertificate = \"c\"\nkey = {:?}\n",
        desk.path("passphrase"),
        desk.path("tls.key"),
    );
    fs::write(desk.path("farebox.toml"), text).unwrap();
    fs::create_dir_all(data.join("callers")).unwrap();
    fs::create_dir_all(data.join("keys/private/third-parties")).unwrap();
    let files = [
        "data/api-key",
        "data/callers/billing.json",
        "data/keys/private/1.pem",
        "data/keys/private/third-parties/sre.pem",
        "passphrase",
        "tls.key",
    ];
    for name in files {
        fs::write(desk.path(name), "x").unwrap();
        mode(&desk.path(name), 0o600);
    }
    mode(&desk.path("farebox.toml"), 0o644);
    let config = desk.read().unwrap();
    assert_eq!(points(&config), Vec::<String>::new());
    for name in files {
        mode(&desk.path(name), 0o644);
        let found = points(&config);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(
            found[0].contains(&*desk.path(name).to_string_lossy()) && found[0].contains("chmod")
        );
        mode(&desk.path(name), 0o600);
    }
    mode(&desk.path("farebox.toml"), 0o666);
    assert!(points(&config)[0].contains("can be changed by others"));
}

#[test]
fn a_password_in_a_file_that_others_read_is_unsafe_and_so_is_a_store_without_one() {
    let start = "[store]\nkind = \"redis\"\n";
    let server = "[[store.servers]]\nname = \"r1\"\nurl = ";
    for (text, want) in [
        (format!("{start}{server}\"redis://127.0.0.1:1\""), None),
        (format!("{start}{server}\"redis://[::1]:1\""), None),
        (format!("{start}{server}\"redis://localhost\""), None),
        (format!("{start}{server}\"redis://r1.internal\""), Some("without a password")),
        (format!("{start}{server}\"redis://127.0.0.1.evil\""), Some("without a password")),
        (
            format!("{start}spend.password_file = \"f\"\n{server}\"redis://u:hunter2@127.0.0.1\""),
            Some("holds a password"),
        ),
        (
            format!(
                "{start}spend.password_file = \"f\"\nissuer.password_file = \"g\"\n{server}\"redis://r1\""
            ),
            Some("without TLS"),
        ),
        (
            format!(
                "{start}spend.password_file = \"f\"\nissuer.password_file = \"g\"\n{server}\"rediss://r1\""
            ),
            None,
        ),
    ] {
        let desk = Desk::with(&text);
        mode(&desk.path("farebox.toml"), 0o644);
        let points = points(&desk.read().unwrap());
        assert_eq!(points.len(), usize::from(want.is_some()), "{text}: {points:?}");
        let shown = points.concat();
        assert!(shown.contains(want.unwrap_or_default()) && !shown.contains("hunter2"), "{shown}");
    }
}
