//! The words of the language: what is given to a policy, and what a rule that allows may demand.
//!
//! A policy can define neither. What is given is true because the issuer or the request says so, and a
//! term that a fact or a rule could make would be an obligation that a misspelt body drops.

use super::value::Kind;

/// A fact that the issuer or the request gives to each decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Given {
    /// `action(name)`
    Action,
    /// `resource(name)`
    Resource,
    /// `audience(name)`
    Audience,
    /// `purpose(words)`: the agent's.
    Purpose,
    /// `workflow(id, step)`
    Workflow,
    /// `context(key, value)`: the agent's own word.
    Context,
    /// `int(pointer, value)`: a parameter.
    Int,
    /// `text(pointer, value)`: a parameter.
    Text,
    /// `flag(pointer, value)`: a parameter.
    Flag,
    /// `decimal(pointer, digits)`: a parameter, as a text.
    Decimal,
    /// `int_at_most(pointer, value)`: a parameter that may vary.
    IntAtMost,
    /// `int_at_least(pointer, value)`: a parameter that may vary.
    IntAtLeast,
    /// `text_one_of(pointer, value)`: a parameter that may vary; the rule must hold for each value.
    TextOneOf,
    /// `text_prefix(pointer, start)`: a parameter that may vary.
    TextPrefix,
    /// `agent(id)`
    Agent,
    /// `attribute(name, value)`: of the agent, verified.
    Attribute,
    /// `authenticated(date, credential)`
    Authenticated,
    /// `authenticated_ago(seconds)`
    AuthenticatedAgo,
    /// `attested(signer, name, value)`: a third party's signed word.
    Attested,
    /// `predecessor(action, resource, step, state)`
    Predecessor,
    /// `retry_of(grant)`: of which nobody can tell whether it was used.
    RetryOf,
    /// `now(date)`
    Now,
    /// `date("2026-11-21")`, in the configured zone.
    Date,
    /// `weekday("saturday")`, in the configured zone.
    Weekday,
    /// `minute_of_day(0..1440)`, in the configured zone.
    MinuteOfDay,
}

/// What a rule that allows may demand: taken out of its body before the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TermWord {
    /// `ttl(seconds)`
    Ttl,
    /// `not_after(date)`
    NotAfter,
    /// `until_minute(minute)`
    UntilMinute,
    /// `holder("required")`
    Holder,
    /// `approval(group, count)`
    Approval,
    /// `budget(name, key, amount, limit, window_seconds)`
    Budget,
    /// `vary(pointer)`
    Vary,
    /// `reuse("allowed")`
    Reuse,
    /// `param_max(pointer, value)`
    ParamMax,
    /// `param_min(pointer, value)`
    ParamMin,
    /// `param_one_of(pointer, set)`
    ParamOneOf,
    /// `param_is(pointer, value)`
    ParamIs,
    /// `param_prefix(pointer, start)`
    ParamPrefix,
    /// `signed(name, value, key)`
    Signed,
    /// `output_max(name, value)`
    OutputMax,
    /// `output_one_of(name, set)`
    OutputOneOf,
}

/// What may stand at one place of a given fact or a term.
pub(super) type Place = &'static [Kind];

const TEXT: Place = &[Kind::Text];
const INT: Place = &[Kind::Int];
const FLAG: Place = &[Kind::Flag];
const DATE: Place = &[Kind::Date];
const TEXTS: Place = &[Kind::Set, Kind::Text];
const SCALAR: Place = &[Kind::Text, Kind::Int];

