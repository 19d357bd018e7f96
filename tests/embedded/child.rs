//! What other processes do: this test binary, started again to play one part.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{failing, full, killed, power, refusals};

const PART: &str = "STORE_TEST_PART";
const FOLDER: &str = "STORE_TEST_FOLDER";
const PLAYED: &str = "the part was played";

/// A process that plays this part in this folder.
pub(super) fn command(part: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "embedded::child::plays_a_part", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(FOLDER, folder);
    command
}

/// Runs it to a good end.
pub(super) fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(PLAYED), "{said}{complained}");
}

/// Does nothing unless it was started to.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a parent tells its child what to do")]
fn plays_a_part() {
    let Ok(part) = std::env::var(PART) else { return };
    // A part that hangs is a test that fails and says where, and no run that never ends.
    thread::spawn(|| {
        thread::sleep(Duration::from_mins(2));
        eprintln!("the part was not played to its end in two minutes");
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let told = ["comm", "wchan", "syscall", "stack"].map(|name| {
                std::fs::read_to_string(task.as_ref().unwrap().path().join(name))
                    .unwrap_or_default()
            });
            eprintln!("{}", told.map(|text| text.trim().to_owned()).join(" | "));
        }
        std::process::exit(101);
    });
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    match part.as_str() {
        "history" => power::history(&folder),
        "hammer" => killed::hammer(&folder, false),
        "rewriting hammer" => killed::hammer(&folder, true),
        "failing disk" => failing::failing_disk(&folder),
        "full disk" => full::full_disk(&folder),
        "locked out" => refusals::locked_out(&folder),
        other => panic!("no part {other}"),
    }
    println!("{PLAYED}");
}
