//! What is wrong with one statement by itself: names, numbers of values, kinds, variables and terms.
//!
//! Whatever could only be an engine's error in a decision is an error here, before anything rests on it.

use std::collections::HashSet;

use farebox_verifier::{
    CaveatText, OutputName, Pointer, StatementName, ThirdParty, limits as bounds,
};

use super::flaw::{Flaw, FlawKind};
use super::near::did_you_mean;
use super::parse::Finder;
use super::statement::{Atom, Body, Effect, From, Slot, Step, Term, variables_of};
use super::value::{Kind, Value};
use super::word::{DAYS, Given, Place, TermWord};
use crate::limits::{
    AMOUNT_MAX, APPROVERS_MAX, BODY_PREDICATES_MAX, FACT_VALUES_MAX, POLICY_SET_MAX,
};
use crate::store::desk::Group;

/// Where a body stands: what may stand in it depends on that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ruling(Effect),
    Derivation,
}

/// The states that a predecessor can be in.
pub(super) const STATES: [&str; 10] = [
    "pending",
    "approved",
    "issued",
    "spent",
    "succeeded",
    "failed",
    "void",
    "unknown",
    "revoked",
    "expired",
];

/// Looks at one body.
pub(super) fn screen(body: &Body, role: Role, finder: &Finder<'_>, flaws: &mut Vec<Flaw>) {
    let mut screen = Screen { body, finder, flaws };
    screen.sizes();
    for atom in &body.atoms {
        screen.atom(atom);
    }
    screen.bound();
    for term in &body.terms {
        screen.term(term, role);
    }
}

struct Screen<'s> {
    body: &'s Body,
    finder: &'s Finder<'s>,
    flaws: &'s mut Vec<Flaw>,
}

