//! The page: the report as people read it, and what can be read back from it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::case::{Case, Expected};
use crate::report::{Line, Report, Row};
use crate::rules::Over;
use crate::run::Outcome;

/// The page, with a place for each table.
const PAGE: &str = include_str!("page.md");

/// The page that says a report.
pub(crate) fn of(report: &Report) -> String {
    let held = report.states(|expected| expected == Expected::Holds);
    PAGE.replace("{states}", &grouped(report.states(|_| true)))
        .replace("{held}", &grouped(held))
        .replace("{promises}\n", &table(&report.promises))
        .replace("{chances}\n", &chances(&report.chances))
        .replace("{mutations}\n", &broken(&report.mutations))
        .replace("{spared}\n", &table(&report.spared))
        .replace("{matrix}\n", &grid(&report.lines))
        .replace("{quorum}\n", &table(&report.quorum))
        .replace("{ways}\n", &ways(&report.mutations))
        .replace("{quorum ways}\n", &ways(&report.quorum))
        .trim_end()
        .to_owned()
        + "\n"
}

/// What the page says of a case that is not run.
pub(crate) fn remembered(page: &str, case: &Case) -> Outcome {
    let row = format!("| {} | {} | ", case.name, case.bounds);
    let number = page.lines().find_map(|line| line.strip_prefix(&row)?.split(' ').next());
    let states = number.and_then(|number| number.replace(',', "").parse().ok()).unwrap_or(0);
    let heading = format!("### If {}", case.name);
    let way = page.lines().skip_while(|line| *line != heading).skip(1);
    let step = |line: &str| line.split_once(". ").map(|(_, step)| step.to_owned());
    let steps: Vec<String> = way
        .take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(step)
        .collect();
    let found = if steps.is_empty() { Vec::new() } else { vec![("", steps)] };
    Outcome { states, took: Duration::ZERO, found }
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from("| case | bounds | states | result |\n|---|---|---:|---|\n");
    for row in rows {
        let (name, bounds) = (row.case.name, &row.case.bounds);
        let states = grouped(row.outcome.states);
        table += &format!("| {name} | {bounds} | {states} | {} |\n", row.result());
    }
    let notes = rows.iter().filter(|row| row.case.expected == Expected::Holds);
    for row in notes.filter(|row| !row.case.says.is_empty()) {
        table += &format!("\n*{}*: {}\n", row.case.name, row.case.says);
    }
    table
}

fn broken(rows: &[Row]) -> String {
    let mut table = String::from(
        "| without the rule | bounds | states | breaks | in steps |\n|---|---|---:|---|---:|\n",
    );
    for row in rows {
        let (name, bounds, breaks) = (row.case.name, &row.case.bounds, row.case.breaks);
        let (states, steps) = (grouped(row.outcome.states), row.outcome.steps().len());
        table += &format!("| {name} | {bounds} | {states} | {breaks} | {steps} |\n");
    }
    table
}

fn chances(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let found: Vec<&str> = row.outcome.found.iter().map(|(name, _)| *name).collect();
        format!("- {} ({}): {}.\n", row.case.name, row.case.bounds, found.join("; "))
    };
    rows.iter().map(line).collect()
}

/// The shortest way to each thing that was broken.
fn ways(rows: &[Row]) -> String {
    let broken = rows.iter().filter(|row| row.case.expected == Expected::Breaks);
    let ways = broken.map(|row| {
        let steps = row.outcome.steps().iter().zip(1..);
        let list: String = steps.map(|(step, number)| format!("{number}. {step}\n")).collect();
        format!("### If {}\n\n{}\n\n{list}", row.case.name, row.case.says)
    });
    ways.collect::<Vec<String>>().join("\n") + "\n"
}

fn grid(lines: &[Line]) -> String {
    let weathers = lines.first().map_or(&[][..], |line| &line.rows);
    let names: Vec<&str> = weathers.iter().map(|row| row.case.name).collect();
    let mut grid = format!("| a life leaves the list when | tie | {} |\n", names.join(" | "));
    grid += &format!("|---|---|{}\n", "---|".repeat(weathers.len()));
    for line in lines {
        let rule = match line.over {
            Over::Renamed => "its stream was renamed by a successor's opening",
            Over::Drained => "its journal was drained",
            Over::Expiry => "its last token has ended, or its own run says that it is over",
        };
        let tie = if line.tie { "with" } else { "without" };
        let results: Vec<String> = line.rows.iter().map(Row::result).collect();
        grid += &format!("| {rule} | {tie} | {} |\n", results.join(" | "));
    }
    let bounds: BTreeSet<&str> = weathers.iter().map(|row| row.case.bounds.as_str()).collect();
    let bounds: Vec<&str> = bounds.into_iter().collect();
    grid + &format!("\nBounds: {}.\n", bounds.join("; "))
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
