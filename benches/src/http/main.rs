//! farebox over HTTP beside node oidc-provider's token endpoint, on the same core.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin farebox-http-bench` starts all of them, measures
//! everything in one run, interleaved, and writes `docs/benchmarks-http.md` with a plot. `--soak SECONDS` drives the
//! issuers for that long instead, watches their memory, and writes `docs/benchmarks-soak.md`. `--quick` takes seconds,
//! with the program as tests build it, holds no goal and writes nothing.

mod cores;
mod issuer;
mod page;
mod process;
mod provider;
mod soak;
mod turns;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cores::{DRIVER, SERVERS};
use issuer::Issuer;
use page::{Page, Part};
use provider::Provider;
use turns::{Cast, Size};

const SECOND: Duration = Duration::from_secs(1);
/// The goal is held at the last.
const FULL: [Size; 3] = [
    Size { workers: 1, rounds: 5, turn: SECOND },
    Size { workers: 16, rounds: 5, turn: SECOND },
    Size { workers: 64, rounds: 21, turn: SECOND },
];
const QUICK: [Size; 1] = [Size { workers: 8, rounds: 1, turn: Duration::from_millis(300) }];

fn main() -> io::Result<()> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let program = program(quick);
    // Servers first: what this thread starts stays where it stands.
    cores::stay_on(SERVERS);
    if let Some(seconds) = std::env::args().skip_while(|arg| arg != "--soak").nth(1) {
        return soak::run(&program, seconds.parse().expect("--soak takes seconds"), quick);
    }
    let cast = Cast {
        on_redis: Issuer::on_redis(&program),
        on_file: Issuer::on_file(&program),
        provider: Provider::start(),
    };
    cores::stay_on(DRIVER);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sizes = if quick { &QUICK[..] } else { &FULL[..] };
    let page = runtime.block_on(async {
        let mut parts = Vec::new();
        for size in sizes {
            let figures = turns::measure(&cast, *size).await;
            parts.push(Part { workers: size.workers, figures });
        }
        Page(parts)
    });
    print!("{}", page.text());
    if quick { Ok(()) } else { page.write() }
}

/// The program: as it is shipped, built now where it is not yet; or as tests have it, and have built it.
fn program(quick: bool) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    if quick {
        let program = root.join("target/debug/farebox");
        assert!(program.exists(), "there is no {}: run cargo build", program.display());
        return program;
    }
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--locked", "--release", "--bin", "farebox"]).current_dir(&root);
    assert!(command.status().unwrap().success());
    root.join("target/release/farebox")
}
