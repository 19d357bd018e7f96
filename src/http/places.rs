//! How many connections there is room for: each takes a file of the process, which needs some for itself.

use std::fs;

use crate::limits;

/// How many places there are, of so many that are wished for.
pub(super) fn places(wished: usize) -> usize {
    // Absent where there is no such file; then the wish stands.
    let told = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let places = within(wished, &told);
    if places < wished {
        tracing::warn!(places, wished, "fewer connections than configured: raise the open files");
    }
    places
}

fn within(wished: usize, told: &str) -> usize {
    let line = told.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    let room = soft.map_or(wished, |soft| soft.saturating_sub(limits::FILES_KEPT));
    // Without any place nobody could even ask how it stands.
    wished.min(room).max(1)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn connections_leave_files_for_everything_else() {
        let told = |soft: &str| {
            format!(
                "Max processes  7  7  processes\nMax open files            {soft}   4096   files\n"
            )
        };
        assert_eq!(within(4_096, &told("1024")), 960);
        assert_eq!(within(100, &told("1024")), 100);
        assert_eq!(within(4_096, &told("unlimited")), 4_096);
        assert_eq!(within(4_096, &told("32")), 1);
        assert_eq!(within(4_096, ""), 4_096);
    }
}
