//! Members that may vary within limits, instead of being bound exactly.
//!
//! `{"/amount": {"max": 4000}, "/to": {"one_of": ["acme"]}, "/path": {"prefix": "src/"}}`

use std::collections::BTreeSet;

use crate::limits::{BOUNDS_MAX, ONE_OF_MAX, TEXT_BOUND_BYTES_MAX};

use super::Params;
use super::canon;
use super::json::{self, Json, Member, Object};
use super::pointer::{self, Pointer, PointerError};

/// What one member may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// An integer, at least `min` and at most `max`. One of them is given.
    Int {
        /// The smallest that passes.
        min: Option<i64>,
        /// The largest that passes.
        max: Option<i64>,
    },
    /// One of these texts.
    OneOf(BTreeSet<Box<str>>),
    /// A text that starts with this one.
    Prefix(Box<str>),
}

/// The members that may vary, and what each may be: at least one, none inside of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// By pointer.
    bounds: Vec<(Pointer, Bound)>,
}

/// Why bounds were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// The JSON form is not an object.
    #[error("bounds are not an object")]
    NotAnObject,
    /// No member is named: whoever lets nothing vary gives no bounds.
    #[error("bounds name no member")]
    Empty,
    /// More members than may vary.
    #[error("bounds name more than {BOUNDS_MAX} members")]
    TooMany,
    /// A member is named by a text that is no pointer.
    #[error("bounds name {name}, which is no json pointer")]
    BadPointer {
        /// The text, shortened.
        name: String,
        /// What is wrong with it.
        source: PointerError,
    },
    /// The whole of the parameters is named, which would bind nothing.
    #[error("bounds name the whole of the parameters")]
    Root,
    /// One member stands inside of another, or is named twice.
    #[error("bounds name {outer} and {inner} inside of it")]
    Overlap {
        /// The outer one.
        outer: Pointer,
        /// The one inside of it, or the same.
        inner: Pointer,
    },
    /// What a member may be is not written as an object.
    #[error("bound of {pointer} is not an object")]
    RuleNotAnObject {
        /// The member.
        pointer: Pointer,
    },
    /// A bound has a word that is none.
    #[error("bound of {pointer} has the unknown word {word}")]
    UnknownWord {
        /// The member.
        pointer: Pointer,
        /// The word, shortened.
        word: String,
    },
    /// A bound says nothing: it would let the member be anything.
    #[error("bound of {pointer} allows anything")]
    Unbounded {
        /// The member.
        pointer: Pointer,
    },
    /// A bound speaks of integers and texts at once, or of texts in two ways.
    #[error("bound of {pointer} mixes kinds")]
    MixedKinds {
        /// The member.
        pointer: Pointer,
    },
    /// A word has a value of another type.
    #[error("{word} of {pointer} is not {wanted}")]
    WrongType {
        /// The member.
        pointer: Pointer,
        /// The word.
        word: &'static str,
        /// What it takes, with its article.
        wanted: &'static str,
    },
    /// An integer beyond ±(2^53−1), which no parameter is.
    #[error("bound of {pointer} is out of range")]
    OutOfRange {
        /// The member.
        pointer: Pointer,
    },
    /// The bound lets nothing through: no integer, or no text.
    #[error("bound of {pointer} allows nothing")]
    Unsatisfiable {
        /// The member.
        pointer: Pointer,
    },
    /// More texts than a `one_of` may have.
    #[error("one_of of {pointer} has more than {ONE_OF_MAX} values")]
    TooManyValues {
        /// The member.
        pointer: Pointer,
    },
    /// A text is longer than one in a bound may be.
    #[error("text in the bound of {pointer} has more than {TEXT_BOUND_BYTES_MAX} bytes")]
    TextTooLong {
        /// The member.
        pointer: Pointer,
    },
    /// A member that may vary has a value in the parameters too, and nobody could tell which of
    /// the two counts.
    #[error("{pointer} stands in the parameters and in the bounds")]
    StandsInParams {
        /// The member.
        pointer: Pointer,
    },
}

