//! What became of the tokens that were offered, counted the way that a security person asks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::until::until;

/// What one claimant was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may act, and has.
    Granted,
    /// It may not.
    Refused,
    /// Nobody said anything it could go by, so it has not acted.
    Unavailable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    granted: Vec<usize>,
    refused: u64,
}

/// Every token that somebody tried is in one of four counts: spent once, spent twice or more, falsely
/// refused, unavailable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    tokens: BTreeMap<usize, Told>,
    fault_began: Option<Instant>,
    fresh_after: Option<Duration>,
}

impl Tally {
    /// The head of the table that [`Tally::row`] makes a row of.
    pub const HEAD: &str = "| fault | offered | spent once | spent twice | falsely refused | unavailable | fresh grants after |\n|---|---:|---:|---:|---:|---:|---:|";

    /// Nothing yet.
    #[must_use]
    pub fn new() -> Tally {
        Tally::default()
    }

    /// A claimant was told this of a token. Each grant counts, also of one claimant: who is told twice that
    /// it may act has acted twice.
    pub fn add(&mut self, token: usize, claimant: usize, verdict: Verdict) {
        let told = self.tokens.entry(token).or_default();
        match verdict {
            Verdict::Granted => told.granted.push(claimant),
            Verdict::Refused => told.refused += 1,
            Verdict::Unavailable => {}
        }
    }

    /// Adds what another counted of the same tokens, at another time or by other claimants.
    pub fn absorb(&mut self, other: Tally) {
        for (token, told) in other.tokens {
            let sum = self.tokens.entry(token).or_default();
            sum.granted.extend(told.granted);
            sum.refused += told.refused;
        }
        self.fresh_after = self.fresh_after.or(other.fresh_after);
    }

    /// The fault begins: what [`Tally::fresh_works`] measures from.
    pub fn fault_begins(&mut self) {
        self.fault_began = Some(Instant::now());
    }

    /// Offers fresh grants, one at a time, until one is granted, and returns how long after the fault that
    /// is.
    ///
    /// # Panics
    /// Where that does not come.
    pub fn fresh_works(&mut self, mut offer: impl FnMut() -> Verdict) -> Duration {
        let began = *self.fault_began.get_or_insert_with(Instant::now);
        until("a fresh grant to work", || offer() == Verdict::Granted);
        let after = began.elapsed();
        self.fresh_after = Some(after);
        after
    }

    /// Tokens that somebody tried.
    #[must_use]
    pub fn offered(&self) -> usize {
        self.tokens.len()
    }

    /// Tokens that were granted exactly once.
    #[must_use]
    pub fn spent_once(&self) -> usize {
        self.count(|told| told.granted.len() == 1)
    }

    /// Tokens that were granted more than once: what must never be.
    #[must_use]
    pub fn spent_twice(&self) -> usize {
        self.count(|told| told.granted.len() > 1)
    }

    /// Tokens that were refused and never granted to anybody: a use is lost.
    #[must_use]
    pub fn falsely_refused(&self) -> usize {
        self.count(|told| told.granted.is_empty() && told.refused > 0)
    }

    /// Tokens of which nobody was told anything.
    #[must_use]
    pub fn unavailable(&self) -> usize {
        self.count(|told| told.granted.is_empty() && told.refused == 0)
    }

    /// The tokens that were granted more than once, and to whom.
    #[must_use]
    pub fn doubles(&self) -> Vec<(usize, &[usize])> {
        let all = self.tokens.iter().map(|(token, told)| (*token, told.granted.as_slice()));
        all.filter(|(_, granted)| granted.len() > 1).collect()
    }

    /// How long after the fault a fresh grant worked, where that was asked.
    #[must_use]
    pub fn fresh_after(&self) -> Option<Duration> {
        self.fresh_after
    }

    /// A row of the table, in Markdown.
    #[must_use]
    pub fn row(&self, fault: &str) -> String {
        let fresh = self.fresh_after.map_or("-".to_owned(), |d| format!("{} ms", d.as_millis()));
        format!(
            "| {fault} | {} | {} | {} | {} | {} | {fresh} |",
            self.offered(),
            self.spent_once(),
            self.spent_twice(),
            self.falsely_refused(),
            self.unavailable(),
        )
    }

    fn count(&self, which: impl Fn(&Told) -> bool) -> usize {
        self.tokens.values().filter(|told| which(told)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_counted_once() {
        use Verdict::{Granted, Refused, Unavailable};
        let mut tally = Tally::new();
        for (token, claimant, verdict) in [
            (0, 0, Granted),
            (0, 1, Refused),
            (1, 0, Granted),
            (1, 1, Granted),
            (2, 0, Refused),
            (2, 1, Unavailable),
            (3, 0, Unavailable),
            (4, 0, Granted),
        ] {
            tally.add(token, claimant, verdict);
        }
        let mut later = Tally::new();
        later.add(4, 0, Granted);
        later.add(5, 0, Granted);
        tally.absorb(later);
        assert_eq!(tally.doubles(), [(1, [0, 1].as_slice()), (4, [0, 0].as_slice())]);
        assert_eq!(tally.row("a fault"), "| a fault | 6 | 2 | 2 | 1 | 1 | - |");
        assert_eq!(Tally::HEAD.lines().next().unwrap().matches('|').count(), 8);
    }
}
