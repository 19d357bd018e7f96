//! A set of policies: what was loaded, whole, and never changes again.

use std::collections::HashMap;
use std::fmt;

use farebox_verifier::PolicyHash;

use super::catalogue::Catalogue;
use super::source::SourceFile;
use super::statement::{Derivation, From, Ruling, StatedFact};
use super::table::Table;
use super::word::Given;
use super::zone::Zone;

/// Policies, their facts, their tables and their catalogue: immutable, and shared as an `Arc`.
pub struct PolicySet {
    pub(super) hash: PolicyHash,
    pub(super) zone: Zone,
    pub(super) sources: Vec<SourceFile>,
    /// What refuses before what allows, each in the order of the files.
    pub(super) rulings: Vec<Ruling>,
    /// Which of them name this action.
    by_action: HashMap<String, Vec<usize>>,
    /// Which of them name none.
    of_any_action: Vec<usize>,
    derivations: HashMap<Box<str>, Vec<Derivation>>,
    facts: HashMap<Box<str>, Vec<StatedFact>>,
    tables: HashMap<String, Table>,
    pub(super) catalogue: Option<Catalogue>,
}

/// What a set is made of.
pub(super) struct Parts {
    pub(super) hash: PolicyHash,
    pub(super) zone: Zone,
    pub(super) sources: Vec<SourceFile>,
    pub(super) rulings: Vec<Ruling>,
    pub(super) derivations: Vec<Derivation>,
    pub(super) facts: Vec<StatedFact>,
    pub(super) tables: HashMap<String, Table>,
    pub(super) catalogue: Option<Catalogue>,
}

impl PolicySet {
    pub(super) fn new(parts: Parts) -> PolicySet {
        let Parts { hash, zone, sources, rulings, derivations, facts, tables, catalogue } = parts;
        let (mut by_action, mut of_any_action) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (at, ruling) in rulings.iter().enumerate() {
            match ruling.body.literal_of(Given::Action) {
                Some(action) => by_action.entry(action.to_owned()).or_default().push(at),
                None => of_any_action.push(at),
            }
        }
        let mut heads = HashMap::<Box<str>, Vec<Derivation>>::new();
        for derivation in derivations {
            heads.entry(derivation.head.name.clone()).or_default().push(derivation);
        }
        let mut named = HashMap::<Box<str>, Vec<StatedFact>>::new();
        for fact in facts {
            named.entry(fact.name.clone()).or_default().push(fact);
        }
        PolicySet {
            hash,
            zone,
            sources,
            rulings,
            by_action,
            of_any_action,
            derivations: heads,
            facts: named,
            tables,
            catalogue,
        }
    }

    /// The hash of everything that decides: a token names it, and another set has another.
    #[must_use]
    pub fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// The zone in which it reads the day and the hour.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The catalogue of actions, if there is one: without it everything may be named.
    #[must_use]
    pub fn catalogue(&self) -> Option<&Catalogue> {
        self.catalogue.as_ref()
    }

    /// How many statements decide.
    #[must_use]
    pub fn rulings(&self) -> usize {
        self.rulings.len()
    }

    /// The tables by name, and how many rows each has.
    #[must_use]
    pub fn tables(&self) -> Vec<(&str, usize)> {
        let mut tables: Vec<_> = self.tables.iter().map(|(n, t)| (n.as_str(), t.len())).collect();
        tables.sort_unstable();
        tables
    }

    /// The rulings that may speak of this action, in the order in which they decide.
    pub(super) fn rulings_on(&self, action: &str) -> Vec<&Ruling> {
        let named = self.by_action.get(action).map_or(&[][..], Vec::as_slice);
        let mut order: Vec<usize> = named.iter().chain(&self.of_any_action).copied().collect();
        order.sort_unstable();
        order.into_iter().filter_map(|at| self.rulings.get(at)).collect()
    }

    pub(super) fn derivations_of(&self, name: &str) -> &[Derivation] {
        self.derivations.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn facts_of(&self, name: &str) -> &[StatedFact] {
        self.facts.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn table(&self, name: &str) -> Option<(&str, &Table)> {
        self.tables.get_key_value(name).map(|(name, table)| (name.as_str(), table))
    }

    pub(super) fn all_derivations(&self) -> impl Iterator<Item = &Derivation> {
        self.derivations.values().flatten()
    }

    pub(super) fn all_tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table))
    }

    /// Whether a name is a table's.
    pub(super) fn is_table(&self, from: From, name: &str) -> bool {
        from == From::Policy && self.tables.contains_key(name)
    }
}

/// A set can have a million rows.
impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicySet({}, {} rulings)", self.hash, self.rulings.len())
    }
}
