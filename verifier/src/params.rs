//! The parameters of an action: what came in, reduced to what a token can bind.
//!
//! ```text
//! bytes --parse--> Params --digest--> ParamsDigest      bound exactly
//!                    |  `--digest_without--> the same   but for named members, which bounds rule
//!                    `--leaf, leaves--> Leaf            what policies and caveats compare
//! ```
//!
//! Whatever two readers could take differently is refused before anything is hashed.

use std::fmt;

use crate::limits::{BOUNDS_MAX, PARAMS_DEPTH_MAX, PARAMS_LEAVES_MAX};

use self::json::{Found, Json, JsonError, Member, Object};
use self::pointer::{Pointer, PointerError};

pub use self::digest::ParamsDigest;
pub use self::leaf::Leaf;

pub mod bounds;
pub mod canon;
mod digest;
pub mod json;
mod json_error;
mod leaf;
mod number;
pub mod pointer;
mod reader;

/// The parameters of one action: a JSON value, usually an object, within the limits on depth and
/// on the number of values.
#[derive(Clone, PartialEq, Eq)]
pub struct Params {
    json: Json,
}

/// Why parameters were refused, or not reduced as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The bytes are not JSON that everyone reads alike.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Two sources gave a member of the same name.
    #[error("two members are named {name}")]
    SameName {
        /// The name, shortened.
        name: String,
    },
    /// Lists and objects nest too deep once the sources are joined.
    #[error("parameters nest deeper than {PARAMS_DEPTH_MAX}")]
    TooDeep,
    /// There are too many values once the sources are joined.
    #[error("parameters have more than {PARAMS_LEAVES_MAX} values")]
    TooManyValues,
    /// More members are to be left out than may vary.
    #[error("more than {BOUNDS_MAX} members are to be left out")]
    TooManyOmitted,
    /// A member that is to be left out is not there.
    #[error("nothing stands at {pointer}")]
    Absent {
        /// Where it was to stand.
        pointer: Pointer,
    },
    /// What is to be left out is not a member of an object: without an element the others would
    /// move, and without the root nothing would be bound.
    #[error("no member of an object stands at {pointer}")]
    NotAMember {
        /// Where it stands.
        pointer: Pointer,
    },
}

impl Params {
    /// The parameters in a JSON body. No body at all is `{}`.
    ///
    /// # Errors
    /// [`ParamsError::Json`] with the first thing that the text has wrong.
    pub fn parse(body: &[u8]) -> Result<Self, ParamsError> {
        if body.is_empty() {
            return Ok(Self::empty());
        }
        Ok(Self { json: Json::parse(body)? })
    }

    /// No parameters: `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self { json: Json::Object(Object::default()) }
    }

    /// One object with a member for each source, such as `body`, `path` and `query`.
    ///
    /// # Errors
    /// If two have the same name, or all together are over a limit: joining adds a level and a
    /// value, and whoever asks for the token sends the joined form as one body.
    pub fn from_members<N: Into<Box<str>>>(
        members: impl IntoIterator<Item = (N, Json)>,
    ) -> Result<Self, ParamsError> {
        let object = Object::new(members).map_err(|duplicate| ParamsError::SameName {
            name: pointer::shown(duplicate.name()),
        })?;
        Self::from_json(Json::Object(object))
    }

    /// A value that was read or built elsewhere.
    ///
    /// # Errors
    /// If it nests too deep or holds too many values.
    pub fn from_json(json: Json) -> Result<Self, ParamsError> {
        measure(&json, PARAMS_DEPTH_MAX, &mut 0)?;
        Ok(Self { json })
    }

    /// The value.
    #[must_use]
    pub fn as_json(&self) -> &Json {
        &self.json
    }

    /// The text that is hashed: RFC 8785.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        canon::canonical(&self.json)
    }

    /// What a token binds that lets nothing vary.
    #[must_use]
    pub fn digest(&self) -> ParamsDigest {
        ParamsDigest::of_bytes(&self.canonical())
    }

    /// What a token binds that lets these members vary: the digest of all others.
    ///
    /// # Errors
    /// If one is not there, or is anything but a member of an object.
    pub fn digest_without<'p>(
        &self,
        pointers: impl IntoIterator<Item = &'p Pointer>,
    ) -> Result<ParamsDigest, ParamsError> {
        let omitted = pointers
            .into_iter()
            // One more than may be, so that too many are seen and not cut off.
            .take(BOUNDS_MAX.saturating_add(1))
            .map(|pointer| self.member(pointer))
            .collect::<Result<Vec<_>, _>>()?;
        if omitted.len() > BOUNDS_MAX {
            return Err(ParamsError::TooManyOmitted);
        }
        Ok(ParamsDigest::of_bytes(&canon::canonical_without(&self.json, &omitted)))
    }

    /// The leaf at this place, if there is one.
    #[must_use]
    pub fn leaf(&self, pointer: &Pointer) -> Option<Leaf<'_>> {
        self.json.at(pointer).and_then(Leaf::of)
    }

    /// Every leaf and where it stands, in canonical order.
    ///
    /// # Errors
    /// If a leaf stands where no [`Pointer`] leads, under names that are too long or hold control
    /// characters. Leaving such a leaf out would hide it from every rule that forbids a value.
    pub fn leaves(&self) -> Result<Vec<(Pointer, Leaf<'_>)>, PointerError> {
        leaf::leaves(&self.json)
    }

    fn member(&self, pointer: &Pointer) -> Result<&Member, ParamsError> {
        match self.json.find(pointer) {
            Some(Found::Member(member)) => Ok(member),
            Some(_) => Err(ParamsError::NotAMember { pointer: pointer.clone() }),
            None => Err(ParamsError::Absent { pointer: pointer.clone() }),
        }
    }
}

/// Parameters can hold secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params(redacted)")
    }
}

/// Counts values and goes no deeper than `levels`: the depth that the reader takes.
fn measure(json: &Json, levels: usize, values: &mut usize) -> Result<(), ParamsError> {
    *values = values.saturating_add(1);
    if *values > PARAMS_LEAVES_MAX {
        return Err(ParamsError::TooManyValues);
    }
    let below = levels.checked_sub(1).ok_or(ParamsError::TooDeep);
    match json {
        Json::List(list) => {
            let below = below?;
            list.iter().try_for_each(|value| measure(value, below, values))
        }
        Json::Object(object) => {
            let below = below?;
            object.iter().try_for_each(|member| measure(member.value(), below, values))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod tests;
