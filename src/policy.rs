//! Policies: whether this agent may do this, now, and on what terms.
//!
//! ```text
//! folder ──load──→ PolicySet ──fits──→ the catalogue's word: does this request make sense?
//!                      └──────decide──→ Decision: Allowed on Terms │ Denied │ Error │ Timeout
//! ```
//!
//! A set is read whole, checked whole and never changed: a folder with one mistake is refused with all of
//! its mistakes, and the set before it stays in force. Deciding is a pure function of the question and the
//! set, run on biscuit-auth's Datalog engine, so that policies are written in the language of tokens.

mod asked;
mod built_in;
mod cases;
mod catalogue;
mod decide;
mod engine;
mod explain;
mod flaw;
mod gather;
mod given;
mod in_force;
mod lint;
mod load;
mod near;
mod parse;
mod question;
mod say;
mod screen;
mod set;
mod source;
mod statement;
mod table;
mod terms;
mod value;
mod whole;
mod why;
mod word;
mod zone;

pub use self::asked::{Asked, AskedError, OneOrMany, Written, WrittenAttested, WrittenPredecessor};
pub use self::cases::{Case, CaseResult, Expected};
pub use self::catalogue::{
    ActionEntry, Catalogue, CatalogueError, Label, Need, Others, ParamEntry, ParamKind,
    PointerPattern, ResourcePattern,
};
pub use self::decide::Decision;
pub use self::engine::EngineError;
pub use self::explain::{Explanation, Nearest};
pub use self::flaw::{Flaw, FlawKind, Place, PolicyErrors, Warning};
pub use self::given::TooMuch;
pub use self::in_force::{InForce, Reload};
pub use self::question::{Attested, Predecessor, Question};
pub use self::set::PolicySet;
pub use self::statement::RuleRef;
pub use self::terms::{BudgetTerm, Holder, SignedTerm, Terms};
pub use self::value::{Kind, Value};
pub use self::why::Why;
pub use self::word::{Given, TermWord};
pub use self::zone::{Zone, ZoneError};

impl PolicySet {
    /// Whether a request fits the catalogue; anything fits where there is none.
    ///
    /// # Errors
    /// [`CatalogueError`] with the first thing that does not fit, for whoever asks: `bad-request`.
    pub fn fits(&self, question: &Question<'_>) -> Result<(), CatalogueError> {
        self.catalogue().map_or(Ok(()), |catalogue| catalogue.fits(question))
    }
}
