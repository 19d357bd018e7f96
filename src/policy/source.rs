//! A file's text, taken apart into statements before any parser sees it.
//!
//! The parser's stack grows with what it reads, so what nests too deep is refused here. Comments are
//! blanked out, one space for each byte, so that they may stand inside of a statement and every place
//! stays where it was. The comment above a statement is its label.

use super::flaw::{Flaw, FlawKind, Place};
use crate::limits::{STATEMENT_BYTES_MAX, STATEMENT_DEPTH_MAX, STATEMENT_OPERATORS_MAX};

/// A file and where its lines begin.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) name: String,
    pub(super) text: String,
    lines: Vec<usize>,
}

/// One statement's text, without its semicolon.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it begins in the file, in bytes.
    pub(super) start: usize,
    /// Its text, comments blanked out.
    pub(super) code: String,
    /// The comment right above it.
    pub(super) label: Option<String>,
}

impl SourceFile {
    pub(super) fn new(name: &str, text: &str) -> SourceFile {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        SourceFile { name: name.to_owned(), text: text.to_owned(), lines }
    }

    /// The place of a byte.
    pub(super) fn place(&self, at: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        let source = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        Place {
            file: self.name.clone(),
            line,
            column: before.chars().count() + 1,
            source: source.to_owned(),
        }
    }

    pub(super) fn flaw(&self, kind: FlawKind, at: usize, message: impl Into<String>) -> Flaw {
        Flaw::new(kind, self.place(at), message)
    }

    /// Its statements, and what keeps parts of it from being any.
    pub(super) fn split(&self) -> (Vec<Piece>, Vec<Flaw>) {
        let mut splitter = Splitter::new(self);
        splitter.run();
        (splitter.pieces, splitter.flaws)
    }
}

/// The statement that is being read.
#[derive(Default)]
struct Open {
    code: String,
    start: Option<usize>,
    depth: usize,
    negations: usize,
    operators: usize,
    /// Something is wrong with it that was said already.
    spoilt: bool,
}

struct Splitter<'f> {
    file: &'f SourceFile,
    open: Open,
    label: Vec<String>,
    /// The line after that of the last comment.
    label_before: usize,
    /// The line on which the last statement ended: a comment beside it is no label of the next.
    closed_on: usize,
    pieces: Vec<Piece>,
    flaws: Vec<Flaw>,
}

impl<'f> Splitter<'f> {
    fn new(file: &'f SourceFile) -> Splitter<'f> {
        Splitter {
            file,
            open: Open::default(),
            label: Vec::new(),
            label_before: 0,
            closed_on: 0,
            pieces: Vec::new(),
            flaws: Vec::new(),
        }
    }

    fn run(&mut self) {
        let file = self.file;
        let mut at = 0;
        while let Some(rest) = file.text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(c) = rest.chars().next() else { break };
            at += match c {
                _ if rest.starts_with("//") => {
                    self.comment(at, rest.find('\n').unwrap_or(rest.len()))
                }
                _ if rest.starts_with("/*") => self.block_comment(at, rest),
                '"' => self.text(at, rest),
                ';' => {
                    self.close();
                    self.closed_on = file.place(at).line;
                    1
                }
                _ => self.letter(at, c),
            };
        }
        if self.open.start.is_some() && !self.open.spoilt {
            let end = file.text.trim_end().len();
            let flaw = file.flaw(FlawKind::Syntax, end, "the last statement has no semicolon");
            self.flaws.push(flaw.hint("end it with ;"));
        }
        self.close();
    }

    /// Spaces for a comment, so that places stay what they are.
    fn blank(&mut self, text: &str) {
        let spaces = text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        if self.open.start.is_some() {
            self.open.code.extend(spaces);
        }
    }

    fn comment(&mut self, at: usize, len: usize) -> usize {
        let text = self.file.text.get(at..at + len).unwrap_or_default();
        self.look_at(at, text);
        self.blank(text);
        let line = self.file.place(at).line;
        if self.open.start.is_none() && self.closed_on != line {
            if self.label_before != line {
                self.label.clear();
            }
            let words = text.trim_start_matches('/').trim();
            // A line of dashes is an ornament.
            if words.chars().any(char::is_alphanumeric) {
                self.label.push(words.to_owned());
            }
            self.label_before = line + 1;
        }
        len
    }

    fn block_comment(&mut self, at: usize, rest: &str) -> usize {
        let len = match rest.find("*/") {
            Some(end) => end + 2,
            None => {
                self.flaws.push(self.file.flaw(FlawKind::Syntax, at, "this comment has no end"));
                rest.len()
            }
        };
        let text = rest.get(..len).unwrap_or_default();
        self.look_at(at, text);
        self.blank(text);
        len
    }

