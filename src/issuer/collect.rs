//! Collecting what people approved: decided again, paid for with the approval, and minted now.
//!
//! ```text
//! approved ─→ allowed now, by the same policies, approvers still such ─→ used up (in the ledger) ─→ minted
//! ```
//! The approval is used up before anything is registered for it, and pays for one grant: what fails after that is
//! given up in every store before another grant takes its place, and asked again it gives the same bytes.

use std::sync::Arc;

use farebox_verifier::{ApprovalDigest, GrantId, Refusal, UnixSeconds};

use super::asked::fresh;
use super::decide::Allowed;
use super::{Issuer, Minted, Refused, Wanted};
use crate::approval;
use crate::callers::Caller;
use crate::limits;
use crate::store::desk::{CollectError, Collected, Decision, Request, RequestState};

/// What pays for a grant that is minted.
pub(super) enum Paid<'a> {
    /// Nothing: its rule asks nobody.
    Free,
    /// People's approval of this request.
    By(&'a Request),
}

impl Paid<'_> {
    /// What the token keeps of it.
    pub(super) fn digest(&self) -> Option<ApprovalDigest> {
        match self {
            Paid::Free => None,
            Paid::By(request) => Some(approval::digest_of(request.approvals())),
        }
    }
}

impl Issuer {
    /// The token of an approved request, decided again and minted now; asked again, the same bytes while it is
    /// unspent. It runs to its end whether or not the caller waits for it.
    ///
    /// # Errors
    /// [`Refused`] where there is none: nobody has decided, somebody said no, or it is not allowed any more.
    pub async fn collect(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        grant: GrantId,
    ) -> Result<Minted, Refused> {
        self.tenants.learn(&caller, self.clock.now());
        let issuer = Arc::clone(self);
        let work = async move { issuer.collect_now(&caller, grant).await };
        self.tasks.run(work).await.unwrap_or(Err(Refused::Internal { what: "a mint broke off" }))
    }

    async fn collect_now(&self, caller: &Caller, grant: GrantId) -> Result<Minted, Refused> {
        let _held = self.collecting.take(grant).ok_or(Refused::KeyBusy)?;
        let request = self.ledger.request(grant).ok_or(Refused::Unknown)?;
        if request.proposal.requester.as_str() != caller.name.as_str() {
            return Err(Refused::Unknown);
        }
        self.come_to_request(caller, request).await
    }

    /// What a request has come to: the token that it pays for, if people said yes.
    async fn come_to_request(&self, caller: &Caller, request: Request) -> Result<Minted, Refused> {
        match self.answer_of(request).await? {
            Answer::Is(minted) => Ok(minted),
            Answer::Pays(request) => {
                let wanted = Wanted::of_request(&request);
                let lost = Refused::Internal { what: "a request that waits cannot be read" };
                let mut wanted = wanted.ok_or(lost)?;
                if request.proposal.plan.is_some() {
                    self.come_before(&mut wanted).await?;
                }
                self.decide_and_issue(caller, &wanted, Paid::By(&request)).await
            }
        }
    }

    /// What was asked again under a key comes to, where people were asked.
    pub(super) async fn asked_again(&self, request: Request) -> Result<Minted, Refused> {
        match self.answer_of(request).await? {
            Answer::Is(minted) => Ok(minted),
            // It is collected where that is asked for.
            Answer::Pays(request) => Ok(Minted::Waiting(request)),
        }
    }

    async fn answer_of(&self, request: Request) -> Result<Answer, Refused> {
        let until = request.proposal.until;
        match (request.state, request.collected) {
            (RequestState::Pending | RequestState::Approved, _) if self.clock.now() >= until => {
                Err(Refused::ApprovalExpired { until })
            }
            (RequestState::Pending, _) => Ok(Answer::Is(Minted::Waiting(Box::new(request)))),
            (RequestState::Collected, Some(paid)) => match self.issued.find(paid).await? {
                Some(issued) => Ok(Answer::Is(self.come_to(&issued).await?)),
                None => self.may_pass_on(&request, paid).map(|()| Answer::Pays(Box::new(request))),
            },
            (RequestState::Approved | RequestState::Collected, _) => {
                Ok(Answer::Pays(Box::new(request)))
            }
            (RequestState::Refused, _) => Err(Refused::ApprovalRefused),
            (RequestState::Expired, _) => Err(Refused::ApprovalExpired { until }),
            (RequestState::Withdrawn | RequestState::Cancelled, _) => {
                Err(Refused::Token(Refusal::Revoked))
            }
        }
    }

    /// A used approval passes to another grant while the issuer surely knows what it has issued.
    fn may_pass_on(&self, request: &Request, paid: GrantId) -> Result<(), Refused> {
        let surely_known: UnixSeconds = request.changed_at.plus(limits::KEY_PASSES_SECONDS);
        if self.clock.now() > surely_known {
            return Err(Refused::KeyOver { grant: paid });
        }
        Ok(())
    }

    /// Whether what pays for a grant is enough for the terms on which it is allowed now.
    pub(super) fn is_paid(&self, allowed: &Allowed, paid: &Paid<'_>) -> Result<(), Refused> {
        let Paid::By(request) = paid else { return Ok(()) };
        let denied = |why: String| Refused::Denied { rule: Some(allowed.rule.clone()), why };
        if allowed.set.hash() != request.proposal.policy {
            return Err(denied(
                "approval-needed: other policies are in force since people decided".to_owned(),
            ));
        }
        let belongs =
            |decision: &&Decision| self.callers.belongs(&decision.approver, &decision.group);
        for (group, count) in &allowed.terms.approvals {
            let still = request.approvals().filter(belongs).filter(|it| it.group == *group).count();
            if still < usize::from(*count) {
                return Err(denied(format!(
                    "approval-needed: {still} of {count} approvers of {group} are left"
                )));
            }
        }
        Ok(())
    }

    /// Uses the approval up, for this grant and for no other that could still be registered.
    pub(super) async fn use_up(&self, request: &Request) -> Result<GrantId, Refused> {
        let asked = request.proposal.grant;
        let Collected { fresh: paid, sending } =
            self.ledger.collect(asked, asked).await.map_err(of_collect)?;
        self.moved();
        if sending == farebox_verifier::Sending::First {
            return Ok(paid);
        }
        // Nothing was issued for it, or it would have been given out again: it is given up for good first, where
        // anything could be registered under it.
        if !self.unregistered.take(paid) {
            self.given_up.count(&request.proposal.agent, self.clock.now())?;
            self.store.abandon(paid).await.or(Err(Refused::StoreDown))?;
        }
        let again = self.ledger.collect_again(asked, paid, fresh()?).await;
        again.map(|collected| collected.fresh).map_err(of_collect)
    }
}

/// What a request comes to.
enum Answer {
    /// This.
    Is(Minted),
    /// It pays for a grant.
    Pays(Box<Request>),
}

fn of_collect(error: CollectError) -> Refused {
    match error {
        CollectError::Unknown => Refused::Unknown,
        CollectError::NotApproved { state: RequestState::Refused } => Refused::ApprovalRefused,
        CollectError::NotApproved { .. } => Refused::Token(Refusal::Revoked),
        CollectError::Expired { until } => Refused::ApprovalExpired { until },
        CollectError::Blocked => Refused::Blocked,
        CollectError::Taken | CollectError::Moved { .. } => {
            Refused::Internal { what: "an approval pays for another grant" }
        }
        CollectError::Down => Refused::StoreDown,
    }
}
