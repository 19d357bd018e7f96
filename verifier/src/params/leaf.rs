//! The values at the ends of parameters, which policies and caveats speak about.

use std::fmt;

use super::json::Json;
use super::pointer::{self, Pointer, PointerError};

/// A value that holds no others. `null` is none: there is nothing to compare it with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leaf<'a> {
    /// A number without a fraction.
    Int(i64),
    /// A string.
    Text(&'a str),
    /// `true` or `false`.
    Flag(bool),
    /// A number with a fraction, as RFC 8785 prints it.
    Decimal(&'a str),
}

impl<'a> Leaf<'a> {
    pub(super) fn of(json: &'a Json) -> Option<Self> {
        match json {
            Json::Int(value) => Some(Self::Int(*value)),
            Json::Text(text) => Some(Self::Text(text)),
            Json::Bool(flag) => Some(Self::Flag(*flag)),
            Json::Decimal(text) => Some(Self::Decimal(text)),
            Json::Null | Json::List(_) | Json::Object(_) => None,
        }
    }
}

/// Values can be secrets, so only the kind is shown.
impl fmt::Debug for Leaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int(_) => "Int(redacted)",
            Self::Text(_) => "Text(redacted)",
            Self::Flag(_) => "Flag(redacted)",
            Self::Decimal(_) => "Decimal(redacted)",
        })
    }
}

/// All leaves below a value with their pointers, in canonical order.
pub(super) fn leaves(json: &Json) -> Result<Vec<(Pointer, Leaf<'_>)>, PointerError> {
    let mut walk = Walk { path: String::new(), found: Vec::new() };
    walk.visit(json)?;
    Ok(walk.found)
}

struct Walk<'a> {
    path: String,
    found: Vec<(Pointer, Leaf<'a>)>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, json: &'a Json) -> Result<(), PointerError> {
        if let Some(leaf) = Leaf::of(json) {
            self.found.push((Pointer::parse(&self.path)?, leaf));
        }
        match json {
            Json::List(list) => list
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| self.descend(&index.to_string(), value)),
            Json::Object(object) => {
                object.iter().try_for_each(|member| self.descend(member.name(), member.value()))
            }
            _ => Ok(()),
        }
    }

    fn descend(&mut self, token: &str, value: &'a Json) -> Result<(), PointerError> {
        let above = self.path.len();
        pointer::push_token(&mut self.path, token);
        self.visit(value)?;
        self.path.truncate(above);
        Ok(())
    }
}
