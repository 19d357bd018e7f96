//! What a life is asked in the random tests, and what it answers.

use std::mem::Discriminant;

use super::*;
use crate::store::Found as Met;
use crate::store::budget::{Hold, HoldId, Take, TakeError};
use crate::store::lease::{Lease, LeaseError};

/// What is asked of a life.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Register(Registration),
    Spend(u64, Ticket, u8),
    Settle(u64, Ticket, u8, Outcome),
    Revoke(u64),
    RevokeAll(Selector),
    Abandon(GrantId),
    Block(Selector),
    Unblock(Selector),
    SetPolicy(PolicyHash, OldGrants),
    Take(Take),
    GiveBack(HoldId),
    OpenBudgets,
    Restore(Hold),
    Lapse(u64),
    Lease(&'static str, &'static str, u64),
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Registered(Result<u64, RegisterError>),
    Spent(Result<Receipt, SpendError>),
    Settled(Result<(), SettleError>),
    Revoked(Result<Met, AdminError>),
    Done(Result<(), AdminError>),
    Taken(Result<Hold, TakeError>),
    Lapsed(Result<Lapse, AdminError>),
    Leased(Result<Lease, LeaseError>),
}

pub(super) type Kind = Option<Discriminant<What>>;

pub(super) fn kind(what: &What) -> Kind {
    Some(std::mem::discriminant(what))
}

/// Whether the selector names the grant.
pub(super) fn names(selector: &Selector, ticket: &Ticket) -> bool {
    match selector {
        Selector::Grant(grant) => *grant == ticket.grant,
        Selector::Agent(agent) => *agent == ticket.agent,
        Selector::Workflow(workflow) => Some(workflow) == ticket.workflow.as_ref(),
        Selector::Audience(audience) => *audience == ticket.audience,
        Selector::Action(action) => *action == ticket.action,
        Selector::Policy(policy) => *policy == ticket.policy,
        Selector::Key(key) => *key == ticket.key_id,
        Selector::All => true,
    }
}

impl Command {
    /// What the life answers, and what must be appended first.
    pub(super) fn ask(&self, life: &Life) -> (Option<Change>, Said) {
        match self {
            Command::Register(registration) => said(life.register(registration), Said::Registered),
            Command::Spend(number, ticket, claimant) => {
                said(life.spend(*number, ticket, &attempt(*claimant)), Said::Spent)
            }
            Command::Settle(number, ticket, claimant, outcome) => {
                said(life.settle(*number, ticket, &attempt(*claimant), *outcome), Said::Settled)
            }
            Command::Revoke(number) => said(life.revoke(*number), Said::Revoked),
            Command::RevokeAll(selector) => said(life.revoke_all(selector), Said::Done),
            Command::Abandon(grant) => said(life.abandon(*grant), Said::Done),
            Command::Block(selector) => said(life.block(selector), Said::Done),
            Command::Unblock(selector) => said(life.unblock(selector), Said::Done),
            Command::SetPolicy(policy, old) => said(life.set_policy(*policy, *old), Said::Done),
            Command::Take(take) => said(life.take(take), Said::Taken),
            Command::GiveBack(hold) => said(life.give_back(*hold), Said::Done),
            Command::OpenBudgets => said(life.open_budgets(), Said::Done),
            Command::Restore(hold) => said(life.restore(*hold), Said::Done),
            Command::Lapse(number) => said(life.lapse(*number), Said::Lapsed),
            Command::Lease(name, holder, seconds) => {
                said(life.lease(name, holder, *seconds), Said::Leased)
            }
        }
    }
}

fn said<T, E>(
    (change, answer): Step<T, E>,
    said: impl FnOnce(Result<T, E>) -> Said,
) -> (Option<Change>, Said) {
    (change, said(answer))
}
