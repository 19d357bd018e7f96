//! The terms on which something is allowed: what the rule that decided says of it, the strictest first.

use farebox_verifier::{
    Bound, Caveat, CaveatText, Leaf, OneOf, OutputName, Pointer, StatementName, ThirdParty,
    UnixSeconds, Uses, limits as bounds,
};

use super::engine::EngineError;
use super::question::Question;
use super::screen::sound;
use super::statement::{Body, Slot, Term};
use super::value::Value;
use super::why::Why;
use super::word::TermWord;
use super::zone::Zone;
use crate::limits::{AMOUNT_MAX, BUDGETS_PER_GRANT_MAX, NEEDS_MAX};
use crate::store::desk::Group;

/// The terms of a permission. Where a rule holds in several ways, the strictest of each counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long the token lives at most.
    pub ttl_seconds: Option<u64>,
    /// When it ends at the latest: `not_after`, and `until_minute` of the same day.
    pub not_after: Option<UnixSeconds>,
    /// Whether the token must be bound to a holder's key.
    pub holder: Holder,
    /// Who must approve, and how many of them.
    pub approvals: Vec<(Group, u8)>,
    /// What it takes of which budgets.
    pub budgets: Vec<BudgetTerm>,
    /// The members of the parameters that may vary.
    pub vary: Vec<Pointer>,
    /// What else must hold where the token is used.
    pub caveats: Vec<Caveat>,
    /// What third parties must sign, by the names of their keys.
    pub signed: Vec<SignedTerm>,
    /// How often the token may be used.
    pub uses: Uses,
}

/// Whether a token is bound to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Whoever asks may name one.
    Free,
    /// Whoever asks must name one.
    Required,
}

/// What a grant takes of one budget.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BudgetTerm {
    /// The budget's name.
    pub name: String,
    /// What it is counted for: an agent, an account.
    pub key: String,
    /// How long a window lasts.
    pub window_seconds: u64,
    /// How much is taken.
    pub amount: u64,
    /// How much there is in each window.
    pub limit: u64,
}

/// What a third party must sign in a block of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedTerm {
    /// What they speak of.
    pub name: StatementName,
    /// What they must say of it.
    pub value: CaveatText,
    /// Who: the name of their key.
    pub by: ThirdParty,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            ttl_seconds: None,
            not_after: None,
            holder: Holder::Free,
            approvals: Vec::new(),
            budgets: Vec::new(),
            vary: Vec::new(),
            caveats: Vec::new(),
            signed: Vec::new(),
            uses: Uses::Once,
        }
    }
}

/// Why terms cannot be: the request breaks one, or a policy states what cannot be demanded.
pub(super) enum NoTerms {
    Denied(Why),
    Error(EngineError),
}

impl From<Why> for NoTerms {
    fn from(why: Why) -> NoTerms {
        NoTerms::Denied(why)
    }
}

