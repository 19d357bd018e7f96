//! What is wrong is named, with the exit code of its kind, and nothing secret or misleading is repeated.

use std::fs;

use super::desk::{Desk, REQUEST};

#[test]
fn a_command_line_that_cannot_be_read_names_the_word_and_exits_2() {
    let desk = Desk::with_key();
    let table: [(&[&str], &str); 12] = [
        (&[], "no command was given"),
        (&["tokens"], "'tokens'"),
        (&["token", "verfy"], "'verify'"),
        (&["keys", "new", "--idd", "3"], "'--idd'"),
        (&["keys", "new", "--id", "three"], "'three'"),
        (&["keys", "list", "--format", "der"], "'der'"),
        (&["keys", "new", "--id", "3", "--holder", "x.pem"], "cannot be used with"),
        (&["token", "attest", "--name", "time", "--value", "x"], "farebox's own facts"),
        (&["token", "attenuate", "--max", "amount=4"], "start with a slash"),
        (&["token", "attenuate", "--max", "/amount"], "POINTER=INT"),
        (&["token", "attenuate", "--before", "tomorrow"], "not a date"),
        (&["token", "attenuate"], "at least one caveat"),
    ];
    for (arguments, want) in table {
        let said = desk.run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(said.err.starts_with("farebox: "), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(want), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
}

#[test]
fn a_mint_that_makes_no_sense_exits_2() {
    let desk = Desk::with_key();
    fs::copy(desk.path("keys/private/1.pem"), desk.path("signing.pem")).unwrap();
    let table: [(&[&str], &str); 9] = [
        (&["--ttl", "0"], "'0'"),
        (&["--ttl", "3601"], "'3601'"),
        (&["--workflow", "run-81"], "--step"),
        (&["--params", "{"], "unexpected end"),
        (&["--params", r#"{"a":1,"a":2}"#], "duplicate key at /a"),
        (&["--params", "-", "--bounds", "-"], "standard input can be read once"),
        (&["--bounds", r#"{"/a":{"mx":1}}"#], "unknown word mx"),
        (&["--signed", "ok=yes@sre"], "--keys"),
        (&["--key", "signing.pem"], "--key-id"),
    ];
    for (more, want) in table {
        let key: &[&str] =
            if more.contains(&"--key") { &[] } else { &["--key", "keys/private/1.pem"] };
        let start = ["token", "mint", "--agent", "key:billing"];
        let said = desk.run(&[&start, REQUEST.as_slice(), key, more].concat());
        assert_eq!(said.code, 2, "{more:?}: {}", said.err);
        assert!(said.err.contains(want), "{more:?}: {}", said.err);
        assert_eq!(said.out, "", "{more:?}");
    }
}

#[test]
fn what_is_not_there_or_not_usable_exits_1() {
    let desk = Desk::with_key();
    desk.write("nonsense.pem", "nonsense");
    let token = desk.mint(&[]);
    let mint = |key: &'static str| {
        let start = ["token", "mint", "--agent", "a", "--key-id", "1", "--key", key];
        [&start, REQUEST.as_slice()].concat()
    };
    let table: [(Vec<&str>, &str); 6] = [
        (mint("absent.pem"), "absent.pem"),
        (mint("keys/issuers/1.pem"), "can be read by others"),
        (vec!["token", "inspect", "@absent"], "absent"),
        (vec!["keys", "list", "--dir", "absent"], "absent holds no issuer's key"),
        (vec!["token", "inspect", "AAAA"], "not a token"),
        (vec!["keys", "retire", "9"], "no key 9"),
    ];
    for (arguments, want) in table {
        let said = desk.pipe(&token, &arguments);
        assert_eq!(said.code, 1, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(want), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn a_token_with_no_room_for_another_block_is_narrowed_no_further() {
    let desk = Desk::with_key();
    let narrow = ["token", "attenuate", "--ttl", "50"];
    let twice = desk.done_with(&desk.done_with(&desk.mint(&[]), &narrow), &narrow);
    let said = desk.pipe(&twice, &narrow);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("more blocks than the layout allows"), "{}", said.err);
}

/// A full disk is nobody's refusal: farebox could not say what it had to.
#[test]
fn an_answer_that_cannot_be_written_exits_4() {
    let desk = Desk::with_key();
    let full = fs::File::create("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_farebox"))
        .args(["keys", "list"])
        .current_dir(desk.path(""))
        .stdout(full)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(4));
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let desk = Desk::with_key();
    let token = desk.mint(&[]);
    let proof = ["token", "verify", "--keys", "keys", "--proof", &token];
    for arguments in [
        ["token", "inspect", "-", &token].as_slice(),
        &["token", &token],
        &[proof.as_slice(), &REQUEST].concat(),
        &["token", "attenuate", "--max", &token],
        &["token", "attenuate", "--proved", &token],
    ] {
        let said = desk.pipe(&token, arguments);
        assert_eq!(said.code, 2);
        let part: String = token.chars().skip(100).take(40).collect();
        assert!(!said.err.contains(&part) && !said.out.contains(&part), "{}", said.err);
    }
}

#[test]
fn nothing_that_is_said_moves_a_terminals_cursor() {
    let desk = Desk::with_key();
    let evil = "a\u{1b}[2J\u{202e}b";
    let table: [&[&str]; 4] = [
        &["token", evil],
        &["keys", "list", "--dir", evil],
        &["token", "inspect", &format!("@{evil}")],
        &["token", "attenuate", "--is", &format!("/to={evil}"), "--json"],
    ];
    for arguments in table {
        let said = desk.run(arguments);
        assert_ne!(said.code, 0);
        for text in [&said.out, &said.err] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{arguments:?}: {text:?}");
        }
    }
    // A pointer may hold what a name may not.
    let token = desk.mint(&["--max", "/\u{202e}a=4"]);
    for more in [&["token", "inspect"][..], &["token", "inspect", "--json"]] {
        assert!(!desk.done_with(&token, more).contains('\u{202e}'));
    }
}
