//! A process under the shim: what it did to a folder, call by call.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::child;

/// A call that changed the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A file was made.
    Made { inode: u64, name: String },
    /// Bytes were written.
    Wrote { inode: u64, name: String, offset: usize, bytes: Vec<u8> },
    /// A file was cut, or lengthened, to this.
    Cut { inode: u64, length: usize },
    /// A file was synced; the folder itself has no name.
    Synced { inode: u64, name: String, well: bool },
    /// A file was given another name.
    Renamed { from: String, to: String },
    /// A name was removed.
    Removed { name: String },
}

/// Runs a part in a child that is watched, and gives what it did to the folder. `fail` is the shim's word for a
/// call that fails.
pub(super) fn watch(part: &str, folder: &Path, fail: Option<&str>) -> Vec<Call> {
    let traces = tempfile::tempdir().unwrap();
    let trace = traces.path().join("trace");
    let mut command = child::command(part, folder);
    command.env("LD_PRELOAD", shim()).env("LOG_SHIM_TRACE", &trace);
    command.env("LOG_SHIM_FOLDER", folder);
    if let Some(fail) = fail {
        command.env("LOG_SHIM_FAIL", fail);
    }
    child::succeeds(&mut command);
    parse(&fs::read(trace).unwrap(), folder)
}

/// The shim, compiled once. Who builds the project has a C compiler: aws-lc needs one too.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join(format!("log-shim-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/shim.c");
        let compiler = Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .output()
            .unwrap();
        assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
        // Renamed, so that a run beside this one finds all of it or none.
        let name = folder.join("log-shim.so");
        std::fs::rename(&library, &name).unwrap();
        name
    })
}

fn parse(mut bytes: &[u8], folder: &Path) -> Vec<Call> {
    let mut calls = Vec::new();
    while !bytes.is_empty() {
        let kind = take(&mut bytes, 1)[0];
        let inode = u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap());
        let number = u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap());
        let first = u32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap());
        let second = u32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap());
        let first = take(&mut bytes, usize::try_from(first).unwrap());
        let second = take(&mut bytes, usize::try_from(second).unwrap());
        let size = usize::try_from(number).unwrap();
        calls.push(match kind {
            b'O' => Call::Made { inode, name: name(first, folder) },
            b'W' => {
                let (name, bytes) = (name(second, folder), first.to_vec());
                Call::Wrote { inode, name, offset: size, bytes }
            }
            b'C' => Call::Cut { inode, length: size },
            b'S' => Call::Synced { inode, name: name(first, folder), well: number == 0 },
            b'R' => Call::Renamed { from: name(first, folder), to: name(second, folder) },
            b'U' => Call::Removed { name: name(first, folder) },
            other => panic!("a call of kind {other}"),
        });
    }
    calls
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn name(path: &[u8], folder: &Path) -> String {
    let path = PathBuf::from(String::from_utf8(path.to_vec()).unwrap());
    path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()
}