impl Bounds {
    /// Bounds on these members, in whatever order they come.
    ///
    /// # Errors
    /// The first rule of [`BoundsError`] that they break.
    pub fn new(bounds: impl IntoIterator<Item = (Pointer, Bound)>) -> Result<Self, BoundsError> {
        // One more than may be, so that too many are seen and not cut off.
        let mut bounds: Vec<_> = bounds.into_iter().take(BOUNDS_MAX.saturating_add(1)).collect();
        if bounds.is_empty() {
            return Err(BoundsError::Empty);
        }
        if bounds.len() > BOUNDS_MAX {
            return Err(BoundsError::TooMany);
        }
        bounds.sort_by(|(a, _), (b, _)| a.cmp(b));
        bounds.iter().try_for_each(|(pointer, bound)| bound.check(pointer))?;
        let bounds = Self { bounds };
        bounds.check_overlap()?;
        Ok(bounds)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// The first rule of [`BoundsError`] that it breaks.
    pub fn from_json(json: &Json) -> Result<Self, BoundsError> {
        let Json::Object(object) = json else { return Err(BoundsError::NotAnObject) };
        // Before reading any, so that a long list costs nothing.
        if object.len() > BOUNDS_MAX {
            return Err(BoundsError::TooMany);
        }
        let bounds: Result<Vec<_>, _> = object
            .iter()
            .map(|member| {
                let pointer = Pointer::parse(member.name()).map_err(|source| {
                    BoundsError::BadPointer { name: pointer::shown(member.name()), source }
                })?;
                let bound = Bound::from_json(&pointer, member.value())?;
                Ok((pointer, bound))
            })
            .collect();
        Self::new(bounds?)
    }

    /// The one text of these bounds, for a digest: the RFC 8785 form of their JSON form, with the
    /// values of each `one_of` sorted and named once.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let member =
            |(pointer, bound): (&Pointer, &Bound)| Member::new(pointer.as_str(), bound.to_json());
        canon::canonical(&Json::Object(Object::distinct(self.iter().map(member).collect())))
    }

    /// Members and bounds in the order of the pointers.
    pub fn iter(&self) -> impl Iterator<Item = (&Pointer, &Bound)> {
        self.bounds.iter().map(|(pointer, bound)| (pointer, bound))
    }

    /// The members that may vary, in the order of their pointers.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.bounds.iter().map(|(pointer, _)| pointer)
    }

    /// Checks that no member is bound exactly and may vary at once.
    ///
    /// # Errors
    /// [`BoundsError::StandsInParams`] with the first that does.
    pub fn stand_apart_from(&self, params: &Params) -> Result<(), BoundsError> {
        match self.pointers().find(|pointer| params.as_json().at(pointer).is_some()) {
            Some(pointer) => Err(BoundsError::StandsInParams { pointer: pointer.clone() }),
            None => Ok(()),
        }
    }

    /// Each with each that sorts behind it: "/a" and "/a/b" are no neighbours where "/a-" is
    /// named too.
    fn check_overlap(&self) -> Result<(), BoundsError> {
        for (at, outer) in self.pointers().enumerate() {
            let mut behind = self.pointers().skip(at.saturating_add(1));
            if let Some(inner) = behind.find(|inner| outer.contains(inner)) {
                let (outer, inner) = (outer.clone(), inner.clone());
                return Err(BoundsError::Overlap { outer, inner });
            }
        }
        Ok(())
    }
}

