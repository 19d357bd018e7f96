//! What one decision looks at: the statements that can still hold, and the facts that they speak of.
//!
//! ```text
//! given facts ─→ statements all of whose given predicates match something
//!                  └─→ rules that make what those ask for ─→ the facts and rows that any of them matches
//! ```
//!
//! Nothing that is left out could have made a difference: a statement needs a fact for each of its
//! predicates, and a fact that matches no predicate is never looked at. Rows are taken by keys that
//! stand in what was taken before, and loading has made sure that whatever binds a key is among that.

use std::collections::{BTreeMap, HashSet};

use super::given::GivenFact;
use super::set::PolicySet;
use super::statement::{Atom, Body, Derivation, From, Ruling, Slot};
use super::value::Value;
use super::word::Given;
use crate::limits::{ROWS_TAKEN_MAX, WORLDS_MAX};

/// A fact by its name.
#[derive(Clone, Copy)]
pub(super) struct Fact<'g> {
    pub(super) name: &'g str,
    pub(super) values: &'g [Value],
}

/// What one decision looks at.
pub(super) struct Gathered<'g> {
    /// In the order in which they decide.
    pub(super) rulings: Vec<&'g Ruling>,
    pub(super) derivations: Vec<&'g Derivation>,
    /// What holds whatever varies.
    pub(super) facts: Vec<Fact<'g>>,
    /// What holds beside that, for each combination of the values that bounds leave open: at least one.
    pub(super) worlds: Vec<Vec<Fact<'g>>>,
}

/// Why nothing was gathered.
pub(super) enum NotGathered {
    Rows,
    Worlds,
}

/// Whether some fact that is given matches each predicate that asks for one.
pub(super) fn possible(body: &Body, given: &[GivenFact]) -> bool {
    body.atoms.iter().all(|atom| match atom.from {
        From::Given(word) => given.iter().any(|fact| fact.given == word && atom.fits(&fact.values)),
        From::Policy => true,
    })
}

/// Gathers for these rulings.
pub(super) fn gather<'g>(
    set: &'g PolicySet,
    given: &'g [GivenFact],
    rulings: Vec<&'g Ruling>,
) -> Result<Gathered<'g>, NotGathered> {
    let derivations = wanted(set, given, &rulings);
    let bodies = rulings.iter().map(|ruling| &ruling.body);
    let bodies = bodies.chain(derivations.iter().map(|derivation| &derivation.body));
    let atoms: Vec<&Atom> = bodies.flat_map(|body| &body.atoms).collect();
    let (mut facts, mut open) = (Vec::new(), BTreeMap::<&Value, Vec<Fact<'g>>>::new());
    let mut keys: Vec<&'g Value> = Vec::new();
    for fact in given {
        let seen = |atom: &&Atom| atom.from == From::Given(fact.given) && atom.fits(&fact.values);
        if !atoms.iter().any(seen) {
            continue;
        }
        keys.extend(&fact.values);
        let kept = Fact { name: fact.given.name(), values: &fact.values };
        match (fact.given, fact.values.first()) {
            (Given::TextOneOf, Some(at)) => open.entry(at).or_default().push(kept),
            _ => facts.push(kept),
        }
    }
    let own: Vec<&Atom> = atoms.iter().copied().filter(|atom| atom.from == From::Policy).collect();
    for atom in &own {
        keys.extend(literals(atom));
    }
    for derivation in &derivations {
        keys.extend(literals(&derivation.head));
    }
    stated(set, &own, &mut facts, &mut keys);
    rows(set, &own, &mut facts, keys)?;
    Ok(Gathered { rulings, derivations, facts, worlds: worlds(&open)? })
}

fn literals(atom: &Atom) -> impl Iterator<Item = &Value> {
    atom.slots.iter().filter_map(|slot| match slot {
        Slot::Is(value) => Some(value),
        Slot::Var(_) => None,
    })
}

/// The rules that make what is asked for, and what those ask for.
fn wanted<'g>(
    set: &'g PolicySet,
    given: &[GivenFact],
    rulings: &[&'g Ruling],
) -> Vec<&'g Derivation> {
    let (mut taken, mut found) = (HashSet::new(), Vec::new());
    let mut open: Vec<&Body> = rulings.iter().map(|ruling| &ruling.body).collect();
    while let Some(body) = open.pop() {
        for atom in body.atoms.iter().filter(|atom| atom.from == From::Policy) {
            for derivation in set.derivations_of(&atom.name) {
                let first = taken.insert(std::ptr::from_ref(derivation));
                if first && possible(&derivation.body, given) {
                    found.push(derivation);
                    open.push(&derivation.body);
                }
            }
        }
    }
    // In the order of the files, so that the statement named by an error is always the same.
    found.sort_by_key(|derivation| (derivation.at.file, derivation.at.start));
    found
}

fn stated<'g>(
    set: &'g PolicySet,
    atoms: &[&Atom],
    facts: &mut Vec<Fact<'g>>,
    keys: &mut Vec<&'g Value>,
) {
    let mut names: HashSet<&str> = HashSet::new();
    for name in atoms.iter().map(|atom| &*atom.name) {
        if !names.insert(name) {
            continue;
        }
        for fact in set.facts_of(name) {
            if atoms.iter().any(|atom| *atom.name == *fact.name && atom.fits(&fact.values)) {
                keys.extend(&fact.values);
                facts.push(Fact { name: &fact.name, values: &fact.values });
            }
        }
    }
}

fn rows<'g>(
    set: &'g PolicySet,
    atoms: &[&Atom],
    facts: &mut Vec<Fact<'g>>,
    mut open: Vec<&'g Value>,
) -> Result<(), NotGathered> {
    let names: HashSet<&str> = atoms.iter().map(|atom| &*atom.name).collect();
    let tables: Vec<_> = names.into_iter().filter_map(|name| set.table(name)).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let (mut seen, mut taken) = (HashSet::new(), 0_usize);
    while let Some(key) = open.pop() {
        if !seen.insert(key) {
            continue;
        }
        for (name, table) in &tables {
            for row in table.with_key(key) {
                if !atoms.iter().any(|atom| *atom.name == **name && atom.fits(row)) {
                    continue;
                }
                taken += 1;
                if taken > ROWS_TAKEN_MAX {
                    return Err(NotGathered::Rows);
                }
                facts.push(Fact { name, values: row });
                open.extend(row.iter());
            }
        }
    }
    Ok(())
}

/// Every combination of one value for each member that may be one of several.
fn worlds<'g>(open: &BTreeMap<&Value, Vec<Fact<'g>>>) -> Result<Vec<Vec<Fact<'g>>>, NotGathered> {
    let mut worlds = vec![Vec::new()];
    for facts in open.values() {
        if worlds.len() * facts.len() > WORLDS_MAX {
            return Err(NotGathered::Worlds);
        }
        worlds = worlds
            .iter()
            .flat_map(|world| {
                facts.iter().map(|fact| {
                    let mut world = world.clone();
                    world.push(*fact);
                    world
                })
            })
            .collect();
    }
    Ok(worlds)
}
