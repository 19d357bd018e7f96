//! Why a question was decided as it was: the facts on which the rule rests, or how far the nearest came.

use std::collections::HashSet;

use super::decide::{Decision, Ground};
use super::engine::{Meter, Symbols};
use super::gather::gather;
use super::given::{self, GivenFact};
use super::question::Question;
use super::set::PolicySet;
use super::statement::{Atom, Body, Condition, Effect, RuleRef, Ruling, Shown, Slot};
use super::value::Value;
use super::why::Why;

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The text of the rule that decided.
    pub text: Option<String>,
    /// The facts that it rests on.
    pub facts: Vec<String>,
    /// Where no rule decided, the one that came nearest to it.
    pub nearest: Option<Nearest>,
}

/// A rule that would have allowed, but for one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Which.
    pub rule: RuleRef,
    /// Its text.
    pub text: String,
    /// The conditions that held.
    pub held: Vec<String>,
    /// The first that did not.
    pub stopped: String,
    /// What its variables were there: `$amount = 200000`.
    pub bindings: Vec<String>,
    /// How many conditions there are.
    pub of: usize,
}

/// Rules looked at for the nearest: somebody waits for the answer.
const RULES_MAX: usize = 100;

impl PolicySet {
    /// Decides a question and says why. It costs several decisions.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let decision = self.decide(question);
        let mut explanation =
            Explanation { decision, text: None, facts: Vec::new(), nearest: None };
        let Ok(given) = given::facts(question, &self.zone) else { return explanation };
        let rulings = self.rulings_on(question.action.as_str());
        if let Some(rule) = explanation.decision.rule() {
            let same: Vec<&Ruling> = rulings.iter().copied().filter(|r| r.rule == *rule).collect();
            explanation.text = same.first().map(|ruling| ruling.text.clone());
            let facts = same.iter().find_map(|ruling| self.rests_on(ruling, &given));
            explanation.facts = facts.unwrap_or_default();
        }
        if let Decision::Denied { why: Why::NothingAllows, .. } = explanation.decision {
            let allows = rulings.iter().filter(|ruling| ruling.effect == Effect::Allow);
            let near = allows.take(RULES_MAX).filter_map(|ruling| self.near(ruling, &given));
            // The most conditions that hold; of as many, the fewest that do not; of those, the last,
            // which is the widest where rules are in order.
            explanation.nearest =
                near.max_by_key(|near| (near.held.len(), std::cmp::Reverse(near.of)));
        }
        explanation
    }

    /// The facts of the first way in which a ruling holds.
    fn rests_on(&self, ruling: &Ruling, given: &[GivenFact]) -> Option<Vec<String>> {
        let steps = steps(&ruling.body);
        let solution = self.holds(ruling, steps.len(), given)??;
        let facts = ruling.body.atoms.iter().map(|atom| filled(atom, &ruling.body, &solution));
        Some(facts.collect())
    }

    /// How far a ruling comes.
    fn near(&self, ruling: &Ruling, given: &[GivenFact]) -> Option<Nearest> {
        let steps = steps(&ruling.body);
        let mut bindings = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            match self.holds(ruling, at + 1, given)? {
                Some(solution) => bindings = solution,
                None => {
                    let body = &ruling.body;
                    let held = steps.iter().take(at).map(|step| step.text(body)).collect();
                    let stopped = step.text(body);
                    let named = step.variables().into_iter().filter_map(|variable| {
                        let (_, value) = bindings.iter().find(|(known, _)| *known == variable)?;
                        Some(format!("${} = {value}", body.name_of(variable)))
                    });
                    return Some(Nearest {
                        rule: ruling.rule.clone(),
                        text: ruling.text.clone(),
                        held,
                        stopped,
                        bindings: named.collect(),
                        of: steps.len(),
                    });
                }
            }
        }
        None
    }

    /// The first way in which the first so many steps hold in every world; nothing at all where the
    /// engine gave no answer.
    fn holds(
        &self,
        ruling: &Ruling,
        count: usize,
        given: &[GivenFact],
    ) -> Option<Option<Vec<(u32, Value)>>> {
        let part = part(ruling, count);
        let variables: Vec<u32> = distinct(part.body.atoms.iter().flat_map(Atom::variables));
        let gathered = gather(self, given, vec![&part]).ok()?;
        let meter = Meter::start();
        let mut symbols = Symbols::new();
        let rule = symbols.asking(&part.body, &variables);
        let ground = Ground::lay(&gathered, symbols, &meter).ok()?;
        let ways = ground.ask(&rule, &meter).ok()?;
        if ways.iter().any(Vec::is_empty) {
            return Some(None);
        }
        let first = ways.into_iter().next()?.into_iter().next()?;
        Some(Some(variables.into_iter().zip(first).collect()))
    }
}

/// One condition of a body: a predicate, or an expression as soon as its variables are bound.
enum Step<'b> {
    Atom(&'b Atom),
    Condition(&'b Condition),
}

impl Step<'_> {
    fn text(&self, body: &Body) -> String {
        match self {
            Step::Atom(atom) => Shown(&atom.name, &atom.slots, body).to_string(),
            Step::Condition(condition) => condition.text.clone(),
        }
    }

    fn variables(&self) -> Vec<u32> {
        match self {
            Step::Atom(atom) => distinct(atom.variables()),
            Step::Condition(condition) => distinct(condition.variables()),
        }
    }
}

fn steps<'b>(body: &'b Body) -> Vec<Step<'b>> {
    let (mut steps, mut bound) = (Vec::new(), HashSet::new());
    let mut open: Vec<&Condition> = body.conditions.iter().collect();
    let mut ready = |bound: &HashSet<u32>, steps: &mut Vec<Step<'b>>| {
        open.retain(|condition| {
            let waits = !condition.variables().iter().all(|variable| bound.contains(variable));
            if !waits {
                steps.push(Step::Condition(condition));
            }
            waits
        });
    };
    ready(&bound, &mut steps);
    for atom in &body.atoms {
        steps.push(Step::Atom(atom));
        bound.extend(atom.variables());
        ready(&bound, &mut steps);
    }
    steps
}

/// A ruling with the first so many of its steps.
fn part(ruling: &Ruling, count: usize) -> Ruling {
    let (mut atoms, mut conditions) = (Vec::new(), Vec::new());
    for step in steps(&ruling.body).into_iter().take(count) {
        match step {
            Step::Atom(atom) => atoms.push(atom.clone()),
            Step::Condition(condition) => conditions.push(condition.clone()),
        }
    }
    let variables = ruling.body.variables.clone();
    Ruling { body: Body { atoms, conditions, terms: Vec::new(), variables }, ..ruling.clone() }
}

fn distinct(variables: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut variables: Vec<u32> = variables.into_iter().collect();
    variables.sort_unstable();
    variables.dedup();
    variables
}

fn filled(atom: &Atom, body: &Body, solution: &[(u32, Value)]) -> String {
    let slots: Vec<Slot> = atom
        .slots
        .iter()
        .map(|slot| match slot {
            Slot::Var(variable) => solution
                .iter()
                .find(|(known, _)| known == variable)
                .map_or_else(|| slot.clone(), |(_, value)| Slot::Is(value.clone())),
            Slot::Is(_) => slot.clone(),
        })
        .collect();
    Shown(&atom.name, &slots, body).to_string()
}
