//! The output: the one place that prints, and what it prints cannot move a terminal's cursor.

use std::error::Error;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::Exit;
use super::answer::Answer;
use super::failure::Failure;

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

impl Form {
    /// The form that the flag `--json` asks for.
    pub(super) fn of(json: bool) -> Form {
        if json { Form::Json } else { Form::Text }
    }
}

/// Standard output and standard error.
pub(super) struct Output {
    form: Form,
    out: io::StdoutLock<'static>,
    err: io::StderrLock<'static>,
}

impl Output {
    pub(super) fn new(form: Form) -> Output {
        Output { form, out: io::stdout().lock(), err: io::stderr().lock() }
    }

    pub(super) fn answer(&mut self, answer: &Answer) -> io::Result<Exit> {
        if self.form == Form::Json {
            self.json(&answer.json)?;
            return Ok(answer.exit);
        }
        for line in &answer.lines {
            writeln!(self.out, "{}", safe(line))?;
        }
        self.out.flush()?;
        answer.notes.iter().try_for_each(|note| self.note(note))?;
        Ok(answer.exit)
    }

    /// A line of a command that goes on: for people and scripts alike.
    pub(super) fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", safe(line))?;
        self.out.flush()
    }

    /// What people should know and no pipe should carry.
    pub(super) fn note(&mut self, note: &str) -> io::Result<()> {
        // What goes on in the next line stands further in, so that no text can look like a note of its own.
        for (n, line) in note.lines().enumerate() {
            let before = if n == 0 { "farebox: " } else { "  " };
            writeln!(self.err, "{before}{}", safe(line))?;
        }
        Ok(())
    }

    pub(super) fn failure(&mut self, failure: &Failure) -> io::Result<Exit> {
        let detail = chain(failure);
        writeln!(self.err, "farebox: {}", safe(&detail))?;
        if self.form == Form::Json {
            self.json(&json!({ "code": failure.code(), "detail": detail }))?;
        }
        Ok(failure.exit())
    }

    /// Says what is wrong with the command line.
    pub(super) fn usage(&mut self, detail: &str) -> io::Result<Exit> {
        write!(self.err, "farebox: ")?;
        for line in detail.lines() {
            writeln!(self.err, "{}", safe(line))?;
        }
        if self.form == Form::Json {
            let detail = detail.lines().next().unwrap_or_default();
            self.json(&json!({ "code": "usage", "detail": detail }))?;
        }
        Ok(Exit::Usage)
    }

    /// Shows a page of our own text: help, or the version.
    pub(super) fn page(&mut self, text: &str) -> io::Result<Exit> {
        write!(self.out, "{text}")?;
        self.out.flush()?;
        Ok(Exit::Done)
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        // What misleads stands inside of strings only, where JSON has the same escape for it.
        let mut text = String::new();
        for c in value.to_string().chars() {
            if misleads(c) {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                text.push(c);
            }
        }
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }
}

/// The failure and what is behind it.
fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut behind = failure.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}

/// The text with every character escaped that does not show as what it is.
fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if misleads(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Controls, line separators and direction marks. All of them are in the first plane, which the escape of
/// JSON needs.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_is_escaped() {
        assert_eq!(safe("a\u{1b}[2J\u{202e}\u{9b}b"), r"a\u{1b}[2J\u{202e}\u{9b}b");
        assert_eq!(safe("ü €"), "ü €");
    }
}
