//! The facts that a verifier supplies for a token and a request, as data.
//!
//! ```text
//! Presented + Request + now --facts--> time, request, once, proved, int, text, output_max, output_one_of
//! ```
//!
//! The verifier here decides in types and needs none of them. They are for whoever asks a Datalog engine,
//! in this language or another: with these facts and `allow if true` it comes to the same verdict.

use std::collections::BTreeSet;
use std::fmt;

use crate::caveat::{Caveat, Outputs};
use crate::clock::UnixSeconds;
use crate::hex;
use crate::params::pointer::Pointer;
use crate::params::{Leaf, Params};
use crate::passage::Presented;
use crate::token::layout::Content;
use crate::verifier::{Request, Sent};
use crate::wire::envelope::Envelope;

/// A fact: a name and its terms. It displays as Datalog.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    /// The predicate's name.
    pub name: &'static str,
    /// Its terms, at least one.
    pub terms: Vec<Value>,
}

/// A term of a fact.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Int(i64),
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time.
    Date(UnixSeconds),
    /// A set of strings.
    Set(BTreeSet<String>),
}

/// The facts for this token, this request and this time.
///
/// Whoever supplies `once` promises to spend the grant, and whoever supplies an `output_…` fact promises
/// to hold the handler's result to it. `fresh` is never supplied.
#[must_use]
pub fn facts(presented: &Presented, request: &Request<'_>, now: UnixSeconds) -> Vec<Fact> {
    let content = presented.content();
    let mut facts = vec![
        fact("time", [Value::Date(now)]),
        fact("once", [Value::Bytes(content.grant.id.as_bytes().into())]),
    ];
    facts.extend(asked(content, request));
    facts.extend(proved(presented, request, now));
    if let Sent::Params(params) = request.sent {
        facts.extend(leaves(content, params));
    }
    if request.outputs == Outputs::Enforced {
        facts.extend(caveats(content).filter_map(promised));
    }
    facts
}

/// What is asked for; there is no such fact where the digest of the parameters cannot be made.
fn asked(content: &Content, request: &Request<'_>) -> Option<Fact> {
    let digest = request.sent.digest_for(&content.grant).ok()?;
    let terms = [
        text(request.audience.as_str()),
        text(request.action.as_str()),
        text(request.resource.as_str()),
        Value::Bytes(digest.as_bytes().into()),
    ];
    Some(fact("request", terms))
}

/// The keys whose possession was proved. As the verifier does, the first proof by a key is the one that
/// counts for it.
fn proved(presented: &Presented, request: &Request<'_>, now: UnixSeconds) -> Vec<Fact> {
    let Ok(envelope) = Envelope::read(presented.bytes()) else { return Vec::new() };
    let (last, digest) = (envelope.last().signature, request.digest());
    let (mut tried, mut facts) = (BTreeSet::new(), Vec::new());
    for proof in request.proofs {
        let first = tried.insert(proof.key());
        if first && proof.check(request.audience, &last, &digest, now).is_ok() {
            facts.push(fact("proved", [Value::Bytes(proof.key().as_bytes().into())]));
        }
    }
    facts
}

/// The integers and texts of the parameters. Where one stands at a place too long for any pointer, no
/// caveat can name it either, and those are given that caveats do name.
fn leaves(content: &Content, params: &Params) -> Vec<Fact> {
    let leaves = params.leaves().unwrap_or_else(|_| {
        let places: BTreeSet<&Pointer> = caveats(content).filter_map(Caveat::place).collect();
        places.into_iter().filter_map(|at| Some((at.clone(), params.leaf(at)?))).collect()
    });
    leaves.into_iter().filter_map(|(at, leaf)| typed(&at, leaf)).collect()
}

/// One predicate for each type, so that no comparison meets another.
fn typed(at: &Pointer, leaf: Leaf<'_>) -> Option<Fact> {
    match leaf {
        Leaf::Int(value) => Some(fact("int", [text(at.as_str()), Value::Int(value)])),
        Leaf::Text(value) => Some(fact("text", [text(at.as_str()), text(value)])),
        Leaf::Flag(_) | Leaf::Decimal(_) => None,
    }
}

/// The very fact that an output caveat names.
fn promised(caveat: &Caveat) -> Option<Fact> {
    match caveat {
        Caveat::OutputMax(name, max) => {
            Some(fact("output_max", [text(name.as_str()), Value::Int(*max)]))
        }
        Caveat::OutputOneOf(name, set) => {
            let set = Value::Set(set.iter().map(str::to_owned).collect());
            Some(fact("output_one_of", [text(name.as_str()), set]))
        }
        _ => None,
    }
}

fn caveats(content: &Content) -> impl Iterator<Item = &Caveat> {
    content.grant.caveats.iter().chain(&content.narrowing)
}

fn fact<const N: usize>(name: &'static str, terms: [Value; N]) -> Fact {
    Fact { name, terms: terms.into() }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        separated(f, self.terms.iter())?;
        f.write_str(")")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) => write!(f, "{value}"),
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Bytes(bytes) => {
                f.write_str("hex:")?;
                hex::write(f, bytes)
            }
            Value::Date(second) => write!(f, "{second}"),
            // Biscuit's own text for the empty set, for `{}` is a parameter's.
            Value::Set(members) if members.is_empty() => f.write_str("{,}"),
            Value::Set(members) => {
                f.write_str("{")?;
                separated(f, members.iter().map(|member| quoted(member)))?;
                f.write_str("}")
            }
        }
    }
}

fn separated<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
) -> fmt::Result {
    for (i, item) in items.enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// Biscuit's parser knows these escapes and no other; all else stands for itself.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// Terms come from parameters, which can hold secrets.
impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fact({}, redacted)", self.name)
    }
}

/// Terms come from parameters, which can hold secrets.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_as_datalog() {
        let set = BTreeSet::from(["b".to_owned(), "a".to_owned()]);
        let table = [
            (fact("time", [Value::Date(UnixSeconds(0))]), "time(1970-01-01T00:00:00Z)"),
            (fact("once", [Value::Bytes(vec![1, 0xfe])]), "once(hex:01fe)"),
            (fact("int", [text("/a"), Value::Int(-3)]), r#"int("/a", -3)"#),
            (fact("text", [text("/a"), text("x\\\"\n")]), r#"text("/a", "x\\\"\n")"#),
            (fact("output_one_of", [Value::Set(set)]), r#"output_one_of({"a", "b"})"#),
            (fact("output_one_of", [Value::Set(BTreeSet::new())]), "output_one_of({,})"),
        ];
        for (fact, want) in table {
            assert_eq!(fact.to_string(), want);
        }
    }

    #[test]
    fn a_fact_shows_no_value_to_whoever_debugs() {
        let secret = fact("text", [text("/password"), text("hunter2")]);
        assert!(!format!("{secret:?} {:?}", secret.terms).contains("hunter2"));
    }
}
