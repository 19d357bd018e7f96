//! Keys on disk: who may read them, which numbers they get, and how they end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::desk::{Desk, REQUEST};

#[test]
fn every_private_key_is_its_owners_alone() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--holder", "worker.pem"]);
    desk.done(&["keys", "new", "--third-party", "change-mgmt"]);
    let private =
        ["keys/private/1.pem", "worker.pem", "keys/private/third-parties/change-mgmt.pem"];
    for name in private {
        let mode = fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
        assert!(fs::read_to_string(desk.path(name)).unwrap().contains("PRIVATE KEY"));
    }
    for name in ["keys/issuers/1.pem", "worker.pub.pem", "keys/third-parties/change-mgmt.pem"] {
        assert!(fs::read_to_string(desk.path(name)).unwrap().contains("PUBLIC KEY"));
    }
}

#[test]
fn a_private_key_that_others_can_read_mints_nothing() {
    let desk = Desk::with_key();
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(desk.path("keys/private/1.pem"), mode).unwrap();
    let start = ["token", "mint", "--key", "keys/private/1.pem", "--agent", "a"];
    let said = desk.run(&[&start, REQUEST.as_slice()].concat());
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("chmod 600"), "{}", said.err);
}

#[test]
fn a_number_is_never_used_twice() {
    let desk = Desk::with_key();
    desk.done(&["keys", "new", "--id", "7"]);
    desk.done(&["keys", "retire", "7", "--destroy-private"]);
    assert!(desk.done(&["keys", "new"]).contains("keys/issuers/8.pem"));
    for id in ["1", "7", "8"] {
        let said = desk.run(&["keys", "new", "--id", id]);
        assert_eq!(said.code, 1, "key {id}");
        assert!(said.err.contains("is there already"), "{}", said.err);
    }
    let said = desk.run(&["keys", "new", "--third-party", "sre"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(desk.run(&["keys", "new", "--third-party", "sre"]).code, 1);
}

#[test]
fn a_third_partys_name_leads_out_of_no_folder() {
    let desk = Desk::with_key();
    for name in ["../../outside", ".hidden", "a/b"] {
        assert_eq!(desk.run(&["keys", "new", "--third-party", name]).code, 2, "{name}");
    }
}

#[test]
fn a_key_is_written_over_no_other_file() {
    let desk = Desk::empty();
    desk.write("worker.pem", "mine");
    assert_eq!(desk.run(&["keys", "new", "--holder", "worker.pem"]).code, 1);
    assert_eq!(fs::read_to_string(desk.path("worker.pem")).unwrap(), "mine");
    desk.write("other.pub.pem", "mine");
    assert_eq!(desk.run(&["keys", "new", "--holder", "other.pem"]).code, 1);
    assert!(!desk.path("other.pem").exists(), "no private half is left without its public one");
}

#[test]
fn retiring_moves_the_public_half_and_leaves_the_private_one_unless_told() {
    let desk = Desk::with_key();
    let said = desk.run(&["keys", "retire", "1"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("still at keys/private/1.pem"), "{}", said.err);
    assert!(said.err.contains("no trusted key is left"), "{}", said.err);
    assert!(desk.path("keys/issuers/retired/1.pem").exists());
    assert!(!desk.path("keys/issuers/1.pem").exists());
    assert!(desk.path("keys/private/1.pem").exists());
    assert!(desk.done(&["keys", "list"]).contains("retired"));

    assert_eq!(desk.run(&["keys", "retire", "1"]).code, 1, "it is retired already");
    desk.done(&["keys", "retire", "1", "--destroy-private"]);
    assert!(!desk.path("keys/private/1.pem").exists());
    assert_eq!(desk.run(&["keys", "retire", "2"]).code, 1, "there is no such key");
}

#[test]
fn two_keys_are_trusted_while_they_overlap() {
    let desk = Desk::with_key();
    let old = desk.mint(&[]);
    desk.done(&["keys", "new"]);
    let start = ["token", "mint", "--key", "keys/private/2.pem", "--agent", "key:billing"];
    let new = desk.done(&[&start, REQUEST.as_slice()].concat());
    assert_eq!(desk.verify(&old, &[]).code, 0);
    assert_eq!(desk.verify(&new, &[]).code, 0);
    desk.done(&["keys", "retire", "1"]);
    assert_eq!(desk.verify(&old, &[]).code, 1);
    assert_eq!(desk.verify(&new, &[]).code, 0);
}

#[test]
fn a_listing_in_pem_is_what_the_folder_holds() {
    let desk = Desk::with_key();
    let file = fs::read_to_string(desk.path("keys/issuers/1.pem")).unwrap();
    assert!(desk.done(&["keys", "list", "--format", "pem"]).contains(file.trim_end()));
}

#[test]
fn the_folder_comes_from_the_environment_where_no_flag_names_it() {
    let desk = Desk::empty();
    let variables = [("FAREBOX_KEYS", "elsewhere")];
    assert_eq!(desk.pipe_with("", &["keys", "new"], &variables).code, 0);
    assert!(desk.path("elsewhere/issuers/1.pem").exists());
}

#[test]
fn an_encrypted_key_mints_with_its_passphrase_and_not_without() {
    let desk = Desk::empty();
    desk.write("passphrase", "correct horse\n");
    fs::set_permissions(desk.path("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.done(&["keys", "new", "--passphrase-file", "passphrase"]);
    let text = fs::read_to_string(desk.path("keys/private/1.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let token = desk.mint(&["--passphrase-file", "passphrase"]);
    assert_eq!(desk.verify(&token, &[]).code, 0);
    let mint = ["token", "mint", "--key", "keys/private/1.pem", "--agent", "key:billing"];
    let mint = [&mint, REQUEST.as_slice()].concat();
    let variables = [("FAREBOX_KEY_PASSPHRASE_FILE", "passphrase")];
    assert_eq!(desk.pipe_with("", &mint, &variables).code, 0);
    let said = desk.run(&mint);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("key file is encrypted: give the file with its passphrase"),
        "{}",
        said.err
    );
    for (text, mode, want) in [
        ("wrong horse\n", 0o600, "cannot be decrypted with this passphrase"),
        ("correct horse\n", 0o644, "can be read by others"),
        ("correct horse\nand more\n", 0o600, "no single line"),
        ("", 0o600, "no single line"),
    ] {
        desk.write("other", text);
        fs::set_permissions(desk.path("other"), fs::Permissions::from_mode(mode)).unwrap();
        let said = desk.run(&[mint.as_slice(), &["--passphrase-file", "other"]].concat());
        assert_eq!(said.code, 1, "{text}");
        assert!(said.err.contains(want) && !said.err.contains("horse"), "{}", said.err);
    }
}
