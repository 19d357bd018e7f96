//! From a folder to a set of policies, or to everything that is wrong with it.
//!
//! ```text
//! policies/*.datalog     statements, in the order of the files' names
//! policies/data/*.csv    tables
//! policies/actions.toml  the catalogue
//! policies/tests/*.toml  tests, which decide nothing
//! ```
//!
//! A file that is none of these is an error: a refusal in a misnamed file would refuse nothing, unseen.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use farebox_verifier::PolicyHash;

use super::catalogue::Catalogue;
use super::flaw::{Flaw, FlawKind, Place, PolicyErrors, Warning};
use super::lint;
use super::parse::{Finder, Parsed, parse};
use super::screen::{Role, is_large, screen};
use super::set::{Parts, PolicySet};
use super::source::SourceFile;
use super::statement::Effect;
use super::table::{Table, is_name};
use super::whole::{Statements, remarks};
use super::word::{Given, TermWord};
use super::zone::Zone;
use crate::limits::{
    FACT_VALUES_MAX, POLICY_FACTS_MAX, POLICY_FILE_BYTES_MAX, POLICY_FILES_MAX, STATEMENTS_MAX,
};

/// What was found in a folder.
#[derive(Default)]
pub(super) struct Found {
    pub(super) policies: Vec<(String, String)>,
    pub(super) tables: HashMap<String, Table>,
    pub(super) catalogue: Option<(String, String)>,
    pub(super) flaws: Vec<Flaw>,
}

impl PolicySet {
    /// Loads a folder.
    ///
    /// # Errors
    /// [`PolicyErrors`] with everything that is wrong with it: nothing of it is in force then.
    pub fn load(folder: &Path, zone: &Zone) -> Result<(PolicySet, Vec<Warning>), PolicyErrors> {
        build(find(folder), zone).map_err(|flaws| PolicyErrors::new(folder, flaws))
    }
}

/// A set of what was found.
pub(super) fn build(found: Found, zone: &Zone) -> Result<(PolicySet, Vec<Warning>), Vec<Flaw>> {
    let Found { mut policies, tables, catalogue, mut flaws } = found;
    policies.sort();
    let sources: Vec<SourceFile> =
        policies.iter().map(|(name, text)| SourceFile::new(name, text)).collect();
    let catalogue = catalogue.and_then(|(name, text)| {
        Catalogue::read(&SourceFile::new(&name, &text)).map_err(|wrong| flaws.extend(wrong)).ok()
    });
    let mut statements = Statements { tables, ..Statements::default() };
    let mut hasher = Hasher::new(zone);
    for (number, file) in sources.iter().enumerate() {
        read(file, number, &mut statements, &mut hasher, &mut flaws);
    }
    if statements.rulings.len() + statements.derivations.len() > STATEMENTS_MAX {
        let message = format!("there are over {STATEMENTS_MAX} statements");
        flaws.push(Flaw::new(FlawKind::Limit, Place::file("."), message));
    }
    if statements.facts.len() > POLICY_FACTS_MAX {
        let message = format!("over {POLICY_FACTS_MAX} facts stand in files of policies");
        let hint = "put them into a table, policies/data/NAME.csv: its rows are taken by key";
        flaws.push(Flaw::new(FlawKind::Limit, Place::file("."), message).hint(hint));
    }
    statements.screen(&sources, catalogue.as_ref(), &mut flaws);
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let Statements { mut rulings, derivations, facts, tables } = statements;
    // Stable, so each of both stays in the order of the files.
    rulings.sort_by_key(|ruling| ruling.effect == Effect::Allow);
    let mut warnings = remarks(&rulings, catalogue.as_ref());
    let hash = hasher.finish(&tables, catalogue.as_ref());
    let zone = zone.clone();
    let set = PolicySet::new(Parts {
        hash,
        zone,
        sources,
        rulings,
        derivations,
        facts,
        tables,
        catalogue,
    });
    warnings.extend(lint::lint(&set));
    warnings.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((set, warnings))
}

fn read(
    file: &SourceFile,
    number: usize,
    into: &mut Statements,
    hasher: &mut Hasher,
    flaws: &mut Vec<Flaw>,
) {
    let (pieces, wrong) = file.split();
    flaws.extend(wrong);
    for piece in pieces {
        hasher.statement(&piece.code);
        let parsed = match parse(file, number, &piece) {
            Ok(parsed) => parsed,
            Err(flaw) => {
                flaws.push(flaw);
                continue;
            }
        };
        match parsed {
            Parsed::Fact(fact) => {
                let large = fact.values.len() > FACT_VALUES_MAX || fact.values.iter().any(is_large);
                if large {
                    let message = format!("{} holds too much for one fact", fact.name);
                    flaws.push(file.flaw(FlawKind::Limit, fact.at.start, message));
                }
                into.facts.push(fact);
            }
            Parsed::Derivation(derivation) => {
                let finder = Finder { file, at: derivation.at };
                screen(&derivation.body, Role::Derivation, &finder, flaws);
                into.derivations.push(derivation);
            }
            Parsed::Rulings(rulings) => {
                for ruling in &rulings {
                    let finder = Finder { file, at: ruling.at };
                    screen(&ruling.body, Role::Ruling(ruling.effect), &finder, flaws);
                }
                into.rulings.extend(rulings);
            }
        }
    }
}

