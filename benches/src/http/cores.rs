//! Cores: servers on one, whoever drives them on another, so that a fast driver takes nothing from a slow server.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A core: the first of those that this process may run on, or the second.
#[derive(Clone, Copy)]
pub struct Core(usize);

/// Where every server runs, alone or with the others that it needs.
pub const SERVERS: Core = Core(0);
/// Where the load comes from.
pub const DRIVER: Core = Core(1);

/// Keeps this thread on a core, and with it whatever it starts from here on: threads and processes inherit that.
pub fn stay_on(Core(place): Core) {
    // As it was before anything was kept anywhere.
    static ALLOWED: OnceLock<Vec<u32>> = OnceLock::new();
    let allowed = ALLOWED.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        cores(list.unwrap().trim())
    });
    let core = allowed.get(place).expect("this takes two cores");
    let (here, core) = (std::process::id().to_string(), core.to_string());
    let mut command = Command::new("taskset");
    let kept = command.args(["--cpu-list", "--pid", &core, &here]).stdout(Stdio::null()).status();
    assert!(kept.unwrap().success(), "this takes taskset");
}

/// The cores of a list: `0-1,4`.
fn cores(list: &str) -> Vec<u32> {
    let ranges = list.split(',').flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse::<u32>().unwrap()..=last.parse().unwrap()
    });
    ranges.collect()
}
