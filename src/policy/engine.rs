//! biscuit-auth's Datalog engine, with limits that hold in the middle of a join.
//!
//! The engine looks at its own limits between rounds only, and one wide rule is one round. So it is
//! given its facts by an iterator that counts every look, and that runs dry when there were too many.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::slice;
use std::time::{Duration, Instant};

use biscuit_auth::datalog::{self, ExternFunc, Origin, SymbolTable};
use biscuit_auth::error::Expression;

use super::statement::{Atom, Body, Slot, Step};
use super::value::Value;
use crate::limits::{
    DECISION_FACTS_MAX, DECISION_MILLISECONDS_MAX, DECISION_ROUNDS_MAX, DECISION_STEPS_MAX,
    ROWS_TAKEN_MAX, SOLUTIONS_MAX,
};

/// Why the engine gave no answer for a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Values of two kinds were compared, or a condition is neither true nor false.
    #[error("a condition meets a value of another kind")]
    Type,
    /// An integer beyond 64 bits.
    #[error("a number is beyond 64 bits")]
    Overflow,
    /// A division by nothing.
    #[error("a number is divided by zero")]
    DividedByZero,
    /// Something else in a condition, which loading should have refused.
    #[error("a condition cannot be evaluated")]
    Condition,
    /// The decision looked at too many facts.
    #[error("over {DECISION_STEPS_MAX} facts were looked at")]
    Steps,
    /// Rules made too many facts.
    #[error("over {DECISION_FACTS_MAX} facts were made")]
    Facts,
    /// Rules feed each other for too long.
    #[error("rules still made facts after {DECISION_ROUNDS_MAX} rounds")]
    Rounds,
    /// The statement holds in too many ways.
    #[error("it holds in over {SOLUTIONS_MAX} ways")]
    Solutions,
    /// Too many rows of tables were to be taken.
    #[error("over {ROWS_TAKEN_MAX} rows of tables have keys that the request names")]
    Rows,
    /// A term came out as nothing that can be demanded.
    #[error("{term} cannot be demanded: {why}")]
    Term {
        /// Which.
        term: &'static str,
        /// Why not.
        why: String,
    },
}

/// Why a decision ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Timeout,
    Error(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Stop {
        Stop::Error(error)
    }
}

/// How much one decision has cost so far.
pub(super) struct Meter {
    steps: Cell<u64>,
    cut: Cell<Option<Cut>>,
    end: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Steps,
    Time,
}

impl Meter {
    /// As long as any decision may take.
    pub(super) fn start() -> Meter {
        Meter::within(Duration::from_millis(DECISION_MILLISECONDS_MAX))
    }

    pub(super) fn within(time: Duration) -> Meter {
        #[expect(
            clippy::disallowed_methods,
            reason = "how long a decision took, not what time it is"
        )]
        let now = Instant::now();
        Meter { steps: Cell::new(0), cut: Cell::new(None), end: now + time }
    }

    /// Counts one look; false once there were too many.
    fn step(&self) -> bool {
        if self.cut.get().is_some() {
            return false;
        }
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > DECISION_STEPS_MAX {
            self.cut.set(Some(Cut::Steps));
            return false;
        }
        // The clock is asked each thousandth time: asking costs more than looking.
        if steps.is_multiple_of(1024) {
            #[expect(
                clippy::disallowed_methods,
                reason = "how long a decision took, not what time it is"
            )]
            let now = Instant::now();
            if now >= self.end {
                self.cut.set(Some(Cut::Time));
                return false;
            }
        }
        true
    }

    pub(super) fn check(&self) -> Result<(), Stop> {
        match self.cut.get() {
            None => Ok(()),
            Some(Cut::Steps) => Err(Stop::Error(EngineError::Steps)),
            Some(Cut::Time) => Err(Stop::Timeout),
        }
    }
}

/// Facts for the engine, each look counted.
struct Counted<'a> {
    facts: slice::Iter<'a, datalog::Fact>,
    origin: &'a Origin,
    meter: &'a Meter,
}

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        Counted { facts: self.facts.clone(), origin: self.origin, meter: self.meter }
    }
}

