//! What an issuer and its staff ask of a life, besides registering.

use farebox_verifier::{GrantId, PolicyHash, Selector};

use super::slots::{Found, State};
use super::{Change, Life, Step};
use crate::limits;
use crate::store::budget::{Hold, HoldId, Take, TakeError};
use crate::store::event::{OldGrants, What};
use crate::store::lease::{Lease, LeaseError};
use crate::store::{AdminError, Found as Met};

/// What became of a grant that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// It is over now, as the event says.
    Over,
    /// It was over before, or has been forgotten.
    Before,
    /// Its time has not come.
    NotYet,
}

impl Life {
    /// Revokes the grant with this number.
    pub(crate) fn revoke(&self, sequence: u64) -> Step<Met, AdminError> {
        let slot = match self.slots.find(sequence) {
            Found::Never | Found::Forgotten => return (None, Ok(Met::Unknown)),
            Found::Slot(slot) => slot,
        };
        let revoked = |spent| Some(What::Revoked { sequence, spent }.into());
        match slot.state {
            State::Issued => (revoked(false), Ok(Met::Unspent)),
            State::Spent => (revoked(true), Ok(Met::Spent)),
            State::SpentRevoked => (None, Ok(Met::Spent)),
            State::Settled(outcome) => (None, Ok(Met::Settled(outcome))),
            State::Revoked => (None, Ok(Met::Unspent)),
            State::Expired => (None, Ok(Met::Expired)),
        }
    }

    /// Revokes all that the selector names and that are registered by now.
    pub(crate) fn revoke_all(&self, selector: &Selector) -> Step<(), AdminError> {
        let upto = self.slots.last();
        let known = self.watermarks.contains_key(&selector.scope());
        if !known && self.watermarks.len() >= limits::WATERMARKS_MAX && *selector != Selector::All {
            return (None, Err(AdminError::Full));
        }
        (Some(What::RevokedAll { selector: selector.clone(), upto }.into()), Ok(()))
    }

    /// Refuses a grant id for good.
    pub(crate) fn abandon(&self, grant: GrantId) -> Step<(), AdminError> {
        if self.abandoned.contains_key(&grant) {
            return (None, Ok(()));
        }
        if self.abandoned.len() >= limits::ABANDONED_MAX {
            return (None, Err(AdminError::Full));
        }
        (Some(What::Abandoned { grant }.into()), Ok(()))
    }

    /// Refuses to register what the selector names, until it is lifted.
    pub(crate) fn block(&self, selector: &Selector) -> Step<(), AdminError> {
        if self.blocked.contains(&selector.scope()) {
            return (None, Ok(()));
        }
        if self.blocked.len() >= limits::BLOCKS_MAX {
            return (None, Err(AdminError::Full));
        }
        (Some(What::Blocked { selector: selector.clone() }.into()), Ok(()))
    }

    /// Lifts a block.
    pub(crate) fn unblock(&self, selector: &Selector) -> Step<(), AdminError> {
        let blocked = self.blocked.contains(&selector.scope());
        let change = blocked.then(|| What::Unblocked { selector: selector.clone() }.into());
        (change, Ok(()))
    }

    /// Puts another set of policies in force.
    pub(crate) fn set_policy(&self, policy: PolicyHash, old: OldGrants) -> Step<(), AdminError> {
        let (replaced, upto) = (self.policy, self.slots.last());
        let set = What::PolicySet { policy, replaced, old, upto };
        ((policy != replaced).then(|| set.into()), Ok(()))
    }

    /// Takes an amount from a budget.
    pub(crate) fn take(&self, take: &Take) -> Step<Hold, TakeError> {
        match self.budgets.check(self.latest, take) {
            Err(error) => (None, Err(error)),
            Ok((hold, true)) => (None, Ok(hold)),
            Ok((hold, false)) => (Some(What::Held { hold }.into()), Ok(hold)),
        }
    }

    /// Gives a hold back. One that is not held any more is no error: it was given back, or its window is
    /// over.
    pub(crate) fn give_back(&self, hold: HoldId) -> Step<(), AdminError> {
        let change = self.budgets.held(hold).map(|hold| What::GivenBack { hold }.into());
        (change, Ok(()))
    }

    /// Brings in what was held before this life began.
    pub(crate) fn restore(&self, hold: Hold) -> Step<(), AdminError> {
        let counts = !self.budgets.knows(hold.id) && self.latest < hold.to;
        (counts.then(|| What::Held { hold }.into()), Ok(()))
    }

    /// Counts budgets from now on.
    pub(crate) fn open_budgets(&self) -> Step<(), AdminError> {
        let change = (!self.budgets.is_open()).then(|| What::BudgetsOpened.into());
        (change, Ok(()))
    }

    /// Ends a grant that is over: unspent past its end, or spent and not settled in time.
    pub(crate) fn lapse(&self, sequence: u64) -> Step<Lapse, AdminError> {
        let Found::Slot(slot) = self.slots.find(sequence) else { return (None, Ok(Lapse::Before)) };
        let limit = slot.spent_at.plus(farebox_verifier::limits::SETTLE_SECONDS_MAX);
        let over = |what: What| (Some(Change::from(what)), Ok(Lapse::Over));
        match slot.state {
            State::Issued if self.latest >= slot.end => over(What::Expired { sequence }),
            State::Spent | State::SpentRevoked if self.latest >= limit => {
                over(What::Lapsed { sequence })
            }
            State::Issued | State::Spent | State::SpentRevoked => (None, Ok(Lapse::NotYet)),
            State::Settled(_) | State::Revoked | State::Expired => (None, Ok(Lapse::Before)),
        }
    }

    /// Gives a lease, or gives it for longer.
    pub(crate) fn lease(&self, name: &str, holder: &str, seconds: u64) -> Step<Lease, LeaseError> {
        match self.leases.check(self.latest, name, holder, seconds) {
            Err(error) => (None, Err(error)),
            Ok(lease) => {
                let Lease { number, end } = lease;
                let (name, holder) = (name.into(), holder.into());
                (Some(What::Leased { name, holder, number, end }.into()), Ok(lease))
            }
        }
    }
}
