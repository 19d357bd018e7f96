//! What approvers say: signed, counted once for each person, and in the record whole.

use std::sync::Arc;

use farebox_verifier::{GrantId, Selector};

use super::asked::{named, person};
use super::tenants::told_of;
use super::{Issuer, Refused};
use crate::approval::{Statement, issuer_name};
use crate::callers::Caller;
use crate::record::{Entry, Kind};
use crate::store::desk::{
    self, DecideError, Decision, DecisionSignature, Group, Reason, Request, RequestState, Verdict,
    WithdrawError,
};

/// What an approver says.
#[derive(Clone)]
pub struct Word {
    /// Yes or no.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// For which of its groups; nothing for the first that misses somebody.
    pub group: Option<Group>,
    /// The decision, signed with the approver's own key; nothing where the issuer signs on its word.
    pub signature: Option<String>,
}

impl Issuer {
    /// Counts an approver's decision, and gives the request as it stands then.
    ///
    /// # Errors
    /// [`Refused`] where it does not count.
    pub async fn say(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        grant: GrantId,
        word: Word,
    ) -> Result<Request, Refused> {
        let issuer = Arc::clone(self);
        let work = async move { issuer.say_now(&caller, grant, word).await };
        self.tasks.run(work).await.unwrap_or(Err(Refused::Internal { what: "a word broke off" }))
    }

    async fn say_now(
        &self,
        caller: &Caller,
        grant: GrantId,
        word: Word,
    ) -> Result<Request, Refused> {
        let request = self.ledger.request(grant).ok_or(Refused::Unknown)?;
        // What its groups are not asked about is no business of an approver, though it sees all as staff.
        let group = group_of(caller, &request, &word)?;
        if !self.sees_request(caller, &request) {
            return Err(Refused::Unknown);
        }
        let decision = self.decision(caller, &request, word, group)?;
        self.ledger.decide(grant, decision).await.map_err(of_decide)?;
        self.moved();
        self.ledger.request(grant).ok_or(Refused::Unknown)
    }

    fn decision(
        &self,
        caller: &Caller,
        request: &Request,
        word: Word,
        group: Group,
    ) -> Result<Decision, Refused> {
        let approver = named(caller)?;
        let Word { verdict, reason, signature, .. } = word;
        let statement = Statement::on(&request.proposal, &approver, &group, verdict);
        let signed = match (&caller.decision_key, signature) {
            // Whoever has a key of its own signs: else whoever stole its API key could speak for it.
            (Some(_), None) => {
                return Err(Refused::Forbidden {
                    what: "this approver signs with a key of its own",
                });
            }
            (Some(key), Some(signed)) => {
                statement.is_in(&signed, key).map_err(|flaw| {
                    Refused::bad_request(format!("the signed decision is {flaw}"))
                })?;
                signed
            }
            (None, Some(_)) => {
                return Err(Refused::bad_request("no key of this approver is known here"));
            }
            (None, None) => {
                let signers = self.signers();
                let signer = signers.first().ok_or(Refused::NoSigner)?;
                let name = issuer_name(signer.id());
                statement.sign(&name, |message| signer.sign_decision(message))
            }
        };
        let signature = DecisionSignature::new(signed.as_bytes())
            .map_err(|error| Refused::bad_request(format!("the signed decision is {error}")))?;
        Ok(Decision { owner: person(caller)?, approver, group, verdict, reason, signature })
    }

    /// Takes a request back, as its requester or as one who approved it, and revokes the grant that came of it.
    ///
    /// # Errors
    /// [`Refused`] where it is not the caller's to take back, or no store was reached.
    pub async fn withdraw(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        grant: GrantId,
    ) -> Result<Request, Refused> {
        let issuer = Arc::clone(self);
        let work = async move { issuer.withdraw_now(&caller, grant).await };
        self.tasks.run(work).await.unwrap_or(Err(Refused::Internal { what: "a word broke off" }))
    }

    async fn withdraw_now(&self, caller: &Caller, grant: GrantId) -> Result<Request, Refused> {
        let by: desk::Caller = named(caller)?;
        let paid = self.ledger.withdraw(grant, &by).await.map_err(of_withdraw)?;
        self.moved();
        if let Some(paid) = paid {
            let paid = Selector::Grant(paid);
            let entry = told_of(Entry::of(Kind::Revocation), caller).by(caller.name.as_str());
            self.note_staff(entry.reason("its approval was withdrawn").selector(&paid)).await;
            self.store.revoke(&paid).await.or(Err(Refused::StoreDown))?;
        }
        self.ledger.request(grant).ok_or(Refused::Unknown)
    }
}

/// The group that a word counts for: the one that is named, or the first of the caller's that misses somebody.
fn group_of(caller: &Caller, request: &Request, word: &Word) -> Result<Group, Refused> {
    let member = |group: &Group| caller.groups.contains(group);
    let needs = request.proposal.needs.each();
    if let Some(group) = &word.group {
        let asked = needs.iter().any(|need| need.group == *group);
        return if asked && member(group) { Ok(group.clone()) } else { Err(Refused::Unknown) };
    }
    let missing = request.missing();
    let mut groups = missing.iter().chain(needs).map(|need| &need.group);
    groups.find(|group| member(group)).cloned().ok_or(Refused::Unknown)
}

fn of_decide(error: DecideError) -> Refused {
    match error {
        DecideError::Unknown => Refused::Unknown,
        DecideError::Decided { state } => Refused::Decided { state },
        DecideError::Expired { until } => Refused::ApprovalExpired { until },
        DecideError::Own => Refused::Forbidden { what: "nobody decides on a request of their own" },
        DecideError::Again => Refused::Decided { state: RequestState::Pending },
        DecideError::NotNeeded => Refused::NotNeeded,
        DecideError::Down => Refused::StoreDown,
    }
}

fn of_withdraw(error: WithdrawError) -> Refused {
    match error {
        WithdrawError::Unknown | WithdrawError::NotYours => Refused::Unknown,
        WithdrawError::Over { state } => Refused::Decided { state },
        WithdrawError::Down => Refused::StoreDown,
    }
}
