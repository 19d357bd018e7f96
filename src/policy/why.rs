//! Why something is denied, beside a rule that says so.

use farebox_verifier::{Caveat, Pointer, UnixSeconds};

use super::given::TooMuch;
use crate::limits::WORLDS_MAX;

/// Why a request was denied. A client is told the sentence, and the rule where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// No rule allows it.
    #[error("no rule allows it")]
    NothingAllows,
    /// A rule refuses it.
    #[error("a rule refuses it")]
    RuleDenies,
    /// It gives more than a decision looks at.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// Its bounds leave too much open for a rule to hold for each of it.
    #[error("its bounds leave over {WORLDS_MAX} combinations open that rules look at")]
    TooOpen,
    /// A parameter may vary, and the rule that allows does not let it.
    #[error("the rule that allows it does not let {0} vary")]
    Varies(Pointer),
    /// What the rule would have counted against a budget is no amount.
    #[error("{0} is no amount")]
    Amount(i64),
    /// The time that the rule allows it for is over.
    #[error("the rule that allows it ended at {0}")]
    Over(UnixSeconds),
    /// A value of the request cannot stand in a token, where the rule that allows would put it.
    #[error("a token cannot hold what {term} would say: {why}")]
    Unsayable {
        /// Which term.
        term: &'static str,
        /// Why not.
        why: String,
    },
    /// The rule demands what the request itself breaks.
    #[error("the rule that allows it demands that {0}")]
    Unmet(Caveat),
}
