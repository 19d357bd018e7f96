//! A grant store in this process's memory: for tests, and for an API of a single instance to try.
//!
//! It registers nothing, so it knows of a grant that it has not seen only that it was not spent in this
//! memory. What was valid before that began is refused, for an earlier memory may have spent it: tokens are
//! valid from half a minute before they are minted, so for its first half minute it refuses them all. A
//! clock that was set back between two processes undoes that; nothing without a disk can know.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::attempt::Attempt;
use crate::clock::{Clock, UnixSeconds};
use crate::grant::{GrantId, Mark};
use crate::limits;
use crate::store::{
    Answer, Outcome, Receipt, Sending, SettleError, SpendError, SpendStore, Ticket,
};

/// Grants kept at once: beyond it spending is refused rather than memory exhausted.
const GRANTS_MAX: usize = 1_000_000;

/// A grant store in memory.
pub struct Memory {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// The second in which this memory began.
    born: UnixSeconds,
    /// The highest clock seen: one set back revives nothing.
    latest: UnixSeconds,
    spent: HashMap<GrantId, Record>,
    revoked: HashMap<GrantId, UnixSeconds>,
    swept: UnixSeconds,
}

struct Record {
    mark: Mark,
    attempt: Attempt,
    spent_at: UnixSeconds,
    end: UnixSeconds,
    grant_end: UnixSeconds,
    settled: Option<Outcome>,
}

impl Memory {
    /// An empty memory, which refuses what was valid before now.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Memory {
        let now = clock.now();
        let (spent, revoked) = (HashMap::new(), HashMap::new());
        let state = State { born: now, latest: now, spent, revoked, swept: now };
        Memory { clock, state: Mutex::new(state) }
    }

    /// Revokes a grant. Whether it was spent before is the answer.
    pub fn revoke(&self, grant: GrantId) -> bool {
        self.with(|state| {
            // No token that is minted by now lives longer.
            let lives = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
            let until = state.latest.plus(lives + limits::SETTLE_SECONDS_MAX);
            state.revoked.insert(grant, until);
            state.spent.contains_key(&grant)
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.latest = state.latest.max(self.clock.now());
        state.sweep();
        change(&mut state)
    }
}

impl State {
    fn spend(&mut self, ticket: &Ticket, attempt: &Attempt) -> Result<Receipt, SpendError> {
        let now = self.latest;
        if self.revoked.contains_key(&ticket.grant) {
            return Err(SpendError::Revoked);
        }
        let known = self.spent.len();
        let entry = match self.spent.entry(ticket.grant) {
            Entry::Occupied(record) => return record.get().again(ticket, attempt, now),
            Entry::Vacant(entry) => entry,
        };
        if now >= ticket.end {
            return Err(SpendError::Expired { now });
        }
        // What was valid before this memory began, an earlier one may have spent, whenever its issuer
        // says that it was minted.
        if ticket.not_before <= self.born {
            return Err(SpendError::Fenced);
        }
        if known >= GRANTS_MAX {
            return Err(SpendError::Down);
        }
        entry.insert(Record {
            mark: ticket.mark,
            attempt: Attempt::from_bytes(*attempt.expose()),
            spent_at: now,
            end: ticket.end,
            grant_end: ticket.grant_end,
            settled: None,
        });
        Ok(Receipt { spent_at: now, sending: Sending::First })
    }

    fn settle(
        &mut self,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let record = self.spent.get_mut(&ticket.grant).ok_or(SettleError::NotSpent)?;
        if record.attempt != *attempt {
            return Err(SettleError::NotSpent);
        }
        match record.settled {
            Some(settled) if settled != outcome => Err(SettleError::Conflict { settled }),
            _ => {
                record.settled = Some(outcome);
                Ok(())
            }
        }
    }

    /// Forgets what no token can ask for any more; at most once a second, for it walks through all.
    fn sweep(&mut self) {
        let now = self.latest;
        if now > self.swept {
            self.swept = now;
            self.spent.retain(|_, record| now < record.grant_end.plus(limits::SETTLE_SECONDS_MAX));
            self.revoked.retain(|_, until| now < *until);
        }
    }
}

impl Record {
    fn again(
        &self,
        ticket: &Ticket,
        attempt: &Attempt,
        now: UnixSeconds,
    ) -> Result<Receipt, SpendError> {
        if self.mark != ticket.mark {
            return Err(SpendError::UnknownGrant);
        }
        if self.attempt != *attempt || self.settled.is_some() || now >= self.end {
            return Err(SpendError::AlreadySpent { first_spent: self.spent_at });
        }
        Ok(Receipt { spent_at: self.spent_at, sending: Sending::Repeat })
    }
}

impl SpendStore for Memory {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move { self.with(|state| state.spend(ticket, attempt)) })
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        Box::pin(async move { self.with(|state| state.settle(ticket, attempt, outcome)) })
    }
}