/// Every given fact, with what stands at its places.
pub(super) const GIVEN: [(Given, &str, &[Place]); 25] = [
    (Given::Action, "action", &[TEXT]),
    (Given::Resource, "resource", &[TEXT]),
    (Given::Audience, "audience", &[TEXT]),
    (Given::Purpose, "purpose", &[TEXT]),
    (Given::Workflow, "workflow", &[TEXT, TEXT]),
    (Given::Context, "context", &[TEXT, TEXT]),
    (Given::Int, "int", &[TEXT, INT]),
    (Given::Text, "text", &[TEXT, TEXT]),
    (Given::Flag, "flag", &[TEXT, FLAG]),
    (Given::Decimal, "decimal", &[TEXT, TEXT]),
    (Given::IntAtMost, "int_at_most", &[TEXT, INT]),
    (Given::IntAtLeast, "int_at_least", &[TEXT, INT]),
    (Given::TextOneOf, "text_one_of", &[TEXT, TEXT]),
    (Given::TextPrefix, "text_prefix", &[TEXT, TEXT]),
    (Given::Agent, "agent", &[TEXT]),
    (Given::Attribute, "attribute", &[TEXT, TEXT]),
    (Given::Authenticated, "authenticated", &[DATE, TEXT]),
    (Given::AuthenticatedAgo, "authenticated_ago", &[INT]),
    (Given::Attested, "attested", &[TEXT, TEXT, TEXT]),
    (Given::Predecessor, "predecessor", &[TEXT, TEXT, TEXT, TEXT]),
    (Given::RetryOf, "retry_of", &[TEXT]),
    (Given::Now, "now", &[DATE]),
    (Given::Date, "date", &[TEXT]),
    (Given::Weekday, "weekday", &[TEXT]),
    (Given::MinuteOfDay, "minute_of_day", &[INT]),
];

/// Every term, with what stands at its places.
pub(super) const TERMS: [(TermWord, &str, &[Place]); 16] = [
    (TermWord::Ttl, "ttl", &[INT]),
    (TermWord::NotAfter, "not_after", &[DATE]),
    (TermWord::UntilMinute, "until_minute", &[INT]),
    (TermWord::Holder, "holder", &[TEXT]),
    (TermWord::Approval, "approval", &[TEXT, INT]),
    (TermWord::Budget, "budget", &[TEXT, SCALAR, INT, INT, INT]),
    (TermWord::Vary, "vary", &[TEXT]),
    (TermWord::Reuse, "reuse", &[TEXT]),
    (TermWord::ParamMax, "param_max", &[TEXT, INT]),
    (TermWord::ParamMin, "param_min", &[TEXT, INT]),
    (TermWord::ParamOneOf, "param_one_of", &[TEXT, TEXTS]),
    (TermWord::ParamIs, "param_is", &[TEXT, SCALAR]),
    (TermWord::ParamPrefix, "param_prefix", &[TEXT, TEXT]),
    (TermWord::Signed, "signed", &[TEXT, TEXT, TEXT]),
    (TermWord::OutputMax, "output_max", &[TEXT, INT]),
    (TermWord::OutputOneOf, "output_one_of", &[TEXT, TEXTS]),
];

/// The days, as `weekday` says them.
pub(super) const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Given {
    /// The fact of this name.
    pub(super) fn named(name: &str) -> Option<(Given, &'static [Place])> {
        GIVEN.iter().find(|(_, word, _)| *word == name).map(|(given, _, places)| (*given, *places))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        GIVEN.iter().find(|(given, ..)| *given == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it speaks of a place in the parameters, by a pointer.
    pub(super) fn is_parameter(self) -> bool {
        self.is_exact() || self.is_bound()
    }

    /// Whether it gives a parameter as it will be sent.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Given::Int | Given::Text | Given::Flag | Given::Decimal)
    }

    /// Whether it gives a parameter that may vary.
    pub(super) fn is_bound(self) -> bool {
        matches!(self, Given::IntAtMost | Given::IntAtLeast | Given::TextOneOf | Given::TextPrefix)
    }

    /// Whether no decision has two of it.
    pub(super) fn is_single(self) -> bool {
        matches!(
            self,
            Given::Action
                | Given::Resource
                | Given::Audience
                | Given::Purpose
                | Given::Workflow
                | Given::Agent
                | Given::Authenticated
                | Given::AuthenticatedAgo
                | Given::RetryOf
                | Given::Now
                | Given::Date
                | Given::Weekday
                | Given::MinuteOfDay
        )
    }
}

impl TermWord {
    /// The term of this name.
    pub(super) fn named(name: &str) -> Option<(TermWord, &'static [Place])> {
        TERMS.iter().find(|(_, word, _)| *word == name).map(|(term, _, places)| (*term, *places))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        TERMS.iter().find(|(term, ..)| *term == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it must be said outright: a value that differs from solution to solution would leave
    /// nobody able to say what was demanded.
    pub(super) fn is_literal(self) -> bool {
        matches!(self, TermWord::Holder | TermWord::Vary | TermWord::Reuse)
    }
}
