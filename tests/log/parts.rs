//! Parts that other processes play: this test binary, started again for one test that does nothing else.
//!
//! `child` says which parts there are. A part that hangs is a test that fails and says where, and no run that never
//! ends.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a parent reads what its child says"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

const PART: &str = "FAREBOX_TEST_PART";
const FOLDER: &str = "FAREBOX_TEST_FOLDER";
const PLAYED: &str = "the part was played";
/// As long as a part may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process in which this test plays this part in this folder.
pub(super) fn command(test: &str, part: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
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

/// Plays the part that this process was started for, if it was.
#[expect(clippy::disallowed_methods, reason = "how a parent tells its child what to do")]
pub(super) fn play(play: impl FnOnce(&str, &Path)) {
    let Ok(part) = std::env::var(PART) else { return };
    let folder = PathBuf::from(std::env::var(FOLDER).unwrap());
    thread::spawn(|| {
        thread::sleep(PATIENCE);
        give_up();
    });
    play(&part, &folder);
    println!("{PLAYED}");
}

/// Says what each thread waits for, and ends.
fn give_up() -> ! {
    eprintln!("the part was not played to its end in {PATIENCE:?}");
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let told = ["comm", "wchan", "syscall", "stack"].map(|name| {
            std::fs::read_to_string(task.as_ref().unwrap().path().join(name)).unwrap_or_default()
        });
        eprintln!("{}", told.map(|text| text.trim().to_owned()).join(" | "));
    }
    std::process::exit(101);
}
