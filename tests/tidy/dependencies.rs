//! What is depended on: nothing banned, nothing twice, nothing under an unknown licence, and what others
//! embed is a golden file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::files::root;

/// Crates that must not come in, with the reason.
const BANNED: [(&str, &str); 6] = [
    ("openssl", "aws-lc-rs and rustls are what we trust"),
    ("openssl-sys", "aws-lc-rs and rustls are what we trust"),
    ("native-tls", "rustls is what we trust"),
    ("chrono", "`time` is what we use"),
    ("ring", "aws-lc-rs is what we trust"),
    ("serde_jcs", "it rounds integers above 2^53 without a word"),
];

/// Licences that may be linked into what a bank ships.
const LICENCES: [&str; 10] = [
    "Apache-2.0",
    "MIT",
    "BSD-3-Clause",
    "BSD-2-Clause",
    "BSL-1.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
    "Unlicense",
];

/// These bring older second copies of several crates; the rest of the tree has none. `prost` is the one
/// that biscuit-auth speaks, for tests that forge; the derives run at build time only; `pkcs8` is of biscuit-auth's
/// age, so that there is one; `untrusted` is a page of code that two ends of TLS have not agreed on; `jsonwebtoken` and
/// `jiff` name crates for other systems than those we build for.
const BRINGS_SECOND_COPIES: [&str; 9] = [
    "#biscuit-auth@",
    "#prost@0.10",
    "#curve25519-dalek-derive@",
    "#zeroize_derive@",
    "#rand_core@0.6",
    "#pkcs8@0.10",
    "#untrusted@0.7",
    "#jsonwebtoken@",
    "#jiff-static@",
];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--locked"])).unwrap()
}

/// What is built, on whatever system, by name and version: the lock file also has what nobody builds.
fn built() -> BTreeSet<String> {
    let arguments =
        ["tree", "--workspace", "--all-features", "--target", "all", "-e", "normal,build,dev"];
    let form = ["--prefix", "none", "--no-dedupe", "--locked", "--format", "{p}"];
    let tree = cargo(&[arguments.as_slice(), form.as_slice()].concat());
    let names = tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    names.collect()
}

fn packages<'a>(metadata: &'a Value, built: &BTreeSet<String>) -> Vec<&'a Value> {
    let all = metadata["packages"].as_array().unwrap().iter();
    all.filter(|p| built.contains(&format!("{} v{}", text(p, "name"), text(p, "version"))))
        .collect()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

#[test]
fn nothing_banned_is_in_the_tree() {
    for package in packages(&metadata(), &built()) {
        let name = text(package, "name");
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            panic!("{name} is in the tree: {why}");
        }
    }
}

#[test]
fn every_licence_is_one_that_may_be_shipped() {
    for package in packages(&metadata(), &built()) {
        let licence = text(package, "license").replace('/', " OR ");
        // Each part that must hold has a licence of ours among those it offers.
        let fine = licence.split(" AND ").all(|part| {
            part.split(" OR ").any(|one| {
                let one = one.trim_matches(|c| c == '(' || c == ')' || c == ' ');
                LICENCES.contains(&one.split(" WITH ").next().unwrap())
            })
        });
        assert!(fine, "{} is under {licence:?}", text(package, "name"));
    }
}

#[test]
fn no_crate_is_there_twice_but_what_biscuit_brings() {
    let (metadata, built) = (metadata(), built());
    let built = packages(&metadata, &built);
    let ids: BTreeSet<&str> = built.iter().map(|package| text(package, "id")).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let next: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .map(|node| {
            let below = node["dependencies"].as_array().unwrap();
            (text(node, "id"), below.iter().map(|id| id.as_str().unwrap()).collect())
        })
        .collect();
    let members = metadata["workspace_members"].as_array().unwrap();
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = members.iter().map(|id| id.as_str().unwrap()).collect();
    while let Some(id) = open.pop() {
        let brings = BRINGS_SECOND_COPIES.iter().any(|name| id.contains(name));
        if !brings && ids.contains(id) && found.insert(id) {
            open.extend(&next[id]);
        }
    }
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in built.into_iter().filter(|p| found.contains(text(p, "id"))) {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    let twice: Vec<_> = versions.iter().filter(|(_, versions)| versions.len() > 1).collect();
    assert_eq!(twice, Vec::<(&&str, &BTreeSet<&str>)>::new());
}

/// The tree that whoever embeds the verifier gets; regenerate with `FAREBOX_REGENERATE=1`.
#[test]
fn what_others_embed_is_what_the_golden_file_says() {
    let mut trees = String::new();
    for features in ["aws-lc", "dalek", "aws-lc,tower", "aws-lc,redis"] {
        let tree = cargo(&[
            "tree",
            "-p",
            "farebox-verifier",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--no-default-features",
            "--features",
            features,
            "--locked",
            "--format",
            "{p}",
            "--target",
            "x86_64-unknown-linux-gnu",
        ]);
        // The first line is the crate itself, with the path it was built from.
        let crates: BTreeSet<&str> =
            tree.lines().skip(1).map(|l| l.split(" (").next().unwrap()).collect();
        trees += &format!("# --features {features}: {} crates\n", crates.len());
        crates.iter().for_each(|name| trees += &format!("{name}\n"));
    }
    let golden = root().join("tests/golden/verifier-tree.txt");
    #[expect(clippy::disallowed_methods, reason = "regenerating is asked for, never a default")]
    if std::env::var("FAREBOX_REGENERATE").is_ok() {
        fs::write(&golden, &trees).unwrap();
    }
    assert_eq!(trees, fs::read_to_string(&golden).unwrap_or_default());
}
