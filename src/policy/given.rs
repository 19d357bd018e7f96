//! The facts that a question gives.

use farebox_verifier::{Bound, Leaf};

use super::question::Question;
use super::value::Value;
use super::word::{DAYS, Given};
use super::zone::Zone;
use crate::limits::{GIVEN_LIST_MAX, PARAM_FACTS_MAX};

/// One given fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenFact {
    pub(super) given: Given,
    pub(super) values: Vec<Value>,
}

/// A question gives more than a decision looks at, or what it could not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TooMuch {
    /// More parameters than become facts. Leaving some out would hide them from rules that refuse.
    #[error("parameters have more than {PARAM_FACTS_MAX} values")]
    Params,
    /// A parameter stands where no pointer leads.
    #[error("a parameter stands under a name that no rule could name")]
    Unnameable,
    /// Too many of what comes in lists.
    #[error("more than {GIVEN_LIST_MAX} of {0} were given")]
    List(&'static str),
}

/// All facts of a question.
pub(super) fn facts(question: &Question<'_>, zone: &Zone) -> Result<Vec<GivenFact>, TooMuch> {
    let mut facts = Facts(Vec::with_capacity(32));
    let lists = [
        ("context", question.context.len()),
        ("attributes", question.attributes.len()),
        ("statements", question.attested.len()),
        ("predecessors", question.predecessors.len()),
    ];
    if let Some((what, _)) = lists.iter().find(|(_, len)| *len > GIVEN_LIST_MAX) {
        return Err(TooMuch::List(what));
    }
    facts.request(question);
    facts.params(question)?;
    facts.caller(question);
    facts.time(question, zone);
    Ok(facts.0)
}

struct Facts(Vec<GivenFact>);

impl Facts {
    fn add<const N: usize>(&mut self, given: Given, values: [Value; N]) {
        self.0.push(GivenFact { given, values: values.into() });
    }

    fn texts<const N: usize>(&mut self, given: Given, texts: [&str; N]) {
        self.add(given, texts.map(Value::text));
    }

    fn request(&mut self, question: &Question<'_>) {
        self.texts(Given::Action, [question.action.as_str()]);
        self.texts(Given::Resource, [question.resource.as_str()]);
        self.texts(Given::Audience, [question.audience.as_str()]);
        if let Some(purpose) = question.purpose {
            self.texts(Given::Purpose, [purpose.as_str()]);
        }
        if let Some((workflow, step)) = question.workflow {
            self.texts(Given::Workflow, [workflow.as_str(), step.as_str()]);
        }
        for (key, value) in question.context {
            self.texts(Given::Context, [key, value]);
        }
    }

    fn params(&mut self, question: &Question<'_>) -> Result<(), TooMuch> {
        let leaves = question.params.leaves().or(Err(TooMuch::Unnameable))?;
        if leaves.len() > PARAM_FACTS_MAX {
            return Err(TooMuch::Params);
        }
        for (at, leaf) in leaves {
            let at = Value::text(at.as_str());
            match leaf {
                Leaf::Int(value) => self.add(Given::Int, [at, Value::Int(value)]),
                Leaf::Text(text) => self.add(Given::Text, [at, Value::text(text)]),
                Leaf::Flag(flag) => self.add(Given::Flag, [at, Value::Flag(flag)]),
                Leaf::Decimal(digits) => self.add(Given::Decimal, [at, Value::text(digits)]),
            }
        }
        let Some(bounds) = question.bounds else { return Ok(()) };
        for (at, bound) in bounds.iter() {
            let at = || Value::text(at.as_str());
            match bound {
                Bound::Int { min, max } => {
                    let given = [(Given::IntAtLeast, min), (Given::IntAtMost, max)];
                    for (given, value) in given {
                        if let Some(value) = value {
                            self.add(given, [at(), Value::Int(*value)]);
                        }
                    }
                }
                Bound::OneOf(texts) => {
                    for text in texts {
                        self.add(Given::TextOneOf, [at(), Value::text(text)]);
                    }
                }
                Bound::Prefix(start) => self.add(Given::TextPrefix, [at(), Value::text(start)]),
            }
        }
        Ok(())
    }

    fn caller(&mut self, question: &Question<'_>) {
        self.texts(Given::Agent, [question.agent.as_str()]);
        for (name, value) in question.attributes {
            self.texts(Given::Attribute, [name, value]);
        }
        let since = Value::Date(question.authenticated.0);
        self.add(Given::Authenticated, [since, Value::text(question.credential)]);
        // A proof from the future is as old as no proof can be told to be: rules that want a fresh one refuse it.
        if let Some(ago) = question.now.0.checked_sub(question.authenticated.0) {
            self.add(Given::AuthenticatedAgo, [Value::Int(i64::try_from(ago).unwrap_or(i64::MAX))]);
        }
        for said in question.attested {
            self.texts(Given::Attested, [&said.signer, &said.name, &said.value]);
        }
        for before in question.predecessors {
            let texts = [&before.action, &before.resource, &before.step, &before.state];
            self.texts(Given::Predecessor, texts.map(String::as_str));
        }
        if let Some(grant) = question.retry_of {
            self.texts(Given::RetryOf, [grant]);
        }
    }

    fn time(&mut self, question: &Question<'_>, zone: &Zone) {
        let wall = zone.wall(question.now);
        self.add(Given::Now, [Value::Date(question.now.0)]);
        self.texts(Given::Date, [&wall.date]);
        self.texts(Given::Weekday, [DAYS.get(wall.weekday).copied().unwrap_or_default()]);
        self.add(Given::MinuteOfDay, [Value::Int(wall.minute_of_day)]);
    }
}
