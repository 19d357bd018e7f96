//! Requests that people are asked about: put before them, shown to who may see them, and ended when nobody answers.
//!
//! ```text
//! allowed, on approvals ─→ proposed (in the ledger) ─→ decided ─→ collected (collect.rs)
//! ```
//! What is put before people is the request as it was written, so that what they read is what is decided again and
//! minted later.

use std::time::Duration;

use farebox_verifier::{GrantId, NoRandom, Selector};
use tokio::time::Instant;

use super::collect::Paid;
use super::decide::Allowed;
use super::show::is_staff;
use super::{Issuer, Minted, Refused, Wanted};
use crate::callers::{Caller, Role};
use crate::evidence::{self, Attested};
use crate::limits;
use crate::policy::Label;
use crate::record::Kind;
use crate::store::desk::{
    self, Body, Group, Need, Needs, Owner, Proposal, ProposeError, Reason, Request, RequestFilter,
    RequestHash, RequestPage, RequestState,
};

/// What people read of a request, beside who asks for what.
pub struct Put {
    /// What the action does, in the catalogue's words.
    pub sentence: Option<String>,
    /// Its parameters by the catalogue's labels, and within what those may vary that are not fixed.
    pub labels: Vec<Label>,
    /// What third parties signed about it.
    pub attested: Vec<Attested>,
    /// All of it, as its requester wrote it: canonical JSON.
    pub written: Vec<u8>,
}

