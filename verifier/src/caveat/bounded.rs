//! The caveats that hold members which vary to their bounds.

use super::{Caveat, CaveatText, OneOf, OneOfError};
use crate::name::NameError;
use crate::params::bounds::{Bound, Bounds};

/// Why bounds make no caveats.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundedError {
    /// A text in them cannot stand in a token.
    #[error("a text in the bounds cannot stand in a token: {0}")]
    Text(NameError),
    /// A list in them cannot.
    #[error("a list in the bounds cannot stand in a token: {0}")]
    List(OneOfError),
}

impl Caveat {
    /// The caveats that hold the members which these bounds let vary.
    ///
    /// # Errors
    /// [`BoundedError`] where a value of theirs fits no token.
    pub fn of_bounds(bounds: &Bounds) -> Result<Vec<Caveat>, BoundedError> {
        let text = |text: &str| CaveatText::parse(text).map_err(BoundedError::Text);
        let mut caveats = Vec::new();
        for (at, bound) in bounds.iter() {
            match bound {
                Bound::Int { min, max } => {
                    caveats.extend(min.map(|min| Caveat::IntAtLeast(at.clone(), min)));
                    caveats.extend(max.map(|max| Caveat::IntAtMost(at.clone(), max)));
                }
                Bound::OneOf(texts) => {
                    let texts = texts.iter().map(|one| text(one)).collect::<Result<Vec<_>, _>>()?;
                    let set = OneOf::new(texts).map_err(BoundedError::List)?;
                    caveats.push(Caveat::TextOneOf(at.clone(), set));
                }
                Bound::Prefix(prefix) => {
                    caveats.push(Caveat::TextPrefix(at.clone(), text(prefix)?));
                }
            }
        }
        Ok(caveats)
    }
}
