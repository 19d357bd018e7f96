//! Floors: a module uses those below it, never one above and never one that stands higher in the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::files::{root, rust_files};

/// The verifier's modules, from the ground up.
const VERIFIER: [&str; 27] = [
    "limits", "clock", "hex", "crypto", "key", "wire", "name", "params", "caveat", "grant",
    "attempt", "token", "refusal", "proof", "keys", "store", "selector", "feed", "redis", "taken",
    "memory", "local", "contract", "passage", "verifier", "facts", "gate",
];
/// The root package's modules, from the ground up.
const ROOT: [&str; 25] = [
    "limits", "fields", "jws", "load", "log", "store", "signer", "record", "evidence", "approval",
    "callers", "policy", "config", "oracle", "keychain", "feed", "issuer", "metrics", "http",
    "client", "bench", "steady", "serve", "demo", "cli",
];

#[test]
fn no_module_uses_one_above_it() {
    check("verifier/src", &VERIFIER);
    check("src", &ROOT);
}

fn check(folder: &str, floors: &[&str]) {
    let mut seen = BTreeSet::new();
    for path in rust_files(folder) {
        let module = module_of(&path, folder);
        if ["lib", "main"].contains(&module.as_str())
            || path.ends_with(format!("{module}_tests.rs"))
        {
            continue;
        }
        let floor = floors.iter().position(|name| *name == module);
        let floor = floor.unwrap_or_else(|| panic!("{} stands on no floor", path.display()));
        for used in used_by(&path) {
            let below = floors.iter().position(|name| *name == used);
            let below = below.unwrap_or_else(|| panic!("{} uses {used}", path.display()));
            assert!(below <= floor, "{} uses {used}, which stands above it", path.display());
        }
        seen.insert(module);
    }
    let known: BTreeSet<String> = floors.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(seen, known, "the table of floors in {folder}");
}

/// The first name below the source folder: `token` for `token/layout.rs`.
fn module_of(path: &Path, folder: &str) -> String {
    let inner = path.strip_prefix(root().join(folder)).unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a file names by `crate::`, tests at its end aside.
fn used_by(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut used = BTreeSet::new();
    for line in lines {
        for rest in line.split("crate::").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // A name of the crate's face, or a macro, is no module.
            if name.starts_with(|c: char| c.is_lowercase()) && !name.ends_with("_contract") {
                used.insert(name);
            }
        }
    }
    used
}