impl Issuer {
    /// Puts a request before the people whom its rule names.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        allowed: &Allowed,
    ) -> Result<Minted, Refused> {
        // What cannot be put before people takes no id, and leaves nothing open in the record.
        put_before(wanted, allowed)?;
        let grant = self.claim(caller, wanted).await?;
        let proposed = self.propose((caller, wanted, allowed), grant, None).await;
        if proposed.is_err() {
            self.unregistered.keep(wanted, &Paid::Free, grant);
        }
        proposed.map(|request| Minted::Waiting(Box::new(request)))
    }

    /// Puts a request before people under this id, as a step of this plan.
    pub(super) async fn propose(
        &self,
        (caller, wanted, allowed): (&Caller, &Wanted, &Allowed),
        grant: GrantId,
        plan: Option<GrantId>,
    ) -> Result<Request, Refused> {
        let (needs, body) = put_before(wanted, allowed)?;
        let proposal = Proposal {
            grant,
            requester: named(caller)?,
            owner: person(caller)?,
            agent: caller.name.clone(),
            workflow: wanted.workflow.as_ref().map(|(workflow, _)| workflow.clone()),
            plan,
            audience: wanted.audience.clone(),
            action: wanted.action.clone(),
            resource: wanted.resource.clone(),
            policy: allowed.set.hash(),
            request: RequestHash(*wanted.digest().as_bytes()),
            needs,
            until: self.clock.now().plus(self.approval_seconds),
            body,
        };
        // From here on nothing returns that does not end in the record what is begun there.
        let requested = self.entry(Kind::Requested, caller, wanted).grant(grant);
        self.note(requested.rule(&allowed.rule).policy(proposal.policy)).await?;
        if let Err(error) = self.ledger.propose(&proposal).await {
            let refused = of_propose(error);
            let entry = self.entry(Kind::Refused, caller, wanted).grant(grant);
            self.note(entry.code(refused.code())).await?;
            return Err(refused);
        }
        if self.policies.get().hash() != proposal.policy {
            // Others came into force meanwhile, and have swept what was asked under the old ones before this came.
            self.cancel_policy(proposal.policy).await;
        }
        self.ledger.request(grant).ok_or(Refused::StoreDown)
    }

    /// Takes back what was asked under policies that are not in force any more: an approval is for exactly the set
    /// under which it was asked.
    pub(super) async fn cancel_policy(&self, policy: farebox_verifier::PolicyHash) {
        let (Ok(by), Ok(reason)) =
            (desk::Caller::parse("farebox:issuer"), Reason::parse("other policies are in force"))
        else {
            return;
        };
        if self.cancel_all(&Selector::Policy(policy), &by, &reason).await.is_err() {
            tracing::error!(%policy, "what was asked under policies of before is still shown to people");
        }
    }

    /// Takes back what waits under other policies than those in force: they may have changed while nobody served.
    pub async fn cancel_others(&self) {
        let now = self.policies.get().hash();
        let mut others = std::collections::BTreeSet::new();
        for state in [RequestState::Pending, RequestState::Approved] {
            let filter = RequestFilter { state: Some(state), ..RequestFilter::default() };
            let mut after = Some(0);
            while let Some(from) = after {
                let page = self.ledger.requests(&filter, from, limits::LIST_MAX);
                others.extend(page.items.iter().map(|it| *it.proposal.policy.as_bytes()));
                after = page.next;
            }
        }
        for policy in others.into_iter().map(farebox_verifier::PolicyHash::from_bytes) {
            if policy != now {
                self.cancel_policy(policy).await;
            }
        }
    }

    /// Ends what has waited too long.
    pub async fn expire_requests(&self) {
        while let Ok(swept) = self.ledger.expire().await
            && swept.taken > 0
        {
            self.moved();
        }
    }

    /// The request of this id, where the caller may see it: its own, one that its groups are asked about, or any for
    /// staff.
    ///
    /// # Errors
    /// [`Refused::Unknown`] where there is none, or it is not the caller's to see: both are one to who asks.
    pub fn request(&self, caller: &Caller, grant: GrantId) -> Result<Request, Refused> {
        let found = self.ledger.request(grant).ok_or(Refused::Unknown)?;
        if self.sees_request(caller, &found) { Ok(found) } else { Err(Refused::Unknown) }
    }

    /// The requests that the caller may see: all for staff, else those that its groups are asked about, and without
    /// that role its own. A page may have fewer than were asked for: what is others' is passed over.
    #[must_use]
    pub fn requests(
        &self,
        caller: &Caller,
        mut filter: RequestFilter,
        after: u64,
        count_max: usize,
    ) -> RequestPage {
        if !is_staff(caller) {
            if caller.roles.holds(Role::Approve) {
                filter.groups.retain(|group| caller.groups.contains(group));
                if filter.groups.is_empty() {
                    filter.groups.clone_from(&caller.groups);
                }
                if filter.groups.is_empty() {
                    return RequestPage::default();
                }
            } else {
                match named(caller) {
                    Ok(own) => filter.requester = Some(own),
                    Err(_) => return RequestPage::default(),
                }
            }
        }
        let mut page = self.ledger.requests(&filter, after, count_max);
        page.items.retain(|request| self.sees_request(caller, request));
        page
    }

    /// Whether a caller may see a request: its own, one that its groups are asked about, or any for staff; of both,
    /// those of a tenant see their tenant's alone.
    pub(super) fn sees_request(&self, caller: &Caller, request: &Request) -> bool {
        let Proposal { requester, agent, workflow, needs, .. } = &request.proposal;
        let asked = || needs.each().iter().any(|need| caller.groups.contains(&need.group));
        let theirs = || match &caller.tenant {
            None => true,
            Some(tenant) => self.tenants.owns(tenant, agent, workflow.as_ref()),
        };
        let concerned = is_staff(caller) || (caller.roles.holds(Role::Approve) && asked());
        requester.as_str() == caller.name.as_str() || (concerned && theirs())
    }

    /// What people read of a request; nothing where it is over, and not kept any more.
    #[must_use]
    pub fn put(&self, request: &Request) -> Option<Put> {
        let wanted = Wanted::of_request(request)?;
        let agent = &request.proposal.agent;
        let set = self.policies.get();
        let entry = set.catalogue().and_then(|catalogue| catalogue.action(wanted.action.as_str()));
        let about = wanted.about(agent, self.clock.now());
        let told = evidence::verify(&wanted.evidence, &self.trusted.now(), about);
        let question = wanted.question(agent, self.clock.now());
        Some(Put {
            sentence: entry.map(|entry| entry.sentence.clone()),
            labels: entry.map(|entry| entry.labels(&question)).unwrap_or_default(),
            attested: told.unwrap_or_default(),
            written: wanted.text(),
        })
    }

    /// Waits until the request stands elsewhere than there, or the time is over.
    pub async fn wait_for(&self, grant: GrantId, from: RequestState, patience: Duration) {
        let end = Instant::now() + patience.min(Duration::from_secs(limits::WAIT_SECONDS_MAX));
        let mut moves = self.moves.subscribe();
        while self.ledger.request_state(grant) == Some(from) {
            if !matches!(tokio::time::timeout_at(end, moves.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Whoever waits for a request looks at it again.
    pub(super) fn moved(&self) {
        self.moves.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// The caller, as the ledger names it.
pub(super) fn named(caller: &Caller) -> Result<desk::Caller, Refused> {
    let named = desk::Caller::parse(caller.name.as_str());
    named.or(Err(Refused::Internal { what: "a caller's name is none" }))
}

/// The person behind a caller: itself, where nobody else is known.
pub(super) fn person(caller: &Caller) -> Result<Owner, Refused> {
    match &caller.owner {
        Some(owner) => Ok(owner.clone()),
        None => Owner::parse(caller.name.as_str())
            .or(Err(Refused::Internal { what: "a caller's name is none" })),
    }
}

/// Whom a request is put before, and what they are shown of it.
pub(super) fn put_before(wanted: &Wanted, allowed: &Allowed) -> Result<(Needs, Body), Refused> {
    Ok((needs(allowed)?, wanted.body()?))
}

fn needs(allowed: &Allowed) -> Result<Needs, Refused> {
    if allowed.terms.approvals.is_empty() {
        return Ok(Needs::nobody());
    }
    let each = allowed.terms.approvals.iter();
    let each = each.map(|(group, count)| Need { group: Group::clone(group), count: *count });
    Needs::new(each.collect()).map_err(|error| Refused::Denied {
        rule: Some(allowed.rule.clone()),
        why: error.to_string(),
    })
}

fn of_propose(error: ProposeError) -> Refused {
    match error {
        ProposeError::Blocked => Refused::Blocked,
        ProposeError::RequesterFull | ProposeError::Full => Refused::Full,
        ProposeError::Taken | ProposeError::Until => {
            Refused::Internal { what: "a request was not taken" }
        }
        ProposeError::Down => Refused::StoreDown,
    }
}

/// A fresh id.
pub(super) fn fresh() -> Result<GrantId, Refused> {
    GrantId::fresh()
        .map_err(|NoRandom| Refused::Internal { what: "the system gives no random bytes" })
}
