//! The closed vocabulary of caveats: what may be demanded of a request beyond its grant.
//!
//! One enum writes each as a check, reads it back, says it as a sentence and decides it. What is not
//! here cannot be said by a token, neither by an issuer nor by a holder.

mod bounded;
mod word;

use std::fmt;

use crate::clock::UnixSeconds;
use crate::key::PublicKey;
use crate::name::OutputName;
use crate::params::pointer::Pointer;
use crate::params::{Leaf, Params};
use crate::wire::datalog::{Check, Comparison, Operator, Predicate, Term};
use crate::wire::flaw::Flaw;

pub use bounded::BoundedError;
pub use word::{CaveatText, OneOf, OneOfError, StatementName};

/// A condition that a token puts on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caveat {
    /// Only before this second.
    Before(UnixSeconds),
    /// The integer at this place of the parameters is at most so much.
    IntAtMost(Pointer, i64),
    /// The integer at this place of the parameters is at least so much.
    IntAtLeast(Pointer, i64),
    /// The text at this place of the parameters is this one.
    TextIs(Pointer, CaveatText),
    /// The text at this place of the parameters is one of these.
    TextOneOf(Pointer, OneOf),
    /// The text at this place of the parameters starts so: its bytes, not its meaning as a path.
    TextPrefix(Pointer, CaveatText),
    /// The presenter proves that they hold this key.
    Proved(PublicKey),
    /// A third party, whose key this is, says this of that in a block of its own.
    Signed(StatementName, CaveatText, PublicKey),
    /// The handler's result measures at most so much; a promise that the gate keeps.
    OutputMax(OutputName, i64),
    /// The handler's result shows nothing but these; a promise that the gate keeps.
    OutputOneOf(OutputName, OneOf),
}

/// What a verifier knows when it decides a caveat.
pub(crate) struct Circumstances<'a> {
    pub(crate) now: UnixSeconds,
    /// None where only a digest is known, of which no member can be read.
    pub(crate) params: Option<&'a Params>,
    /// Keys whose possession was proved.
    pub(crate) proved: &'a [PublicKey],
    /// What third parties say in blocks of their own.
    pub(crate) statements: &'a [(StatementName, CaveatText, PublicKey)],
    pub(crate) outputs: Outputs,
}

/// Whether whoever verifies will hold the handler's result to the token's output caveats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// It sees the result, and withholds what breaks a caveat.
    Enforced,
    /// It does not see the result, so a token with output caveats is refused.
    Unseen,
}

impl Caveat {
    /// Whether it holds.
    pub(crate) fn holds(&self, known: &Circumstances<'_>) -> bool {
        let leaf = |at: &Pointer| known.params.and_then(|params| params.leaf(at));
        let int = |at: &Pointer, test: &dyn Fn(i64) -> bool| matches!(leaf(at), Some(Leaf::Int(value)) if test(value));
        let text = |at: &Pointer, test: &dyn Fn(&str) -> bool| matches!(leaf(at), Some(Leaf::Text(value)) if test(value));
        match self {
            Caveat::Before(end) => known.now < *end,
            Caveat::IntAtMost(at, max) => int(at, &|value| value <= *max),
            Caveat::IntAtLeast(at, min) => int(at, &|value| value >= *min),
            Caveat::TextIs(at, wanted) => text(at, &|value| value == wanted.as_str()),
            Caveat::TextOneOf(at, set) => text(at, &|value| set.contains(value)),
            Caveat::TextPrefix(at, prefix) => text(at, &|value| value.starts_with(prefix.as_str())),
            Caveat::Proved(key) => known.proved.contains(key),
            Caveat::Signed(name, value, key) => {
                known.statements.iter().any(|(n, v, k)| (n, v, k) == (name, value, key))
            }
            Caveat::OutputMax(..) | Caveat::OutputOneOf(..) => known.outputs == Outputs::Enforced,
        }
    }

    /// Whether a holder may append it. A statement's signer is named by the issuer alone.
    #[must_use]
    pub fn may_be_appended(&self) -> bool {
        !matches!(self, Caveat::Signed(..))
    }

    /// The place of the parameters that it speaks of.
    #[must_use]
    pub fn place(&self) -> Option<&Pointer> {
        match self {
            Caveat::IntAtMost(at, _)
            | Caveat::IntAtLeast(at, _)
            | Caveat::TextIs(at, _)
            | Caveat::TextOneOf(at, _)
            | Caveat::TextPrefix(at, _) => Some(at),
            _ => None,
        }
    }

    /// Whether it keeps the value at this place from being anything: every text starts with nothing.
    pub(crate) fn holds_place(&self, at: &Pointer) -> bool {
        let vacuous = matches!(self, Caveat::TextPrefix(_, prefix) if prefix.as_str().is_empty());
        self.place() == Some(at) && !vacuous
    }

