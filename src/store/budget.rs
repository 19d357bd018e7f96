//! Budgets: how much may be taken of a key in a window, counted by holds that each name a grant.
//!
//! A hold counts once, however often it is asked for, and is given back once, into the window that it
//! was taken from. Counters live with their life: after it, nothing is given out until all that is held
//! was brought in again.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::{GrantId, Scope, UnixSeconds};

use crate::limits;

/// A budget: its name, the value it is counted by and the length of its windows, in sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(pub [u8; 16]);

/// One grant's hold on one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub [u8; 16]);

impl BudgetKey {
    /// The budget of this name for this value. Of one name, so much an hour and so much a day are two
    /// budgets: a grant takes of both, and neither's window ends the other's.
    #[must_use]
    pub fn of(name: &str, value: &str, window_seconds: u64) -> BudgetKey {
        let window = window_seconds.to_be_bytes();
        BudgetKey(short(&[
            b"farebox-budget/1\0",
            &window,
            name.as_bytes(),
            b"\0",
            value.as_bytes(),
        ]))
    }
}

impl HoldId {
    /// The hold of this grant on this budget.
    #[must_use]
    pub fn of(grant: GrantId, budget: BudgetKey) -> HoldId {
        HoldId(short(&[b"farebox-hold/1\0", grant.as_bytes(), &budget.0]))
    }
}

fn short(parts: &[&[u8]]) -> [u8; 16] {
    let digest = digest(&SHA256, &parts.concat());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

/// What is asked of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// The grant that it is for.
    pub grant: GrantId,
    /// The budget.
    pub budget: BudgetKey,
    /// Who asks: counters are limited for each.
    pub caller: Scope,
    /// How much: an integer of the smallest unit, or one for a count.
    pub amount: u64,
    /// How much there is in each window.
    pub limit: u64,
    /// How long a window lasts. Windows begin at multiples of this since 1970.
    pub window_seconds: u64,
}

/// An amount that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which hold it is.
    pub id: HoldId,
    /// Of which budget.
    pub budget: BudgetKey,
    /// Who asked.
    pub caller: Scope,
    /// How much.
    pub amount: u64,
    /// The first second of the window it was taken from.
    pub from: UnixSeconds,
    /// The first second after that window.
    pub to: UnixSeconds,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// There is not so much left.
    #[error("over the budget: {left} left until {until}")]
    Over {
        /// What is left.
        left: u64,
        /// When the window ends.
        until: UnixSeconds,
    },
    /// An amount, a limit or a window that no budget has.
    #[error("no budget has such an amount, limit or window")]
    Amount,
    /// The hold was given back before: its grant is dead.
    #[error("this hold was given back")]
    GivenBack,
    /// What is held already has not been brought in since the store began anew.
    #[error("budgets are not counted yet")]
    Closed,
    /// As many budgets or holds as are remembered.
    #[error("too many budgets")]
    Full,
    /// It may have been taken: asking again with the same grant is safe.
    #[error("no answer")]
    InDoubt,
    /// Nothing was taken.
    #[error("store is down")]
    Down,
}

/// The counters of one life.
#[derive(Clone, Default)]
pub(crate) struct Budgets {
    open: bool,
    /// What is taken is taken no earlier: windows that were over by then are forgotten.
    floor: Option<UnixSeconds>,
    counters: HashMap<(BudgetKey, UnixSeconds), Counter>,
    holds: HashMap<HoldId, Held>,
    callers: HashMap<Scope, usize>,
    /// How many holds of each caller are remembered.
    holders: HashMap<Scope, usize>,
}

#[derive(Clone, Copy)]
struct Counter {
    taken: u64,
    to: UnixSeconds,
    caller: Scope,
}

#[derive(Clone, Copy)]
struct Held {
    hold: Hold,
    given_back: bool,
}

