//! The uses that were taken, in this process's memory: what every store without a disk keeps.
//!
//! It knows of a grant no more than that its use was taken, by whom, and what came of it. Whether a grant
//! that it has never seen may be spent at all is for the store's fence to say.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::attempt::Attempt;
use crate::clock::UnixSeconds;
use crate::grant::{GrantId, Mark};
use crate::limits;
use crate::store::{Outcome, Receipt, Sending, SettleError, SpendError, Ticket};

/// Grants kept at once: beyond it spending is refused rather than memory exhausted.
const GRANTS_MAX: usize = 1_000_000;

/// The uses that were taken.
pub(crate) struct Taken {
    /// The highest clock seen: one set back revives nothing.
    latest: UnixSeconds,
    grants: HashMap<GrantId, Record>,
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

impl Taken {
    /// None, at this time.
    pub(crate) fn none(now: UnixSeconds) -> Taken {
        Taken { latest: now, grants: HashMap::new(), swept: now }
    }

    /// The time: the highest seen.
    pub(crate) fn now(&self) -> UnixSeconds {
        self.latest
    }

    /// Lets time pass, and forgets what no token can ask for any more. Whether it did so is the answer: at
    /// most once a second, for it walks through all.
    pub(crate) fn pass(&mut self, now: UnixSeconds) -> bool {
        self.latest = self.latest.max(now);
        if self.latest <= self.swept {
            return false;
        }
        let now = self.latest;
        self.swept = now;
        self.grants.retain(|_, record| now < record.grant_end.plus(limits::SETTLE_SECONDS_MAX));
        true
    }

    /// Whether the grant's use is taken.
    pub(crate) fn has(&self, grant: GrantId) -> bool {
        self.grants.contains_key(&grant)
    }

    /// Takes the use of a grant. The fence says whether one may be spent that was never seen.
    pub(crate) fn spend(
        &mut self,
        ticket: &Ticket,
        attempt: &Attempt,
        fence: impl FnOnce(&Ticket) -> Result<(), SpendError>,
    ) -> Result<Receipt, SpendError> {
        let now = self.latest;
        let known = self.grants.len();
        let entry = match self.grants.entry(ticket.grant) {
            Entry::Occupied(record) => return record.get().again(ticket, attempt, now),
            Entry::Vacant(entry) => entry,
        };
        if now >= ticket.end {
            return Err(SpendError::Expired { now });
        }
        fence(ticket)?;
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

    /// Ends a grant, for the attempt that took its use.
    pub(crate) fn settle(
        &mut self,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let record = self.grants.get_mut(&ticket.grant).ok_or(SettleError::NotSpent)?;
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
