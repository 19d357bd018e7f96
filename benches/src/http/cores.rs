//! Cores: servers on one, whoever drives them on another, so that a fast driver takes nothing from a slow server.

use std::process::{Command, Stdio};

/// A core.
#[derive(Clone, Copy)]
pub struct Core(&'static str);

/// Where every server runs, alone or with the others that it needs.
pub const SERVERS: Core = Core("0");
/// Where the load comes from.
pub const DRIVER: Core = Core("1");

/// Keeps this thread on a core, and with it whatever it starts from here on: threads and processes inherit that.
pub fn stay_on(core: Core) {
    let (here, Core(core)) = (std::process::id().to_string(), core);
    let mut command = Command::new("taskset");
    let kept = command.args(["--cpu-list", "--pid", core, &here]).stdout(Stdio::null()).status();
    assert!(kept.unwrap().success(), "this takes two cores, and taskset");
}