    /// The members of its set, for the limit on them.
    pub(crate) fn members(&self) -> usize {
        match self {
            Caveat::TextOneOf(_, set) | Caveat::OutputOneOf(_, set) => set.count(),
            _ => 0,
        }
    }

    pub(crate) fn write(&self) -> Check<'_> {
        match self {
            Caveat::Before(end) => {
                compared("time", None, "t", Operator::LessThan, Term::Date(end.0))
            }
            Caveat::IntAtMost(at, max) => {
                compared("int", Some(at), "v", Operator::LessOrEqual, Term::Int(*max))
            }
            Caveat::IntAtLeast(at, min) => {
                compared("int", Some(at), "v", Operator::GreaterOrEqual, Term::Int(*min))
            }
            Caveat::TextIs(at, value) => {
                Check::literal("text", [Term::Text(at.as_str()), Term::Text(value.as_str())])
            }
            Caveat::TextOneOf(at, set) => {
                // `{…}.contains($v)`: here the set stands on the left.
                let mut check = compared("text", Some(at), "v", Operator::Contains, set_of(set));
                for comparison in &mut check.comparisons {
                    std::mem::swap(&mut comparison.left, &mut comparison.right);
                }
                check
            }
            Caveat::TextPrefix(at, prefix) => {
                compared("text", Some(at), "v", Operator::Prefix, Term::Text(prefix.as_str()))
            }
            Caveat::Proved(key) => Check::literal("proved", [Term::Bytes(key.as_bytes())]),
            Caveat::Signed(name, value, key) => Check {
                trusting: Some(*key),
                ..Check::literal(name.as_str(), [Term::Text(value.as_str())])
            },
            Caveat::OutputMax(name, max) => {
                Check::literal("output_max", [Term::Text(name.as_str()), Term::Int(*max)])
            }
            Caveat::OutputOneOf(name, set) => {
                Check::literal("output_one_of", [Term::Text(name.as_str()), set_of(set)])
            }
        }
    }

    /// Reads the caveats that a check says: one, or two for two comparisons of one value.
    pub(crate) fn read(check: &Check<'_>, into: &mut Vec<Caveat>) -> Result<(), Flaw> {
        if let Some(key) = check.trusting {
            into.push(read_signed(check, key)?);
            return Ok(());
        }
        if check.comparisons.is_empty() {
            into.push(read_literal(&check.predicate)?);
            return Ok(());
        }
        for comparison in &check.comparisons {
            into.push(read_compared(&check.predicate, comparison)?);
        }
        Ok(())
    }
}

/// `check if name(at, $v), $v operator bound`.
fn compared<'a>(
    name: &'a str,
    at: Option<&'a Pointer>,
    variable: &'a str,
    operator: Operator,
    bound: Term<'a>,
) -> Check<'a> {
    let predicate = match at {
        Some(at) => Predicate::new(name, [Term::Text(at.as_str()), Term::Variable(variable)]),
        None => Predicate::new(name, [Term::Variable(variable)]),
    };
    let comparison = Comparison { left: Term::Variable(variable), operator, right: bound };
    Check { predicate, comparisons: vec![comparison], trusting: None }
}

fn set_of(set: &OneOf) -> Term<'_> {
    Term::Set(set.iter().collect())
}

fn read_signed(check: &Check<'_>, key: PublicKey) -> Result<Caveat, Flaw> {
    let (name, value) = read_statement(&check.predicate)?;
    // Only literal and alone: whoever trusts a key in a check trusts every fact of that key in it.
    if check.comparisons.is_empty() {
        Ok(Caveat::Signed(name, value, key))
    } else {
        Err(Flaw::Check)
    }
}

/// What a third party says, `name("value")`.
pub(crate) fn read_statement(
    predicate: &Predicate<'_>,
) -> Result<(StatementName, CaveatText), Flaw> {
    let [Term::Text(value)] = predicate.terms.as_slice() else { return Err(Flaw::Check) };
    let name = StatementName::parse(predicate.name).or(Err(Flaw::Check))?;
    Ok((name, CaveatText::parse(value).or(Err(Flaw::Value))?))
}

fn read_literal(predicate: &Predicate<'_>) -> Result<Caveat, Flaw> {
    match (predicate.name, predicate.terms.as_slice()) {
        ("text", [Term::Text(at), Term::Text(value)]) => {
            Ok(Caveat::TextIs(pointer(at)?, text(value)?))
        }
        ("proved", [Term::Bytes(key)]) => {
            let key = (*key).try_into().or(Err(Flaw::Value))?;
            Ok(Caveat::Proved(PublicKey::from_bytes(key).or(Err(Flaw::SmallOrder))?))
        }
        ("output_max", [Term::Text(name), Term::Int(max)]) => {
            Ok(Caveat::OutputMax(output(name)?, *max))
        }
        ("output_one_of", [Term::Text(name), Term::Set(members)]) => {
            Ok(Caveat::OutputOneOf(output(name)?, OneOf::read(members)?))
        }
        _ => Err(Flaw::Check),
    }
}

