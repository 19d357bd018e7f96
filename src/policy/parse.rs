//! From a piece of text to a statement, and what a parser that says little leaves unsaid.

use biscuit_auth::builder;
use biscuit_auth::parser;

use super::flaw::{Flaw, FlawKind};
use super::source::{Piece, SourceFile};
use super::statement::{
    At, Atom, Body, Derivation, Effect, Odd, RuleRef, Ruling, StatedFact, value,
};
use super::value::Value;
use super::word::{Given, TermWord};

/// What one statement says.
pub(super) enum Parsed {
    Fact(StatedFact),
    Derivation(Derivation),
    /// One ruling for each `or`.
    Rulings(Vec<Ruling>),
}

/// Reads one piece of a file, the one of this number.
pub(super) fn parse(file: &SourceFile, number: usize, piece: &Piece) -> Result<Parsed, Flaw> {
    let at = At { file: number, start: piece.start, end: piece.start + piece.code.len() };
    let start = |kind, message: &str| file.flaw(kind, piece.start, message);
    if let Some(word) =
        ["check if", "check all", "reject if"].iter().find(|w| begins(&piece.code, w))
    {
        return Err(start(FlawKind::Refused, &format!("a policy has no {word}"))
            .hint("say what is refused with deny if, and what is allowed with allow if"));
    }
    let read = parser::parse_source(&piece.code).map_err(|errors| {
        let found = errors.first().map(|error| {
            let offset = error.input.as_ptr().addr().wrapping_sub(piece.code.as_ptr().addr());
            (offset.min(piece.code.len()), error.message.as_deref())
        });
        unreadable(file, piece, found)
    })?;
    let line = file.place(piece.start).line;
    let rule = RuleRef { file: file.name.clone(), line, label: piece.label.clone() };
    let odd = |odd: Odd| said(file, piece, &odd);
    if let Some((_, fact)) = read.facts.into_iter().next() {
        let fact: builder::Fact = fact.into();
        reserved(file, at, &fact.predicate.name)?;
        let values =
            fact.predicate.terms.iter().map(value).collect::<Result<_, _>>().map_err(odd)?;
        return Ok(Parsed::Fact(StatedFact { name: fact.predicate.name.into(), values, at }));
    }
    if let Some((_, parsed)) = read.rules.into_iter().next() {
        let parsed: builder::Rule = parsed.into();
        reserved(file, at, &parsed.head.name)?;
        scopeless(file, piece, &parsed)?;
        let mut body = Body::read(&parsed).map_err(odd)?;
        let head = Atom::read(&parsed.head, &mut body.variables).map_err(odd)?;
        return Ok(Parsed::Derivation(Derivation { rule, head, body, at }));
    }
    let Some((_, policy)) = read.policies.into_iter().next() else {
        return Err(start(FlawKind::Syntax, "this is no statement"));
    };
    let policy: builder::Policy = policy.into();
    let effect = match policy.kind {
        builder::PolicyKind::Allow => Effect::Allow,
        builder::PolicyKind::Deny => Effect::Deny,
    };
    let rulings = policy.queries.iter().map(|query| {
        scopeless(file, piece, query)?;
        let body = Body::read(query).map_err(odd)?;
        Ok(Ruling { effect, rule: rule.clone(), body, text: piece.code.clone(), at })
    });
    Ok(Parsed::Rulings(rulings.collect::<Result<_, _>>()?))
}