impl Bound {
    fn from_json(pointer: &Pointer, json: &Json) -> Result<Self, BoundsError> {
        let Json::Object(rule) = json else {
            return Err(BoundsError::RuleNotAnObject { pointer: pointer.clone() });
        };
        let known = ["min", "max", "one_of", "prefix"];
        if let Some(unknown) = rule.iter().find(|member| !known.contains(&member.name())) {
            let (pointer, word) = (pointer.clone(), pointer::shown(unknown.name()));
            return Err(BoundsError::UnknownWord { pointer, word });
        }
        let wrong_type = |word, wanted| {
            let pointer = pointer.clone();
            BoundsError::WrongType { pointer, word, wanted }
        };
        match (rule.get("min"), rule.get("max"), rule.get("one_of"), rule.get("prefix")) {
            (None, None, None, None) => Err(BoundsError::Unbounded { pointer: pointer.clone() }),
            (min, max, None, None) => Ok(Self::Int {
                min: read_int(min).ok_or_else(|| wrong_type("min", "an integer"))?,
                max: read_int(max).ok_or_else(|| wrong_type("max", "an integer"))?,
            }),
            (None, None, Some(values), None) => read_texts(values)
                .map(Self::OneOf)
                .ok_or_else(|| wrong_type("one_of", "a list of texts")),
            (None, None, None, Some(Json::Text(prefix))) => Ok(Self::Prefix(prefix.clone())),
            (None, None, None, Some(_)) => Err(wrong_type("prefix", "a text")),
            _ => Err(BoundsError::MixedKinds { pointer: pointer.clone() }),
        }
    }

    fn to_json(&self) -> Json {
        let int = |word, value: &Option<i64>| Some(Member::new(word, Json::Int((*value)?)));
        let members: Vec<_> = match self {
            Self::Int { min, max } => {
                [int("max", max), int("min", min)].into_iter().flatten().collect()
            }
            Self::OneOf(values) => {
                let values = values.iter().cloned().map(Json::Text).collect();
                vec![Member::new("one_of", Json::List(values))]
            }
            Self::Prefix(prefix) => vec![Member::new("prefix", Json::Text(prefix.clone()))],
        };
        Json::Object(Object::distinct(members))
    }

    fn check(&self, pointer: &Pointer) -> Result<(), BoundsError> {
        if pointer.is_root() {
            return Err(BoundsError::Root);
        }
        let pointer = pointer.clone();
        match self {
            Self::Int { min: None, max: None } => Err(BoundsError::Unbounded { pointer }),
            Self::Int { min, max }
                if ![min, max].into_iter().flatten().all(|int| json::in_range(*int)) =>
            {
                Err(BoundsError::OutOfRange { pointer })
            }
            Self::Int { min: Some(min), max: Some(max) } if min > max => {
                Err(BoundsError::Unsatisfiable { pointer })
            }
            Self::OneOf(values) if values.is_empty() => Err(BoundsError::Unsatisfiable { pointer }),
            Self::OneOf(values) if values.len() > ONE_OF_MAX => {
                Err(BoundsError::TooManyValues { pointer })
            }
            Self::OneOf(values) if values.iter().any(|text| is_long(text)) => {
                Err(BoundsError::TextTooLong { pointer })
            }
            Self::Prefix(prefix) if prefix.is_empty() => Err(BoundsError::Unbounded { pointer }),
            Self::Prefix(prefix) if is_long(prefix) => Err(BoundsError::TextTooLong { pointer }),
            Self::Int { .. } | Self::OneOf(_) | Self::Prefix(_) => Ok(()),
        }
    }
}

/// The integer of a word that may be missing; none at all if it is something else.
fn read_int(json: Option<&Json>) -> Option<Option<i64>> {
    match json {
        None => Some(None),
        Some(Json::Int(value)) => Some(Some(*value)),
        Some(_) => None,
    }
}

fn read_texts(json: &Json) -> Option<BTreeSet<Box<str>>> {
    let Json::List(list) = json else { return None };
    list.iter()
        .map(|value| match value {
            Json::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

fn is_long(text: &str) -> bool {
    text.len() > TEXT_BOUND_BYTES_MAX
}
