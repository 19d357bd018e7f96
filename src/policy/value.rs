//! A value in a policy: in a fact, in a row of a table, in a statement.

use std::collections::BTreeSet;
use std::fmt;

use biscuit_auth::builder;
use farebox_verifier::UnixSeconds;

/// A value that facts and statements can hold. Others of the engine's are refused: nothing gives one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `"acme"`
    Text(Box<str>),
    /// `4000`
    Int(i64),
    /// `true`
    Flag(bool),
    /// `2026-11-21T12:00:00Z`
    Date(u64),
    /// `{"acme", "globex"}`
    Set(BTreeSet<Value>),
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text.
    Text,
    /// An integer.
    Int,
    /// `true` or `false`.
    Flag,
    /// A date with its time.
    Date,
    /// A set of values.
    Set,
}

impl Value {
    pub(super) fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Value::Text(_) => Kind::Text,
            Value::Int(_) => Kind::Int,
            Value::Flag(_) => Kind::Flag,
            Value::Date(_) => Kind::Date,
            Value::Set(_) => Kind::Set,
        }
    }

    /// The value of a parsed term that is neither a variable nor of a kind that nothing gives.
    pub(super) fn of(term: &builder::Term) -> Option<Value> {
        Some(match term {
            builder::Term::Str(text) => Value::text(text),
            builder::Term::Integer(value) => Value::Int(*value),
            builder::Term::Bool(value) => Value::Flag(*value),
            builder::Term::Date(seconds) => Value::Date(*seconds),
            builder::Term::Set(members) => {
                Value::Set(members.iter().map(Value::of).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

impl Kind {
    /// The kind with its article, for a sentence.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Int => "an integer",
            Kind::Flag => "true or false",
            Kind::Date => "a date",
            Kind::Set => "a set",
        }
    }
}

/// As a policy writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Flag(value) => write!(f, "{value}"),
            Value::Date(seconds) => write!(f, "{}", UnixSeconds(*seconds)),
            Value::Set(members) => {
                f.write_str("{")?;
                for (at, member) in members.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{member}")?;
                }
                f.write_str("}")
            }
        }
    }
}
