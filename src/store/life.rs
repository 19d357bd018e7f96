//! One life of a store: all that decides, in memory, from its opening to its end.
//!
//! ```text
//! command ──decide──→ answer, and the event that makes it true ──apply──→ memory
//! ```
//! Deciding changes nothing, and applying decides nothing: between the two the event is appended to the
//! journal, so that there is no effect without a record. Every store follows these rules; the Redis
//! library says them again in its own language, and a test holds the two side by side.

mod admin;
mod apply;
mod carried;
mod slots;

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::{
    Attempt, GrantId, Mark, Outcome, PolicyHash, Receipt, Scope, Scopes, Selector, Sending,
    SettleError, SpendError, Ticket, UnixSeconds,
};

use super::budget::Budgets;
use super::event::{Description, What};
use super::lease::Leases;
use super::registration::{RegisterError, Registration};
use crate::limits;
use slots::{Found, Slot, Slots, State};

pub(crate) use admin::Lapse;
pub(crate) use carried::LifePiece;

/// What deciding comes to: an answer, and what must be appended first to make it true.
pub(crate) type Step<T, E> = (Option<Change>, Result<T, E>);

/// What is to be appended.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) what: What,
    pub(crate) mark: Option<Mark>,
}

impl From<What> for Change {
    fn from(what: What) -> Change {
        Change { what, mark: None }
    }
}

/// The memory of one life.
#[derive(Clone)]
pub(crate) struct Life {
    slots: Slots,
    /// The highest clock seen: one set back revives nothing.
    latest: UnixSeconds,
    /// Scope → the last number that was registered when it was revoked.
    watermarks: HashMap<Scope, u64>,
    /// The same for all.
    all: u64,
    blocked: HashSet<Scope>,
    policy: PolicyHash,
    agents: HashMap<Scope, u64>,
    abandoned: HashMap<GrantId, UnixSeconds>,
    pub(crate) budgets: Budgets,
    pub(crate) leases: Leases,
    /// The number of the last event.
    appended: u64,
    /// The number of the last event that was drained.
    drained: u64,
    /// How many events of earlier lives nobody has drained.
    inherited: u64,
}

impl Life {
    pub(crate) fn new(now: UnixSeconds) -> Life {
        Life {
            slots: Slots::default(),
            latest: now,
            watermarks: HashMap::new(),
            all: 0,
            blocked: HashSet::new(),
            policy: PolicyHash::NONE,
            agents: HashMap::new(),
            abandoned: HashMap::new(),
            budgets: Budgets::default(),
            leases: Leases::default(),
            appended: 0,
            drained: 0,
            inherited: 0,
        }
    }

    /// A life that follows this one: it knows none of its grants, and all that was said about others.
    pub(crate) fn succeed(&self, now: UnixSeconds) -> Life {
        Life {
            blocked: self.blocked.clone(),
            policy: self.policy,
            abandoned: self.abandoned.clone(),
            budgets: self.budgets.succeed(self.latest),
            ..Life::new(now)
        }
    }

    /// Lets time pass, forgetting what is over.
    pub(crate) fn pass(&mut self, now: UnixSeconds) {
        if now > self.latest {
            self.latest = now;
            self.forget();
        }
    }

    /// The store's time: the highest it has seen.
    pub(crate) fn now(&self) -> UnixSeconds {
        self.latest
    }

    /// How many events nobody has drained.
    pub(crate) fn lag(&self) -> u64 {
        self.appended.saturating_sub(self.drained).saturating_add(self.inherited)
    }

    /// So many events of earlier lives nobody has drained.
    pub(crate) fn inherits(&mut self, events: u64) {
        self.inherited = events;
    }

    /// The number of the last event.
    pub(crate) fn appended(&self) -> u64 {
        self.appended
    }

    /// The set of policies in force.
    pub(crate) fn policy(&self) -> PolicyHash {
        self.policy
    }

