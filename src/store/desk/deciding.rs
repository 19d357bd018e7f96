//! How a request goes from being asked to being paid for.
//!
//! An approval is used up before the grant that it pays for is registered, whatever follows. Collecting
//! again gives the same grant, never a second one; only once that grant's id was given up for good does the
//! approval pass to a fresh one, and only in the time for which it was given.

use farebox_verifier::{GrantId, Selector, Sending, UnixSeconds};

use super::event::DeskWhat;
use super::queue::by_requester;
use super::request::{Decision, Proposal, Request, RequestState, Verdict};
use super::words::Caller;
use super::{Desk, Step};
use crate::limits;

/// Why people are not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// Another request has this id.
    #[error("id is another request's")]
    Taken,
    /// Its agent, workflow, audience, action or policy is blocked.
    #[error("blocked")]
    Blocked,
    /// It would be over already, or wait for longer than any.
    #[error("no request waits for so long")]
    Until,
    /// Its requester has as many requests as it may.
    #[error("requester has too many requests")]
    RequesterFull,
    /// As many requests, or as many bytes of them, are remembered as may be.
    #[error("too many requests")]
    Full,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// Why a decision does not count, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// There is no such request, or it was forgotten.
    #[error("no such request")]
    Unknown,
    /// It does not wait for approvers any more.
    #[error("request is {}", state.word())]
    Decided {
        /// Where it stands.
        state: RequestState,
    },
    /// Its time ran out.
    #[error("request expired at {until}")]
    Expired {
        /// When.
        until: UnixSeconds,
    },
    /// The approver, or the person behind it, asked for this itself.
    #[error("nobody approves what is its own")]
    Own,
    /// The approver, or the person behind it, has decided.
    #[error("approver has decided")]
    Again,
    /// No approval of this group is missing.
    #[error("group is not needed")]
    NotNeeded,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// Why a request was not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WithdrawError {
    /// There is no such request, or it was forgotten.
    #[error("no such request")]
    Unknown,
    /// Whoever asks has neither sent nor approved it.
    #[error("neither sent nor approved by this caller")]
    NotYours,
    /// It was over before.
    #[error("request is {}", state.word())]
    Over {
        /// Where it stands.
        state: RequestState,
    },
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// Why an approval pays for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// There is no such request, or it was forgotten.
    #[error("no such request")]
    Unknown,
    /// It is not approved: not yet, or not any more.
    #[error("request is {}", state.word())]
    NotApproved {
        /// Where it stands.
        state: RequestState,
    },
    /// Its time ran out.
    #[error("request expired at {until}")]
    Expired {
        /// When.
        until: UnixSeconds,
    },
    /// Its agent, workflow, audience, action or policy is blocked; the approval is not used up by that.
    #[error("blocked")]
    Blocked,
    /// Another approval pays for this grant.
    #[error("id is another request's")]
    Taken,
    /// It has passed to another grant already.
    #[error("approval pays for grant {grant}")]
    Moved {
        /// Which.
        grant: GrantId,
    },
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// What an approval pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    /// The grant to be registered.
    pub fresh: GrantId,
    /// Whether it was collected before: then the grant may be registered, or its registration in doubt.
    pub sending: Sending,
}

impl Desk {
    /// Asks people. Asked again, it is the same request.
    pub(crate) fn propose(&self, proposal: &Proposal) -> Step<(), ProposeError> {
        if let Some(found) = self.queue.find(proposal.grant) {
            let Proposal { requester, request, .. } = &found.proposal;
            let same = *requester == proposal.requester && *request == proposal.request;
            return (None, if same { Ok(()) } else { Err(ProposeError::Taken) });
        }
        match self.may_propose(proposal) {
            Err(refusal) => (None, Err(refusal)),
            Ok(order) => {
                let what = DeskWhat::Proposed { order, request: Box::new(proposal.clone()) };
                (Some(what.into()), Ok(()))
            }
        }
    }

    fn may_propose(&self, proposal: &Proposal) -> Result<u64, ProposeError> {
        if self.queue.payer(proposal.grant).is_some() {
            return Err(ProposeError::Taken);
        }
        if self.is_blocked(proposal) {
            return Err(ProposeError::Blocked);
        }
        let until_max = self.latest.plus(limits::REQUEST_SECONDS_MAX);
        if proposal.until <= self.latest || proposal.until > until_max {
            return Err(ProposeError::Until);
        }
        let requester = by_requester(&proposal.requester);
        let theirs = self.queue.bytes_of(requester).saturating_add(proposal.body.as_bytes().len());
        if self.queue.count(requester) >= limits::REQUESTS_PER_REQUESTER_MAX
            || theirs > limits::REQUEST_BODIES_BYTES_PER_REQUESTER_MAX
        {
            return Err(ProposeError::RequesterFull);
        }
        let bytes = self.queue.body_bytes().saturating_add(proposal.body.as_bytes().len());
        if self.queue.len() >= limits::REQUESTS_MAX || bytes > limits::REQUEST_BODIES_BYTES_MAX {
            return Err(ProposeError::Full);
        }
        Ok(self.queue.last().saturating_add(1))
    }

    fn is_blocked(&self, proposal: &Proposal) -> bool {
        self.blocks.cover(proposal.selectors().chain([Selector::Grant(proposal.grant)]))
    }

    /// Counts an approver's decision, and says where the request stands then.
    pub(crate) fn decide(
        &self,
        grant: GrantId,
        decision: Decision,
    ) -> Step<RequestState, DecideError> {
        let Some(request) = self.queue.find(grant) else {
            return (None, Err(DecideError::Unknown));
        };
        if request.decisions.iter().any(|earlier| says_the_same(&earlier.decision, &decision)) {
            return (None, Ok(request.state));
        }
        match self.may_decide(request, &decision) {
            Err(refusal) => (None, Err(refusal)),
            Ok(becomes) => {
                let decision = Box::new(decision);
                (Some(DeskWhat::Decided { grant, decision, becomes }.into()), Ok(becomes))
            }
        }
    }

