//! What a request says, for the people who are asked about it.

use farebox_verifier::{Bound, Leaf};

use super::{ActionEntry, ParamEntry, ParamKind};
use crate::policy::question::Question;

/// One parameter, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What it is called: the catalogue's word, or its pointer.
    pub label: String,
    /// What it is: an amount with its currency, a text as it is.
    pub value: String,
}

impl ActionEntry {
    /// Every parameter of a request with its label, in the order of the catalogue, those of no label last.
    #[must_use]
    pub fn labels(&self, question: &Question<'_>) -> Vec<Label> {
        let mut found: Vec<(usize, Label)> = Vec::new();
        for (at, leaf) in question.params.leaves().unwrap_or_default() {
            let entry = self.entry_of(at.as_str());
            let kind = entry.map(|(_, param)| &param.kind);
            found.push(label(entry, at.as_str(), value(kind, leaf)));
        }
        for (at, bound) in question.bounds.into_iter().flat_map(|bounds| bounds.iter()) {
            let entry = self.entry_of(at.as_str());
            let kind = entry.map(|(_, param)| &param.kind);
            found.push(label(entry, at.as_str(), within(kind, bound)));
        }
        found.sort_by_key(|(order, _)| *order);
        found.into_iter().map(|(_, label)| label).collect()
    }

    fn entry_of(&self, pointer: &str) -> Option<(usize, &ParamEntry)> {
        self.params.iter().enumerate().find(|(_, param)| param.pointer.matches(pointer))
    }
}

fn label(entry: Option<(usize, &ParamEntry)>, pointer: &str, value: String) -> (usize, Label) {
    let (order, label) = match entry {
        Some((order, param)) => (order, param.label.clone()),
        None => (usize::MAX, pointer.to_owned()),
    };
    (order, Label { label, value })
}

fn value(kind: Option<&ParamKind>, leaf: Leaf<'_>) -> String {
    match leaf {
        Leaf::Int(value) => number(kind, value),
        Leaf::Text(text) => text.to_owned(),
        Leaf::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
        Leaf::Decimal(digits) => digits.to_owned(),
    }
}

fn within(kind: Option<&ParamKind>, bound: &Bound) -> String {
    match bound {
        Bound::Int { min: Some(min), max: Some(max) } => {
            format!("{} to {}", number(kind, *min), number(kind, *max))
        }
        Bound::Int { max: Some(max), .. } => format!("at most {}", number(kind, *max)),
        Bound::Int { min, .. } => format!("at least {}", number(kind, min.unwrap_or(0))),
        Bound::OneOf(texts) => {
            let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
            format!("one of {}", texts.join(", "))
        }
        Bound::Prefix(start) => format!("anything that starts with {start}"),
    }
}

fn number(kind: Option<&ParamKind>, value: i64) -> String {
    match kind {
        Some(ParamKind::Money { unit, digits }) => {
            format!("{} {unit}", money(value, usize::from(*digits)))
        }
        _ => value.to_string(),
    }
}

/// An amount of the smallest unit, written in the large one.
fn money(value: i64, digits: usize) -> String {
    let all = format!("{:0>width$}", value.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = all.split_at_checked(all.len() - digits).unwrap_or((&all, ""));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{text}") } else { format!("{sign}{text}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_cents_is_read_as_an_amount_of_money() {
        let table = [
            (123_456_789, 2, "1,234,567.89"),
            (5, 2, "0.05"),
            (0, 2, "0.00"),
            (-1, 2, "-0.01"),
            (1_000, 0, "1,000"),
            (999, 3, "0.999"),
        ];
        for (value, digits, want) in table {
            assert_eq!(money(value, digits), want);
        }
    }
}