impl Screen<'_> {
    fn say(&mut self, kind: FlawKind, at: usize, message: impl Into<String>, hint: Option<String>) {
        self.flaws.push(self.finder.flaw(kind, at, message).maybe(hint));
    }

    fn sizes(&mut self) {
        let start = self.finder.at.start;
        if self.body.atoms.len() > BODY_PREDICATES_MAX {
            let message = format!("this has over {BODY_PREDICATES_MAX} predicates");
            self.say(FlawKind::Limit, start, message, Some("make rules of parts of it".to_owned()));
        }
        let mut sets: Vec<&Value> = Vec::new();
        let slots = self.body.atoms.iter().map(|atom| &atom.slots);
        for slot in slots.chain(self.body.terms.iter().map(|term| &term.slots)).flatten() {
            sets.extend(match slot {
                Slot::Is(value) => Some(value),
                Slot::Var(_) => None,
            });
        }
        for condition in &self.body.conditions {
            stated(&condition.steps, &mut sets);
        }
        if sets.iter().any(|value| is_large(value)) {
            let message = format!("a set has over {POLICY_SET_MAX} members");
            let hint = "put them into a table, policies/data/NAME.csv".to_owned();
            self.say(FlawKind::Limit, start, message, Some(hint));
        }
    }

    fn atom(&mut self, atom: &Atom) {
        let at = self.finder.word(&atom.name);
        if atom.slots.len() > FACT_VALUES_MAX {
            let message = format!("{} has over {FACT_VALUES_MAX} values", atom.name);
            self.say(FlawKind::Limit, at, message, None);
        }
        let From::Given(given) = atom.from else { return };
        let Some((_, places)) = Given::named(&atom.name) else { return };
        if !self.places(&atom.name, &atom.slots, places, at) {
            return;
        }
        if given.is_parameter() {
            self.pointer(atom.literal(0));
        }
        let (closed, at_place): (&[&str], usize) = match given {
            Given::Weekday => (&DAYS, 0),
            Given::Predecessor => (&STATES, 3),
            _ => return,
        };
        let Some(text) = atom.literal_text(at_place) else { return };
        if !closed.contains(&text) {
            let value = Value::text(text);
            let message = format!("{} is never {value}", atom.name);
            let hint = did_you_mean(text, closed.iter().copied());
            let hint = hint.or_else(|| Some(format!("it is one of {}", closed.join(", "))));
            self.say(FlawKind::Unknown, self.finder.value(&value), message, hint);
        }
    }

    /// Whether there are as many values as there must be, each of a kind that can stand there.
    fn places(&mut self, name: &str, slots: &[Slot], places: &[Place], at: usize) -> bool {
        if slots.len() != places.len() {
            let (wants, has) = (places.len(), slots.len());
            let message = format!("{name} has {wants} values, and here {has}");
            self.say(FlawKind::Arity, at, message, Some(format!("write {}", form(name, places))));
            return false;
        }
        for (slot, place) in slots.iter().zip(places) {
            if let Slot::Is(value) = slot
                && !place.contains(&value.kind())
            {
                let wanted: Vec<&str> = place.iter().map(|kind| kind.noun()).collect();
                let message = format!("{value} is not {}", wanted.join(" or "));
                let hint = Some(format!("{name} is written {}", form(name, places)));
                self.say(FlawKind::Type, self.finder.value(value), message, hint);
                return false;
            }
        }
        true
    }

    fn pointer(&mut self, value: Option<&Value>) {
        let Some(Value::Text(text)) = value else { return };
        if let Err(why) = Pointer::parse(text) {
            let at = self.finder.value(&Value::Text(text.clone()));
            let hint = Some(
                "a pointer leads into the parameters: \"/amount\", \"/items/0/sku\"".to_owned(),
            );
            self.say(FlawKind::Type, at, format!("{text:?} is no pointer: {why}"), hint);
        }
    }

    /// Every variable of a condition or a term is bound by a predicate.
    fn bound(&mut self) {
        let bound: HashSet<u32> = self.body.atoms.iter().flat_map(Atom::variables).collect();
        let terms = self.body.terms.iter().flat_map(|term| variables_of(&term.slots));
        let conditions = self.body.conditions.iter().flat_map(|condition| condition.variables());
        let mut said = HashSet::new();
        let loose: Vec<u32> = conditions.chain(terms).filter(|v| !bound.contains(v)).collect();
        for variable in loose {
            if !said.insert(variable) {
                continue;
            }
            let name = self.body.name_of(variable);
            let known = bound.iter().map(|variable| self.body.name_of(*variable));
            let hint = did_you_mean(name, known).map(|hint| hint.replace("mean ", "mean $"));
            let hint = hint.or_else(|| Some("let a predicate bind it".to_owned()));
            let at = self.finder.variable(name);
            self.say(FlawKind::Unbound, at, format!("nothing binds ${name}"), hint);
        }
    }

    fn term(&mut self, term: &Term, role: Role) {
        let name = term.word.name();
        let at = self.finder.word(name);
        let misplaced = match role {
            Role::Ruling(Effect::Allow) => None,
            Role::Ruling(Effect::Deny) => Some("a deny if demands nothing"),
            Role::Derivation => Some("a rule that makes facts demands nothing"),
        };
        if let Some(why) = misplaced {
            let message = format!("{name} is a term, and {why}");
            let hint = Some("terms stand in the body of an allow if".to_owned());
            self.say(FlawKind::Term, at, message, hint);
            return;
        }
        let Some((_, places)) = TermWord::named(name) else { return };
        if !self.places(name, &term.slots, places, at) {
            return;
        }
        if term.word.is_literal() && variables_of(&term.slots).next().is_some() {
            self.say(FlawKind::Term, at, format!("{name} says its value outright"), None);
            return;
        }
        let values: Vec<Option<&Value>> = term
            .slots
            .iter()
            .map(|slot| match slot {
                Slot::Is(value) => Some(value),
                Slot::Var(_) => None,
            })
            .collect();
        if let Err(message) = sound(term.word, &values) {
            self.say(FlawKind::Term, at, message, None);
        }
    }
}

