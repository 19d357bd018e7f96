//! The program: the command line, and nothing else.

use std::process::ExitCode;

/// A mint makes hundreds of small things and throws them away, most of them while a policy is asked: the system's
/// allocator took a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    farebox::cli::run(std::env::args_os()).into()
}
