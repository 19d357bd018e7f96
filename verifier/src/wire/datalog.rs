//! The little Datalog that a token speaks: facts, and checks of one predicate.
//!
//! A check joins nothing, calls nothing and matches no pattern, so reading it is all the work there is.

use crate::key::PublicKey;
use crate::limits::TERMS_MAX;

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
    pub(crate) terms: Terms<'a>,
}

impl<'a> Predicate<'a> {
    pub(crate) fn new<const N: usize>(name: &'a str, terms: [Term<'a>; N]) -> Predicate<'a> {
        const { assert!(N <= TERMS_MAX) };
        let mut filled = Terms::default();
        for term in terms {
            filled.push(term);
        }
        Predicate { name, terms: filled }
    }
}

/// A few terms, in place: a token has forty predicates, and an allocation for each would be the most
/// of what reading one costs.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'a> {
    count: usize,
    terms: [Term<'a>; TERMS_MAX],
}

impl<'a> Terms<'a> {
    /// Adds a term; false where there is no room.
    pub(crate) fn push(&mut self, term: Term<'a>) -> bool {
        let Some(place) = self.terms.get_mut(self.count) else { return false };
        *place = term;
        self.count += 1;
        true
    }

    pub(crate) fn as_slice(&self) -> &[Term<'a>] {
        self.terms.get(..self.count).unwrap_or_default()
    }
}

impl Default for Terms<'_> {
    fn default() -> Self {
        Terms { count: 0, terms: [const { Term::Int(0) }; TERMS_MAX] }
    }
}

impl PartialEq for Terms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Terms<'_> {}

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
    /// One, or two; none for a literal.
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