/// Everything that a folder holds.
fn find(folder: &Path) -> Found {
    let mut found = Found::default();
    let unreadable = |path: &Path, error: io::Error| {
        let place = Place::file(&path.display().to_string());
        Flaw::new(FlawKind::Unreadable, place, format!("cannot be read: {error}"))
    };
    for (name, path) in listed(folder).unwrap_or_else(|error| {
        found.flaws.push(unreadable(folder, error));
        Vec::new()
    }) {
        if path.is_dir() && ["data", "tests"].contains(&name.as_str()) {
            continue;
        }
        let text = name.ends_with(".datalog") || name == "actions.toml";
        if !text {
            found.flaws.extend(stranger(&name));
            continue;
        }
        match text_of(&path, &name) {
            Err(flaw) => found.flaws.push(flaw),
            Ok(text) if name == "actions.toml" => found.catalogue = Some((name, text)),
            Ok(text) => found.policies.push((name, text)),
        }
    }
    if found.policies.len() > POLICY_FILES_MAX {
        let message = format!("there are over {POLICY_FILES_MAX} files of policies");
        found.flaws.push(Flaw::new(FlawKind::Limit, Place::file("."), message));
    }
    if found.policies.is_empty() && found.flaws.is_empty() {
        let flaw = Flaw::new(FlawKind::Unreadable, Place::file("."), "holds no file NAME.datalog");
        found.flaws.push(flaw);
    }
    let data = folder.join("data");
    match listed(&data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => found.flaws.push(unreadable(&data, error)),
        Ok(files) => files.iter().for_each(|(name, path)| found.table(name, path)),
    }
    found
}

impl Found {
    fn table(&mut self, file: &str, path: &Path) {
        let shown = format!("data/{file}");
        let Some(name) = file.strip_suffix(".csv") else {
            self.flaws.extend(stranger(&shown));
            return;
        };
        let flaw = |message: String| Flaw::new(FlawKind::Table, Place::file(&shown), message);
        if !is_name(name) {
            let hint = "a name has letters of a to z, digits and _";
            self.flaws.push(flaw(format!("{name:?} is no name of a table")).hint(hint));
        } else if Given::named(name).is_some() || TermWord::named(name).is_some() {
            self.flaws.push(flaw(format!("{name} is a word of the language, and no table's name")));
        } else {
            match Table::load(path, &shown) {
                Ok(table) => {
                    self.tables.insert(name.to_owned(), table);
                }
                Err(flaws) => self.flaws.extend(flaws),
            }
        }
    }
}

/// The files of a folder but for hidden ones, by name.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.ends_with(".md") {
            files.push((name, path));
        }
    }
    files.sort();
    Ok(files)
}

fn stranger(name: &str) -> Option<Flaw> {
    let message = "is neither NAME.datalog, data/NAME.csv, tests/NAME.toml nor actions.toml";
    let flaw = Flaw::new(FlawKind::Unreadable, Place::file(name), message);
    Some(flaw.hint("rename it, or let its name begin with a dot"))
}

/// A file's text, whole, or why there is none.
pub(super) fn text_of(path: &Path, name: &str) -> Result<String, Flaw> {
    let flaw = |kind, message: String| Flaw::new(kind, Place::file(name), message);
    let mut bytes = Vec::new();
    let limit = u64::try_from(POLICY_FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(flaw(FlawKind::Unreadable, format!("cannot be read: {error}")));
    }
    if bytes.len() > POLICY_FILE_BYTES_MAX {
        return Err(flaw(FlawKind::Limit, format!("has over {POLICY_FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).or(Err(flaw(FlawKind::Unreadable, "is not UTF-8".to_owned())))
}

/// The hash of what decides: comments, white space and file names are not in it.
struct Hasher(Context);

impl Hasher {
    fn new(zone: &Zone) -> Hasher {
        let mut hasher = Hasher(Context::new(&SHA256));
        hasher.feed("farebox-policy/1");
        hasher.feed(zone.name());
        hasher
    }

    fn feed(&mut self, text: &str) {
        self.0.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn statement(&mut self, code: &str) {
        let mut normal = String::with_capacity(code.len());
        let (mut inside, mut escaped) = (false, false);
        for c in code.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                _ => {}
            }
            if inside || !c.is_whitespace() {
                normal.push(c);
            } else if !normal.ends_with(' ') {
                normal.push(' ');
            }
        }
        self.feed(&normal);
    }

    fn finish(
        mut self,
        tables: &HashMap<String, Table>,
        catalogue: Option<&Catalogue>,
    ) -> PolicyHash {
        let mut names: Vec<_> = tables.iter().collect();
        names.sort_by_key(|(name, _)| name.as_str());
        for (name, table) in names {
            self.feed("table");
            self.feed(name);
            self.feed(&table.columns.len().to_string());
            for row in table.sorted() {
                row.iter().for_each(|value| self.feed(&value.to_string()));
            }
        }
        match catalogue {
            None => self.feed("no catalogue"),
            Some(catalogue) => catalogue.feed(&mut |text| self.feed(text)),
        }
        let digest = self.0.finish();
        let mut hash = [0; 32];
        hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        PolicyHash::from_bytes(hash)
    }
}
