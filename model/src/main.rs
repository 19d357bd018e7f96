//! Runs the whole model, and compares what came of it with docs/model.md:
//! `cargo run --release --manifest-path model/Cargo.toml`. With `--write` it writes the page instead.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "whoever runs it reads it")]

use std::process::ExitCode;

use farebox_model::report::{self, Extent, Report};

fn main() -> ExitCode {
    let write = std::env::args().any(|argument| argument == "--write");
    let report = Report::of(Extent::Everything, &mut |line| println!("{line}"));
    println!("{}", report.total());
    let mut wrong = report.unmet();
    if write && wrong.is_empty() {
        if let Err(error) = report.write() {
            wrong.push(format!("docs/model.md was not written: {error}"));
        }
    } else if report::written() != report.page() {
        wrong.push(String::from("docs/model.md says something else: run this with --write"));
    }
    for line in &wrong {
        eprintln!("not as it must be: {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
