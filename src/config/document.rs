//! The file of the configuration, and where something stands in it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::error::ConfigError;

/// A file's text and what it says.
pub(super) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    pub(super) table: DeTable<'a>,
}

/// A place in the file, to be shown to whoever has to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Which file.
    pub path: PathBuf,
    /// Which line, from one.
    pub line: usize,
    /// Which letter of it, from one.
    pub column: usize,
    /// The line; what may be a secret is left out.
    pub text: String,
    /// How many letters are meant.
    pub letters: usize,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

impl Spot {
    /// The line with its number, and a caret below what is meant.
    #[must_use]
    pub fn excerpt(&self) -> Vec<String> {
        let margin = " ".repeat(self.line.to_string().len());
        let before = " ".repeat(self.column.saturating_sub(1));
        vec![
            format!("{} | {}", self.line, self.text),
            format!("{margin} | {before}{}", "^".repeat(self.letters.max(1))),
        ]
    }
}

impl<'a> Document<'a> {
    pub(super) fn parse(path: &'a Path, text: &'a str) -> Result<Document<'a>, ConfigError> {
        let mut document = Document { path, text, table: DeTable::new() };
        match DeTable::parse(text) {
            Ok(table) => document.table = table.into_inner(),
            Err(error) => {
                let end = text.len();
                let spot = Box::new(document.spot(&error.span().unwrap_or(end..end)));
                let what = error.message().lines().next().unwrap_or_default().to_owned();
                return Err(ConfigError::Syntax { spot, what });
            }
        }
        Ok(document)
    }

    /// Where these bytes stand.
    pub(super) fn spot(&self, span: &Range<usize>) -> Spot {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let letters = self.text.get(span.clone()).unwrap_or_default();
        let letters = letters.lines().next().unwrap_or_default().chars().count();
        let text = shown(line);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        let room = text.chars().count().saturating_sub(column - 1);
        Spot {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column,
            letters: letters.min(room).max(1),
            text,
        }
    }
}

/// The line without what may be a password: errors end in logs.
fn shown(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let named = ["pass", "secret", "token"].into_iter().filter_map(|word| {
        let word = lower.find(word)?;
        lower.get(word..)?.find('=').map(|at| word + at + 1)
    });
    let login = ["redis://", "rediss://"].into_iter().filter_map(|start| {
        let at = lower.find(start)?;
        Some(at + start.len())
    });
    // A file's name is no secret, and is what is wrong more often than not.
    let file = lower.contains("_file");
    let cut = login.chain(named.filter(|_| !file)).min();
    match cut.and_then(|at| line.get(..at)) {
        Some(start) => format!("{start}…"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_its_line_and_a_caret() {
        let text = "a = 1\n\"früh\" = \"x\"  # ü\n";
        let document = Document::parse(Path::new("f.toml"), text).unwrap();
        let at = text.find("\"x\"").unwrap();
        let spot = document.spot(&(at..at + 3));
        assert_eq!(spot.to_string(), "f.toml:2:10");
        assert_eq!(spot.excerpt(), ["2 | \"früh\" = \"x\"  # ü", "  |          ^^^"]);
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        for (line, want) in [
            ("password = \"hunter2\"", "password =…"),
            ("url = \"redis://me:hunter2@r1\"", "url = \"redis://…"),
            ("url = \"rediss://u:hunter2", "url = \"rediss://…"),
            ("store = { Password = 'hunter2', url = 'redis://hunter2' }", "store = { Password =…"),
            ("password_file = \"/run/x\"", "password_file = \"/run/x\""),
            ("listen = \"x\"", "listen = \"x\""),
        ] {
            assert_eq!(shown(line), want);
        }
    }
}
