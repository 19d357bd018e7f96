//! Begun holds: what this issuer may have taken from budgets, written before the store was asked.
//!
//! A store that begins anew has forgotten what was held. What stands here and was not given back is brought
//! in again, whether or not the store ever heard of it: a budget may be counted too full, never too empty.

use std::collections::BTreeMap;

use farebox_verifier::{GrantId, UnixSeconds};

use super::event::DeskWhat;
use super::wheel::Wheel;
use super::{Desk, Step};
use crate::limits;
use crate::store::budget::{Hold, HoldId};
use crate::store::packed::{choices, fields};

/// What becomes of a hold, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// Nothing was done for it: a living registration has said so, or its handler.
    GivenBack,
    /// Something was done, or nobody can tell.
    Kept,
}

choices!(HoldEnd { 0_u8 = GivenBack, 1_u8 = Kept });

/// A hold, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BegunHold {
    /// The grant that it is for.
    pub grant: GrantId,
    /// All of it.
    pub hold: Hold,
    /// What became of it, once that is known.
    pub end: Option<HoldEnd>,
}

fields!(BegunHold { grant, hold, end });

/// Why a hold was not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// It stands there with another amount, budget or caller, or its end is known to be another.
    #[error("hold is known to be another")]
    Conflict,
    /// It was given back: its grant is dead.
    #[error("hold was given back")]
    GivenBack,
    /// It was never begun, or its window is over.
    #[error("hold is not known")]
    Unknown,
    /// Its window is over, or is none.
    #[error("window is over")]
    Over,
    /// As many holds are remembered as may be.
    #[error("too many holds")]
    Full,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// The holds whose window lasts.
#[derive(Default)]
pub(super) struct Holds {
    holds: BTreeMap<(GrantId, HoldId), BegunHold>,
    forget: Wheel<(GrantId, HoldId)>,
}

impl Holds {
    pub(super) fn insert(&mut self, begun: BegunHold) {
        let name = (begun.grant, begun.hold.id);
        self.forget.put(begun.hold.to, name);
        self.holds.insert(name, begun);
    }

    pub(super) fn ended(&mut self, grant: GrantId, hold: HoldId, end: HoldEnd) {
        if let Some(begun) = self.holds.get_mut(&(grant, hold)) {
            begun.end = Some(end);
        }
    }

    pub(super) fn forget(&mut self, now: UnixSeconds) {
        for name in self.forget.due(now) {
            // It may have moved to a later window, and be there too.
            if self.holds.get(&name).is_some_and(|begun| begun.hold.to <= now) {
                self.holds.remove(&name);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &BegunHold> {
        self.holds.values()
    }
}

impl Desk {
    /// Writes a hold down before the store is asked for it. Asked again, it is the same; where the store's
    /// clock has put it into another window, it moves there.
    pub(crate) fn begin_hold(&self, grant: GrantId, hold: Hold) -> Step<(), HoldError> {
        if hold.to <= self.latest || hold.to <= hold.from {
            return (None, Err(HoldError::Over));
        }
        if hold.id != HoldId::of(grant, hold.budget) {
            return (None, Err(HoldError::Conflict));
        }
        let begun = || Some(DeskWhat::HoldBegun { grant, hold }.into());
        match self.holds.holds.get(&(grant, hold.id)) {
            None if self.holds.holds.len() >= limits::HOLDS_MAX => (None, Err(HoldError::Full)),
            None => (begun(), Ok(())),
            Some(BegunHold { end: Some(HoldEnd::GivenBack), .. }) => {
                (None, Err(HoldError::GivenBack))
            }
            Some(BegunHold { hold: known, .. }) if *known == hold => (None, Ok(())),
            Some(BegunHold { hold: known, end: None, .. }) if known.moved_to(&hold) => {
                (begun(), Ok(()))
            }
            Some(_) => (None, Err(HoldError::Conflict)),
        }
    }

    /// Says what has become of a hold, for good. Said again, it is the same.
    pub(crate) fn end_hold(
        &self,
        grant: GrantId,
        hold: HoldId,
        end: HoldEnd,
    ) -> Step<(), HoldError> {
        match self.holds.holds.get(&(grant, hold)).map(|begun| begun.end) {
            None => (None, Err(HoldError::Unknown)),
            Some(None) => (Some(DeskWhat::HoldEnded { grant, hold, end }.into()), Ok(())),
            Some(Some(known)) if known == end => (None, Ok(())),
            Some(Some(_)) => (None, Err(HoldError::Conflict)),
        }
    }

    /// What a life that begins anew must count: all that is in its window and was not given back.
    pub(crate) fn holds(&self) -> impl Iterator<Item = &BegunHold> {
        let now = self.latest;
        let counts =
            move |begun: &&BegunHold| now < begun.hold.to && begun.end != Some(HoldEnd::GivenBack);
        self.holds.iter().filter(counts)
    }

    /// What was begun for this grant, given back or not.
    pub(crate) fn holds_of(&self, grant: GrantId) -> impl Iterator<Item = &BegunHold> {
        let (first, last) = (HoldId([0; 16]), HoldId([0xff; 16]));
        self.holds.holds.range((grant, first)..=(grant, last)).map(|(_, begun)| begun)
    }
}

impl Hold {
    /// Whether this is the same hold in another window.
    fn moved_to(&self, other: &Hold) -> bool {
        let Hold { id, budget, caller, amount, from: _, to: _ } = *self;
        (id, budget, caller, amount) == (other.id, other.budget, other.caller, other.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::budget::BudgetKey;

    #[test]
    fn there_are_only_so_many_holds() {
        let (now, grant) = (UnixSeconds(60), GrantId::from_bytes([1; 16]));
        let budget = BudgetKey([1; 16]);
        let caller = farebox_verifier::Scope::from_bytes([1; 8]);
        let id = HoldId::of(grant, budget);
        let hold = Hold { id, budget, caller, amount: 1, from: now, to: now.plus(60) };
        let mut desk = Desk::new(now);
        let begun = BegunHold { grant: GrantId::from_bytes([2; 16]), hold, end: None };
        let many = (1..=limits::HOLDS_MAX).map(|n| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&n.to_be_bytes());
            ((begun.grant, HoldId(id)), begun)
        });
        desk.holds.holds = many.collect();
        assert_eq!(desk.begin_hold(grant, hold).1, Err(HoldError::Full));
        desk.holds.holds.pop_last();
        assert_eq!(desk.begin_hold(grant, hold).1, Ok(()));
    }
}
