//! The catalogue, `policies/actions.toml`: which actions there are, and what each of them takes.
//!
//! ```toml
//! [action."erp.pay-invoice"]
//! sentence = "Pay an invoice"
//! audience = "erp"
//! resource = "invoice/*"
//! [action."erp.pay-invoice".params]
//! "/amount" = { type = "money", unit = "EUR", digits = 2, required = true, label = "Amount" }
//! "/vendor" = { type = "text", required = true }
//! ```
//!
//! A request that does not fit is told so before any rule looks at it, and a rule that names what is not
//! here is an error: a misspelt action would be refused for ever, and a misspelt refusal never.

mod fit;
mod label;
mod pattern;
mod read;

use std::collections::BTreeMap;

pub use self::fit::CatalogueError;
pub use self::label::Label;
pub use self::pattern::{PointerPattern, ResourcePattern};

use super::flaw::{Flaw, FlawKind};
use super::near::did_you_mean;
use super::parse::Finder;
use super::statement::{Atom, Body, From};
use super::value::Value;
use super::word::Given;

/// Every action that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    actions: BTreeMap<String, ActionEntry>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionEntry {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence for people.
    pub sentence: String,
    /// The APIs that can do it.
    pub audiences: Vec<String>,
    /// What it can be done to.
    pub resources: Vec<ResourcePattern>,
    /// What it takes.
    pub params: Vec<ParamEntry>,
    /// Whether it takes other parameters too.
    pub others: Others,
}

/// What is thought of parameters that a catalogue does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They do not fit.
    Refused,
    /// They are taken as they come.
    Taken,
}

/// One parameter of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamEntry {
    /// Where it stands; `*` is any member of a list.
    pub pointer: PointerPattern,
    /// What it is called.
    pub label: String,
    /// What it is.
    pub kind: ParamKind,
    /// Whether it must be there.
    pub need: Need,
    /// What it can be; anything where nothing is listed.
    pub one_of: Vec<String>,
}

/// Whether a parameter must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// What a parameter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A text.
    Text,
    /// An integer.
    Int,
    /// `true` or `false`.
    Flag,
    /// A number with a fraction, or an integer.
    Decimal,
    /// An amount of money, in the smallest unit.
    Money {
        /// The currency.
        unit: String,
        /// How many digits of it stand behind the point.
        digits: u8,
    },
}

impl ParamKind {
    /// Its word in the catalogue.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            ParamKind::Text => "text",
            ParamKind::Int => "int",
            ParamKind::Flag => "flag",
            ParamKind::Decimal => "decimal",
            ParamKind::Money { .. } => "money",
        }
    }

    /// Whether a rule that asks for this given fact can find such a parameter.
    fn is_read_by(&self, given: Given) -> bool {
        matches!(
            (self, given),
            (ParamKind::Text, Given::Text | Given::TextOneOf | Given::TextPrefix)
                | (
                    ParamKind::Int | ParamKind::Money { .. },
                    Given::Int | Given::IntAtMost | Given::IntAtLeast
                )
                | (ParamKind::Flag, Given::Flag)
                | (ParamKind::Decimal, Given::Decimal | Given::Int)
        )
    }
}

impl Catalogue {
    /// The actions by name.
    pub fn actions(&self) -> impl Iterator<Item = &ActionEntry> {
        self.actions.values()
    }

    /// The action of this name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&ActionEntry> {
        self.actions.get(name)
    }

    /// What a body names that is not here.
    pub(super) fn screen(&self, body: &Body, finder: &Finder<'_>, flaws: &mut Vec<Flaw>) {
        let action = body.literal_of(Given::Action);
        for atom in &body.atoms {
            let From::Given(given) = atom.from else { continue };
            let Some(literal) = atom.literal_text(0) else { continue };
            let missing = match given {
                Given::Action => self.missing_action(literal),
                Given::Audience => self.missing_audience(literal, action),
                given if given.is_parameter() => self.missing_param(atom, given, action),
                _ => None,
            };
            if let Some((message, hint)) = missing {
                let at = finder.value(&Value::text(literal));
                flaws.push(finder.flaw(FlawKind::OffCatalogue, at, message).maybe(hint));
            }
        }
    }

    fn missing_action(&self, name: &str) -> Option<(String, Option<String>)> {
        if self.actions.contains_key(name) {
            return None;
        }
        let hint = did_you_mean(name, self.actions.keys().map(String::as_str));
        Some((format!("the catalogue has no action {name}"), hint))
    }

    fn missing_audience(
        &self,
        name: &str,
        action: Option<&str>,
    ) -> Option<(String, Option<String>)> {
        let entries = || self.entries(action);
        let known = || entries().flat_map(|entry| entry.audiences.iter().map(String::as_str));
        if known().any(|known| known == name) || entries().next().is_none() {
            return None;
        }
        let of = action.map_or("the catalogue's actions are".to_owned(), |a| format!("{a} is"));
        Some((format!("{of} not done by {name}"), did_you_mean(name, known())))
    }

    fn missing_param(
        &self,
        atom: &Atom,
        given: Given,
        action: Option<&str>,
    ) -> Option<(String, Option<String>)> {
        let pointer = atom.literal_text(0)?;
        let entries = || self.entries(action);
        let open = entries().any(|entry| entry.others == Others::Taken);
        let params = || entries().flat_map(|entry| &entry.params);
        let fits = |param: &ParamEntry| param.pointer.matches(pointer);
        if open
            || entries().next().is_none()
            || params().any(|p| fits(p) && p.kind.is_read_by(given))
        {
            return None;
        }
        let of = action.unwrap_or("the catalogue's actions");
        if let Some(param) = params().find(|param| fits(param)) {
            let message = format!("{pointer} of {of} is of the type {}", param.kind.word());
            return Some((message, Some(format!("{} never finds it", given.name()))));
        }
        let hint = did_you_mean(pointer, params().map(|param| param.pointer.as_str()));
        Some((format!("{of} has no parameter {pointer}"), hint))
    }

    /// The entry of an action, or all of them where a rule names none.
    fn entries(&self, action: Option<&str>) -> impl Iterator<Item = &ActionEntry> {
        self.actions.values().filter(move |entry| action.is_none_or(|name| entry.name == name))
    }

    /// Whether a request of this action that fits always has this parameter as this kind.
    pub(super) fn types(&self, action: Option<&str>, pointer: &str, given: Given) -> bool {
        let mut entries = self.entries(action).peekable();
        entries.peek().is_some()
            && entries.all(|entry| {
                entry.others == Others::Refused
                    && entry.params.iter().filter(|param| param.pointer.matches(pointer)).all(
                        |param| param.kind.is_read_by(given) && param.kind != ParamKind::Decimal,
                    )
            })
    }

    /// Everything of it that decides, for a hash.
    pub(super) fn feed(&self, feed: &mut dyn FnMut(&str)) {
        for entry in self.actions.values() {
            feed("action");
            feed(&entry.name);
            entry.audiences.iter().for_each(|audience| feed(audience));
            feed("resources");
            entry.resources.iter().for_each(|pattern| feed(pattern.as_str()));
            feed(if entry.others == Others::Taken { "open" } else { "closed" });
            for param in &entry.params {
                feed(param.pointer.as_str());
                feed(param.kind.word());
                feed(if param.need == Need::Required { "required" } else { "optional" });
                param.one_of.iter().for_each(|value| feed(value));
            }
        }
    }
}
