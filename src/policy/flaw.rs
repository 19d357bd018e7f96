//! What is wrong with a policy, or odd about it: where it stands, its line with a caret, and a hint.

use std::fmt;
use std::path::PathBuf;

/// Where something stands in a policy's folder. Lines and columns begin at one; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, below the folder of policies.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column; none where the whole line or file is meant.
    pub column: usize,
    /// The line's text.
    pub source: String,
}

/// What a flaw is about: a stable word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FlawKind {
    /// A file or folder cannot be read.
    Unreadable,
    /// The text is none of the language.
    Syntax,
    /// Something is over a limit.
    Limit,
    /// A statement of a kind that policies have not.
    Refused,
    /// A name that farebox itself gives or takes.
    Reserved,
    /// A name that nothing gives.
    Unknown,
    /// Another number of values than the name has.
    Arity,
    /// A value of a kind that can never stand there.
    Type,
    /// A variable that nothing binds.
    Unbound,
    /// A table whose key nothing binds.
    UnboundKey,
    /// A term where none may stand, or one that says nothing.
    Term,
    /// A table that cannot be used.
    Table,
    /// A catalogue that cannot be used.
    Catalogue,
    /// A name that the catalogue has not.
    OffCatalogue,
    /// A table of tests that cannot be used.
    Tests,
    /// A variable that stands once.
    UsedOnce,
    /// A rule that another one always comes before.
    Shadowed,
    /// A rule that nothing can match.
    NeverMatches,
    /// A refusal that a parameter of another type walks past.
    UntypedDeny,
    /// A refusal of exact values where a rule lets them vary.
    VariedDeny,
    /// There is no catalogue.
    NoCatalogue,
    /// There is no rule that allows.
    AllowsNothing,
}

impl FlawKind {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FlawKind::Unreadable => "unreadable",
            FlawKind::Syntax => "syntax",
            FlawKind::Limit => "limit",
            FlawKind::Refused => "refused",
            FlawKind::Reserved => "reserved",
            FlawKind::Unknown => "unknown-name",
            FlawKind::Arity => "arity",
            FlawKind::Type => "type",
            FlawKind::Unbound => "unbound",
            FlawKind::UnboundKey => "unbound-key",
            FlawKind::Term => "term",
            FlawKind::Table => "table",
            FlawKind::Catalogue => "catalogue",
            FlawKind::OffCatalogue => "off-catalogue",
            FlawKind::Tests => "tests",
            FlawKind::UsedOnce => "used-once",
            FlawKind::Shadowed => "shadowed",
            FlawKind::NeverMatches => "never-matches",
            FlawKind::UntypedDeny => "untyped-deny",
            FlawKind::VariedDeny => "varied-deny",
            FlawKind::NoCatalogue => "no-catalogue",
            FlawKind::AllowsNothing => "allows-nothing",
        }
    }
}

/// One thing that is wrong, or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What it is about.
    pub kind: FlawKind,
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What may mend it.
    pub hint: Option<String>,
}

/// Something that a policy may have, and that its author most likely did not mean.
pub type Warning = Flaw;

/// Why a folder of policies was not loaded: everything that is wrong with it, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors {
    folder: PathBuf,
    flaws: Vec<Flaw>,
}

impl Place {
    /// A whole file.
    pub(super) fn file(file: &str) -> Place {
        Place { file: file.to_owned(), line: 0, column: 0, source: String::new() }
    }

    /// A line of a file.
    pub(super) fn line(file: &str, line: usize, source: &str) -> Place {
        Place { file: file.to_owned(), line, column: 0, source: source.to_owned() }
    }
}

impl Flaw {
    pub(super) fn new(kind: FlawKind, place: Place, message: impl Into<String>) -> Flaw {
        Flaw { kind, place, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Flaw {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn maybe(mut self, hint: Option<String>) -> Flaw {
        self.hint = hint;
        self
    }
}

impl PolicyErrors {
    pub(super) fn new(folder: impl Into<PathBuf>, mut flaws: Vec<Flaw>) -> PolicyErrors {
        flaws.sort_by(|a, b| a.place.cmp(&b.place));
        PolicyErrors { folder: folder.into(), flaws }
    }

    /// Each of them, by file and line.
    #[must_use]
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// The first line says what and where; the others show it.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if !self.place.source.is_empty() {
            let shown: String = self.place.source.chars().map(flat).collect();
            write!(f, "\n  {shown}")?;
            if self.place.column > 0 {
                write!(f, "\n  {}^", " ".repeat(self.place.column.saturating_sub(1)))?;
            }
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A tab as one column, so that the caret stands below what it points to.
fn flat(c: char) -> char {
    if c == '\t' { ' ' } else { c }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, count) = (self.folder.display(), self.flaws.len());
        let errors = if count == 1 { "error" } else { "errors" };
        write!(f, "policies in {folder} cannot be used: {count} {errors}")?;
        self.flaws.iter().try_for_each(|flaw| write!(f, "\n{flaw}"))
    }
}

impl std::error::Error for PolicyErrors {}
