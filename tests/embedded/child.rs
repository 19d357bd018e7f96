//! What other processes do: this test binary, started again to play one part.

use std::path::Path;
use std::process::Command;

use super::{failing, full, killed, parts, power, refusals};

pub(super) use super::parts::succeeds;

const TEST: &str = "embedded::child::plays_a_part";

/// A process that plays this part in this folder.
pub(super) fn command(part: &str, folder: &Path) -> Command {
    parts::command(TEST, part, folder)
}

/// Does nothing unless it was started to.
#[test]
fn plays_a_part() {
    parts::play(|part, folder| match part {
        "history" => power::history(folder),
        "hammer" => killed::hammer(folder, false),
        "rewriting hammer" => killed::hammer(folder, true),
        "failing disk" => failing::failing_disk(folder),
        "full disk" => full::full_disk(folder),
        "locked out" => refusals::locked_out(folder),
        other => panic!("no part {other}"),
    });
}
