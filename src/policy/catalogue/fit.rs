//! Whether a request fits the catalogue.

use farebox_verifier::params::json::Json;
use farebox_verifier::{Bound, Pointer};

use super::{ActionEntry, Catalogue, Need, Others, ParamEntry, ParamKind};
use crate::policy::near::did_you_mean;
use crate::policy::question::Question;

/// Why a request does not fit: what its sender is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// There is no such action.
    #[error("there is no action {action}{}", hint.as_ref().map_or(String::new(), |hint| format!(": {hint}")))]
    Action {
        /// The action.
        action: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// Another API does it.
    #[error("{action} is not done by {audience}, but by {known}")]
    Audience {
        /// The action.
        action: String,
        /// The audience.
        audience: String,
        /// Who does it.
        known: String,
    },
    /// It is not done to such a resource.
    #[error("{action} is not done to {resource}, but to {known}")]
    Resource {
        /// The action.
        action: String,
        /// The resource.
        resource: String,
        /// The patterns.
        known: String,
    },
    /// A parameter is missing.
    #[error("{action} needs the parameter {pointer}, {wanted}")]
    Missing {
        /// The action.
        action: String,
        /// The parameter.
        pointer: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// A parameter is not listed.
    #[error("{action} takes no parameter {pointer}{}", hint.as_ref().map_or(String::new(), |hint| format!(": {hint}")))]
    Unknown {
        /// The action.
        action: String,
        /// The parameter.
        pointer: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// A parameter is something else.
    #[error("parameter {pointer} of {action} is {wanted}")]
    Type {
        /// The action.
        action: String,
        /// The parameter.
        pointer: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// A parameter is none of those it can be.
    #[error("parameter {pointer} of {action} is one of {known}")]
    OneOf {
        /// The action.
        action: String,
        /// The parameter.
        pointer: String,
        /// What it can be.
        known: String,
    },
}

impl ParamKind {
    fn noun(&self) -> &'static str {
        match self {
            ParamKind::Text => "a text",
            ParamKind::Int => "an integer",
            ParamKind::Flag => "true or false",
            ParamKind::Decimal => "a number",
            ParamKind::Money { .. } => {
                "an amount in the smallest unit, an integer of at least zero"
            }
        }
    }

    fn takes(&self, json: &Json) -> bool {
        match (self, json) {
            (ParamKind::Text, Json::Text(_))
            | (ParamKind::Int | ParamKind::Decimal, Json::Int { .. })
            | (ParamKind::Flag, Json::Bool(_))
            | (ParamKind::Decimal, Json::Decimal { .. }) => true,
            (ParamKind::Money { .. }, Json::Int { 0: value, .. }) => *value >= 0,
            _ => false,
        }
    }
}

impl Catalogue {
    /// Whether a request fits.
    ///
    /// # Errors
    /// [`CatalogueError`] with the first thing that does not.
    pub fn fits(&self, question: &Question<'_>) -> Result<(), CatalogueError> {
        let name = question.action.as_str();
        let Some(entry) = self.actions.get(name) else {
            let hint = did_you_mean(name, self.actions.keys().map(String::as_str));
            return Err(CatalogueError::Action { action: name.to_owned(), hint });
        };
        let (audience, resource) = (question.audience.as_str(), question.resource.as_str());
        if !entry.audiences.iter().any(|known| known == audience) {
            return Err(CatalogueError::Audience {
                action: name.to_owned(),
                audience: audience.to_owned(),
                known: entry.audiences.join(", "),
            });
        }
        if !entry.resources.iter().any(|pattern| pattern.matches(resource)) {
            let known: Vec<&str> = entry.resources.iter().map(|pattern| pattern.as_str()).collect();
            return Err(CatalogueError::Resource {
                action: name.to_owned(),
                resource: resource.to_owned(),
                known: known.join(", "),
            });
        }
        entry.fits(question.params.as_json(), &mut String::new())?;
        for (at, bound) in question.bounds.into_iter().flat_map(|bounds| bounds.iter()) {
            entry.bound_fits(at, bound)?;
        }
        entry.whole(question)
    }
}

impl ActionEntry {
    /// Whether a value and all within it are listed. The root is never more than a place for others.
    fn fits(&self, json: &Json, path: &mut String) -> Result<(), CatalogueError> {
        let listed = self.params.iter().find(|param| param.pointer.matches(path));
        match (json, listed) {
            (Json::Null, Some(param)) if param.need == Need::Optional => Ok(()),
            (Json::List(list), _) => {
                self.place(path)?;
                let members = list.iter().enumerate();
                members
                    .into_iter()
                    .try_for_each(|(at, value)| self.below(value, path, &at.to_string()))
            }
            (Json::Object(object), _) => {
                self.place(path)?;
                object.iter().try_for_each(|member| self.below(member.value(), path, member.name()))
            }
            (_, None) if self.others == Others::Taken => Ok(()),
            (_, None) => Err(self.unknown(path)),
            (value, Some(param)) if param.kind.takes(value) => match value {
                Json::Text(text) => self.listed(param, text, path),
                _ => Ok(()),
            },
            (_, Some(param)) => Err(self.wrong(path, param)),
        }
    }

    fn below(&self, json: &Json, path: &mut String, token: &str) -> Result<(), CatalogueError> {
        let above = path.len();
        path.push('/');
        path.push_str(&token.replace('~', "~0").replace('/', "~1"));
        let fits = self.fits(json, path);
        path.truncate(above);
        fits
    }

    /// Whether something can stand in a list or an object at this place.
    fn place(&self, path: &str) -> Result<(), CatalogueError> {
        let holds = path.is_empty()
            || self.others == Others::Taken
            || self.params.iter().any(|param| param.pointer.is_below(path));
        match self.params.iter().find(|param| param.pointer.matches(path)) {
            _ if holds => Ok(()),
            Some(param) => Err(self.wrong(path, param)),
            None => Err(self.unknown(path)),
        }
    }

    fn listed(&self, param: &ParamEntry, text: &str, path: &str) -> Result<(), CatalogueError> {
        if param.one_of.is_empty() || param.one_of.iter().any(|known| known == text) {
            return Ok(());
        }
        Err(CatalogueError::OneOf {
            action: self.name.clone(),
            pointer: path.to_owned(),
            known: param.one_of.join(", "),
        })
    }

    fn bound_fits(&self, at: &Pointer, bound: &Bound) -> Result<(), CatalogueError> {
        let path = at.as_str();
        let Some(param) = self.params.iter().find(|param| param.pointer.matches(path)) else {
            return if self.others == Others::Taken { Ok(()) } else { Err(self.unknown(path)) };
        };
        match (bound, &param.kind) {
            (Bound::Int { .. }, ParamKind::Int | ParamKind::Money { .. }) => Ok(()),
            (Bound::OneOf(texts), ParamKind::Text) => {
                texts.iter().try_for_each(|text| self.listed(param, text, path))
            }
            (Bound::Prefix(_), ParamKind::Text) => Ok(()),
            _ => Err(self.wrong(path, param)),
        }
    }

    /// Whether everything that must be there is: with a value, or within bounds.
    fn whole(&self, question: &Question<'_>) -> Result<(), CatalogueError> {
        let missing =
            self.params.iter().filter(|param| param.need == Need::Required).find(|param| {
                let Some(at) = param.pointer.exact() else { return false };
                let bound =
                    question.bounds.is_some_and(|bounds| bounds.pointers().any(|p| p == at));
                question.params.leaf(at).is_none() && !bound
            });
        match missing {
            None => Ok(()),
            Some(param) => Err(CatalogueError::Missing {
                action: self.name.clone(),
                pointer: param.pointer.to_string(),
                wanted: param.kind.noun(),
            }),
        }
    }

    fn unknown(&self, path: &str) -> CatalogueError {
        let hint = did_you_mean(path, self.params.iter().map(|param| param.pointer.as_str()));
        let shown: String = path.chars().take(120).flat_map(char::escape_debug).collect();
        CatalogueError::Unknown { action: self.name.clone(), pointer: shown, hint }
    }

    fn wrong(&self, path: &str, param: &ParamEntry) -> CatalogueError {
        CatalogueError::Type {
            action: self.name.clone(),
            pointer: path.to_owned(),
            wanted: param.kind.noun(),
        }
    }
}
