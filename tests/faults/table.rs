//! The table of all rows, and a test of each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use farebox_lab::Tally;

use super::ground::Row;

/// Makes a test of each row, and a function that runs them all.
macro_rules! rows {
    ($($file:ident { $($row:ident)* })*) => {
        mod row {
            $(mod $file {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                    async fn $row() {
                        crate::faults::table::holds(&crate::faults::$file::$row().await);
                    }
                )*
            })*
        }

        /// How many rows there are.
        const COUNT: usize = [$($(stringify!($row),)*)*].len();

        /// All rows, one after the other.
        async fn all() -> Vec<ground::Row> {
            vec![$($($file::$row().await,)*)*]
        }
    };
}

/// What every row must show.
pub(crate) fn holds(row: &Row) {
    let twice = row.ours.spent_twice();
    assert_eq!(twice, 0, "{}: {:?}", row.fault, row.ours.doubles());
    assert!(row.ours.fresh_after().is_some(), "{}: fresh grants never worked", row.fault);
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md")
}

const ABOUT: &str = "\
# What was done to real servers, and what came of it

Made by `FAREBOX_REGENERATE=1 cargo test --test faults the_table_has_every_row`; each row is also a test of its own. In every
row 200 grants are outstanding when the fault comes, half of them spent; four workers mint, and two APIs spend, all
through it; then everything is offered twice more to both APIs, and fresh grants are asked for until they work. Beside
it, on the same server and through the same fault, 200 nonces in the store that everybody writes first,
`SET nonce NX PX`.

*Falsely refused*: nobody had acted on it, and nobody will. A life that is over takes its outstanding grants with it;
that is the price, and a token lives a minute. *Unavailable*: nobody was told anything, and nobody acted.
";

/// Writes the page.
pub(crate) fn write(rows: &[Row], server: &str) {
    let mut text = format!("{ABOUT}\nServer: {server}.\n\n## The grant store\n\n{}\n", Tally::HEAD);
    for row in rows {
        holds(row);
        writeln!(text, "{}", row.ours.row(&row.fault)).unwrap();
    }
    text += "\n## The naive store, through the same faults\n\n\
             | fault | offered | spent twice |\n|---|---:|---:|\n";
    for Row { fault, naive, .. } in rows {
        let (offered, twice) = (naive.offered(), naive.spent_twice());
        writeln!(text, "| {fault} | {offered} | {twice} |").unwrap();
    }
    std::fs::write(page(), text).unwrap();
}

/// The page has a line for each row, twice.
pub(crate) fn has_every_row(count: usize) {
    let text = std::fs::read_to_string(page()).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fault"));
    assert_eq!(lines.count(), 2 * count, "docs/faults.md: regenerate it");
}
