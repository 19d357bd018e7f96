//! The fixture: a folder in which farebox is run.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A request that most tests mint for and verify.
pub(super) const REQUEST: [&str; 6] =
    ["--audience", "payments-api", "--action", "payments.transfer", "--resource", "account/42"];

/// A folder to run farebox in.
pub(super) struct Desk(TempDir);

/// What a run said.
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Desk {
    /// A folder with nothing in it.
    pub(super) fn empty() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    /// A folder with issuer's key 1 in `keys`.
    pub(super) fn with_key() -> Desk {
        let desk = Desk::empty();
        desk.done(&["keys", "new"]);
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        self.pipe("", arguments)
    }

    /// Runs with this text on standard input, and with no variable of the environment.
    pub(super) fn pipe(&self, stdin: &str, arguments: &[&str]) -> Said {
        self.pipe_with(stdin, arguments, &[])
    }

    pub(super) fn pipe_with(
        &self,
        stdin: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_farebox"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever refuses its arguments does not wait for its input.
        let _unread = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must succeed, and gives what it printed.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        self.done_with("", arguments)
    }

    /// The same with this text on standard input.
    pub(super) fn done_with(&self, stdin: &str, arguments: &[&str]) -> String {
        let said = self.pipe(stdin, arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said.out.trim_end().to_owned()
    }

    /// A token for [`REQUEST`], with more flags.
    pub(super) fn mint(&self, more: &[&str]) -> String {
        let start = ["token", "mint", "--key", "keys/private/1.pem", "--agent", "key:billing"];
        self.done(&[&start, REQUEST.as_slice(), more].concat())
    }

    /// What verifying says, with more flags beside those of [`REQUEST`].
    pub(super) fn verify(&self, token: &str, more: &[&str]) -> Said {
        let start = ["token", "verify", "--keys", "keys"];
        self.pipe(token, &[&start, REQUEST.as_slice(), more].concat())
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
}

impl Said {
    /// Its exit code, and the first line that it printed.
    pub(super) fn brief(&self) -> (i32, &str) {
        (self.code, self.out.lines().next().unwrap_or_default())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}