/// `ttl(an integer)`
pub(super) fn form(name: &str, places: &[Place]) -> String {
    let places: Vec<&str> =
        places.iter().map(|kinds| kinds.first().map_or("", |kind| kind.noun())).collect();
    format!("{name}({})", places.join(", "))
}

fn stated<'s>(steps: &'s [Step], into: &mut Vec<&'s Value>) {
    for step in steps {
        match step {
            Step::Is(value) => into.push(value),
            Step::Closure(_, steps) => stated(steps, into),
            _ => {}
        }
    }
}

pub(super) fn is_large(value: &Value) -> bool {
    matches!(value, Value::Set(members) if members.len() > POLICY_SET_MAX)
}

/// Whether what a term states can be demanded at all. What a variable brings is looked at in the decision.
pub(super) fn sound(word: TermWord, values: &[Option<&Value>]) -> Result<(), String> {
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let wrong = match (word, place, value) {
            (TermWord::Ttl, 0, Value::Int(seconds)) => {
                let max = bounds::TTL_SECONDS_MAX;
                let fits = u64::try_from(*seconds).is_ok_and(|s| (1..=max).contains(&s));
                (!fits).then(|| format!("a token lives 1 to {max} seconds"))
            }
            (TermWord::UntilMinute, 0, Value::Int(minute)) => {
                (!(0..=1440).contains(minute)).then(|| "a day has the minutes 0 to 1440".to_owned())
            }
            (TermWord::Holder, 0, Value::Text(text)) => {
                (&**text != "required").then(|| "write holder(\"required\")".to_owned())
            }
            (TermWord::Reuse, 0, Value::Text(text)) => {
                (&**text != "allowed").then(|| "write reuse(\"allowed\")".to_owned())
            }
            (TermWord::Approval, 0, Value::Text(group)) => why(Group::parse(group)),
            (TermWord::Approval, 1, Value::Int(count)) => {
                let fits = (1..=i64::from(APPROVERS_MAX)).contains(count);
                (!fits).then(|| format!("1 to {APPROVERS_MAX} people approve"))
            }
            (TermWord::Budget, 0, Value::Text(name)) => {
                why(StatementName::parse(&name.replace('-', "_")))
            }
            (TermWord::Budget, 2 | 3, Value::Int(amount)) => {
                let fits = u64::try_from(*amount).is_ok_and(|amount| amount <= AMOUNT_MAX);
                (!fits).then(|| format!("an amount is 0 to {AMOUNT_MAX}"))
            }
            (TermWord::Budget, 4, Value::Int(seconds)) => {
                (*seconds < 1).then(|| "a window has at least one second".to_owned())
            }
            (TermWord::Signed, 0, Value::Text(name)) => why(StatementName::parse(name)),
            (TermWord::Signed, 1, Value::Text(text)) => why(CaveatText::parse(text)),
            (TermWord::Signed, 2, Value::Text(key)) => why(ThirdParty::parse(key)),
            (TermWord::OutputMax | TermWord::OutputOneOf, 0, Value::Text(name)) => {
                why(OutputName::parse(name))
            }
            (
                TermWord::Vary
                | TermWord::ParamMax
                | TermWord::ParamMin
                | TermWord::ParamOneOf
                | TermWord::ParamIs
                | TermWord::ParamPrefix,
                0,
                Value::Text(at),
            ) => why(Pointer::parse(at)),
            (TermWord::ParamIs | TermWord::ParamPrefix, 1, Value::Text(text)) => {
                why(CaveatText::parse(text))
            }
            (TermWord::ParamOneOf | TermWord::OutputOneOf, 1, Value::Set(members)) => {
                let texts = members.iter().all(|member| member.kind() == Kind::Text);
                let fits = texts && (1..=bounds::ONE_OF_MAX).contains(&members.len());
                (!fits).then(|| format!("a set here has 1 to {} texts", bounds::ONE_OF_MAX))
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
    }
    Ok(())
}

fn why<T, E: std::fmt::Display>(read: Result<T, E>) -> Option<String> {
    read.err().map(|why| why.to_string())
}
