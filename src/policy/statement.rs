//! A statement: what a piece of text says, in types that are ready for the engine.
//!
//! ```text
//! Piece --parse--> Fact │ Rule │ Policy { allow or deny, one body for each `or` }
//! body = predicates + conditions + terms
//! ```

use std::fmt;

use biscuit_auth::{builder, datalog};

use super::value::Value;
use super::word::{Given, TermWord};

/// What a place of a predicate holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A variable, by its number in the body.
    Var(u32),
    /// A value.
    Is(Value),
}

/// Where a predicate's facts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum From {
    /// The issuer or the request.
    Given(Given),
    /// The policy's own facts, rules and tables.
    Policy,
}

/// A predicate of a body, or a rule's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) from: From,
    pub(super) name: Box<str>,
    pub(super) slots: Vec<Slot>,
}

/// A step of a condition, as the engine's stack machine takes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Var(u32),
    Is(Value),
    Unary(datalog::Unary),
    Binary(datalog::Binary),
    Closure(Vec<u32>, Vec<Step>),
}

/// An expression that must be true.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) steps: Vec<Step>,
    /// As it is read by people.
    pub(super) text: String,
}

/// A term of a rule that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) word: TermWord,
    pub(super) slots: Vec<Slot>,
}

/// What must hold at once: one alternative of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Body {
    pub(super) atoms: Vec<Atom>,
    pub(super) conditions: Vec<Condition>,
    pub(super) terms: Vec<Term>,
    /// The names of its variables, by number.
    pub(super) variables: Vec<Box<str>>,
}

/// Which statement decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleRef {
    /// Its file, below the folder of policies.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// The comment right above it, if there is one.
    pub label: Option<String>,
}

/// What a statement that decides does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Deny,
    Allow,
}

/// A statement that decides: one body, of one `or`.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    pub(super) effect: Effect,
    pub(super) rule: RuleRef,
    pub(super) body: Body,
    /// Its text, as it stands in the file.
    pub(super) text: String,
    /// Where its text begins, for flaws that are found later.
    pub(super) at: At,
}

/// A statement that makes facts of others.
#[derive(Clone, Debug)]
pub(super) struct Derivation {
    pub(super) rule: RuleRef,
    pub(super) head: Atom,
    pub(super) body: Body,
    pub(super) at: At,
}

/// A fact that a policy states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatedFact {
    pub(super) name: Box<str>,
    pub(super) values: Box<[Value]>,
    pub(super) at: At,
}

/// A piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is wrong with a term of a parsed text: which kind of value nothing gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// `{name}`, which nothing fills.
    Parameter(String),
    /// A value of a kind that no fact has.
    Kind,
    /// An operation that policies have not.
    Operation(&'static str),
}

impl Atom {
    pub(super) fn read(
        predicate: &builder::Predicate,
        variables: &mut Vec<Box<str>>,
    ) -> Result<Atom, Odd> {
        let from = match Given::named(&predicate.name) {
            Some((given, _)) => From::Given(given),
            None => From::Policy,
        };
        let slots =
            predicate.terms.iter().map(|term| slot(term, variables)).collect::<Result<_, _>>()?;
        Ok(Atom { from, name: predicate.name.as_str().into(), slots })
    }

    /// The value at a place, where one is stated.
    pub(super) fn literal(&self, at: usize) -> Option<&Value> {
        match self.slots.get(at) {
            Some(Slot::Is(value)) => Some(value),
            _ => None,
        }
    }

    /// The text at a place, where one is stated.
    pub(super) fn literal_text(&self, at: usize) -> Option<&str> {
        match self.literal(at) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether a fact with these values matches what is stated, whatever the variables are.
    pub(super) fn fits(&self, values: &[Value]) -> bool {
        self.slots.len() == values.len()
            && self.slots.iter().zip(values).all(|(slot, value)| match slot {
                Slot::Is(stated) => stated == value,
                Slot::Var(_) => true,
            })
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = u32> {
        variables_of(&self.slots)
    }
}

pub(super) fn variables_of(slots: &[Slot]) -> impl Iterator<Item = u32> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Var(variable) => Some(*variable),
        Slot::Is(_) => None,
    })
}