/// The variables that a body's terms name, in an order of their own.
pub(super) fn variables(body: &Body) -> Vec<u32> {
    let mut found: Vec<u32> =
        body.terms.iter().flat_map(|term| super::statement::variables_of(&term.slots)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The terms of a body that holds in these ways, each of them the values of its terms' variables.
pub(super) fn terms(
    body: &Body,
    solutions: &[Vec<Value>],
    question: &Question<'_>,
    zone: &Zone,
) -> Result<Terms, NoTerms> {
    let variables = variables(body);
    let mut reading = Reading { terms: Terms::default(), question, zone };
    for solution in solutions {
        for term in &body.terms {
            let value = |slot: &Slot| match slot {
                Slot::Is(value) => Some(value.clone()),
                Slot::Var(variable) => {
                    let at = variables.binary_search(variable).ok()?;
                    solution.get(at).cloned()
                }
            };
            let values: Vec<Value> = term.slots.iter().filter_map(value).collect();
            reading.read(term, &values)?;
        }
    }
    reading.close()
}

struct Reading<'r> {
    terms: Terms,
    question: &'r Question<'r>,
    zone: &'r Zone,
}

impl Reading<'_> {
    fn read(&mut self, term: &Term, values: &[Value]) -> Result<(), NoTerms> {
        let word = term.word;
        let term = word.name();
        let cannot = |why: String| match word {
            // Texts are the request's most of the time, and nobody sounds an alarm by sending an odd one.
            TermWord::Signed | TermWord::ParamIs | TermWord::ParamPrefix | TermWord::ParamOneOf => {
                NoTerms::Denied(Why::Unsayable { term, why })
            }
            _ => NoTerms::Error(EngineError::Term { term, why }),
        };
        if let (TermWord::Budget, [_, _, Value::Int(amount), ..]) = (word, values)
            && !u64::try_from(*amount).is_ok_and(|amount| amount <= AMOUNT_MAX)
        {
            // The amount is the request's: a negative one would widen the budget.
            return Err(Why::Amount(*amount).into());
        }
        let stated: Vec<Option<&Value>> = values.iter().map(Some).collect();
        sound(word, &stated).map_err(cannot)?;
        match self.take(word, values) {
            Ok(Some(())) => Ok(()),
            Ok(None) => Err(cannot("a value of another kind".to_owned())),
            Err(why) => Err(why.into()),
        }
    }

    /// None where the values are of other kinds than the term takes.
    fn take(&mut self, word: TermWord, values: &[Value]) -> Result<Option<()>, Why> {
        let terms = &mut self.terms;
        match (word, values) {
            (TermWord::Ttl, [Value::Int(seconds)]) => {
                let Ok(seconds) = u64::try_from(*seconds) else { return Ok(None) };
                least(&mut terms.ttl_seconds, seconds);
            }
            (TermWord::NotAfter, [Value::Date(end)]) => {
                least(&mut terms.not_after, UnixSeconds(*end));
            }
            (TermWord::UntilMinute, [Value::Int(minute)]) => {
                let end = self.zone.minute_of_same_day(self.question.now, *minute);
                let Some(end) = end else { return Ok(None) };
                least(&mut terms.not_after, end);
            }
            (TermWord::Holder, [_]) => terms.holder = Holder::Required,
            (TermWord::Reuse, [_]) => terms.uses = Uses::Fresh,
            (TermWord::Approval, [Value::Text(group), Value::Int(count)]) => {
                let (Ok(group), Ok(count)) = (Group::parse(group), u8::try_from(*count)) else {
                    return Ok(None);
                };
                match terms.approvals.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, most)) => *most = count.max(*most),
                    None => terms.approvals.push((group, count)),
                }
            }
            (TermWord::Vary, [Value::Text(at)]) => {
                let Ok(at) = Pointer::parse(at) else { return Ok(None) };
                terms.vary.push(at);
            }
            (TermWord::Budget, values) => {
                let Some(budget) = budget(values) else { return Ok(None) };
                terms.take_budget(budget);
            }
            (TermWord::Signed, [Value::Text(name), Value::Text(value), Value::Text(by)]) => {
                let (Ok(name), Ok(value), Ok(by)) =
                    (StatementName::parse(name), CaveatText::parse(value), ThirdParty::parse(by))
                else {
                    return Ok(None);
                };
                terms.signed.push(SignedTerm { name, value, by });
            }
            (word, values) => {
                let Some(caveats) = caveats(word, values) else { return Ok(None) };
                for caveat in caveats {
                    meets(&caveat, self.question)?;
                    terms.take_caveat(caveat);
                }
            }
        }
        Ok(Some(()))
    }

    fn close(self) -> Result<Terms, NoTerms> {
        let Reading { mut terms, question, .. } = self;
        let over = |term, why: String| Err(NoTerms::Error(EngineError::Term { term, why }));
        terms.vary.sort();
        terms.vary.dedup();
        terms.signed.sort();
        terms.signed.dedup();
        terms.approvals.sort();
        terms.budgets.sort();
        if terms.approvals.len() > NEEDS_MAX {
            return over("approval", format!("over {NEEDS_MAX} groups would have to approve"));
        }
        if terms.budgets.len() > BUDGETS_PER_GRANT_MAX {
            return over(
                "budget",
                format!("over {BUDGETS_PER_GRANT_MAX} budgets would be taken of"),
            );
        }
        // Bounds become caveats of the same token: two for an integer at most.
        let bounded = question.bounds.map_or(0, |bounds| 2 * bounds.pointers().count());
        if terms.caveats.len() + terms.signed.len() + bounded > bounds::CAVEATS_MAX {
            let max = bounds::CAVEATS_MAX;
            return over("param_max", format!("a token has {max} caveats at most"));
        }
        if let Some(end) = terms.not_after
            && end <= question.now
        {
            return Err(Why::Over(end).into());
        }
        let open = question.bounds.into_iter().flat_map(|bounds| bounds.pointers());
        match open.into_iter().find(|at| !terms.vary.contains(at)) {
            Some(at) => Err(Why::Varies(at.clone()).into()),
            None => Ok(terms),
        }
    }
}

fn least<T: Ord + Copy>(known: &mut Option<T>, found: T) {
    *known = Some(known.map_or(found, |known| known.min(found)));
}

fn budget(values: &[Value]) -> Option<BudgetTerm> {
    let [Value::Text(name), key, Value::Int(amount), Value::Int(limit), Value::Int(window)] =
        values
    else {
        return None;
    };
    let key = match key {
        Value::Text(text) => text.to_string(),
        Value::Int(value) => value.to_string(),
        _ => return None,
    };
    Some(BudgetTerm {
        name: name.to_string(),
        key,
        window_seconds: u64::try_from(*window).ok()?,
        amount: u64::try_from(*amount).ok()?,
        limit: u64::try_from(*limit).ok()?,
    })
}