    fn text(&mut self, at: usize, rest: &str) -> usize {
        self.begin(at);
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| match c {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            '"' | '\n' => true,
            _ => false,
        });
        let len = match end {
            Some((end, '"')) => end + 1,
            Some((end, _)) => self.endless(at, end),
            None => self.endless(at, rest.len()),
        };
        let text = rest.get(..len).unwrap_or_default();
        self.look_at(at, text);
        self.open.code.push_str(text);
        self.open.negations = 0;
        len
    }

    fn endless(&mut self, at: usize, len: usize) -> usize {
        self.spoil(
            FlawKind::Syntax,
            at,
            "this text has no end",
            "close it with \" on its own line",
        );
        len
    }

    fn letter(&mut self, at: usize, c: char) -> usize {
        if c.is_whitespace() && c.is_ascii() {
            if self.open.start.is_some() {
                self.open.code.push(c);
            }
            return c.len_utf8();
        }
        self.begin(at);
        if !c.is_ascii() || c.is_ascii_control() {
            let message = format!("U+{:04X} stands outside of a text", u32::from(c));
            self.spoil(
                FlawKind::Syntax,
                at,
                &message,
                "names have letters of a to z, digits and _",
            );
        }
        match c {
            '(' | '[' | '{' => self.open.depth += 1,
            ')' | ']' | '}' => self.open.depth = self.open.depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '&' | '|' | '^' | '.' => self.open.operators += 1,
            _ => {}
        }
        self.open.negations = if c == '!' { self.open.negations + 1 } else { 0 };
        if self.open.depth + self.open.negations > STATEMENT_DEPTH_MAX {
            let message = format!("this nests deeper than {STATEMENT_DEPTH_MAX}");
            self.spoil(FlawKind::Limit, at, &message, "take it apart into several rules");
        }
        if self.open.operators > STATEMENT_OPERATORS_MAX {
            let message = format!("this statement has over {STATEMENT_OPERATORS_MAX} operators");
            self.spoil(FlawKind::Limit, at, &message, "take it apart into several rules");
        }
        self.open.code.push(c);
        c.len_utf8()
    }

    fn begin(&mut self, at: usize) {
        if self.open.start.is_none() {
            self.open.start = Some(at);
            if self.label_before != self.file.place(at).line {
                self.label.clear();
            }
        }
    }

    fn spoil(&mut self, kind: FlawKind, at: usize, message: &str, hint: &str) {
        if !std::mem::replace(&mut self.open.spoilt, true) {
            self.flaws.push(self.file.flaw(kind, at, message).hint(hint));
        }
    }

    /// Characters that show as something else than they are: what a reviewer reads must be what decides.
    fn look_at(&mut self, at: usize, text: &str) {
        let Some((inner, c)) = text.char_indices().find(|(_, c)| misleads(*c)) else { return };
        let message = format!("U+{:04X} misleads whoever reads this", u32::from(c));
        self.flaws.push(self.file.flaw(FlawKind::Syntax, at + inner, message).hint("take it out"));
    }

    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        let label = std::mem::take(&mut self.label);
        self.label_before = 0;
        let Some(start) = open.start else { return };
        if open.spoilt {
            return;
        }
        let code = open.code.trim_end().to_owned();
        if code.len() > STATEMENT_BYTES_MAX {
            let message = format!("this statement has over {STATEMENT_BYTES_MAX} bytes");
            let flaw = self.file.flaw(FlawKind::Limit, start, message);
            self.flaws.push(flaw.hint("put long lists into a table, policies/data/NAME.csv"));
            return;
        }
        let label = (!label.is_empty()).then(|| label.join(" "));
        self.pieces.push(Piece { start, code, label });
    }
}

/// Controls, direction marks and what does not show.
pub(super) fn misleads(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        let (pieces, flaws) = SourceFile::new("a", text).split();
        assert_eq!(flaws, [], "{text}");
        pieces.into_iter().map(|piece| piece.code).collect()
    }

    fn flaw(text: &str) -> String {
        let (_, flaws) = SourceFile::new("a", text).split();
        assert_eq!(flaws.len(), 1, "{text:?} {flaws:?}");
        flaws[0].to_string()
    }

    #[test]
    fn a_semicolon_in_a_text_or_a_comment_ends_nothing() {
        assert_eq!(codes(r#"a("x;y\";"); /* ; */ b(1); // c;"#), [r#"a("x;y\";")"#, "b(1)"]);
    }

    #[test]
    fn a_comment_inside_of_a_statement_leaves_every_place_where_it_was() {
        let file = SourceFile::new("a", "allow if a(1), // one\n  b(2);");
        let (pieces, _) = file.split();
        assert_eq!(pieces[0].code, "allow if a(1),       \n  b(2)");
        assert_eq!(file.place(24).to_string(), "a:2:3");
    }

    #[test]
    fn the_comment_right_above_a_statement_is_its_label_and_no_other() {
        let text = "// far\n\n// near,\n// and more\na(1);\n\nb(2); // beside\nc(3);";
        let (pieces, _) = SourceFile::new("a", text).split();
        let labels: Vec<_> = pieces.iter().map(|piece| piece.label.as_deref()).collect();
        assert_eq!(labels, [Some("near, and more"), None, None]);
    }

    #[test]
    fn what_the_parser_would_overflow_on_never_reaches_it() {
        for deep in ["(", "[", "{", "!"] {
            let text = format!("allow if {};", deep.repeat(100_000));
            assert!(flaw(&text).contains("nests deeper"), "{deep}");
        }
        let long = format!("allow if 1{} > 0;", "+1".repeat(2_000));
        assert!(flaw(&long).contains("operators"));
    }

    #[test]
    fn what_would_mislead_a_reviewer_is_refused() {
        assert!(flaw("// \u{202e} good").contains("U+202E"));
        assert!(flaw("v\u{161}ndor(1);").contains("U+0161"));
        assert!(flaw("a(\"x\u{200b}\");").contains("U+200B"));
        assert!(flaw("a(\"x\n\");").contains("no end"));
        assert!(flaw("a(1)").contains("no semicolon"));
    }
}
