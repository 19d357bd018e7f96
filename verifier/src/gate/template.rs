//! A resource's template: `account/{id}`, filled from the captured values of a path.

use super::problem::{Fault, Malformed};
use crate::name::{NameError, Resource};

/// A resource with gaps.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(Box<str>),
    Value(Box<str>),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("a brace is not closed, not opened, or holds no name")]
    Braces,
    /// `{a}-{b}` filled with `x-y` and `z` is the same resource as with `x` and `y-z`.
    #[error("two values stand in one segment, so that two requests could name one resource")]
    Ambiguous,
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Braces)?;
            if name.is_empty() || name.contains('{') || before.contains('}') {
                return Err(TemplateError::Braces);
            }
            if parts.iter().any(|part| matches!(part, Part::Value(_))) && !before.contains('/') {
                return Err(TemplateError::Ambiguous);
            }
            parts.push(Part::Text(before.into()));
            parts.push(Part::Value(name.into()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(TemplateError::Braces);
        }
        parts.push(Part::Text(rest.into()));
        let template = Template(parts);
        Resource::parse(&template.join(|_| Some("x")).unwrap_or_default())?;
        Ok(template)
    }

    /// Whether it takes the value of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(value) if **value == *name))
    }

    /// The resource that these values make.
    ///
    /// A value that holds a `/` came in as `%2F`: taken as it is, it would move the segments behind it.
    pub(super) fn fill(&self, captured: &[(String, String)]) -> Result<Resource, Fault> {
        let value = |name: &str| captured.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let odd = |(name, value): &&(String, String)| {
            self.takes(name) && (value.is_empty() || value.contains('/'))
        };
        if captured.iter().find(odd).is_some() {
            return Err(Malformed::Resource.into());
        }
        let text = self.join(value).ok_or(Fault::Misrouted)?;
        Ok(Resource::parse(&text).or(Err(Malformed::Resource))?)
    }

    fn join<'a>(&'a self, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let fill = |part: &'a Part| match part {
            Part::Text(text) => Some(&**text),
            Part::Value(name) => value(name),
        };
        self.0.iter().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, Fault> {
        let values: Vec<_> = values.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Template::parse(template).unwrap().fill(&values).map(|r| r.as_str().to_owned())
    }

    #[test]
    fn values_stand_where_their_names_stood() {
        assert_eq!(fill("account/{id}", &[("id", "42")]).unwrap(), "account/42");
        assert_eq!(fill("a/{x}/b-{y}", &[("y", "2"), ("x", "1")]).unwrap(), "a/1/b-2");
        assert_eq!(fill("the/ledger", &[]).unwrap(), "the/ledger");
    }

    #[test]
    fn a_value_that_makes_no_resource_or_another_one_is_refused() {
        for value in ["4/2", "", "/", "a\nb", "\u{202e}", &"x".repeat(512)] {
            let refused = fill("account/{id}", &[("id", value)]);
            assert_eq!(refused, Err(Malformed::Resource.into()), "{value:?}");
        }
    }

    #[test]
    fn a_value_that_the_path_does_not_capture_is_a_fault_of_the_route() {
        assert_eq!(fill("account/{id}", &[("other", "1")]), Err(Fault::Misrouted));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["{", "}", "{}", "a}b", "{a{b}}", "{a}}", "a{b", ""] {
            assert!(Template::parse(text).is_err(), "{text:?}");
        }
        for text in ["{a}{b}", "x/{a}-{b}", "{a}.{b}/c"] {
            assert_eq!(Template::parse(text).unwrap_err(), TemplateError::Ambiguous, "{text:?}");
        }
    }
}