impl Budgets {
    /// What `take` would hold, and whether it is held already.
    pub(crate) fn check(&self, now: UnixSeconds, take: &Take) -> Result<(Hold, bool), TakeError> {
        if !self.open {
            return Err(TakeError::Closed);
        }
        let id = HoldId::of(take.grant, take.budget);
        if let Some(held) = self.holds.get(&id) {
            return match held.given_back {
                true => Err(TakeError::GivenBack),
                false => self.still(held.hold, take.limit),
            };
        }
        let amounts = take.amount.max(take.limit);
        let window = 1..=UnixSeconds::MAX.0;
        if !window.contains(&take.window_seconds) || amounts > limits::AMOUNT_MAX {
            return Err(TakeError::Amount);
        }
        let now = self.floor.map_or(now, |floor| now.max(floor));
        let from = UnixSeconds(now.0 - now.0 % take.window_seconds);
        let to = UnixSeconds(from.0.saturating_add(take.window_seconds));
        let Take { budget, caller, amount, .. } = *take;
        let counter = self.counters.get(&(budget, from));
        let taken = counter.map_or(0, |counter| counter.taken);
        if taken.saturating_add(amount) > take.limit {
            let left = take.limit.saturating_sub(taken);
            return Err(TakeError::Over { left, until: to });
        }
        let counted = self.callers.get(&caller).copied().unwrap_or(0);
        let fresh = counter.is_none() && counted >= limits::BUDGETS_PER_CALLER_MAX;
        let held = self.holders.get(&caller).copied().unwrap_or(0);
        let hold = Hold { id, budget, caller, amount, from, to };
        // Nothing is taken by nothing, and nothing remembered.
        if amount == 0 {
            return Ok((hold, true));
        }
        if fresh || self.holds.len() >= limits::HOLDS_MAX || held >= limits::HOLDS_PER_CALLER_MAX {
            return Err(TakeError::Full);
        }
        Ok((hold, false))
    }

    /// A hold that is counted already. One that was restored may have been begun where there was no room for it,
    /// so that it is not confirmed before there is.
    fn still(&self, hold: Hold, limit: u64) -> Result<(Hold, bool), TakeError> {
        let counter = self.counters.get(&(hold.budget, hold.from));
        match counter.is_none_or(|counter| counter.taken <= limit) {
            true => Ok((hold, true)),
            false => Err(TakeError::Over { left: 0, until: hold.to }),
        }
    }

    /// What `hold` would give back; nothing where it was given back or never held.
    pub(crate) fn held(&self, hold: HoldId) -> Option<Hold> {
        self.holds.get(&hold).filter(|held| !held.given_back).map(|held| held.hold)
    }

    /// Whether this hold was ever counted in this life.
    pub(crate) fn knows(&self, hold: HoldId) -> bool {
        self.holds.contains_key(&hold)
    }

    /// Whether anything may be taken.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// The budgets of a life that follows one which saw this time: where its clock was ahead, windows are
    /// forgotten that are not over by the right one, and must not be counted anew.
    pub(crate) fn succeed(&self, latest: UnixSeconds) -> Budgets {
        let floor = self.floor.map_or(latest, |floor| floor.max(latest));
        Budgets { floor: Some(floor), ..self.clone() }
    }

    pub(crate) fn floor(&self) -> UnixSeconds {
        self.floor.unwrap_or(UnixSeconds(0))
    }

    pub(crate) fn raise(&mut self, floor: UnixSeconds) {
        self.floor = Some(floor);
    }

    /// Every hold that is remembered, and whether it was given back.
    pub(crate) fn holds(&self) -> impl Iterator<Item = (Hold, bool)> + '_ {
        self.holds.values().map(|held| (held.hold, held.given_back))
    }

    /// Lets amounts be taken from now on.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    pub(crate) fn take(&mut self, hold: Hold) {
        let key = (hold.budget, hold.from);
        if !self.counters.contains_key(&key) {
            *self.callers.entry(hold.caller).or_default() += 1;
        }
        let fresh = Counter { taken: 0, to: hold.to, caller: hold.caller };
        let counter = self.counters.entry(key).or_insert(fresh);
        counter.taken = counter.taken.saturating_add(hold.amount);
        self.holds.insert(hold.id, Held { hold, given_back: false });
        *self.holders.entry(hold.caller).or_default() += 1;
    }

    pub(crate) fn give_back(&mut self, hold: Hold) {
        if let Some(held) = self.holds.get_mut(&hold.id).filter(|held| !held.given_back) {
            held.given_back = true;
            if let Some(counter) = self.counters.get_mut(&(hold.budget, hold.from)) {
                counter.taken = counter.taken.saturating_sub(hold.amount);
            }
        }
    }

    /// Forgets windows that are over, and with them their holds: what would be given back into them
    /// counts nowhere any more.
    pub(crate) fn sweep(&mut self, now: UnixSeconds) {
        let Budgets { counters, holds, callers, holders, .. } = self;
        let before = counters.len();
        counters.retain(|_, counter| {
            let lives = now < counter.to;
            if !lives && let Some(count) = callers.get_mut(&counter.caller) {
                *count = count.saturating_sub(1);
            }
            lives
        });
        if counters.len() < before {
            holds.retain(|_, held| {
                let lives = now < held.hold.to;
                if !lives && let Some(count) = holders.get_mut(&held.hold.caller) {
                    *count = count.saturating_sub(1);
                }
                lives
            });
            callers.retain(|_, count| *count > 0);
            holders.retain(|_, count| *count > 0);
        }
    }
}
