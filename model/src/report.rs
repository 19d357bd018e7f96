//! The report: every case, and what came of it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::case::{Case, Expected, Weight};
use crate::page::{self, grouped};
use crate::rules::Over;
use crate::run::Outcome;
use crate::{majority, matrix, mutation, promise};

/// How much is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it.
    Everything,
    /// What takes a moment. For the rest the page's own word is taken.
    Light,
}

/// A case and what came of it.
pub(crate) struct Row {
    pub(crate) case: Case,
    pub(crate) outcome: Outcome,
}

/// The cases of a rule for leaving the list, with the tie or without.
pub(crate) struct Line {
    pub(crate) over: Over,
    pub(crate) tie: bool,
    pub(crate) rows: Vec<Row>,
}

/// Everything that was run.
pub struct Report {
    pub(crate) promises: Vec<Row>,
    pub(crate) chances: Vec<Row>,
    pub(crate) mutations: Vec<Row>,
    pub(crate) spared: Vec<Row>,
    pub(crate) lines: Vec<Line>,
    pub(crate) quorum: Vec<Row>,
}

impl Report {
    /// Runs the cases, and tells of each as soon as it is done.
    pub fn of(extent: Extent, tell: &mut impl FnMut(String)) -> Report {
        let page = written();
        let mut run = |cases: Vec<Case>| {
            let one = |case: Case| {
                let outcome = match (extent, case.weight) {
                    (Extent::Light, Weight::Heavy) => page::remembered(&page, &case),
                    _ => case.run(),
                };
                let row = Row { case, outcome };
                tell(row.line());
                row
            };
            cases.into_iter().map(one).collect::<Vec<Row>>()
        };
        Report {
            promises: run(promise::promises()),
            chances: run(promise::chances()),
            mutations: run(mutation::mutations()),
            spared: run(promise::spared()),
            lines: matrix::lines()
                .into_iter()
                .map(|line| Line { over: line.over, tie: line.tie, rows: run(line.cases) })
                .collect(),
            quorum: run(majority::cases()),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        let lines = self.lines.iter().flat_map(|line| &line.rows);
        let lists = [&self.promises, &self.chances, &self.mutations, &self.spared, &self.quorum];
        lists.into_iter().flatten().chain(lines)
    }

    /// The states of all cases, or of those in which nothing may be broken.
    pub(crate) fn states(&self, among: impl Fn(Expected) -> bool) -> usize {
        let rows = self.rows().filter(|row| among(row.case.expected));
        rows.map(|row| row.outcome.states).sum()
    }

    /// The cases that came out other than they must.
    #[must_use]
    pub fn unmet(&self) -> Vec<String> {
        self.rows().filter(|row| !row.case.is_met(&row.outcome)).map(Row::line).collect()
    }

    /// All of it in a line.
    #[must_use]
    pub fn total(&self) -> String {
        let took: Duration = self.rows().map(|row| row.outcome.took).sum();
        let (cases, states) = (self.rows().count(), grouped(self.states(|_| true)));
        format!("{cases} cases, {states} states, {took:.0?}")
    }

    /// The page that says it.
    #[must_use]
    pub fn page(&self) -> String {
        page::of(self)
    }

    /// Writes the page.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        fs::write(path(), self.page())
    }
}

impl Row {
    /// What came of it, in words.
    pub(crate) fn result(&self) -> String {
        let steps = self.outcome.steps().len();
        match (self.case.is_met(&self.outcome), self.case.expected) {
            (true, Expected::Holds) => String::from("holds"),
            (true, Expected::Breaks) => format!("broken in {steps} steps"),
            (true, Expected::Reaches(count)) => format!("{count} of {count} possible"),
            (false, Expected::Holds) => {
                format!("BROKEN: {}", self.outcome.steps().join("; "))
            }
            (false, Expected::Breaks) => String::from("HOLDS"),
            (false, Expected::Reaches(count)) => {
                let found = self.outcome.found.iter().map(|(name, _)| *name);
                format!("of {count} only: {}", found.collect::<Vec<_>>().join("; "))
            }
        }
    }

    fn line(&self) -> String {
        let Outcome { states, took, .. } = &self.outcome;
        let (name, bounds, result) = (self.case.name, &self.case.bounds, self.result());
        format!("{states:>9} states {took:>7.1?}  {result:<18}  {name} ({bounds})")
    }
}

/// The page as it stands; nothing where there is none.
#[must_use]
pub fn written() -> String {
    fs::read_to_string(path()).unwrap_or_default()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/model.md")
}
