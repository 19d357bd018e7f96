//! What is wrong with statements together: names that nothing gives, numbers of values, unbound keys.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::catalogue::Catalogue;
use super::flaw::{Flaw, FlawKind, Place};
use super::near::did_you_mean;
use super::parse::Finder;
use super::source::SourceFile;
use super::statement::{At, Atom, Body, Derivation, Effect, From, Ruling, Slot, StatedFact};
use super::table::Table;
use super::word::{GIVEN, TERMS};

/// All statements of a folder, before they are a set.
#[derive(Default)]
pub(super) struct Statements {
    pub(super) rulings: Vec<Ruling>,
    pub(super) derivations: Vec<Derivation>,
    pub(super) facts: Vec<StatedFact>,
    pub(super) tables: HashMap<String, Table>,
}

impl Statements {
    /// How often each name is made with how many values. A name has one number of values.
    fn made(&self) -> HashMap<&str, BTreeSet<usize>> {
        let mut made = HashMap::<&str, BTreeSet<usize>>::new();
        let facts = self.facts.iter().map(|fact| (&*fact.name, fact.values.len()));
        let heads = self.derivations.iter().map(|d| (&*d.head.name, d.head.slots.len()));
        let tables = self.tables.iter().map(|(name, table)| (name.as_str(), table.columns.len()));
        for (name, values) in facts.chain(heads).chain(tables) {
            made.entry(name).or_default().insert(values);
        }
        made
    }

    /// Looks at all of them.
    pub(super) fn screen(
        &self,
        sources: &[SourceFile],
        catalogue: Option<&Catalogue>,
        flaws: &mut Vec<Flaw>,
    ) {
        let made = self.made();
        self.collisions(sources, &made, flaws);
        let rulings = self.rulings.iter().map(|ruling| (&ruling.body, ruling.at));
        let derivations =
            self.derivations.iter().map(|derivation| (&derivation.body, derivation.at));
        for (body, at) in rulings.chain(derivations) {
            let Some(file) = sources.get(at.file) else { continue };
            let finder = Finder { file, at };
            for atom in body.atoms.iter().filter(|atom| atom.from == From::Policy) {
                flaws.extend(unknown(atom, &made, &finder));
            }
            self.keys(body, &finder, flaws);
            if let Some(catalogue) = catalogue {
                catalogue.screen(body, &finder, flaws);
            }
        }
        for derivation in &self.derivations {
            flaws.extend(loose_head(derivation, sources));
        }
    }

    /// One name, one number of values; and a table is the only one that makes its facts.
    fn collisions(
        &self,
        sources: &[SourceFile],
        made: &HashMap<&str, BTreeSet<usize>>,
        flaws: &mut Vec<Flaw>,
    ) {
        let facts = self.facts.iter().map(|fact| (&*fact.name, fact.at));
        let heads = self.derivations.iter().map(|d| (&*d.head.name, d.at));
        let mut said = HashSet::new();
        for (name, at) in facts.chain(heads) {
            let Some(file) = sources.get(at.file) else { continue };
            let table = self.tables.get(name);
            let many = made.get(name).is_some_and(|values| values.len() > 1);
            let (kind, message) = match table {
                Some(table) => (FlawKind::Table, format!("{name} is the table {}", table.file)),
                None if many => {
                    let message = format!("{name} is made with different numbers of values");
                    (FlawKind::Arity, message)
                }
                None => continue,
            };
            if said.insert(name) {
                let hint = "one name is made in one way: choose another";
                flaws.push(file.flaw(kind, at.start, message).hint(hint));
            }
        }
    }

    /// Every table's key is bound by something that needs no row of it: else no row would be taken.
    fn keys(&self, body: &Body, finder: &Finder<'_>, flaws: &mut Vec<Flaw>) {
        let is_table =
            |atom: &&Atom| atom.from == From::Policy && self.tables.contains_key(&*atom.name);
        let others = body.atoms.iter().filter(|atom| !is_table(atom));
        let mut bound: HashSet<u32> = others.flat_map(Atom::variables).collect();
        let mut open: Vec<&Atom> = body.atoms.iter().filter(is_table).collect();
        loop {
            let before = open.len();
            open.retain(|atom| {
                let keyed = match atom.slots.first() {
                    Some(Slot::Var(key)) => bound.contains(key),
                    _ => true,
                };
                if keyed {
                    bound.extend(atom.variables());
                }
                !keyed
            });
            if open.len() == before {
                break;
            }
        }
        for atom in open {
            let key = atom.variables().next().map_or("?", |key| body.name_of(key));
            let message = format!("nothing binds ${key}, the key of the table {}", atom.name);
            let hint =
                "a row is taken by its key: let a given fact or another row's column bind it";
            let flaw = finder.flaw(FlawKind::UnboundKey, finder.word(&atom.name), message);
            flaws.push(flaw.hint(hint));
        }
    }
}

fn unknown(
    atom: &Atom,
    made: &HashMap<&str, BTreeSet<usize>>,
    finder: &Finder<'_>,
) -> Option<Flaw> {
    let name = &*atom.name;
    let at = finder.word(name);
    match made.get(name) {
        Some(values) if values.contains(&atom.slots.len()) => None,
        Some(values) => {
            let wants = values.first().copied().unwrap_or(0);
            let message = format!("{name} has {wants} values, and here {}", atom.slots.len());
            Some(finder.flaw(FlawKind::Arity, at, message))
        }
        None => {
            let given = GIVEN.iter().map(|(_, name, _)| *name);
            let terms = TERMS.iter().map(|(_, name, _)| *name);
            let hint = did_you_mean(name, made.keys().copied().chain(given).chain(terms));
            let hint = hint.unwrap_or_else(|| {
                format!("state it, or make a table of it: policies/data/{name}.csv")
            });
            let message = format!("no fact, rule or table makes {name}");
            Some(finder.flaw(FlawKind::Unknown, at, message).hint(hint))
        }
    }
}

fn loose_head(derivation: &Derivation, sources: &[SourceFile]) -> Option<Flaw> {
    let At { file, start, .. } = derivation.at;
    let bound: HashSet<u32> = derivation.body.atoms.iter().flat_map(Atom::variables).collect();
    let loose = derivation.head.variables().find(|variable| !bound.contains(variable))?;
    let name = derivation.body.name_of(loose);
    let flaw = sources.get(file)?.flaw(FlawKind::Unbound, start, format!("nothing binds ${name}"));
    Some(flaw.hint("let a predicate of the body bind it"))
}

/// What a set as a whole lets its author know.
pub(super) fn remarks(rulings: &[Ruling], catalogue: Option<&Catalogue>) -> Vec<Flaw> {
    let mut remarks = Vec::new();
    if catalogue.is_none() {
        let message = "there is no catalogue, so every action, audience and parameter may be named";
        let place = Place::file("actions.toml");
        remarks.push(Flaw::new(FlawKind::NoCatalogue, place, message));
    }
    if !rulings.iter().any(|ruling| ruling.effect == Effect::Allow) {
        let message = "no rule allows anything, so everything is denied";
        remarks.push(Flaw::new(FlawKind::AllowsNothing, Place::file("."), message));
    }
    remarks
}