    fn may_decide(
        &self,
        request: &Request,
        decision: &Decision,
    ) -> Result<RequestState, DecideError> {
        let Proposal { requester, owner, agent, needs, until, .. } = &request.proposal;
        let Decision { approver, owner: person, group, verdict, .. } = decision;
        if request.state != RequestState::Pending {
            return Err(DecideError::Decided { state: request.state });
        }
        if self.latest >= *until {
            return Err(DecideError::Expired { until: *until });
        }
        let asking = [requester.as_str(), owner.as_str(), agent.as_str()];
        // Where nobody else is known, an identity is the person behind itself: each is compared with each.
        if [approver.as_str(), person.as_str()].iter().any(|name| asking.contains(name)) {
            return Err(DecideError::Own);
        }
        let earlier = request.decisions.iter().map(|decided| &decided.decision);
        let again = |earlier: &Decision| earlier.approver == *approver || earlier.owner == *person;
        if earlier.into_iter().any(again) {
            return Err(DecideError::Again);
        }
        let missing = request.missing();
        let is_missing = missing.iter().any(|need| need.group == *group);
        match verdict {
            Verdict::Refuse if needs.each().iter().any(|need| need.group == *group) => {
                Ok(RequestState::Refused)
            }
            // A yes that no group misses would be lost to the group that does.
            Verdict::Approve if is_missing => match missing.as_slice() {
                [last] if last.count == 1 => Ok(RequestState::Approved),
                _ => Ok(RequestState::Pending),
            },
            Verdict::Refuse | Verdict::Approve => Err(DecideError::NotNeeded),
        }
    }

    /// Takes a request back, and says which grant must be revoked with it. Its requester may, and whoever
    /// approved it.
    pub(crate) fn withdraw(
        &self,
        grant: GrantId,
        by: &Caller,
    ) -> Step<Option<GrantId>, WithdrawError> {
        let Some(request) = self.queue.find(grant) else {
            return (None, Err(WithdrawError::Unknown));
        };
        let approved = request.approvals().any(|decision| decision.approver == *by);
        if request.proposal.requester != *by && !approved {
            return (None, Err(WithdrawError::NotYours));
        }
        match request.state {
            RequestState::Pending | RequestState::Approved | RequestState::Collected => {
                let what = DeskWhat::Withdrawn { grant, by: by.clone() };
                (Some(what.into()), Ok(request.collected))
            }
            RequestState::Withdrawn => (None, Ok(request.collected)),
            state @ (RequestState::Refused | RequestState::Expired | RequestState::Cancelled) => {
                (None, Err(WithdrawError::Over { state }))
            }
        }
    }

    /// Uses an approval up, for this grant or for the one that it was used up for before.
    pub(crate) fn collect(&self, grant: GrantId, fresh: GrantId) -> Step<Collected, CollectError> {
        let Some(request) = self.queue.find(grant) else {
            return (None, Err(CollectError::Unknown));
        };
        match (request.state, request.collected) {
            (RequestState::Collected, Some(fresh)) => {
                (None, Ok(Collected { fresh, sending: Sending::Repeat }))
            }
            (RequestState::Approved, _) => match self.may_pay(request, fresh) {
                Err(refusal) => (None, Err(refusal)),
                Ok(paid) => (Some(DeskWhat::Collected { grant, fresh }.into()), Ok(paid)),
            },
            (state, _) => (None, Err(CollectError::NotApproved { state })),
        }
    }

    /// Passes a used approval from a grant whose id was given up to a fresh one.
    pub(crate) fn collect_again(
        &self,
        grant: GrantId,
        abandoned: GrantId,
        fresh: GrantId,
    ) -> Step<Collected, CollectError> {
        let Some(request) = self.queue.find(grant) else {
            return (None, Err(CollectError::Unknown));
        };
        match (request.state, request.collected) {
            (RequestState::Collected, Some(paid)) if paid == fresh => {
                (None, Ok(Collected { fresh, sending: Sending::Repeat }))
            }
            (RequestState::Collected, Some(paid)) if paid == abandoned => {
                match self.may_pay(request, fresh) {
                    Err(refusal) => (None, Err(refusal)),
                    Ok(paid) => {
                        let what = DeskWhat::CollectedAgain { grant, abandoned, fresh };
                        (Some(what.into()), Ok(paid))
                    }
                }
            }
            (RequestState::Collected, Some(paid)) => {
                (None, Err(CollectError::Moved { grant: paid }))
            }
            (state, _) => (None, Err(CollectError::NotApproved { state })),
        }
    }

    fn may_pay(&self, request: &Request, fresh: GrantId) -> Result<Collected, CollectError> {
        let until = request.proposal.until;
        if self.latest >= until {
            return Err(CollectError::Expired { until });
        }
        if self.is_blocked(&request.proposal) {
            return Err(CollectError::Blocked);
        }
        let other = self.queue.find(fresh).is_some_and(|other| other.order != request.order);
        if other || self.queue.payer(fresh).is_some() {
            return Err(CollectError::Taken);
        }
        Ok(Collected { fresh, sending: Sending::First })
    }
}

/// Whether a decision is one that was counted, sent again since its answer was lost.
fn says_the_same(counted: &Decision, decision: &Decision) -> bool {
    counted.approver == decision.approver
        && counted.owner == decision.owner
        && counted.group == decision.group
        && counted.verdict == decision.verdict
}
