//! What several servers say of one attempt, and what that comes to.
//!
//! A yes needs as many yeses as the topology asks for. A no is certain only where those who said no leave
//! too few for a yes; all else is doubt, and doubt is no yes.

use crate::store::{Outcome, Receipt, Sending, SettleError, SpendError};

/// The votes on a spend.
pub(super) struct SpendVotes {
    needed: usize,
    servers: usize,
    waiting: usize,
    yes: Vec<Receipt>,
    /// Definite: this server will never say yes to the attempt.
    no: Vec<SpendError>,
    in_doubt: bool,
}

impl SpendVotes {
    pub(super) fn new(needed: usize, servers: usize) -> SpendVotes {
        let (yes, no) = (Vec::new(), Vec::new());
        SpendVotes { needed, servers, waiting: servers, yes, no, in_doubt: false }
    }

    /// Counts a vote; the answer, as soon as no other vote could change it.
    pub(super) fn count(
        &mut self,
        vote: Result<Receipt, SpendError>,
    ) -> Option<Result<Receipt, SpendError>> {
        self.waiting = self.waiting.saturating_sub(1);
        match vote {
            Ok(receipt) => self.yes.push(receipt),
            Err(SpendError::InDoubt) => self.in_doubt = true,
            Err(SpendError::Down) => {}
            Err(refusal) => self.no.push(refusal),
        }
        if self.yes.len() >= self.needed {
            return self.agreed();
        }
        // A dead server is not waited for where the others have settled it.
        if self.waiting > 0 && !self.certainly_no() {
            return None;
        }
        Some(Err(self.refused()))
    }

    /// Those who did not refuse are too few for a yes.
    fn certainly_no(&self) -> bool {
        self.servers.saturating_sub(self.no.len()) < self.needed
    }

    fn agreed(&self) -> Option<Result<Receipt, SpendError>> {
        let spent_at = self.yes.iter().map(|receipt| receipt.spent_at).min()?;
        // One server that knew the attempt before is enough to call it a repeat.
        let repeat = self.yes.iter().any(|receipt| receipt.sending == Sending::Repeat);
        let sending = if repeat { Sending::Repeat } else { Sending::First };
        Some(Ok(Receipt { spent_at, sending }))
    }

    /// The refusal that tells most, if enough refused; else nobody knows.
    fn refused(&self) -> SpendError {
        let telling = self.no.iter().copied().max_by_key(|refusal| rank(*refusal));
        match telling {
            Some(refusal) if self.certainly_no() => refusal,
            _ if self.in_doubt || !self.yes.is_empty() => SpendError::InDoubt,
            _ => SpendError::Down,
        }
    }
}

/// How much a refusal tells: that somebody spent it tells most.
fn rank(refusal: SpendError) -> u8 {
    match refusal {
        SpendError::AlreadySpent { .. } => 7,
        SpendError::Revoked => 6,
        SpendError::Expired { .. } => 5,
        SpendError::PredecessorUnsettled => 4,
        SpendError::UnknownGrant => 3,
        SpendError::Fenced => 2,
        SpendError::InDoubt => 1,
        SpendError::Down => 0,
    }
}

/// The votes on a settling.
pub(super) struct SettleVotes {
    needed: usize,
    settled: usize,
    not_spent: usize,
    fenced: usize,
    conflict: Option<Outcome>,
}

impl SettleVotes {
    pub(super) fn new(needed: usize) -> SettleVotes {
        SettleVotes { needed, settled: 0, not_spent: 0, fenced: 0, conflict: None }
    }

    pub(super) fn count(&mut self, vote: Result<(), SettleError>) {
        match vote {
            Ok(()) => self.settled += 1,
            Err(SettleError::NotSpent) => self.not_spent += 1,
            Err(SettleError::Fenced) => self.fenced += 1,
            Err(SettleError::Conflict { settled }) => self.conflict = Some(settled),
            Err(SettleError::Down) => {}
        }
    }

    /// Whether it is settled, whatever the others say.
    pub(super) fn settled(&self) -> bool {
        self.settled >= self.needed
    }

    pub(super) fn answer(&self) -> Result<(), SettleError> {
        match self.conflict {
            _ if self.settled() => Ok(()),
            Some(settled) => Err(SettleError::Conflict { settled }),
            None if self.not_spent >= self.needed => Err(SettleError::NotSpent),
            None if self.fenced >= self.needed => Err(SettleError::Fenced),
            None => Err(SettleError::Down),
        }
    }
}