impl<'a> Iterator for Counted<'a> {
    type Item = (&'a Origin, &'a datalog::Fact);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.meter.step() {
            return None;
        }
        self.facts.next().map(|fact| (self.origin, fact))
    }
}

/// Texts by the numbers that the engine knows them by.
pub(super) struct Symbols<'s> {
    numbers: HashMap<&'s str, u64>,
    texts: Vec<String>,
    /// The engine's own first texts, which have numbers already.
    engine: SymbolTable,
}

/// The engine numbers its own texts below this, and others from it.
const FIRST_NUMBER: u64 = 1024;

impl<'s> Symbols<'s> {
    pub(super) fn new() -> Symbols<'s> {
        Symbols { numbers: HashMap::new(), texts: Vec::new(), engine: SymbolTable::new() }
    }

    fn number(&mut self, text: &'s str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.engine.get(text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            FIRST_NUMBER + u64::try_from(self.texts.len()).unwrap_or(u64::MAX) - 1
        });
        self.numbers.insert(text, number);
        number
    }

    fn value(&mut self, value: &'s Value) -> datalog::Term {
        match value {
            Value::Text(text) => datalog::Term::Str(self.number(text)),
            Value::Int(value) => datalog::Term::Integer(*value),
            Value::Flag(value) => datalog::Term::Bool(*value),
            Value::Date(seconds) => datalog::Term::Date(*seconds),
            Value::Set(members) => {
                datalog::Term::Set(members.iter().map(|member| self.value(member)).collect())
            }
        }
    }

    pub(super) fn fact(&mut self, name: &'s str, values: &'s [Value]) -> datalog::Fact {
        let name = self.number(name);
        let terms: Vec<datalog::Term> = values.iter().map(|value| self.value(value)).collect();
        datalog::Fact::new(name, &terms)
    }

    pub(super) fn predicate(&mut self, name: &'s str, slots: &'s [Slot]) -> datalog::Predicate {
        let name = self.number(name);
        let terms: Vec<datalog::Term> = slots
            .iter()
            .map(|slot| match slot {
                Slot::Var(variable) => datalog::Term::Variable(*variable),
                Slot::Is(value) => self.value(value),
            })
            .collect();
        datalog::Predicate::new(name, &terms)
    }

    fn steps(&mut self, steps: &'s [Step]) -> Vec<datalog::Op> {
        let step = |step: &'s Step| match step {
            Step::Var(variable) => datalog::Op::Value(datalog::Term::Variable(*variable)),
            Step::Is(value) => datalog::Op::Value(self.value(value)),
            Step::Unary(unary) => datalog::Op::Unary(unary.clone()),
            Step::Binary(binary) => datalog::Op::Binary(binary.clone()),
            Step::Closure(names, steps) => datalog::Op::Closure(names.clone(), self.steps(steps)),
        };
        steps.iter().map(step).collect()
    }

    /// A rule of the engine's that gives these variables for each way in which a body holds.
    pub(super) fn asking(&mut self, body: &'s Body, variables: &[u32]) -> datalog::Rule {
        let terms: Vec<datalog::Term> =
            variables.iter().map(|variable| datalog::Term::Variable(*variable)).collect();
        let head = datalog::Predicate::new(self.number("query"), &terms);
        self.rule(head, body)
    }

    /// A rule of the engine's that makes facts.
    pub(super) fn deriving(&mut self, head: &'s Atom, body: &'s Body) -> datalog::Rule {
        let head = self.predicate(&head.name, &head.slots);
        self.rule(head, body)
    }

    fn rule(&mut self, head: datalog::Predicate, body: &'s Body) -> datalog::Rule {
        datalog::Rule {
            head,
            body: body.atoms.iter().map(|atom| self.predicate(&atom.name, &atom.slots)).collect(),
            expressions: body
                .conditions
                .iter()
                .map(|condition| datalog::Expression { ops: self.steps(&condition.steps) })
                .collect(),
            scopes: Vec::new(),
        }
    }

    /// No text comes after this one.
    pub(super) fn close(self) -> Engine {
        // It refuses the engine's own texts only, and those have their own numbers here.
        let symbols = SymbolTable::from(self.texts).unwrap_or_default();
        Engine { symbols, externs: HashMap::new(), origin: Origin::default() }
    }
}

