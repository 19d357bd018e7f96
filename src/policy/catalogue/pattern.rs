//! Patterns: of resources, and of places in parameters.

use std::fmt;

use farebox_verifier::{Pointer, PointerError};

/// What resources an action can be done to: `*` is anything without a slash, `**` is anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePattern(String);

/// Where a parameter stands: a JSON Pointer in which `*` is any one name or index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointerPattern(Pointer);

impl ResourcePattern {
    pub(super) fn new(text: &str) -> ResourcePattern {
        ResourcePattern(text.to_owned())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a resource fits.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        let text: Vec<char> = resource.chars().collect();
        // Which starts of the text the pattern so far can stand for.
        let mut fits = vec![false; text.len() + 1];
        if let Some(first) = fits.first_mut() {
            *first = true;
        }
        let mut pattern = self.0.chars().peekable();
        while let Some(c) = pattern.next() {
            if c != '*' {
                let mut next = vec![false; text.len() + 1];
                for ((to, from), letter) in next.iter_mut().skip(1).zip(&fits).zip(&text) {
                    *to = *from && *letter == c;
                }
                fits = next;
                continue;
            }
            let any = pattern.next_if_eq(&'*').is_some();
            let mut reached = false;
            for (at, fit) in fits.iter_mut().enumerate() {
                let passed = at.checked_sub(1).and_then(|before| text.get(before));
                reached = *fit || (reached && passed.is_some_and(|letter| any || *letter != '/'));
                *fit = reached;
            }
        }
        fits.last().copied().unwrap_or(false)
    }
}

impl PointerPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PointerError`] where it is no pointer.
    pub fn parse(text: &str) -> Result<PointerPattern, PointerError> {
        Pointer::parse(text).map(PointerPattern)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a pointer's text fits.
    #[must_use]
    pub fn matches(&self, pointer: &str) -> bool {
        let (own, other) = (self.as_str().split('/'), pointer.split('/'));
        own.clone().count() == other.clone().count() && own.zip(other).all(fits)
    }

    /// Whether what stands at a pointer can hold what stands here.
    pub(super) fn is_below(&self, pointer: &str) -> bool {
        let (own, other) = (self.as_str().split('/'), pointer.split('/'));
        own.clone().count() > other.clone().count() && own.zip(other).all(fits)
    }

    /// The pattern as a pointer, where it is no pattern.
    pub(super) fn exact(&self) -> Option<&Pointer> {
        let star = self.as_str().split('/').any(|token| token == "*");
        (!star).then_some(&self.0)
    }
}

fn fits((own, other): (&str, &str)) -> bool {
    own == "*" || own == other
}

impl fmt::Display for PointerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        let table = [
            ("invoice/*", "invoice/7", true),
            ("invoice/*", "invoice/7/line", false),
            ("invoice/*", "invoice/", true),
            ("invoice/*", "Invoice/7", false),
            ("bucket/**", "bucket/a/b", true),
            ("**", "", true),
            ("*-prod", "eu-prod", true),
            ("*-prod", "eu/prod", false),
            ("repo/*/pull", "repo/a/pull", true),
            ("repo/*/pull", "repo/a/b/pull", false),
            ("a*a*a", "aaaaab", false),
            ("exact", "exact", true),
            ("exact", "exac", false),
        ];
        for (pattern, text, want) in table {
            assert_eq!(ResourcePattern::new(pattern).matches(text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_in_a_pointer_is_one_member() {
        let pattern = PointerPattern::parse("/items/*/sku").unwrap();
        assert!(pattern.matches("/items/12/sku"));
        assert!(!pattern.matches("/items/12/13/sku"));
        assert!(pattern.is_below("/items/12"));
        assert!(!pattern.is_below("/other"));
    }
}
