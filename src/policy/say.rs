//! Decisions and terms in words: one line each, the same every time.

use std::fmt;

use farebox_verifier::Uses;

use super::decide::Decision;
use super::terms::{BudgetTerm, Holder, Terms};

impl Terms {
    /// Each term as a line: `ttl 30`, `approval finance 2`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.ttl_seconds.map(|seconds| format!("ttl {seconds}")));
        lines.extend(self.not_after.map(|end| format!("not after {end}")));
        if self.holder == Holder::Required {
            lines.push("holder required".to_owned());
        }
        lines.extend(self.approvals.iter().map(|(group, n)| format!("approval {group} {n}")));
        lines.extend(self.budgets.iter().map(BudgetTerm::to_string));
        lines.extend(self.vary.iter().map(|at| format!("vary {at}")));
        lines.extend(self.caveats.iter().map(|caveat| caveat.to_string()));
        lines.extend(self.signed.iter().map(|signed| {
            let (name, value, by) = (signed.name.as_str(), signed.value.as_str(), &signed.by);
            format!("{by} signs {name} of {value:?}")
        }));
        if self.uses == Uses::Fresh {
            lines.push("reuse allowed".to_owned());
        }
        lines
    }
}

/// `budget payments of "acme": 500 of 2000000 in 86400 s`
impl fmt::Display for BudgetTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BudgetTerm { name, key, window_seconds, amount, limit } = self;
        write!(f, "budget {name} of {key:?}: {amount} of {limit} in {window_seconds} s")
    }
}

/// `allow by erp.datalog:3 (small invoices): ttl 30; holder required`
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::Allowed { rule, terms } => {
                write!(f, "allow by {rule}")?;
                let lines = terms.lines();
                if lines.is_empty() { Ok(()) } else { write!(f, ": {}", lines.join("; ")) }
            }
            Decision::Denied { rule: Some(rule), why } => write!(f, "deny by {rule}: {why}"),
            Decision::Denied { rule: None, why } => write!(f, "deny: {why}"),
            Decision::Error { statement, error } => write!(f, "error in {statement}: {error}"),
            Decision::Timeout => f.write_str("timeout"),
        }
    }
}
