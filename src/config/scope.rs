//! A scope: the settings that may stand in one table, and who says what they are.
//!
//! A flag goes before the environment, the environment before the file, and the file before the default.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::error::{ConfigError, Place, ValueError};
use super::setting::{Kind, Setting};
use super::suggest::closest;

/// Who goes before the file.
#[derive(Clone, Copy)]
pub(super) struct Outside<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) flags: &'a [(&'static str, String)],
}

/// A table of the file, or what there is without one.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    document: Option<&'a Document<'a>>,
    table: Option<&'a DeTable<'a>>,
    settings: &'static [Setting],
    outside: Option<Outside<'a>>,
    /// What stands before the settings' paths in this table: `rules.`.
    before: &'static str,
}

/// What somebody said a setting is.
pub(super) struct Said {
    pub(super) key: String,
    pub(super) place: Place,
    raw: Raw,
}

enum Raw {
    Text(String),
    Whole(Option<u64>),
    Flag(bool),
    List(Vec<Said>),
    Names(Vec<Said>),
    /// From outside of the file, where everything is a text.
    Untyped(String),
    Other,
}

impl<'a> Scope<'a> {
    pub(super) fn whole_file(
        document: Option<&'a Document<'a>>,
        settings: &'static [Setting],
        outside: Outside<'a>,
    ) -> Scope<'a> {
        let table = document.map(|document| &document.table);
        Scope { document, table, settings, outside: Some(outside), before: "" }
    }

    /// The tables of a list of tables, each with the settings that may stand in it.
    pub(super) fn tables(
        &self,
        path: &'static str,
        (settings, before): (&'static [Setting], &'static str),
    ) -> Result<Vec<(Scope<'a>, Place)>, ConfigError> {
        let Some(value) = self.find(path) else { return Ok(Vec::new()) };
        let wanted = "a list of tables";
        let wrong = |span| self.wrong_at(path, span, ValueError::Kind { wanted });
        let DeValue::Array(list) = value.get_ref() else { return Err(wrong(value.span())) };
        let mut scopes = Vec::new();
        for value in list.iter() {
            let DeValue::Table(table) = value.get_ref() else { return Err(wrong(value.span())) };
            let scope = Scope { table: Some(table), settings, outside: None, before, ..*self };
            scopes.push((scope, self.place(value.span())));
        }
        Ok(scopes)
    }

    /// Refuses what stands in the table and is no setting.
    pub(super) fn refuse_unknown(&self) -> Result<(), ConfigError> {
        self.table.map_or(Ok(()), |table| self.refuse_unknown_in(table, self.before))
    }

    fn refuse_unknown_in(&self, table: &DeTable<'_>, before: &str) -> Result<(), ConfigError> {
        for (key, value) in table {
            let path = format!("{before}{}", key.get_ref());
            if self.settings.iter().any(|setting| setting.path == path) {
                continue;
            }
            let below = format!("{path}.");
            if !self.settings.iter().any(|setting| setting.path.starts_with(&below)) {
                return Err(self.unknown(key, before));
            }
            let not_table = || {
                let why = ValueError::Kind { wanted: "a table" };
                self.wrong_at(&path, value.span(), why)
            };
            match value.get_ref() {
                DeValue::Table(table) => self.refuse_unknown_in(table, &below)?,
                DeValue::Array(list) => {
                    for value in list.iter() {
                        let DeValue::Table(table) = value.get_ref() else {
                            return Err(not_table());
                        };
                        self.refuse_unknown_in(table, &below)?;
                    }
                }
                _ => return Err(not_table()),
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>, before: &str) -> ConfigError {
        let said = key.get_ref();
        let here = self
            .settings
            .iter()
            .filter_map(|setting| setting.path.strip_prefix(before)?.split('.').next());
        let last = |setting: &&Setting| setting.path.rsplit('.').next() == Some(said);
        // Spelt well and in the wrong place, or misspelt in the right one.
        let elsewhere = self.settings.iter().find(last).map(|setting| setting.path.to_owned());
        let meant = elsewhere.or_else(|| closest(said, here).map(|near| format!("{before}{near}")));
        let mut spot = self.document.map(|document| document.spot(&key.span()));
        if let Some(spot) = &mut spot {
            // What follows was meant for a setting that nobody knows: it may be anything, a password too.
            let end = spot.column.saturating_sub(1) + spot.letters;
            let start: String = spot.text.chars().take(end).collect();
            spot.text = format!("{start} …");
        }
        let key = format!("{before}{said}");
        match spot {
            Some(spot) => ConfigError::Unknown { spot: Box::new(spot), key, meant },
            None => ConfigError::Wrong { key, place: Place::Default, source: ValueError::Empty },
        }
    }

    /// A text that `read` makes something of, if anybody says one.
    pub(super) fn maybe<T, E: Into<ValueError>>(
        &self,
        path: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.said(path)?.map(|said| said.read(&read)).transpose()
    }

    /// The same where there is a default, or something must be said.
    pub(super) fn one<T, E: Into<ValueError>>(
        &self,
        path: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        self.must(path)?.read(&read)
    }

    pub(super) fn path(
        &self,
        path: &'static str,
    ) -> Result<Option<std::path::PathBuf>, ConfigError> {
        self.maybe(
            path,
            |text| {
                if text.is_empty() { Err(ValueError::Empty) } else { Ok(text.into()) }
            },
        )
    }

    pub(super) fn whole(&self, path: &'static str) -> Result<u64, ConfigError> {
        self.must(path)?.whole(self.setting(path))
    }

    pub(super) fn maybe_whole(&self, path: &'static str) -> Result<Option<u64>, ConfigError> {
        self.said(path)?.map(|said| said.whole(self.setting(path))).transpose()
    }

    pub(super) fn word(&self, path: &'static str) -> Result<&'static str, ConfigError> {
        let words = match self.setting(path).map(|setting| setting.kind) {
            Some(Kind::Word(words)) => words,
            _ => &[],
        };
        self.one(path, |said| {
            words.iter().find(|word| **word == said).copied().ok_or(ValueError::Word { words })
        })
    }

    pub(super) fn flag(&self, path: &'static str) -> Result<bool, ConfigError> {
        let said = self.must(path)?;
        match &said.raw {
            Raw::Flag(flag) => Ok(*flag),
            Raw::Untyped(text) if text == "true" => Ok(true),
            Raw::Untyped(text) if text == "false" => Ok(false),
            _ => Err(said.wrong(ValueError::Kind { wanted: "true or false" })),
        }
    }

    /// The members of a list of texts; nothing said is none.
    pub(super) fn texts<T, E: Into<ValueError>>(
        &self,
        path: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        self.said(path)?.map_or(Ok(Vec::new()), |said| said.texts(&read))
    }

    /// The members of a table of names; nothing said is none.
    pub(super) fn names(&self, path: &'static str) -> Result<Vec<Said>, ConfigError> {
        match self.said(path)? {
            None => Ok(Vec::new()),
            Some(Said { raw: Raw::Names(names), .. }) => Ok(names),
            Some(said) => Err(said.wrong(ValueError::Kind { wanted: "a table" })),
        }
    }

    /// What is said of a setting: nothing, or by whom.
    pub(super) fn said(&self, path: &'static str) -> Result<Option<Said>, ConfigError> {
        let setting = self.setting(path);
        if let (Some(outside), Some(setting)) = (&self.outside, setting) {
            if let Some((name, text)) = outside.flags.iter().find(|(name, _)| *name == path) {
                return Ok(Some(Said::untyped(path, Place::Flag(name), text.clone())));
            }
            let variable = Some(setting.env).filter(|name| !name.is_empty());
            if let Some((name, text)) = variable.and_then(|name| Some((name, (outside.env)(name)?)))
            {
                return Ok(Some(Said::untyped(path, Place::Environment(name), text)));
            }
        }
        if let Some(value) = self.find(path) {
            return Ok(Some(self.typed(path, value)));
        }
        let Some(text) = setting.and_then(|setting| setting.default) else { return Ok(None) };
        match DeValue::parse(text) {
            Ok(value) => Ok(Some(Said { place: Place::Default, ..self.typed(path, &value) })),
            Err(_) => Err(self.absent(path)),
        }
    }

    /// Whether anybody says anything of a setting, its default aside.
    pub(super) fn is_said(&self, path: &'static str) -> Result<Option<Place>, ConfigError> {
        Ok(self.said(path)?.map(|said| said.place).filter(|place| *place != Place::Default))
    }

    /// An error about a setting that nobody needs to have said.
    pub(super) fn wrong(&self, path: &'static str, source: ValueError) -> ConfigError {
        let place = self.is_said(path).ok().flatten().unwrap_or(Place::Default);
        ConfigError::Wrong { key: path.to_owned(), place, source }
    }

    fn must(&self, path: &'static str) -> Result<Said, ConfigError> {
        self.said(path)?.ok_or_else(|| self.absent(path))
    }

    fn absent(&self, path: &str) -> ConfigError {
        let source = ValueError::Empty;
        ConfigError::Wrong { key: path.to_owned(), place: Place::Default, source }
    }

    fn setting(&self, path: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.path == path)
    }

    fn find(&self, path: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let path = path.strip_prefix(self.before)?;
        let (mut table, mut rest) = (self.table?, path);
        while let Some((first, more)) = rest.split_once('.') {
            let DeValue::Table(inner) = table.get(first)?.get_ref() else { return None };
            (table, rest) = (inner, more);
        }
        table.get(rest)
    }

    fn typed(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Said {
        let raw = match value.get_ref() {
            DeValue::String(text) => Raw::Text(text.to_string()),
            DeValue::Integer(number) => {
                Raw::Whole(u64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Boolean(flag) => Raw::Flag(*flag),
            DeValue::Array(list) => {
                Raw::List(list.iter().map(|value| self.typed(key, value)).collect())
            }
            DeValue::Table(table) => {
                let names = table.iter().map(|(name, value)| self.typed(name.get_ref(), value));
                Raw::Names(names.collect())
            }
            DeValue::Float(_) | DeValue::Datetime(_) => Raw::Other,
        };
        Said { key: key.to_owned(), place: self.place(value.span()), raw }
    }

    fn place(&self, span: Range<usize>) -> Place {
        self.document.map_or(Place::Default, |document| Place::File(Box::new(document.spot(&span))))
    }

    fn wrong_at(&self, key: &str, span: Range<usize>, source: ValueError) -> ConfigError {
        ConfigError::Wrong { key: key.to_owned(), place: self.place(span), source }
    }
}

impl Said {
    fn untyped(key: &str, place: Place, text: String) -> Said {
        Said { key: key.to_owned(), place, raw: Raw::Untyped(text) }
    }

    pub(super) fn wrong(&self, source: impl Into<ValueError>) -> ConfigError {
        ConfigError::Wrong {
            key: self.key.clone(),
            place: self.place.clone(),
            source: source.into(),
        }
    }

    /// What `read` makes of the text.
    pub(super) fn read<T, E: Into<ValueError>>(
        &self,
        read: &impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        match &self.raw {
            Raw::Text(text) | Raw::Untyped(text) => read(text).map_err(|why| self.wrong(why)),
            _ => Err(self.wrong(ValueError::Kind { wanted: "a text in quotation marks" })),
        }
    }

    /// What `read` makes of each text of a list; a single text is a list of one.
    pub(super) fn texts<T, E: Into<ValueError>>(
        &self,
        read: &impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        match &self.raw {
            Raw::List(list) => list.iter().map(|said| said.read(read)).collect(),
            Raw::Untyped(text) => {
                let each = text.split(',').map(|one| read(one.trim()));
                each.collect::<Result<_, _>>().map_err(|why| self.wrong(why))
            }
            _ => Ok(vec![self.read(read)?]),
        }
    }

    fn whole(&self, setting: Option<&Setting>) -> Result<u64, ConfigError> {
        let (min, max) = match setting.map(|setting| setting.kind) {
            Some(Kind::Whole { min, max }) => (min, max),
            _ => (0, u64::MAX),
        };
        let number = match &self.raw {
            Raw::Whole(number) => *number,
            Raw::Untyped(text) => text.parse().ok(),
            _ => None,
        };
        let fits = number.filter(|number| (min..=max).contains(number));
        fits.ok_or_else(|| self.wrong(ValueError::Range { min, max }))
    }
}
