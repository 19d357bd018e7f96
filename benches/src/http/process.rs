//! Processes: what they have taken of the machine so far.

use std::fs;
use std::time::Duration;

/// What the system counts the time of processes in.
const TICK: Duration = Duration::from_millis(10);

/// The resident set.
pub fn memory_bytes(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// The processor's time that these have taken, in the kernel and out of it.
pub fn processor_time(process_ids: &[u32]) -> Duration {
    process_ids.iter().map(|id| TICK * ticks(*id)).sum()
}

fn ticks(process_id: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).unwrap();
    // The name before it may hold anything, blanks and brackets too.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum()
}
