//! How many tokens came to which end.

use std::collections::BTreeMap;

/// Counts, by what became of a token.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub(crate) fn count(&mut self, end: &str) {
        *self.0.entry(end.to_owned()).or_default() += 1;
    }

    /// How many tokens came to an end whose name starts so.
    pub(crate) fn of(&self, start: &str) -> usize {
        self.0.iter().filter(|(end, _)| end.starts_with(start)).map(|(_, count)| count).sum()
    }

    pub(crate) fn print(&self, title: &str) {
        println!("{title}: {} tokens", self.of(""));
        self.0.iter().for_each(|(end, count)| println!("  {count:>6}  {end}"));
    }
}
