//! A grant store in this process's memory: for tests, and for an API of a single instance to try.
//!
//! It registers nothing, so it knows of a grant that it has not seen only that it was not spent in this
//! memory. What was valid before that began is refused, for an earlier memory may have spent it: tokens are
//! valid from half a minute before they are minted, so for its first half minute it refuses them all. A
//! clock that was set back between two processes undoes that; nothing without a disk can know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::attempt::Attempt;
use crate::clock::{Clock, UnixSeconds};
use crate::grant::GrantId;
use crate::limits;
use crate::store::{Answer, Outcome, Receipt, SettleError, SpendError, SpendStore, Ticket};
use crate::taken::Taken;

/// A grant store in memory.
pub struct Memory {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// The second in which this memory began.
    born: UnixSeconds,
    taken: Taken,
    revoked: HashMap<GrantId, UnixSeconds>,
}

impl Memory {
    /// An empty memory, which refuses what was valid before now.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Memory {
        let now = clock.now();
        let state = State { born: now, taken: Taken::none(now), revoked: HashMap::new() };
        Memory { clock, state: Mutex::new(state) }
    }

    /// Revokes a grant. Whether it was spent before is the answer.
    pub fn revoke(&self, grant: GrantId) -> bool {
        self.with(|state| {
            // No token that is minted by now lives longer.
            let lives = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
            let until = state.taken.now().plus(lives + limits::SETTLE_SECONDS_MAX);
            state.revoked.insert(grant, until);
            state.taken.has(grant)
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.taken.pass(self.clock.now()) {
            let now = state.taken.now();
            state.revoked.retain(|_, until| now < *until);
        }
        change(&mut state)
    }
}

impl State {
    fn spend(&mut self, ticket: &Ticket, attempt: &Attempt) -> Result<Receipt, SpendError> {
        if self.revoked.contains_key(&ticket.grant) {
            return Err(SpendError::Revoked);
        }
        let born = self.born;
        self.taken.spend(ticket, attempt, |ticket| {
            // What was valid before this memory began, an earlier one may have spent, whenever its issuer
            // says that it was minted.
            if ticket.not_before <= born { Err(SpendError::Fenced) } else { Ok(()) }
        })
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
        Box::pin(async move { self.with(|state| state.taken.settle(ticket, attempt, outcome)) })
    }
}