fn caveats(word: TermWord, values: &[Value]) -> Option<Vec<Caveat>> {
    let [Value::Text(name), value] = values else { return None };
    let at = || Pointer::parse(name).ok();
    let text = |text: &str| CaveatText::parse(text).ok();
    let texts = |value: &Value| match value {
        Value::Text(one) => OneOf::new([text(one)?]).ok(),
        Value::Set(members) => {
            let member = |member: &Value| match member {
                Value::Text(member) => text(member),
                _ => None,
            };
            OneOf::new(members.iter().map(member).collect::<Option<Vec<_>>>()?).ok()
        }
        _ => None,
    };
    Some(match (word, value) {
        (TermWord::ParamMax, Value::Int(max)) => vec![Caveat::IntAtMost(at()?, *max)],
        (TermWord::ParamMin, Value::Int(min)) => vec![Caveat::IntAtLeast(at()?, *min)],
        (TermWord::ParamIs, Value::Int(value)) => {
            vec![Caveat::IntAtMost(at()?, *value), Caveat::IntAtLeast(at()?, *value)]
        }
        (TermWord::ParamIs, Value::Text(value)) => vec![Caveat::TextIs(at()?, text(value)?)],
        (TermWord::ParamPrefix, Value::Text(start)) => {
            vec![Caveat::TextPrefix(at()?, text(start)?)]
        }
        (TermWord::ParamOneOf, set) => vec![Caveat::TextOneOf(at()?, texts(set)?)],
        (TermWord::OutputMax, Value::Int(max)) => {
            vec![Caveat::OutputMax(OutputName::parse(name).ok()?, *max)]
        }
        (TermWord::OutputOneOf, set) => {
            vec![Caveat::OutputOneOf(OutputName::parse(name).ok()?, texts(set)?)]
        }
        _ => return None,
    })
}

/// Whether a request can meet a caveat at all: what it could never meet is denied here, and not when
/// the token is presented.
fn meets(caveat: &Caveat, question: &Question<'_>) -> Result<(), Why> {
    let Some(at) = caveat.place() else { return Ok(()) };
    let bound = question.bounds.into_iter().flat_map(|bounds| bounds.iter());
    let bound = bound.into_iter().find(|(place, _)| *place == at).map(|(_, bound)| bound);
    let met = match (caveat, question.params.leaf(at), bound) {
        (Caveat::IntAtMost(_, max), Some(Leaf::Int(value)), _) => value <= *max,
        (Caveat::IntAtLeast(_, min), Some(Leaf::Int(value)), _) => value >= *min,
        (Caveat::TextIs(_, wanted), Some(Leaf::Text(text)), _) => text == wanted.as_str(),
        (Caveat::TextOneOf(_, set), Some(Leaf::Text(text)), _) => set.contains(text),
        (Caveat::TextPrefix(_, start), Some(Leaf::Text(text)), _) => {
            text.starts_with(start.as_str())
        }
        (Caveat::IntAtMost(_, max), None, Some(Bound::Int { min, .. })) => {
            min.is_none_or(|min| min <= *max)
        }
        (Caveat::IntAtLeast(_, min), None, Some(Bound::Int { max, .. })) => {
            max.is_none_or(|max| max >= *min)
        }
        (Caveat::TextIs(_, wanted), None, Some(Bound::OneOf(set))) => set.contains(wanted.as_str()),
        (Caveat::TextOneOf(_, wanted), None, Some(Bound::OneOf(set))) => {
            set.iter().any(|text| wanted.contains(text))
        }
        (Caveat::TextPrefix(_, start), None, Some(Bound::OneOf(set))) => {
            set.iter().any(|text| text.starts_with(start.as_str()))
        }
        (
            Caveat::TextIs(..) | Caveat::TextOneOf(..) | Caveat::TextPrefix(..),
            None,
            Some(bound),
        ) => {
            matches!(bound, Bound::Prefix(_))
        }
        _ => false,
    };
    if met { Ok(()) } else { Err(Why::Unmet(caveat.clone())) }
}

impl Terms {
    /// Of one budget the larger amount and the smaller limit.
    fn take_budget(&mut self, budget: BudgetTerm) {
        let same = |known: &&mut BudgetTerm| {
            known.name == budget.name
                && known.key == budget.key
                && known.window_seconds == budget.window_seconds
        };
        match self.budgets.iter_mut().find(same) {
            Some(known) => {
                known.amount = known.amount.max(budget.amount);
                known.limit = known.limit.min(budget.limit);
            }
            None => self.budgets.push(budget),
        }
    }

    /// Of two limits of one value the narrower.
    fn take_caveat(&mut self, caveat: Caveat) {
        for known in &mut self.caveats {
            match (known, &caveat) {
                (Caveat::IntAtMost(at, max), Caveat::IntAtMost(same, other)) if at == same => {
                    *max = (*max).min(*other);
                    return;
                }
                (Caveat::IntAtLeast(at, min), Caveat::IntAtLeast(same, other)) if at == same => {
                    *min = (*min).max(*other);
                    return;
                }
                (Caveat::OutputMax(name, max), Caveat::OutputMax(same, other)) if name == same => {
                    *max = (*max).min(*other);
                    return;
                }
                (known, caveat) if known == caveat => return,
                _ => {}
            }
        }
        self.caveats.push(caveat);
    }
}