    /// Gives the next number to a grant.
    pub(crate) fn register(&self, registration: &Registration) -> Step<u64, RegisterError> {
        match self.may_register(registration) {
            Err(refusal) => (None, Err(refusal)),
            Ok(after) => {
                let sequence = self.slots.last().saturating_add(1);
                let grant = Box::new(Description::of(registration, after));
                let what = What::Registered { sequence, grant };
                let mark = Some(registration.ticket.mark);
                (Some(Change { what, mark }), Ok(sequence))
            }
        }
    }

    fn may_register(&self, registration: &Registration) -> Result<Vec<u64>, RegisterError> {
        let Registration { ticket, after, .. } = registration;
        let scopes = registration.scopes();
        if ticket.policy != self.policy {
            return Err(RegisterError::Policy);
        }
        if self.blocks(ticket.grant, &scopes) {
            return Err(RegisterError::Blocked);
        }
        if self.abandoned.contains_key(&ticket.grant) {
            return Err(RegisterError::Abandoned);
        }
        let end_max = self.latest.plus(farebox_verifier::limits::TTL_SECONDS_MAX);
        if ticket.grant_end <= self.latest || ticket.grant_end > end_max {
            return Err(RegisterError::End);
        }
        if self.lag() >= limits::LAG_MAX {
            return Err(RegisterError::Lagging);
        }
        if self.slots.len() >= limits::GRANTS_MAX {
            return Err(RegisterError::Full);
        }
        if self.agents.get(&scopes.agent()).is_some_and(|n| *n >= limits::GRANTS_PER_AGENT_MAX) {
            return Err(RegisterError::AgentFull);
        }
        if after.len() > limits::PREDECESSORS_MAX {
            return Err(RegisterError::TooManyPredecessors);
        }
        self.not_yet_settled(registration)
    }

    fn blocks(&self, grant: GrantId, scopes: &Scopes) -> bool {
        let own = || [Selector::Grant(grant).scope(), Selector::All.scope()];
        let blocked = |scope: &Scope| self.blocked.contains(scope);
        !self.blocked.is_empty() && (scopes.0.iter().any(blocked) || own().iter().any(blocked))
    }

    /// The predecessors that are still to come; whoever registers has found them in this life.
    fn not_yet_settled(&self, registration: &Registration) -> Result<Vec<u64>, RegisterError> {
        let mut waiting = Vec::new();
        for seats in &registration.after {
            let [seat] = seats.seats() else { return Err(RegisterError::PredecessorElsewhere) };
            match self.slots.find(seat.sequence) {
                Found::Never => return Err(RegisterError::PredecessorElsewhere),
                Found::Forgotten => return Err(RegisterError::PredecessorFailed),
                Found::Slot(slot) => match slot.state {
                    State::Settled(Outcome::Succeeded) => {}
                    State::Issued | State::Spent => waiting.push(seat.sequence),
                    State::SpentRevoked | State::Settled(_) | State::Revoked | State::Expired => {
                        return Err(RegisterError::PredecessorFailed);
                    }
                },
            }
        }
        Ok(waiting)
    }

    /// Takes the one use of the grant with this number.
    pub(crate) fn spend(
        &self,
        sequence: u64,
        ticket: &Ticket,
        attempt: &Attempt,
    ) -> Step<Receipt, SpendError> {
        let slot = match self.slots.find(sequence) {
            Found::Never => return (None, Err(SpendError::UnknownGrant)),
            Found::Forgotten => return (None, Err(SpendError::Expired { now: self.latest })),
            Found::Slot(slot) => slot,
        };
        match slot.state {
            State::Issued => self.spend_issued(sequence, slot, ticket, attempt),
            State::Revoked | State::SpentRevoked => (None, Err(SpendError::Revoked)),
            State::Expired => (None, Err(SpendError::Expired { now: self.latest })),
            State::Spent | State::Settled(_) => self.spend_again(sequence, slot, ticket, attempt),
        }
    }

