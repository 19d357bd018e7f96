//! What a policy may have, and what its author most likely did not mean.

mod subsume;

use std::collections::{BTreeSet, HashMap};

use super::flaw::{FlawKind, Warning};
use super::near::did_you_mean;
use super::parse::Finder;
use super::set::PolicySet;
use super::statement::{At, Atom, Body, Effect, From, Ruling, Slot, Step, variables_of};
use super::value::Value;
use super::word::{Given, TermWord};

/// Looks at a whole set.
pub(super) fn lint(set: &PolicySet) -> Vec<Warning> {
    let mut lint = Lint { set, warnings: Vec::new() };
    let columns = lint.columns();
    for ruling in &set.rulings {
        lint.body(&ruling.body, ruling.at, &columns);
    }
    for derivation in set.all_derivations() {
        lint.body(&derivation.body, derivation.at, &columns);
    }
    lint.shadows();
    lint.denies();
    lint.warnings
}

struct Lint<'s> {
    set: &'s PolicySet,
    warnings: Vec<Warning>,
}

/// What stands in the columns of tables that have few different values.
type Columns<'s> = HashMap<(&'s str, usize), BTreeSet<&'s Value>>;

impl<'s> Lint<'s> {
    fn finder(&self, at: At) -> Option<Finder<'s>> {
        Some(Finder { file: self.set.sources.get(at.file)?, at })
    }

    fn columns(&self) -> Columns<'s> {
        // A column of more is names, and a name that is missing today may be there tomorrow.
        const VALUES_MAX: usize = 50;
        let mut columns = Columns::new();
        for (name, table) in self.set.all_tables() {
            for row in table.sorted() {
                for (at, value) in row.iter().enumerate() {
                    let known = columns.entry((name, at)).or_default();
                    if known.len() <= VALUES_MAX {
                        known.insert(value);
                    }
                }
            }
        }
        columns.retain(|_, values| values.len() <= VALUES_MAX);
        columns
    }

    fn body(&mut self, body: &Body, at: At, columns: &Columns<'_>) {
        let Some(finder) = self.finder(at) else { return };
        self.once(body, &finder);
        self.contradictions(body, &finder);
        for atom in body.atoms.iter().filter(|atom| self.set.is_table(atom.from, &atom.name)) {
            for (place, slot) in atom.slots.iter().enumerate() {
                let (Slot::Is(value), Some(known)) = (slot, columns.get(&(&*atom.name, place)))
                else {
                    continue;
                };
                if !known.contains(value) {
                    self.unknown_cell(atom, value, known, &finder);
                }
            }
        }
    }

    fn unknown_cell(
        &mut self,
        atom: &Atom,
        value: &Value,
        known: &BTreeSet<&Value>,
        finder: &Finder<'_>,
    ) {
        let texts = known.iter().filter_map(|value| match value {
            Value::Text(text) => Some(&**text),
            _ => None,
        });
        let hint = match value {
            Value::Text(text) => did_you_mean(text, texts),
            _ => None,
        };
        let message = format!("no row of {} has {value} there", atom.name);
        let flaw = finder.flaw(FlawKind::NeverMatches, finder.value(value), message);
        self.warnings.push(flaw.maybe(hint));
    }

    /// A variable that stands once binds nothing to anything: a slip, or one to be called `$_name`.
    fn once(&mut self, body: &Body, finder: &Finder<'_>) {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let atoms = body.atoms.iter().flat_map(Atom::variables);
        let terms = body.terms.iter().flat_map(|term| variables_of(&term.slots));
        let conditions = body.conditions.iter().flat_map(|condition| condition.variables());
        for variable in atoms.chain(terms).chain(conditions) {
            *counts.entry(variable).or_default() += 1;
        }
        let heads = self.set.all_derivations().find(|derivation| derivation.at == finder.at);
        for variable in heads.into_iter().flat_map(|derivation| derivation.head.variables()) {
            *counts.entry(variable).or_default() += 1;
        }
        let mut once: Vec<u32> = counts
            .into_iter()
            .filter(|(_, count)| *count == 1)
            .map(|(variable, _)| variable)
            .collect();
        once.sort_unstable();
        for name in once.into_iter().map(|variable| body.name_of(variable)) {
            if !name.starts_with('_') {
                let message = format!("${name} stands once");
                let flaw = finder.flaw(FlawKind::UsedOnce, finder.variable(name), message);
                self.warnings.push(flaw.hint(format!("write $_{name} where any value will do")));
            }
        }
    }

    /// Two different values for what a request has one of.
    fn contradictions(&mut self, body: &Body, finder: &Finder<'_>) {
        let single = |atom: &&Atom| matches!(atom.from, From::Given(given) if given.is_single());
        let singles: Vec<&Atom> = body.atoms.iter().filter(single).collect();
        for (at, one) in singles.iter().enumerate() {
            let other = singles.iter().skip(at + 1).find(|other| {
                let places = 0..one.slots.len();
                other.name == one.name
                    && places.into_iter().any(|place| {
                        let (a, b) = (one.literal(place), other.literal(place));
                        a.is_some() && b.is_some() && a != b
                    })
            });
            if other.is_some() {
                let message = format!("a request has one {}, and this wants two", one.name);
                let at = finder.word(&one.name);
                self.warnings.push(finder.flaw(FlawKind::NeverMatches, at, message));
            }
        }
    }

    /// Rules that another always decides before.
    fn shadows(&mut self) {
        let rulings = &self.set.rulings;
        let key = |ruling: &Ruling| ruling.body.literal_of(Given::Action).map(str::to_owned);
        let mut earlier: HashMap<Option<String>, Vec<&Ruling>> = HashMap::new();
        for ruling in rulings {
            let (own, any) = (key(ruling), None);
            let before =
                [&own, &any].into_iter().filter_map(|action| earlier.get(action)).flatten();
            let general = before.into_iter().find(|general| {
                general.rule != ruling.rule && subsume::covers(&general.body, &ruling.body)
            });
            if let Some(general) = general {
                let (does, file, line) = match general.effect {
                    Effect::Allow => ("allows", &general.rule.file, general.rule.line),
                    Effect::Deny => ("refuses", &general.rule.file, general.rule.line),
                };
                let message = format!("never decides: {file}:{line} {does} all of it before");
                let Some(finder) = self.finder(ruling.at) else { continue };
                let flaw = finder.flaw(FlawKind::Shadowed, finder.at.start, message);
                self.warnings.push(flaw.hint("let the narrower rule stand first, or take it out"));
            }
            earlier.entry(own).or_default().push(ruling);
        }
    }

    /// Refusals that read a parameter which the rules that allow leave open: as another type, or within bounds.
    fn denies(&mut self) {
        let allows: Vec<&Ruling> =
            self.set.rulings.iter().filter(|ruling| ruling.effect == Effect::Allow).collect();
        for deny in self.set.rulings.iter().filter(|ruling| ruling.effect == Effect::Deny) {
            let Some(finder) = self.finder(deny.at) else { continue };
            for atom in &deny.body.atoms {
                let (From::Given(given), Some(pointer)) = (atom.from, atom.literal_text(0)) else {
                    continue;
                };
                if !given.is_exact() {
                    continue;
                }
                let meets = allows.iter().filter(|allow| may_meet(&deny.body, &allow.body));
                let found = meets.into_iter().find_map(|allow| self.escape(given, pointer, allow));
                if let Some((kind, message, hint)) = found {
                    let at = finder.value(&Value::text(pointer));
                    self.warnings.push(finder.flaw(kind, at, message).hint(hint));
                }
            }
        }
    }

    fn escape(
        &self,
        given: Given,
        pointer: &str,
        allow: &Ruling,
    ) -> Option<(FlawKind, String, String)> {
        let (name, rule) = (given.name(), &allow.rule);
        let varies = allow.body.terms.iter().any(|term| {
            let literal = term.slots.first();
            term.word == TermWord::Vary
                && matches!(literal, Some(Slot::Is(Value::Text(at))) if **at == *pointer)
        });
        if varies {
            let message = format!(
                "{}:{} lets {pointer} vary, and this reads one value of it",
                rule.file, rule.line
            );
            let hint = "refuse its bounds too: int_at_most, int_at_least, text_one_of, text_prefix";
            return Some((FlawKind::VariedDeny, message, hint.to_owned()));
        }
        let typed = allow.body.atoms.iter().any(|atom| {
            let literal = atom.literal_text(0);
            matches!(atom.from, From::Given(word) if word == given || word.is_bound())
                && literal == Some(pointer)
        });
        let action = allow.body.literal_of(Given::Action);
        let listed =
            self.set.catalogue.as_ref().is_some_and(|listed| listed.types(action, pointer, given));
        if typed || listed {
            return None;
        }
        let message = format!(
            "{}:{} does not say that {pointer} is read as {name}: as another type it walks past this",
            rule.file, rule.line
        );
        let hint = format!(
            "let that rule ask for {name}(\"{pointer}\", $_value), or list it in the catalogue"
        );
        Some((FlawKind::UntypedDeny, message, hint))
    }
}

/// Whether two bodies can hold of one request, as far as stated actions say.
fn may_meet(one: &Body, other: &Body) -> bool {
    match (one.literal_of(Given::Action), other.literal_of(Given::Action)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// Whether a step is the comparison of this name; what `subsume` compares limits by.
fn is_binary(step: &Step, wanted: &biscuit_auth::datalog::Binary) -> bool {
    matches!(step, Step::Binary(binary) if binary == wanted)
}
