//! What the pages claim: every test and every file that they name is there, so that none of them rots unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::files::{root, rust_files};

/// The page of controls, each with its test and with how far it is met.
const CONTROLS: &str = "docs/controls.md";
/// Every page with a column of tests.
const PAGES: [&str; 2] = [CONTROLS, "SECURITY.md"];
const STATES: [&str; 3] = ["met", "in part", "not"];

/// A row of a table: what stands under each head.
type Row<'a> = BTreeMap<&'a str, &'a str>;

/// The project's Rust, by the path of each file.
struct Sources {
    texts: BTreeMap<String, String>,
    /// Lines that are one name and nothing else: the lists from which macros make tests.
    listed: BTreeSet<String>,
}

impl Sources {
    fn read() -> Sources {
        let mut texts = BTreeMap::new();
        for path in ["src", "verifier", "tests"].into_iter().flat_map(rust_files) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            texts.insert(name, fs::read_to_string(path).unwrap());
        }
        let lines = texts.values().flat_map(|text| text.lines()).map(str::trim);
        let listed = lines.filter(|line| is_name(line)).map(str::to_owned).collect();
        Sources { texts, listed }
    }

    /// Whether there is such a test: in this file, or in any where none is said.
    fn test(&self, name: &str, file: Option<&str>) -> bool {
        let made = self.listed.contains(name);
        let mut texts = self.texts.iter().filter(|(path, _)| file.is_none_or(|it| it == *path));
        texts.any(|(_, text)| stands_in(text, name, made))
    }
}

fn is_name(text: &str) -> bool {
    text.contains('_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a function of this name is a test: by its attribute, or because a macro `made` one of it.
fn stands_in(text: &str, name: &str, made: bool) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let heads = lines.iter().enumerate().filter(|(_, line)| line.contains(&head));
    let mut marked = heads.map(|(at, _)| {
        let above = lines.iter().take(at).rev().take_while(|line| !line.is_empty());
        made || above.copied().any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
    });
    marked.any(|is_test| is_test)
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let (mut rows, mut head) = (Vec::new(), Vec::new());
    for line in page.lines() {
        let Some(line) = line.strip_prefix('|') else {
            head.clear();
            continue;
        };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if head.is_empty() {
            head = cells;
        } else if !line.starts_with('-') {
            rows.push(head.iter().copied().zip(cells).collect());
        }
    }
    rows
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The tests of a cell, each with the file that was named last before it.
fn tests(cell: &str) -> Vec<(&str, Option<&str>)> {
    let (mut tests, mut file) = (Vec::new(), None);
    for span in spans(cell) {
        if span.ends_with(".rs") {
            file = Some(span);
        } else {
            tests.push((span, file));
        }
    }
    tests
}

/// What a page says is a test, and is none.
fn missing_tests(page: &str, sources: &Sources) -> Vec<String> {
    let cells = rows(page).into_iter().filter_map(|row| row.get("test").copied());
    let named = cells.flat_map(tests);
    let missing = named.filter(|(name, file)| !sources.test(name, *file));
    missing.map(|(name, file)| format!("{name} in {file:?}")).collect()
}

/// What a page names by its path from our root, or links to by its path from the page, and is not there.
fn missing_files(page: &str, folder: &Path) -> Vec<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let ours = |span: &&str| {
        let first = span.split_once('/').map_or("", |(first, _)| first);
        !first.is_empty() && span.chars().all(plain) && root().join(first).is_dir()
    };
    // Two dots go wherever they like: such a path is somebody's attack.
    let named =
        spans(page).filter(ours).filter(|span| !span.contains("..")).map(|s| root().join(s));
    let links = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = links.filter(|link| !link.is_empty() && !link.contains("://"));
    let all = named.chain(links.map(|link| folder.join(link)));
    all.filter(|path| !path.exists()).map(|path| path.display().to_string()).collect()
}

/// Rows of controls that say no state, or that say to be met and name no test.
fn unproved(page: &str) -> Vec<String> {
    let of = |row: &Row<'_>, head| row.get(head).copied().unwrap_or_default().to_owned();
    let controls = rows(page).into_iter().filter(|row| row.contains_key("control"));
    let bad = controls.filter(|row| {
        let state = of(row, "state");
        let proved = tests(&of(row, "test")).iter().any(|(_, file)| file.is_some());
        !STATES.contains(&state.as_str()) || (state != "not" && !proved)
    });
    bad.map(|row| of(&row, "control")).collect()
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let sources = Sources::read();
    for name in PAGES {
        let page = page(name);
        assert!(rows(&page).iter().any(|row| row.contains_key("test")), "{name} names no test");
        assert_eq!(missing_tests(&page, &sources), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_file_that_a_page_names_is_there() {
    for name in PAGES {
        let folder = root().join(name);
        let missing = missing_files(&page(name), folder.parent().unwrap());
        assert_eq!(missing, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_control_says_how_far_it_is_met_and_by_which_test() {
    let page = page(CONTROLS);
    assert!(rows(&page).iter().any(|row| row.contains_key("control")), "no control in the page");
    assert_eq!(unproved(&page), Vec::<String>::new());
}

#[test]
fn a_page_that_claims_what_is_not_there_is_found_out() {
    let made_up = "\
| control | test | state |
|---|---|---|
| a | `tests/tidy/claims.rs`: `a_page_that_claims_what_is_not_there_is_found_out` | met |
| b | `tests/tidy/claims.rs`: `no_such_test` | met |
| c | `tests/tidy/files.rs`: `every_test_that_a_page_names_is_there` | met |
| d | `tests/tidy/claims.rs`: `missing_tests` | met |
| e | `tests/faults/pair.rs`: `lagging_replica_promoted` | met |
| f | — | in part |
| g | — | proved |
| h | — | not |

`tests/tidy/none.rs`, `src/../etc/passwd`, [a page](none.md), [another](design.md#section).
";
    let missing = missing_tests(made_up, &Sources::read());
    let [no_such, elsewhere, helper] = missing.as_slice() else { panic!("{missing:?}") };
    assert!(no_such.starts_with("no_such_test") && helper.starts_with("missing_tests"));
    assert!(elsewhere.starts_with("every_test_that_a_page_names_is_there"));
    let files = missing_files(made_up, &root().join("docs"));
    let ends = ["tests/tidy/none.rs", "docs/none.md"];
    assert!(files.len() == 2 && files.iter().zip(ends).all(|(file, end)| file.ends_with(end)));
    assert_eq!(unproved(made_up), ["f", "g"]);
}
