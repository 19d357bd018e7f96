//! Tables of tests, `policies/tests/*.toml`: requests, and what is to be decided of them.
//!
//! ```toml
//! [defaults]
//! action = "erp.pay-invoice"
//! audience = "erp"
//!
//! [[test]]
//! name = "a small invoice of an active vendor is paid"
//! resource = "invoice/7"
//! agent = "spiffe://acme/agents/billing"
//! params = { amount = 90000, vendor = "acme" }
//! expect = "allow"
//! terms = ["ttl 30", "holder required"]
//! ```

use std::fmt;
use std::io;
use std::path::Path;

use farebox_verifier::UnixSeconds;
use serde::Deserialize;
use toml::Spanned;

use super::asked::{Asked, Written};
use super::decide::Decision;
use super::flaw::{Flaw, FlawKind, Place, PolicyErrors};
use super::load::{listed, text_of};
use super::set::PolicySet;
use super::source::SourceFile;

/// What is expected of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Allowed.
    Allow,
    /// Denied.
    Deny,
    /// `policy-error`.
    Error,
    /// Off the catalogue.
    BadRequest,
}

/// One test.
#[derive(Clone)]
pub struct Case {
    /// Where it stands.
    pub place: Place,
    /// What it shows.
    pub name: String,
    /// The request.
    pub asked: Asked,
    /// What is to be decided.
    pub expected: Expected,
    /// The label of the rule that is to decide, or its file; nothing where any may.
    pub rule: Option<String>,
    /// All terms of it; nothing where they do not matter.
    pub terms: Option<Vec<String>>,
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// Where it stands.
    pub place: Place,
    /// What it shows.
    pub name: String,
    /// What was decided, as one line: `allow by erp.datalog:3 (small invoices): ttl 30`.
    pub decided: String,
    /// What was expected instead, where it was something else.
    pub mismatch: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    defaults: Written,
    #[serde(default)]
    test: Vec<Spanned<RawCase>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    expect: Expected,
    rule: Option<String>,
    terms: Option<Vec<String>>,
    #[serde(flatten)]
    asked: Written,
}

/// The time of a test that names none: a Monday, ten in the morning, UTC.
const TEST_NOW: UnixSeconds = UnixSeconds(1_795_428_000);

impl Case {
    /// Reads all tables of tests of a folder.
    ///
    /// # Errors
    /// [`PolicyErrors`] with everything that is wrong with them.
    pub fn load(folder: &Path) -> Result<Vec<Case>, PolicyErrors> {
        let (mut cases, mut flaws) = (Vec::new(), Vec::new());
        let files = match listed(&folder.join("tests")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                flaws.push(Flaw::new(FlawKind::Unreadable, Place::file("tests"), message));
                Vec::new()
            }
            Ok(files) => files,
        };
        for (name, path) in files {
            let shown = format!("tests/{name}");
            let read = text_of(&path, &shown).map_err(|flaw| vec![flaw]);
            match read.and_then(|text| Case::read(&shown, &text)) {
                Ok(read) => cases.extend(read),
                Err(wrong) => flaws.extend(wrong),
            }
        }
        if flaws.is_empty() { Ok(cases) } else { Err(PolicyErrors::new(folder, flaws)) }
    }

    /// Reads one table.
    pub(super) fn read(file: &str, text: &str) -> Result<Vec<Case>, Vec<Flaw>> {
        let file = SourceFile::new(file, text);
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            vec![file.flaw(FlawKind::Tests, at, error.message())]
        })?;
        let (mut cases, mut flaws) = (Vec::new(), Vec::new());
        for raw_case in raw.test {
            let at = raw_case.span().start;
            let RawCase { name, expect, rule, terms, asked } = raw_case.into_inner();
            match asked.over(&raw.defaults).read(TEST_NOW) {
                Ok(asked) => {
                    let place = file.place(at);
                    cases.push(Case { place, name, asked, expected: expect, rule, terms });
                }
                Err(why) => {
                    flaws.push(file.flaw(FlawKind::Tests, at, format!("{name:?}: {why}")));
                }
            }
        }
        if flaws.is_empty() { Ok(cases) } else { Err(flaws) }
    }

    /// Decides it.
    #[must_use]
    pub fn run(&self, set: &PolicySet) -> CaseResult {
        let question = self.asked.question();
        let (found, decided, decision) = match set.fits(&question) {
            Err(why) => (Expected::BadRequest, format!("bad-request: {why}"), None),
            Ok(()) => {
                let decision = set.decide(&question);
                let found = match &decision {
                    Decision::Allowed { .. } => Expected::Allow,
                    Decision::Denied { .. } => Expected::Deny,
                    Decision::Error { .. } | Decision::Timeout => Expected::Error,
                };
                (found, decision.to_string(), Some(decision))
            }
        };
        let mismatch = self.mismatch(found, decision.as_ref());
        CaseResult { place: self.place.clone(), name: self.name.clone(), decided, mismatch }
    }

    fn mismatch(&self, found: Expected, decision: Option<&Decision>) -> Option<String> {
        if found != self.expected {
            return Some(format!("expected {}", self.expected));
        }
        let by = decision.and_then(Decision::rule);
        if let Some(wanted) = &self.rule
            && !by.is_some_and(|by| by.label.as_ref() == Some(wanted) || by.file == *wanted)
        {
            return Some(format!("expected the rule {wanted:?}"));
        }
        let (Some(wanted), Some(Decision::Allowed { terms, .. })) = (&self.terms, decision) else {
            return None;
        };
        let (mut wanted, mut found) = (wanted.clone(), terms.lines());
        wanted.sort();
        found.sort();
        (wanted != found).then(|| format!("expected the terms {}", wanted.join("; ")))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Allow => "allow",
            Expected::Deny => "deny",
            Expected::Error => "error",
            Expected::BadRequest => "bad-request",
        })
    }
}