impl Body {
    pub(super) fn read(rule: &builder::Rule) -> Result<Body, Odd> {
        let mut body = Body::default();
        for predicate in &rule.body {
            match TermWord::named(&predicate.name) {
                Some((word, _)) => {
                    let variables = &mut body.variables;
                    let slots = predicate.terms.iter().map(|term| slot(term, variables));
                    body.terms.push(Term { word, slots: slots.collect::<Result<_, _>>()? });
                }
                None => body.atoms.push(Atom::read(predicate, &mut body.variables)?),
            }
        }
        for expression in &rule.expressions {
            let mut scope = Scope { variables: &mut body.variables, inner: Vec::new() };
            let steps = scope.steps(&expression.ops)?;
            body.conditions.push(Condition { steps, text: expression.to_string() });
        }
        Ok(body)
    }

    pub(super) fn name_of(&self, variable: u32) -> &str {
        let at = usize::try_from(variable).unwrap_or(usize::MAX);
        self.variables.get(at).map_or("?", |name| name)
    }

    /// The first stated text of this given fact: its action, say.
    pub(super) fn literal_of(&self, given: Given) -> Option<&str> {
        let atom = self
            .atoms
            .iter()
            .find(|atom| atom.from == From::Given(given) && atom.literal_text(0).is_some())?;
        atom.literal_text(0)
    }
}

impl Condition {
    /// The variables that it reads, those of its closures aside.
    pub(super) fn variables(&self) -> Vec<u32> {
        let mut found = Vec::new();
        read_variables(&self.steps, &mut Vec::new(), &mut found);
        found
    }
}

fn read_variables(steps: &[Step], inner: &mut Vec<u32>, found: &mut Vec<u32>) {
    for step in steps {
        match step {
            Step::Var(variable) if !inner.contains(variable) => found.push(*variable),
            Step::Closure(parameters, steps) => {
                let outer = inner.len();
                inner.extend(parameters);
                read_variables(steps, inner, found);
                inner.truncate(outer);
            }
            _ => {}
        }
    }
}

/// The number of a variable in its body: its first mention gives it one.
fn number(name: &str, variables: &mut Vec<Box<str>>) -> u32 {
    let at = variables.iter().position(|known| &**known == name).unwrap_or_else(|| {
        variables.push(name.into());
        variables.len() - 1
    });
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn slot(term: &builder::Term, variables: &mut Vec<Box<str>>) -> Result<Slot, Odd> {
    match term {
        builder::Term::Variable(name) => Ok(Slot::Var(number(name, variables))),
        other => value(other).map(Slot::Is),
    }
}

/// A stated value.
pub(super) fn value(term: &builder::Term) -> Result<Value, Odd> {
    match term {
        builder::Term::Parameter(name) => Err(Odd::Parameter(name.clone())),
        other => Value::of(other).ok_or(Odd::Kind),
    }
}

/// The variables that an expression may name.
struct Scope<'v> {
    variables: &'v mut Vec<Box<str>>,
    /// Those of the closures around.
    inner: Vec<(String, u32)>,
}