fn begins(code: &str, word: &str) -> bool {
    code.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// What farebox gives or takes cannot be made by a policy.
fn reserved(file: &SourceFile, at: At, name: &str) -> Result<(), Flaw> {
    let flaw = |message: String| file.flaw(FlawKind::Reserved, at.start, message);
    if TermWord::named(name).is_some() {
        return Err(flaw(format!("{name} is a term, and no policy can make it a fact"))
            .hint("state it in the body of the allow if that it belongs to"));
    }
    if Given::named(name).is_some() {
        return Err(flaw(format!("{name} is given by farebox, and no policy can make it a fact"))
            .hint("choose another name"));
    }
    Ok(())
}

fn scopeless(file: &SourceFile, piece: &Piece, rule: &builder::Rule) -> Result<(), Flaw> {
    if rule.scopes.is_empty() {
        return Ok(());
    }
    let at = piece.code.rfind("trusting").unwrap_or(0);
    Err(file
        .flaw(FlawKind::Refused, piece.start + at, "a policy has no trusting")
        .hint("what third parties say is given as attested(signer, name, value)"))
}

fn said(file: &SourceFile, piece: &Piece, odd: &Odd) -> Flaw {
    let (word, kind, message, hint) = match odd {
        Odd::Parameter(name) => (
            format!("{{{name}}}"),
            FlawKind::Refused,
            format!("nothing fills {{{name}}}"),
            "a variable is $name, a text \"name\"",
        ),
        Odd::Kind => (
            String::new(),
            FlawKind::Refused,
            "this holds a value of a kind that no fact has".to_owned(),
            "values are texts, integers, true, false, dates, and sets of them",
        ),
        Odd::Operation(name) => (
            (*name).to_owned(),
            FlawKind::Refused,
            format!("policies have no {name}"),
            "there are .starts_with(), .ends_with(), .contains(), and facts",
        ),
    };
    let word = word.trim_end_matches("()");
    let at = piece.code.find(word).unwrap_or(0);
    file.flaw(kind, piece.start + at, message).hint(hint)
}

/// Where the parser stopped, and why that may be: it says itself what is left over, and little more.
fn unreadable(file: &SourceFile, piece: &Piece, found: Option<(usize, Option<&str>)>) -> Flaw {
    let (offset, message) = found.unwrap_or((0, None));
    // At its start it says only that it is not to its end what it begins as.
    let offset = if offset == 0 { readable(&piece.code) } else { offset };
    let rest = piece.code.get(offset..).unwrap_or_default();
    let skipped = rest.len() - rest.trim_start().len();
    let (offset, rest) = (offset + skipped, rest.trim_start());
    let hint = hint_of(&piece.code, rest);
    let message = match (rest.is_empty(), message) {
        (true, _) => "the statement ends too early".to_owned(),
        (_, Some(message)) if !message.contains('\'') && !message.contains('\n') => {
            message.to_owned()
        }
        _ => "this cannot be read".to_owned(),
    };
    file.flaw(FlawKind::Syntax, piece.start + offset, message).maybe(hint.map(str::to_owned))
}

/// How much of a text is a statement.
fn readable(code: &str) -> usize {
    let left = [
        parser::allow(code).ok().map(|(left, _)| left),
        parser::deny(code).ok().map(|(left, _)| left),
        parser::rule_inner(code).ok().map(|(left, _)| left),
        parser::fact_inner(code).ok().map(|(left, _)| left),
    ];
    left.into_iter().flatten().map(|left| code.len() - left.len()).max().unwrap_or(0)
}

fn hint_of(code: &str, rest: &str) -> Option<&'static str> {
    let later = code.lines().skip(1).any(|line| {
        let line = line.trim_start();
        begins(line, "allow if") || begins(line, "deny if") || line.contains("<-")
    });
    let first = rest.chars().next();
    if later {
        return Some("is a ; missing at the end of the statement above?");
    }
    if ["allow", "deny"].iter().any(|w| begins(code, w))
        && !["allow if ", "deny if ", "allow if\n", "deny if\n"].iter().any(|w| begins(code, w))
    {
        return Some("a rule begins with allow if or deny if, one space between");
    }
    if code.contains('\'') {
        return Some("a text stands between double quotes");
    }
    if code.contains("()") {
        return Some("a predicate has at least one value");
    }
    if rest.starts_with("= ") || rest.starts_with("=$") || rest.starts_with("=\"") {
        return Some("equal is ==");
    }
    let fraction = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    if rest.split('.').skip(1).any(fraction) {
        return Some("numbers have no fraction: use the smallest unit");
    }
    if rest.starts_with("and ") || rest.starts_with("AND ") {
        return Some("conditions are joined by a comma");
    }
    if rest.starts_with("not ") || rest.starts_with("NOT ") {
        return Some("there is no negation of facts: write a deny if");
    }
    match first {
        Some(')') => Some("is a value missing before this, or a parenthesis too many?"),
        Some('}' | ']') => Some("members of a set are of one kind, at least one: {\"a\", \"b\"}"),
        None => Some("is a value or a closing parenthesis missing?"),
        Some(c) if c.is_ascii_alphabetic() && !rest.contains('(') => {
            Some("a text stands between double quotes, and a variable begins with $")
        }
        _ => None,
    }
}

/// Where a word stands in a statement's text.
pub(super) struct Finder<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) at: At,
}

impl Finder<'_> {
    fn code(&self) -> &str {
        self.file.text.get(self.at.start..self.at.end).unwrap_or_default()
    }

    /// The first mention of a predicate, or the statement's begin.
    pub(super) fn word(&self, name: &str) -> usize {
        self.whole(name, "(")
    }

    /// The first mention of a variable.
    pub(super) fn variable(&self, name: &str) -> usize {
        self.whole(&format!("${name}"), "")
    }

    /// The first mention of a value.
    pub(super) fn value(&self, value: &Value) -> usize {
        let text = value.to_string();
        self.code().find(&text).map_or(self.at.start, |at| self.at.start + at)
    }

    fn whole(&self, name: &str, then: &str) -> usize {
        let code = self.code();
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let found = code.match_indices(name).map(|(at, _)| at).find(|at| {
            let before = code.get(..*at).and_then(|text| text.chars().next_back());
            let after = code.get(at + name.len()..).unwrap_or_default();
            !before.is_some_and(|c| letter(c) || c == '$')
                && !after.starts_with(letter)
                && after.trim_start().starts_with(then)
        });
        found.map_or(self.at.start, |at| self.at.start + at)
    }

    pub(super) fn flaw(&self, kind: FlawKind, at: usize, message: impl Into<String>) -> Flaw {
        self.file.flaw(kind, at, message)
    }
}