    fn spend_issued(
        &self,
        sequence: u64,
        slot: &Slot,
        ticket: &Ticket,
        attempt: &Attempt,
    ) -> Step<Receipt, SpendError> {
        let now = self.latest;
        if slot.mark != ticket.mark {
            return (contest(slot, What::Forged { sequence }), Err(SpendError::UnknownGrant));
        }
        if self.revoked(sequence, &ticket.scopes()) {
            return (None, Err(SpendError::Revoked));
        }
        if now >= ticket.end || now >= slot.end {
            return (None, Err(SpendError::Expired { now }));
        }
        if !slot.after.iter().all(|before| self.succeeded(*before)) {
            return (None, Err(SpendError::PredecessorUnsettled));
        }
        if self.lag() >= limits::LAG_MAX.saturating_mul(2) {
            return (None, Err(SpendError::Down));
        }
        let mark = Some(claimant(attempt, ticket.mark));
        let receipt = Receipt { spent_at: now, sending: Sending::First };
        (Some(Change { what: What::Spent { sequence }, mark }), Ok(receipt))
    }

    fn spend_again(
        &self,
        sequence: u64,
        slot: &Slot,
        ticket: &Ticket,
        attempt: &Attempt,
    ) -> Step<Receipt, SpendError> {
        let spent_at = slot.spent_at;
        let mine = slot.mark == claimant(attempt, ticket.mark);
        if mine && slot.state == State::Spent && self.latest < ticket.end {
            if self.revoked(sequence, &ticket.scopes()) {
                return (None, Err(SpendError::Revoked));
            }
            if slot.repeats >= limits::REPEATS_MAX {
                return (None, Err(SpendError::AlreadySpent { first_spent: spent_at }));
            }
            let receipt = Receipt { spent_at, sending: Sending::Repeat };
            return (Some(What::Repeated { sequence }.into()), Ok(receipt));
        }
        let change = if mine { None } else { contest(slot, What::Replayed { sequence }) };
        (change, Err(SpendError::AlreadySpent { first_spent: spent_at }))
    }

    /// Ends the grant with this number, for the attempt that spent it.
    pub(crate) fn settle(
        &self,
        sequence: u64,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Step<(), SettleError> {
        let slot = match self.slots.find(sequence) {
            Found::Never => return (None, Err(SettleError::NotSpent)),
            Found::Forgotten => {
                return (None, Err(SettleError::Conflict { settled: Outcome::Unknown }));
            }
            Found::Slot(slot) => slot,
        };
        let mine = slot.mark == claimant(attempt, ticket.mark);
        match slot.state {
            State::Spent | State::SpentRevoked if mine => {
                (Some(What::Settled { sequence, outcome }.into()), Ok(()))
            }
            State::Settled(settled) if mine && settled == outcome => (None, Ok(())),
            State::Settled(settled) if mine => (None, Err(SettleError::Conflict { settled })),
            _ => (None, Err(SettleError::NotSpent)),
        }
    }

    fn succeeded(&self, sequence: u64) -> bool {
        matches!(
            self.slots.find(sequence),
            Found::Slot(Slot { state: State::Settled(Outcome::Succeeded), .. })
        )
    }

    /// Whether a revocation of many covers this one.
    fn revoked(&self, sequence: u64, scopes: &Scopes) -> bool {
        let covered = |scope| self.watermarks.get(scope).is_some_and(|upto| sequence <= *upto);
        sequence <= self.all || (!self.watermarks.is_empty() && scopes.0.iter().any(covered))
    }
}

/// The first who asks for what he may not have is an event; a flood of them is not worth one each.
fn contest(slot: &Slot, what: What) -> Option<Change> {
    (!slot.contested).then(|| what.into())
}

/// What is kept of the attempt that took a use: enough to know it again, too little to be it. With the
/// content in it, the same attempt with another content is another claimant.
fn claimant(attempt: &Attempt, content: Mark) -> Mark {
    let parts = [b"farebox-claimant/1\0".as_slice(), attempt.expose(), content.as_bytes()].concat();
    let mut bytes = [0; 6];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, &parts).as_ref()) {
        *to = *from;
    }
    Mark::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
