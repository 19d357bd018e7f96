//! The little Datalog that a token speaks: facts, and checks of one predicate.
//!
//! A check joins nothing, calls nothing and matches no pattern, so reading it is all the work there is.

use crate::key::PublicKey;

/// A value, or a variable by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term<'a> {
    Variable(&'a str),
    Int(i64),
    Text(&'a str),
    Date(u64),
    Bytes(&'a [u8]),
    /// A set of texts; the layout has no other.
    Set(Vec<&'a str>),
}

/// A name and its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Predicate<'a> {
    pub(crate) name: &'a str,
    pub(crate) terms: Vec<Term<'a>>,
}

impl<'a> Predicate<'a> {
    pub(crate) fn new<const N: usize>(name: &'a str, terms: [Term<'a>; N]) -> Predicate<'a> {
        Predicate { name, terms: terms.into() }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    LessThan,
    GreaterThan,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    Contains,
    Prefix,
}

impl Operator {
    /// The operators by their number on the wire.
    pub(crate) const BY_NUMBER: [Operator; 7] = [
        Operator::LessThan,
        Operator::GreaterThan,
        Operator::LessOrEqual,
        Operator::GreaterOrEqual,
        Operator::Equal,
        Operator::Contains,
        Operator::Prefix,
    ];
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison<'a> {
    pub(crate) left: Term<'a>,
    pub(crate) operator: Operator,
    pub(crate) right: Term<'a>,
}

/// `check if predicate, comparisons trusting key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check<'a> {
    pub(crate) predicate: Predicate<'a>,
    pub(crate) comparisons: Vec<Comparison<'a>>,
    pub(crate) trusting: Option<PublicKey>,
}

impl<'a> Check<'a> {
    /// A check that a fact stands as it is written.
    pub(crate) fn literal<const N: usize>(name: &'a str, terms: [Term<'a>; N]) -> Check<'a> {
        Check { predicate: Predicate::new(name, terms), comparisons: Vec::new(), trusting: None }
    }
}

/// A block's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub(crate) context: Option<&'a str>,
    pub(crate) version: u64,
    pub(crate) facts: Vec<Predicate<'a>>,
    pub(crate) checks: Vec<Check<'a>>,
}
