//! What a handler's result measures, for the output caveats that speak of it.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::response::Parts;
use axum::response::{IntoResponseParts, ResponseParts};

use super::arrival::is_encoded;
use super::result::Value;
use crate::caveat::{Caveat, OneOf};
use crate::name::OutputName;

/// Measures that a handler declares of its result: `(Measures::new().number("rows", 3), Json(rows))`.
///
/// They are for what cannot be seen in the body: a classification, a count of rows in a file. The name
/// `bytes` and names that begin with `/` are measured by the gate; what is declared under them is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures(Vec<(String, Measure)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Measure {
    Number(i64),
    Text(String),
}

impl Measures {
    /// None yet.
    #[must_use]
    pub fn new() -> Measures {
        Measures::default()
    }

    /// With a number. Of several under one name, each is held to the caveat.
    #[must_use]
    pub fn number(self, name: impl Into<String>, value: i64) -> Measures {
        self.with(name, Measure::Number(value))
    }

    /// With a text. Of several under one name, each is held to the caveat.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Measures {
        self.with(name, Measure::Text(value.into()))
    }

    fn with(mut self, name: impl Into<String>, measure: Measure) -> Measures {
        self.0.push((name.into(), measure));
        self
    }

    /// Whether there is one of this name, and all of this name hold.
    fn all(&self, name: &str, holds: impl Fn(&Measure) -> bool) -> bool {
        let mut named = self.0.iter().filter(|(n, _)| n == name).map(|(_, measure)| measure);
        named.next().is_some_and(&holds) && named.all(holds)
    }
}

impl IntoResponseParts for Measures {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        let mut measures = parts.extensions_mut().remove::<Measures>().unwrap_or_default();
        measures.0.extend(self.0);
        parts.extensions_mut().insert(measures);
        Ok(parts)
    }
}

/// A result, held against caveats.
pub(super) struct Measured<'a> {
    body: Option<&'a [u8]>,
    json: Option<Value>,
    declared: Measures,
}

impl<'a> Measured<'a> {
    pub(super) fn of(parts: &Parts, body: &'a Bytes) -> Measured<'a> {
        // What is compressed measures less than what its reader gets.
        let plain = !is_encoded(&parts.headers);
        Measured {
            body: plain.then_some(body),
            json: plain.then(|| Value::read(body)).flatten(),
            declared: parts.extensions.get::<Measures>().cloned().unwrap_or_default(),
        }
    }

    /// Whether a caveat holds for it. What cannot be measured breaks it.
    pub(super) fn keeps(&self, caveat: &Caveat) -> bool {
        match caveat {
            Caveat::OutputMax(name, max) => self.is_at_most(name, *max),
            Caveat::OutputOneOf(name, set) => self.is_one_of(name, set),
            // The others were decided before the action ran.
            _ => true,
        }
    }

    fn is_at_most(&self, name: &OutputName, max: i64) -> bool {
        let counted = |count: usize| i64::try_from(count).is_ok_and(|count| count <= max);
        match name.as_str() {
            "bytes" => self.body.is_some_and(|body| counted(body.len())),
            at if at.starts_with('/') => match self.at(at) {
                Some(Value::Int(value)) => *value <= i128::from(max),
                Some(Value::List(list)) => counted(list.len()),
                _ => false,
            },
            declared => self.declared.all(declared, |measure| match measure {
                Measure::Number(value) => *value <= max,
                Measure::Text(_) => false,
            }),
        }
    }

    fn is_one_of(&self, name: &OutputName, set: &OneOf) -> bool {
        let shown = |value: &Value| matches!(value, Value::Text(text) if set.contains(text));
        match name.as_str() {
            "bytes" => false,
            at if at.starts_with('/') => match self.at(at) {
                Some(Value::List(list)) => list.iter().all(shown),
                value => value.is_some_and(shown),
            },
            declared => self.declared.all(declared, |measure| match measure {
                Measure::Text(text) => set.contains(text),
                Measure::Number(_) => false,
            }),
        }
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.as_ref()?.at(pointer)
    }
}

#[cfg(test)]
mod tests;
