//! A handler's JSON, read only as far as it is measured.
//!
//! The reader of parameters is not used: its limits are those of a call, and a report may be longer.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::params::pointer::Pointer;

/// A JSON value in which every name stands once.
pub(super) enum Value {
    Int(i128),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
    /// Null, a flag, a fraction: nothing that a caveat measures.
    Other,
}

impl Value {
    /// The value that these bytes say, if they say one.
    pub(super) fn read(bytes: &[u8]) -> Option<Value> {
        serde_json::from_slice(bytes).ok()
    }

    /// The value that a JSON Pointer leads to.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        let pointer = Pointer::parse(pointer).ok()?;
        pointer.tokens().try_fold(self, |value, token| match value {
            Value::Object(object) => object.get(token.as_ref()),
            Value::List(list) => list.get(index(&token)?),
            Value::Int(_) | Value::Text(_) | Value::Other => None,
        })
    }
}

/// RFC 6901 has no sign and no leading zero.
fn index(token: &str) -> Option<usize> {
    let index: usize = token.parse().ok()?;
    (index.to_string() == token).then_some(index)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = members.next_entry()? {
            // The caller may read the one of two that was not measured.
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("the name stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}