impl Scope<'_> {
    fn steps(&mut self, ops: &[builder::Op]) -> Result<Vec<Step>, Odd> {
        ops.iter().map(|op| self.step(op)).collect()
    }

    fn step(&mut self, op: &builder::Op) -> Result<Step, Odd> {
        Ok(match op {
            builder::Op::Value(builder::Term::Variable(name)) => {
                let inner = self.inner.iter().rev().find(|(known, _)| known == name);
                Step::Var(match inner {
                    Some((_, number)) => *number,
                    None => number(name, self.variables),
                })
            }
            builder::Op::Value(term) => Step::Is(value(term)?),
            builder::Op::Unary(unary) => Step::Unary(unary_of(unary)?),
            builder::Op::Binary(binary) => Step::Binary(binary_of(binary)?),
            builder::Op::Closure(names, ops) => {
                let outer = self.inner.len();
                let mut numbers = Vec::new();
                for name in names {
                    // Numbers from the top down: none is that of a variable of the body.
                    let depth = u32::try_from(self.inner.len()).unwrap_or(u32::MAX);
                    let number = u32::MAX - depth;
                    self.inner.push((name.clone(), number));
                    numbers.push(number);
                }
                let steps = self.steps(ops)?;
                self.inner.truncate(outer);
                Step::Closure(numbers, steps)
            }
        })
    }
}

fn unary_of(unary: &builder::Unary) -> Result<datalog::Unary, Odd> {
    Ok(match unary {
        builder::Unary::Negate => datalog::Unary::Negate,
        builder::Unary::Parens => datalog::Unary::Parens,
        builder::Unary::Length => datalog::Unary::Length,
        builder::Unary::TypeOf => datalog::Unary::TypeOf,
        builder::Unary::Ffi(_) => return Err(Odd::Operation("extern::")),
    })
}

fn binary_of(binary: &builder::Binary) -> Result<datalog::Binary, Odd> {
    use builder::Binary as Said;
    use datalog::Binary as Run;
    Ok(match binary {
        Said::LessThan => Run::LessThan,
        Said::GreaterThan => Run::GreaterThan,
        Said::LessOrEqual => Run::LessOrEqual,
        Said::GreaterOrEqual => Run::GreaterOrEqual,
        // The strict ones, whichever is written: values of two kinds are an error and not a difference,
        // so that no refusal is walked past with a value of another kind.
        Said::Equal | Said::HeterogeneousEqual => Run::Equal,
        Said::NotEqual | Said::HeterogeneousNotEqual => Run::NotEqual,
        Said::Contains => Run::Contains,
        Said::Prefix => Run::Prefix,
        Said::Suffix => Run::Suffix,
        Said::Add => Run::Add,
        Said::Sub => Run::Sub,
        Said::Mul => Run::Mul,
        Said::Div => Run::Div,
        Said::And => Run::And,
        Said::Or => Run::Or,
        Said::Intersection => Run::Intersection,
        Said::Union => Run::Union,
        Said::BitwiseAnd => Run::BitwiseAnd,
        Said::BitwiseOr => Run::BitwiseOr,
        Said::BitwiseXor => Run::BitwiseXor,
        Said::LazyAnd => Run::LazyAnd,
        Said::LazyOr => Run::LazyOr,
        Said::All => Run::All,
        Said::Any => Run::Any,
        // A pattern that is none is false, so that its negation holds; and each use compiles it again.
        Said::Regex => return Err(Odd::Operation(".matches()")),
        // It makes an error into a value, and an error must end the decision.
        Said::TryOr => return Err(Odd::Operation(".try_or()")),
        Said::Get => return Err(Odd::Operation(".get()")),
        Said::Ffi(_) => return Err(Odd::Operation("extern::")),
    })
}

/// As a policy writes it, with the names of the body's variables.
pub(super) struct Shown<'a>(pub(super) &'a str, pub(super) &'a [Slot], pub(super) &'a Body);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(name, slots, body) = self;
        write!(f, "{name}(")?;
        for (at, slot) in slots.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            match slot {
                Slot::Var(variable) => write!(f, "${}", body.name_of(*variable))?,
                Slot::Is(value) => write!(f, "{value}")?,
            }
        }
        f.write_str(")")
    }
}

/// `finance.datalog:12 (small invoices)`
impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match &self.label {
            Some(label) => write!(f, " ({label})"),
            None => Ok(()),
        }
    }
}
