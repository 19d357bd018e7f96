//! Files: found, measured, and on the map.

use std::fs;
use std::path::{Path, PathBuf};

/// One noun to a file, and no noun takes more.
const LINES_MAX: usize = 400;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the project.
pub(crate) fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}")) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What builds and installs leave behind is not ours.
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if !["target", "node_modules", ".venv"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no Rust");
    found
}

fn ours() -> Vec<PathBuf> {
    ["src", "verifier", "tests", "benches/src", "fuzz", "model"]
        .into_iter()
        .flat_map(rust_files)
        .collect()
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    for path in ours() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    for path in ours() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} opens without a word", path.display());
    }
}

#[test]
fn every_module_stands_on_the_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for folder in ["src", "verifier/src"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let on_map = map.contains(&format!("{name}.rs")) || map.contains(&format!("{name}/"));
            assert!(on_map, "{folder}/{name} is not in ARCHITECTURE.md");
        }
    }
}

#[test]
fn nothing_is_left_to_do_in_secret() {
    // Spelled apart, so that this file does not find itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["#[ig", "nore"].concat()];
    for path in ours() {
        let text = fs::read_to_string(&path).unwrap();
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} holds {mark}", path.display());
        }
    }
}
