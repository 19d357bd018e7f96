//! The catalogue's file, read with its places.

use std::collections::BTreeMap;
use std::ops::Range;

use farebox_verifier::{Action, Audience};
use serde::Deserialize;
use toml::Spanned;

use super::pattern::{PointerPattern, ResourcePattern};
use super::{ActionEntry, Catalogue, Need, Others, ParamEntry, ParamKind};
use crate::policy::flaw::{Flaw, FlawKind};
use crate::policy::source::SourceFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    action: BTreeMap<Spanned<String>, RawAction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    sentence: String,
    audience: Spanned<OneOrMany>,
    resource: OneOrMany,
    /// Takes parameters that are not listed.
    #[serde(default)]
    open: bool,
    #[serde(default)]
    params: BTreeMap<Spanned<String>, RawParam>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParam {
    r#type: Spanned<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    one_of: Vec<String>,
    label: Option<String>,
    unit: Option<String>,
    digits: Option<u8>,
}

impl OneOrMany {
    fn all(&self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) => many.clone(),
        }
    }
}

impl Catalogue {
    /// Reads the file.
    pub(in crate::policy) fn read(file: &SourceFile) -> Result<Catalogue, Vec<Flaw>> {
        let raw: RawFile = toml::from_str(&file.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            vec![file.flaw(FlawKind::Catalogue, at, error.message())]
        })?;
        let mut reading = Reading { file, flaws: Vec::new() };
        let actions = raw.action.iter().map(|(name, raw)| {
            let entry = reading.action(name, raw);
            (entry.name.clone(), entry)
        });
        let catalogue = Catalogue { actions: actions.collect() };
        if reading.flaws.is_empty() { Ok(catalogue) } else { Err(reading.flaws) }
    }
}

struct Reading<'f> {
    file: &'f SourceFile,
    flaws: Vec<Flaw>,
}

impl Reading<'_> {
    fn say(&mut self, at: &Range<usize>, message: String) {
        self.flaws.push(self.file.flaw(FlawKind::Catalogue, at.start, message));
    }

    fn action(&mut self, name: &Spanned<String>, raw: &RawAction) -> ActionEntry {
        let text = name.get_ref();
        if let Err(why) = Action::parse(text) {
            self.say(&name.span(), format!("{text:?} is no action: {why}"));
        }
        let (audiences, resources) = (raw.audience.get_ref().all(), raw.resource.all());
        for audience in &audiences {
            if let Err(why) = Audience::parse(audience) {
                self.say(&raw.audience.span(), format!("{audience:?} is no audience: {why}"));
            }
        }
        if audiences.is_empty() || resources.is_empty() {
            self.say(&name.span(), format!("{text} has no audience, or no resource"));
        }
        // In the order of the file, in which people are to read them.
        let mut listed: Vec<_> = raw.params.iter().collect();
        listed.sort_by_key(|(at, _)| at.span().start);
        let params = listed.into_iter().filter_map(|(at, raw)| self.param(at, raw)).collect();
        ActionEntry {
            name: text.clone(),
            sentence: raw.sentence.clone(),
            audiences,
            resources: resources.iter().map(|text| ResourcePattern::new(text)).collect(),
            params,
            others: if raw.open { Others::Taken } else { Others::Refused },
        }
    }

    fn param(&mut self, at: &Spanned<String>, raw: &RawParam) -> Option<ParamEntry> {
        let pointer = match PointerPattern::parse(at.get_ref()) {
            Ok(pointer) => pointer,
            Err(why) => {
                self.say(&at.span(), format!("{:?} is no pointer: {why}", at.get_ref()));
                return None;
            }
        };
        let kind = match (raw.r#type.get_ref().as_str(), &raw.unit) {
            ("text", None) => ParamKind::Text,
            ("int", None) => ParamKind::Int,
            ("flag", None) => ParamKind::Flag,
            ("decimal", None) => ParamKind::Decimal,
            ("money", Some(unit)) => {
                ParamKind::Money { unit: unit.clone(), digits: raw.digits.unwrap_or(2).min(9) }
            }
            ("money", None) => {
                self.say(&raw.r#type.span(), "money has a unit, such as EUR".to_owned());
                return None;
            }
            ("text" | "int" | "flag" | "decimal", Some(_)) => {
                self.say(&raw.r#type.span(), "only money has a unit".to_owned());
                return None;
            }
            (other, _) => {
                let message = format!("{other:?} is none of text, int, flag, decimal, money");
                self.say(&raw.r#type.span(), message);
                return None;
            }
        };
        if !raw.one_of.is_empty() && kind != ParamKind::Text {
            self.say(&at.span(), "only a text is one of several".to_owned());
        }
        Some(ParamEntry {
            label: raw.label.clone().unwrap_or_else(|| pointer.to_string()),
            pointer,
            kind,
            need: if raw.required { Need::Required } else { Need::Optional },
            one_of: raw.one_of.clone(),
        })
    }
}