fn read_compared(predicate: &Predicate<'_>, by: &Comparison<'_>) -> Result<Caveat, Flaw> {
    use Operator::{Contains, Equal, GreaterOrEqual, GreaterThan, LessOrEqual, LessThan, Prefix};
    let (at, variable) = match predicate.terms.as_slice() {
        [Term::Variable(variable)] => (None, *variable),
        [Term::Text(at), Term::Variable(variable)] => (Some(*at), *variable),
        _ => return Err(Flaw::Check),
    };
    // The variable stands on the left of all but `contains`, whose set does.
    let (subject, bound) = match by.operator {
        Contains => (&by.right, &by.left),
        _ => (&by.left, &by.right),
    };
    if *subject != Term::Variable(variable) {
        return Err(Flaw::Check);
    }
    match (predicate.name, at, by.operator, bound) {
        ("time", None, LessThan, Term::Date(end)) => Ok(Caveat::Before(second(Some(*end))?)),
        ("time", None, LessOrEqual, Term::Date(last)) => {
            Ok(Caveat::Before(second(last.checked_add(1))?))
        }
        ("int", Some(at), LessOrEqual, Term::Int(max)) => Ok(Caveat::IntAtMost(pointer(at)?, *max)),
        ("int", Some(at), LessThan, Term::Int(end)) => {
            Ok(Caveat::IntAtMost(pointer(at)?, end.checked_sub(1).ok_or(Flaw::Value)?))
        }
        ("int", Some(at), GreaterOrEqual, Term::Int(min)) => {
            Ok(Caveat::IntAtLeast(pointer(at)?, *min))
        }
        ("int", Some(at), GreaterThan, Term::Int(below)) => {
            Ok(Caveat::IntAtLeast(pointer(at)?, below.checked_add(1).ok_or(Flaw::Value)?))
        }
        ("text", Some(at), Equal, Term::Text(value)) => {
            Ok(Caveat::TextIs(pointer(at)?, text(value)?))
        }
        ("text", Some(at), Prefix, Term::Text(prefix)) => {
            Ok(Caveat::TextPrefix(pointer(at)?, text(prefix)?))
        }
        ("text", Some(at), Contains, Term::Set(members)) => {
            Ok(Caveat::TextOneOf(pointer(at)?, OneOf::read(members)?))
        }
        _ => Err(Flaw::Check),
    }
}

fn second(seconds: Option<u64>) -> Result<UnixSeconds, Flaw> {
    seconds.map(UnixSeconds).filter(|end| *end <= UnixSeconds::MAX).ok_or(Flaw::Value)
}

fn pointer(text: &str) -> Result<Pointer, Flaw> {
    Pointer::parse(text).or(Err(Flaw::Value))
}

fn text(text: &str) -> Result<CaveatText, Flaw> {
    CaveatText::parse(text).or(Err(Flaw::Value))
}

fn output(name: &str) -> Result<OutputName, Flaw> {
    OutputName::parse(name).or(Err(Flaw::Value))
}

/// A place as it is, unless it holds what moves the reader's eye.
fn shown(at: &Pointer) -> String {
    let plain = !at.as_str().chars().any(crate::name::misleads);
    if plain { at.as_str().to_owned() } else { format!("{:?}", at.as_str()) }
}

/// The caveat as a sentence for people.
impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caveat::Before(end) => write!(f, "only before {end}"),
            Caveat::IntAtMost(at, max) => write!(f, "{} is at most {max}", shown(at)),
            Caveat::IntAtLeast(at, min) => write!(f, "{} is at least {min}", shown(at)),
            Caveat::TextIs(at, value) => write!(f, "{} is {:?}", shown(at), value.as_str()),
            Caveat::TextOneOf(at, set) => write!(f, "{} is one of {set}", shown(at)),
            Caveat::TextPrefix(at, prefix) => {
                write!(f, "{} starts with {:?}", shown(at), prefix.as_str())
            }
            Caveat::Proved(key) => write!(f, "whoever presents it holds key {key}"),
            Caveat::Signed(name, value, key) => {
                write!(f, "the holder of key {key} says {} of {:?}", name.as_str(), value.as_str())
            }
            Caveat::OutputMax(name, max) => write!(f, "the result's {name} is at most {max}"),
            Caveat::OutputOneOf(name, set) => write!(f, "the result's {name} is one of {set}"),
        }
    }
}
