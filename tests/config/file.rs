//! The file in the repository and the page of the documentation say what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use farebox::config::{JWT_SETTINGS, SETTINGS, example_file, reference};

use super::desk::{Desk, defaults, of};

fn root(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn regenerate() -> bool {
    #[expect(clippy::disallowed_methods, reason = "regenerating is asked for, never a default")]
    std::env::var("FAREBOX_REGENERATE").is_ok()
}

/// The file with every setting in force: those lines that begin with # and a letter or a bracket.
fn uncommented(text: &str) -> String {
    let setting = |line: &&str| {
        let rest = line.strip_prefix('#').unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[')
    };
    text.lines().filter(setting).map(|line| format!("{}\n", line.get(1..).unwrap())).collect()
}

#[test]
fn the_file_in_the_repository_is_the_one_of_the_code() {
    let path = root("farebox.toml");
    if regenerate() {
        fs::write(&path, example_file()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), example_file());
}

#[test]
fn the_documentation_has_a_row_for_each_setting() {
    let path = root("docs/configuration.md");
    let mark = "<!-- written by tests/config/file.rs with FAREBOX_REGENERATE=1 -->\n\n";
    let text = fs::read_to_string(&path).unwrap_or_default();
    let head = text.split(mark).next().unwrap_or_default();
    let want = format!("{head}{mark}{}", reference());
    if regenerate() {
        fs::write(&path, &want).unwrap();
        return;
    }
    assert!(text == want, "docs/configuration.md is not what the code says");
}

#[test]
fn the_file_as_it_comes_says_nothing_but_the_defaults() {
    let mut read = of(&example_file()).unwrap();
    read.file = None;
    assert_eq!(read, defaults());
}

#[test]
fn every_line_of_the_file_can_be_used_and_every_default_in_it_is_the_code_s() {
    let text = uncommented(&example_file());
    let desk = Desk::with(&text);
    let read = desk.read().unwrap();
    assert_eq!(read.jwt.len(), 2);
    // What has no default is an example, and all else is what it is without the file.
    let plain = |name: &str| {
        let no_default = SETTINGS.iter().any(|s| s.path.ends_with(name) && s.default.is_none());
        !no_default
    };
    let kept = text.split("[[store.servers]]").next().unwrap();
    let kept: String = kept
        .lines()
        .filter(|line| line.starts_with('[') || plain(line.split(" = ").next().unwrap()))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut read = of(&kept).unwrap();
    read.file = None;
    assert_eq!(read, defaults(), "{kept}");
}

#[test]
fn the_file_has_every_setting_once_or_for_each_kind_of_source() {
    let text = uncommented(&example_file());
    for setting in SETTINGS.iter().chain(&JWT_SETTINGS).filter(|s| s.path != "callers.jwt") {
        let last = setting.path.rsplit('.').next().unwrap();
        let found =
            setting.path == "owners" || text.lines().any(|l| l.starts_with(&format!("{last} = ")));
        assert!(found, "{}", setting.path);
    }
}

#[test]
fn no_two_settings_share_a_path_or_a_variable() {
    let paths: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.path).collect();
    assert_eq!(paths.len(), SETTINGS.len());
    let named = SETTINGS.iter().filter(|setting| !setting.env.is_empty());
    let names: BTreeSet<&str> = named.clone().map(|setting| setting.env).collect();
    assert_eq!(names.len(), named.clone().count());
    assert!(names.iter().all(|name| name.starts_with("FAREBOX_")));
    let paths: BTreeSet<&str> = JWT_SETTINGS.iter().map(|setting| setting.path).collect();
    assert_eq!(paths.len(), JWT_SETTINGS.len());
}
