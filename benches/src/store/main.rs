//! The grant store beside what it stands on: an unfenced store on the same server, and a bare file.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin farebox-store-bench` measures everything in
//! one run, interleaved, and writes `docs/store-benchmarks.md`. It starts its own servers.

mod bare;
mod crowd;
mod deeds;
mod embedded;
mod page;
mod scene;
mod steps;

use std::io;

/// How much is measured.
pub struct Size {
    pub pairs: usize,
    pub rounds: usize,
    pub grants: usize,
    pub crowd: usize,
    pub revoked: usize,
}

const FULL: Size = Size { pairs: 40, rounds: 9, grants: 6_400, crowd: 1_000_000, revoked: 100_000 };
const QUICK: Size = Size { pairs: 3, rounds: 1, grants: 640, crowd: 10_000, revoked: 1_000 };

fn main() -> io::Result<()> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let size = if quick { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let page = runtime.block_on(async {
        page::Page {
            steps: steps::measure(&size).await,
            pairs: steps::pairs(&size).await,
            embedded: embedded::measure(&size).await,
            crowd: crowd::measure(&size).await,
            revoked: crowd::revoke(&size).await,
        }
    });
    print!("{}", page.text());
    match quick {
        true => Ok(()),
        false => page.write(),
    }
}
