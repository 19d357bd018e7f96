//! What a store is told of a grant before its token is signed.

use farebox_verifier::{Grant, Resource, Scopes, Seats, Ticket, Workflow, token};

/// A grant to be registered. Its token is signed only with what the store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The grant as its verifier will present it, but for where it is registered.
    pub ticket: Ticket,
    /// What it acts on, for people to read.
    pub resource: Resource,
    /// Where the grants are registered that must have succeeded before this one is spent.
    pub after: Vec<Seats>,
}

impl Registration {
    /// What a store must know of `grant`, which `key_id` will sign.
    #[must_use]
    pub fn of(grant: &Grant, key_id: u32, after: Vec<Seats>) -> Registration {
        let ticket = Ticket {
            grant: grant.id,
            not_before: grant.window.not_before(),
            end: grant.window.end(),
            grant_end: grant.window.end(),
            mark: token::mark(grant),
            stores: None,
            key_id,
            agent: grant.agent.clone(),
            workflow: grant.workflow.as_ref().map(|(workflow, _)| workflow.clone()),
            audience: grant.audience.clone(),
            action: grant.action.clone(),
            policy: grant.policy,
        };
        Registration { ticket, resource: grant.resource.clone(), after }
    }

    /// Its workflow.
    #[must_use]
    pub fn workflow(&self) -> Option<&Workflow> {
        self.ticket.workflow.as_ref()
    }

    /// What it belongs to.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.ticket.scopes()
    }
}

/// Why a grant was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another set of policies is in force: decide again.
    #[error("another set of policies is in force")]
    Policy,
    /// Its agent, workflow, audience, action or key is blocked.
    #[error("blocked")]
    Blocked,
    /// A grant with this id is registered already.
    #[error("grant id is registered already")]
    Known,
    /// A predecessor is registered in another life, so its state will not be at hand.
    #[error("predecessor is registered elsewhere")]
    PredecessorElsewhere,
    /// A predecessor has ended otherwise than by succeeding.
    #[error("predecessor has not succeeded, and will not")]
    PredecessorFailed,
    /// More predecessors than a store remembers.
    #[error("too many predecessors")]
    TooManyPredecessors,
    /// It was refused for good.
    #[error("this id was given up")]
    Abandoned,
    /// It has ended, or lasts longer than any grant.
    #[error("its end is not within reach")]
    End,
    /// The store remembers as many grants as it may.
    #[error("store is full")]
    Full,
    /// The agent has as many grants as it may.
    #[error("agent has too many grants")]
    AgentFull,
    /// The journal is read too slowly, so nothing more is promised.
    #[error("journal lags")]
    Lagging,
    /// The command may have been carried out: abandon the id, and take another.
    #[error("no answer")]
    InDoubt,
    /// Nothing was registered.
    #[error("store is down")]
    Down,
}