/// The engine, with its texts.
pub(super) struct Engine {
    symbols: SymbolTable,
    externs: HashMap<String, ExternFunc>,
    origin: Origin,
}

/// Facts that hold at once, each once.
#[derive(Clone, Default)]
pub(super) struct World {
    facts: Vec<datalog::Fact>,
    known: HashSet<datalog::Fact>,
}

impl World {
    pub(super) fn add(&mut self, fact: datalog::Fact) {
        if self.known.insert(fact.clone()) {
            self.facts.push(fact);
        }
    }
}

impl Engine {
    /// Makes all facts that rules make of these; says which rule failed.
    pub(super) fn derive(
        &self,
        world: &mut World,
        rules: &[datalog::Rule],
        meter: &Meter,
    ) -> Result<(), (usize, Stop)> {
        for _ in 0..DECISION_ROUNDS_MAX {
            let mut made = Vec::new();
            for (at, rule) in rules.iter().enumerate() {
                let failed = |stop| (at, stop);
                for fact in self.apply(rule, world, meter) {
                    let fact = fact.map_err(failed)?;
                    if !world.known.contains(&fact) {
                        made.push(fact);
                    }
                    if world.facts.len() + made.len() > DECISION_FACTS_MAX {
                        return Err(failed(EngineError::Facts.into()));
                    }
                }
                meter.check().map_err(failed)?;
            }
            if made.is_empty() {
                return Ok(());
            }
            made.into_iter().for_each(|fact| world.add(fact));
        }
        Err((0, EngineError::Rounds.into()))
    }

    /// Every way in which a rule holds, each once. All are looked at, so that an error in one of them
    /// ends the decision whichever comes first.
    pub(super) fn solutions(
        &self,
        rule: &datalog::Rule,
        world: &World,
        meter: &Meter,
    ) -> Result<Vec<Vec<datalog::Term>>, Stop> {
        let mut found = HashSet::new();
        for fact in self.apply(rule, world, meter) {
            found.insert(fact?.predicate.terms);
            if found.len() > SOLUTIONS_MAX {
                return Err(EngineError::Solutions.into());
            }
        }
        meter.check()?;
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort();
        Ok(found)
    }

    fn apply<'a>(
        &'a self,
        rule: &'a datalog::Rule,
        world: &'a World,
        meter: &'a Meter,
    ) -> impl Iterator<Item = Result<datalog::Fact, Stop>> + 'a {
        let facts = Counted { facts: world.facts.iter(), origin: &self.origin, meter };
        let made = rule.apply(facts, 0, &self.symbols, &self.externs);
        made.map(|made| match made {
            Ok((_, fact)) => Ok(fact),
            Err(error) => Err(Stop::Error(read(&error))),
        })
    }

    /// The value of an engine's term.
    pub(super) fn value(&self, term: &datalog::Term) -> Option<Value> {
        Some(match term {
            datalog::Term::Str(number) => Value::text(self.symbols.get_symbol(*number)?),
            datalog::Term::Integer(value) => Value::Int(*value),
            datalog::Term::Bool(value) => Value::Flag(*value),
            datalog::Term::Date(seconds) => Value::Date(*seconds),
            datalog::Term::Set(members) => {
                Value::Set(members.iter().map(|member| self.value(member)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

fn read(error: &Expression) -> EngineError {
    match error {
        Expression::InvalidType => EngineError::Type,
        Expression::Overflow => EngineError::Overflow,
        Expression::DivideByZero => EngineError::DividedByZero,
        _ => EngineError::Condition,
    }
}
