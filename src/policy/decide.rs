//! The decision: a pure function of a question and a set of policies, but for its time limit.

use std::time::Duration;

use biscuit_auth::datalog;

use super::engine::{Engine, EngineError, Meter, Stop, Symbols, World};
use super::gather::{Gathered, NotGathered, gather, possible};
use super::given;
use super::question::Question;
use super::set::PolicySet;
use super::statement::{Effect, RuleRef, Ruling};
use super::terms::{self, NoTerms, Terms};
use super::value::Value;
use super::why::Why;
use crate::limits;

/// What policies say to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, on these terms.
    Allowed {
        /// The rule that decided.
        rule: RuleRef,
        /// On what terms.
        terms: Box<Terms>,
    },
    /// No.
    Denied {
        /// The rule that decided, where one did.
        rule: Option<RuleRef>,
        /// Why.
        why: Why,
    },
    /// A statement could not be decided, which denies and is an alarm: `policy-error`.
    Error {
        /// The statement.
        statement: RuleRef,
        /// What was wrong with it.
        error: EngineError,
    },
    /// There was no time to decide: `policy-timeout`.
    Timeout,
}

impl Decision {
    /// One word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Allowed { .. } => "allow",
            Decision::Denied { .. } => "deny",
            Decision::Error { .. } => "error",
            Decision::Timeout => "timeout",
        }
    }

    /// The rule that decided, or that could not.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleRef> {
        match self {
            Decision::Allowed { rule, .. } => Some(rule),
            Decision::Denied { rule, .. } => rule.as_ref(),
            Decision::Error { statement, .. } => Some(statement),
            Decision::Timeout => None,
        }
    }
}

impl PolicySet {
    /// Decides a question. Every `deny if` is tried before every `allow if`, each in the order of the
    /// files; the first that holds decides, and where none does the answer is no.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        self.decide_within(question, Duration::from_millis(limits::DECISION_MILLISECONDS_MAX))
    }

    /// The same with less time: what takes longer is a [`Decision::Timeout`], and may be asked again with more.
    #[must_use]
    pub fn decide_within(&self, question: &Question<'_>, time: Duration) -> Decision {
        let given = match given::facts(question, &self.zone) {
            Ok(given) => given,
            Err(why) => return Decision::Denied { rule: None, why: why.into() },
        };
        let mut rulings = self.rulings_on(question.action.as_str());
        rulings.retain(|ruling| possible(&ruling.body, &given));
        let Some(first) = rulings.first() else { return denied() };
        let first = first.rule.clone();
        match gather(self, &given, rulings) {
            Ok(gathered) => run(&gathered, question, self, &Meter::within(time)),
            Err(NotGathered::Rows) => {
                Decision::Error { statement: first, error: EngineError::Rows }
            }
            Err(NotGathered::Worlds) => Decision::Denied { rule: None, why: Why::TooOpen },
        }
    }
}

fn denied() -> Decision {
    Decision::Denied { rule: None, why: Why::NothingAllows }
}

/// What was gathered, in the engine.
pub(super) struct Ground {
    pub(super) engine: Engine,
    pub(super) rules: Vec<datalog::Rule>,
    pub(super) worlds: Vec<World>,
}

impl Ground {
    /// The engine with all facts that hold, those that rules make among them.
    pub(super) fn lay<'g>(
        gathered: &Gathered<'g>,
        mut symbols: Symbols<'g>,
        meter: &Meter,
    ) -> Result<Ground, (RuleRef, Stop)> {
        let mut shared = World::default();
        for fact in &gathered.facts {
            shared.add(symbols.fact(fact.name, fact.values));
        }
        let mut worlds = Vec::with_capacity(gathered.worlds.len());
        for facts in &gathered.worlds {
            let mut world = shared.clone();
            for fact in facts {
                world.add(symbols.fact(fact.name, fact.values));
            }
            worlds.push(world);
        }
        let deriving = gathered.derivations.iter().map(|d| symbols.deriving(&d.head, &d.body));
        let deriving: Vec<_> = deriving.collect();
        let engine = symbols.close();
        for world in &mut worlds {
            engine.derive(world, &deriving, meter).map_err(|(at, stop)| {
                let rule = gathered.derivations.get(at).map(|derivation| derivation.rule.clone());
                (rule.unwrap_or_else(nowhere), stop)
            })?;
        }
        Ok(Ground { engine, rules: Vec::new(), worlds })
    }

    /// The ways in which a rule holds in each world.
    pub(super) fn ask(
        &self,
        rule: &datalog::Rule,
        meter: &Meter,
    ) -> Result<Vec<Vec<Vec<Value>>>, Stop> {
        let world = |world: &World| {
            let found = self.engine.solutions(rule, world, meter)?;
            let value = |term: &datalog::Term| self.engine.value(term);
            let values = found.iter().map(|terms| terms.iter().map(value).collect());
            values.collect::<Option<_>>().ok_or(Stop::Error(EngineError::Condition))
        };
        self.worlds.iter().map(world).collect()
    }
}

fn nowhere() -> RuleRef {
    RuleRef { file: String::new(), line: 0, label: None }
}

fn run(
    gathered: &Gathered<'_>,
    question: &Question<'_>,
    set: &PolicySet,
    meter: &Meter,
) -> Decision {
    let mut symbols = Symbols::new();
    let asked = gathered.rulings.iter();
    let asked = asked.map(|ruling| symbols.asking(&ruling.body, &terms::variables(&ruling.body)));
    let rules: Vec<datalog::Rule> = asked.collect();
    let ground = match Ground::lay(gathered, symbols, meter) {
        Ok(ground) => Ground { rules, ..ground },
        Err((statement, stop)) => return stopped(statement, stop),
    };
    for (ruling, rule) in gathered.rulings.iter().zip(&ground.rules) {
        let ways = match ground.ask(rule, meter) {
            Ok(ways) => ways,
            Err(stop) => return stopped(ruling.rule.clone(), stop),
        };
        if let Some(decision) = ruled(ruling, &ways, question, set) {
            return decision;
        }
    }
    denied()
}

/// What a ruling decides that holds in these ways in each world; nothing where it does not hold.
fn ruled(
    ruling: &Ruling,
    ways: &[Vec<Vec<Value>>],
    question: &Question<'_>,
    set: &PolicySet,
) -> Option<Decision> {
    let rule = ruling.rule.clone();
    match ruling.effect {
        // One value that is refused is enough: the agent may send it.
        Effect::Deny => {
            let holds = ways.iter().any(|ways| !ways.is_empty());
            holds.then_some(Decision::Denied { rule: Some(rule), why: Why::RuleDenies })
        }
        // And every value must be allowed.
        Effect::Allow if ways.iter().any(Vec::is_empty) => None,
        Effect::Allow => {
            let all = ways.concat();
            Some(match terms::terms(&ruling.body, &all, question, &set.zone) {
                Ok(terms) => Decision::Allowed { rule, terms: Box::new(terms) },
                Err(NoTerms::Denied(why)) => Decision::Denied { rule: Some(rule), why },
                Err(NoTerms::Error(error)) => Decision::Error { statement: rule, error },
            })
        }
    }
}

fn stopped(statement: RuleRef, stop: Stop) -> Decision {
    match stop {
        Stop::Timeout => Decision::Timeout,
        Stop::Error(error) => Decision::Error { statement, error },
    }
}
