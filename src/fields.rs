//! A JSON body, member by member: each is taken once, and one that nobody takes is refused by its name.

use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{Bounds, NameError, Params};

use crate::limits;

/// A member is missing, unknown or not what it should be. It names the member, and shows nothing of its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldError(String);

impl FieldError {
    pub(crate) fn of(what: impl Into<String>) -> FieldError {
        FieldError(what.into())
    }
}

/// The members of an object that a request brings.
pub(crate) struct Fields<'a> {
    object: &'a Object,
    /// The names that were asked for.
    known: Vec<&'static str>,
}

/// One member, as it was read.
type Read<T> = Result<T, FieldError>;

impl<'a> Fields<'a> {
    pub(crate) fn of(object: &'a Object) -> Fields<'a> {
        Fields { object, known: Vec::new() }
    }

    /// Refuses whatever nobody asked for.
    pub(crate) fn end(self) -> Read<()> {
        for member in self.object.iter() {
            if !self.known.contains(&member.name()) {
                let known = self.known.join(", ");
                let name = shown(member.name());
                return Err(FieldError(format!("there is no member {name}; known: {known}")));
            }
        }
        Ok(())
    }

    /// What stands there, if it is there; `null` is as good as nothing.
    pub(crate) fn json(&mut self, name: &'static str) -> Option<&'a Json> {
        self.known.push(name);
        self.object.get(name).filter(|json| **json != Json::Null)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Read<Option<&'a str>> {
        match self.json(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    pub(crate) fn required_text(&mut self, name: &'static str) -> Read<&'a str> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A name, read by its own rules.
    pub(crate) fn name<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(text).map(Some).map_err(|error| FieldError(format!("{name}: {error}")))
    }

    pub(crate) fn required_name<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Read<T> {
        self.name(name, parse)?.ok_or_else(|| missing(name))
    }

    /// A value that a text stands for.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        wanted: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| wrong(name, wanted))
    }

    pub(crate) fn count(&mut self, name: &'static str) -> Read<Option<u64>> {
        let Some(json) = self.json(name) else { return Ok(None) };
        let count = json.as_int().and_then(|value| u64::try_from(value).ok());
        count.map(Some).ok_or_else(|| wrong(name, "an integer from 0 on"))
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Read<bool> {
        match self.json(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    /// A list of texts, as many as its limit.
    pub(crate) fn texts(&mut self, name: &'static str, count_max: usize) -> Read<Vec<&'a str>> {
        let Some(json) = self.json(name) else { return Ok(Vec::new()) };
        let Json::List(items) = json else { return Err(wrong(name, "a list of texts")) };
        if items.len() > count_max {
            return Err(FieldError(format!("{name} has more than {count_max} members")));
        }
        let text = |item: &'a Json| if let Json::Text(text) = item { Some(&**text) } else { None };
        items.iter().map(|item| text(item).ok_or_else(|| wrong(name, "a list of texts"))).collect()
    }

    /// An object of texts, as many as its limit.
    pub(crate) fn words(&mut self, name: &'static str) -> Read<Vec<(String, String)>> {
        let Some(json) = self.json(name) else { return Ok(Vec::new()) };
        let Json::Object(object) = json else { return Err(wrong(name, "an object of texts")) };
        if object.len() > limits::CONTEXT_MAX {
            let max = limits::CONTEXT_MAX;
            return Err(FieldError(format!("{name} has more than {max} members")));
        }
        let mut words = Vec::with_capacity(object.len());
        for member in object.iter() {
            let Json::Text(value) = member.value() else {
                return Err(wrong(name, "an object of texts"));
            };
            if member.name().len() + value.len() > limits::CONTEXT_BYTES_MAX {
                return Err(wrong(name, "an object of short texts"));
            }
            words.push((member.name().to_owned(), (**value).to_owned()));
        }
        Ok(words)
    }

    pub(crate) fn params(&mut self, name: &'static str) -> Read<Params> {
        let Some(json) = self.json(name) else { return Ok(Params::empty()) };
        if !matches!(json, Json::Object(_)) {
            return Err(wrong(name, "an object"));
        }
        Params::from_json(json.clone()).map_err(|error| FieldError(format!("{name}: {error}")))
    }

    pub(crate) fn bounds(&mut self, name: &'static str) -> Read<Option<Bounds>> {
        let Some(json) = self.json(name) else { return Ok(None) };
        let bounds = Bounds::from_json(json);
        bounds.map(Some).map_err(|error| FieldError(format!("{name}: {error}")))
    }
}

fn wrong(name: &'static str, wanted: &'static str) -> FieldError {
    FieldError(format!("{name} is not {wanted}"))
}

fn missing(name: &'static str) -> FieldError {
    FieldError(format!("{name} is missing"))
}

/// A name of the caller's, short enough to be shown.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(48).collect();
    format!("{short:?}")
}
