//! Collecting what people approved: decided again, paid for with the approval, and minted now.
//!
//! ```text
//! approved ─→ allowed now, by the same policies, approvers still such ─→ used up (in the ledger) ─→ minted
//! ```
//! The approval is used up before anything is registered for it, and pays for one grant: what fails after that is
//! given up in every store before another grant takes its place, and asked again it gives the same bytes.

use std::sync::Arc;

use farebox_verifier::{ApprovalDigest, GrantId, Refusal, Selector, UnixSeconds};

use super::asked::fresh;
use super::decide::Allowed;
use super::{Issuer, Minted, Refused, Wanted};
use crate::approval::{self, Statement};
use crate::callers::Caller;
use crate::limits;
use crate::store::desk::{
    CollectError, Collected, Decision, Request, RequestFilter, RequestState, Verdict,
};

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
            // A step of a plan that asks nobody says of no people that they said yes.
            Paid::By(request) => {
                let mut approvals = request.approvals().peekable();
                approvals.peek().is_some().then(|| approval::digest_of(approvals))
            }
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
        let work = async move {
            let came = issuer.collect_now(&caller, grant).await;
            if let Some(wanted) = issuer.ledger.request(grant).as_ref().and_then(Wanted::of_request)
            {
                issuer.note_asked(&caller, &wanted, &came);
            }
            came
        };
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
                // What is minted is what was approved, to the last parameter.
                let mut wanted = wanted
                    .filter(|it| it.digest().as_bytes() == &request.proposal.request.0)
                    .ok_or(lost)?;
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
        let (now, used_at): (_, UnixSeconds) = (self.clock.now(), request.changed_at);
        // A clock that was set back says nothing of how long ago that was: what is issued is known by that clock.
        if now < used_at || now > used_at.plus(limits::KEY_PASSES_SECONDS) {
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
        let belongs = |decision: &&Decision| {
            self.callers.belongs(&decision.approver, &decision.group)
                && self.is_signed(request, decision)
        };
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

    /// Whether what paid for a grant still stands, now that the grant is registered. Staff take requests back before
    /// they tell the stores: who looks after registering is either told here, or revoked there.
    pub(super) async fn still_paid(&self, paid: &Paid<'_>, grant: GrantId) -> Result<(), Refused> {
        let Paid::By(request) = paid else { return Ok(()) };
        let now = self.ledger.request(request.proposal.grant);
        let stands =
            |now: &Request| now.state == RequestState::Collected && now.collected == Some(grant);
        if now.as_ref().is_some_and(stands) {
            return Ok(());
        }
        self.store.revoke(&Selector::Grant(grant)).await.or(Err(Refused::StoreDown))?;
        Err(Refused::Token(Refusal::Revoked))
    }

    /// Revokes what came of requests that were taken back while a store was away, or this issuer was.
    pub async fn revoke_taken_back(&self) {
        for state in [RequestState::Withdrawn, RequestState::Cancelled] {
            let filter = RequestFilter { state: Some(state), ..RequestFilter::default() };
            let mut after = Some(0);
            while let Some(from) = after {
                let page = self.ledger.requests(&filter, from, limits::LIST_MAX);
                for paid in page.items.iter().filter_map(|request| request.collected) {
                    if self.store.revoke(&Selector::Grant(paid)).await.is_err() {
                        tracing::error!(grant = %paid, "an approval was taken back, and its grant could not be revoked");
                    }
                }
                after = page.next;
            }
        }
    }

    /// Whether a decision is signed with the key that its approver has now, or by the issuer where it has none: a key
    /// that was stolen, and replaced or taken away, approves nothing, before or after.
    fn is_signed(&self, request: &Request, decision: &Decision) -> bool {
        let Decision { approver, group, signature, .. } = decision;
        let text = std::str::from_utf8(signature.as_bytes()).unwrap_or_default();
        let said = Statement::on(&request.proposal, approver, group, Verdict::Approve);
        match self.callers.decision_key(approver) {
            Some(key) => said.is_in(text, &key).is_ok(),
            None => approval::is_by_issuer(text),
        }
    }

    /// Uses the approval up, for this grant and for no other that could still be registered.
    pub(super) async fn use_up(&self, request: &Request) -> Result<GrantId, Refused> {
        let asked = request.proposal.grant;
        let Collected { fresh: paid, sending } =
            self.ledger.collect(asked, asked).await.map_err(of_collect)?;
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
