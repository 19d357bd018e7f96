//! farebox beside the raw signature work that its format demands, and beside its peers.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml` measures everything in one run, interleaved,
//! and writes `docs/benchmarks.md` with a plot: ratios, for times alone say more of the machine.

mod fixture;
mod floor;
mod meter;
mod ours;
mod peers;
mod report;

use meter::Case;

fn main() -> std::io::Result<()> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let mut cases: Vec<Case> = Vec::new();
    cases.extend(floor::cases());
    cases.extend(ours::cases());
    cases.extend(ours::refusals());
    cases.extend(peers::cases());
    // For a profiler: one case by name, and nothing else.
    if let Some(only) = std::env::args().skip_while(|arg| arg != "--only").nth(1) {
        cases.retain(|case| case.name == only);
        (0..20_000).for_each(|_| cases.iter_mut().for_each(|case| (case.run)()));
        return Ok(());
    }
    let figures = meter::measure(&mut cases, if quick { 10 } else { 200 });
    print!("{}", report::table(&figures));
    if quick {
        return Ok(());
    }
    report::write(&figures)
}
