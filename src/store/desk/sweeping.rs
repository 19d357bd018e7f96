//! Many requests at once, in steps: what a revocation takes, and what nobody answered in time.
//!
//! A step is one event and a short time; whoever sweeps does so until nothing is left.

use farebox_verifier::{GrantId, Selector};

use super::event::DeskWhat;
use super::request::Request;
use super::words::{Caller, Reason};
use super::{Desk, Step};
use crate::limits;
use crate::store::AdminError;

/// What one step has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is left is not swept"]
pub struct Swept {
    /// How many it took.
    pub taken: usize,
    /// How many the next steps will take, or for what is overdue the next one.
    pub left: usize,
}

impl Desk {
    /// Takes the first of all requests that the selector names and of which a grant may yet come. That goes
    /// for used approvals too: they shall not pass to another grant. The grants that they paid for are
    /// revoked where they are registered.
    pub(crate) fn cancel(
        &self,
        selector: &Selector,
        by: &Caller,
        reason: &Reason,
    ) -> Step<Swept, AdminError> {
        let (grants, count) = match selector {
            Selector::Grant(grant) => {
                let found = self.queue.find(*grant).or_else(|| self.queue.payer(*grant));
                let found = found.filter(|request| request.state.is_live());
                let grants: Vec<GrantId> = found.iter().map(|it| it.proposal.grant).collect();
                (grants, usize::from(found.is_some()))
            }
            // What waits has no signature yet, and so no key.
            Selector::Key(_) => (Vec::new(), 0),
            named => {
                let orders = self.queue.live().after(named.scope(), 0);
                let found = orders.take(limits::SWEEP_MAX).filter_map(|order| self.queue.at(order));
                let grants = found.map(|request| request.proposal.grant).collect();
                (grants, self.queue.count_live(named))
            }
        };
        let swept = Swept { taken: grants.len(), left: count.saturating_sub(grants.len()) };
        let change = (!grants.is_empty()).then(|| {
            let (selector, by, reason) = (selector.clone(), by.clone(), reason.clone());
            DeskWhat::Cancelled { selector, by, reason, grants }.into()
        });
        (change, Ok(swept))
    }

    /// Ends the first of all requests that have waited too long, for a decision or for being collected.
    pub(crate) fn expire(&self) -> Step<Swept, AdminError> {
        let overdue = self.queue.overdue(self.latest).take(limits::SWEEP_MAX);
        let grants: Vec<GrantId> = overdue.map(of).collect();
        let left = {
            // No more than the next step takes: counting all of a hundred thousand again and again would be dear.
            let rest = self.queue.overdue(self.latest).skip(grants.len());
            rest.take(limits::SWEEP_MAX).count()
        };
        let swept = Swept { taken: grants.len(), left };
        let change = (!grants.is_empty()).then(|| DeskWhat::Expired { grants }.into());
        (change, Ok(swept))
    }
}

fn of(request: &Request) -> GrantId {
    request.proposal.grant
}
