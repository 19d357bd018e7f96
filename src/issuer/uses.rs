//! Uses taken and settled for APIs that do not embed the verifier: the same verifier decides, here.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Grant, GrantId, Outcome, Outputs, Params, ParamsDigest,
    Presented, Proof, Refusal, Request, Resource, Sending, Sent, SettleError, SpendError, Step,
    Ticket, UnixSeconds, Workflow,
};

use super::issued::IssuedGrant;
use super::{Issuer, Refused};
use crate::callers::Caller;
use crate::store::registration::Registration;

/// A token, and what it is presented for.
pub struct Presentation {
    /// The token's text.
    pub token: String,
    /// What the request asks to be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// By whom.
    pub audience: Audience,
    /// With which parameters.
    pub sent: Together,
    /// The caller's name for this execution.
    pub attempt: String,
    /// Proofs of the keys that it is bound to.
    pub proofs: Vec<Proof>,
}

/// Parameters, or their digest.
pub enum Together {
    /// The parameters.
    Params(Params),
    /// Their digest.
    Digest(ParamsDigest),
}

/// A use that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The grant.
    pub grant: GrantId,
    /// Who asked for it.
    pub agent: Agent,
    /// The workflow and the step it is for.
    pub workflow: Option<(Workflow, Step)>,
    /// Whether this attempt was answered before.
    pub repeat: bool,
    /// When it was taken.
    pub spent_at: UnixSeconds,
}

impl Issuer {
    /// Takes a token's one use for this caller's attempt.
    ///
    /// # Errors
    /// [`Refused`]: as the verifier would refuse it, or because the caller is not that API.
    pub async fn spend(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        presented: Presentation,
    ) -> Result<Taken, Refused> {
        if !caller.may_spend_for(&presented.audience) {
            let refused = Refused::Forbidden { what: "you may not spend for this audience" };
            self.note_unspent(&caller, &presented, None, &refused);
            return Err(refused);
        }
        let issuer = Arc::clone(self);
        let taken = self.tasks.run(async move {
            let mut grant = None;
            let taken = issuer.take(&caller, &presented, &mut grant).await;
            if let Err(refused) = &taken {
                issuer.note_unspent(&caller, &presented, grant.as_ref(), refused);
            }
            taken
        });
        taken.await.unwrap_or(Err(Refused::Internal { what: "a spend broke off" }))
    }

    /// Takes it, and says whose grant it is once the token's signatures hold.
    async fn take(
        &self,
        caller: &Caller,
        presented: &Presentation,
        whose: &mut Option<Grant>,
    ) -> Result<Taken, Refused> {
        let sent = match &presented.sent {
            Together::Params(params) => Sent::Params(params),
            Together::Digest(digest) => Sent::Digest(*digest),
        };
        let request = Request {
            audience: &presented.audience,
            action: &presented.action,
            resource: &presented.resource,
            sent,
            proofs: &presented.proofs,
            // The result is not seen here, so nobody would hold it to anything.
            outputs: Outputs::Unseen,
        };
        let token = Presented::read(&presented.token)?;
        let claimed = token.unverified().grant().clone();
        let verified = match self.verifier.verify(token, &request) {
            Ok(verified) => verified,
            Err(refusal) => {
                let unsigned = matches!(refusal, Refusal::BadToken(_) | Refusal::UnknownKey { .. });
                *whose = (!unsigned).then_some(claimed);
                return Err(refusal.into());
            }
        };
        let (ticket, grant) = (verified.ticket(), &*whose.insert(claimed));
        let attempt = attempt(caller, grant.id, &presented.attempt);
        let receipt = self.spender.spend(&ticket, &attempt).await;
        let receipt = receipt.map_err(|error| Refused::Token(refusal(error, &ticket)))?;
        Ok(Taken {
            grant: grant.id,
            agent: grant.agent.clone(),
            workflow: grant.workflow.clone(),
            repeat: receipt.sending == Sending::Repeat,
            spent_at: receipt.spent_at,
        })
    }

    /// Settles a grant that this caller's attempt has spent.
    ///
    /// # Errors
    /// [`Refused`] where it was not, or was settled otherwise.
    pub async fn settle(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        grant: GrantId,
        name: String,
        outcome: Outcome,
    ) -> Result<(), Refused> {
        let issued = self.issued.find(grant).await?.ok_or(Refused::Unknown)?;
        // To a stranger it is not there.
        if !caller.may_spend_for(&issued.grant.audience) {
            return Err(Refused::Unknown);
        }
        let issuer = Arc::clone(self);
        let settled = self.tasks.run(async move {
            let (ticket, attempt) = (issued.ticket(), attempt(&caller, grant, &name));
            issuer.spender.settle(&ticket, &attempt, outcome).await
        });
        match settled.await {
            None => Err(Refused::Internal { what: "a settle broke off" }),
            Some(Ok(())) => Ok(()),
            Some(Err(SettleError::Conflict { settled })) => {
                Err(Refused::SettledOtherwise { settled })
            }
            Some(Err(SettleError::NotSpent)) => Err(Refused::NotSpent),
            Some(Err(SettleError::Fenced)) => Err(Refused::Fenced { grant }),
            Some(Err(_no_answer)) => Err(Refused::StoreDown),
        }
    }
}

impl IssuedGrant {
    /// What a store needs to know of it.
    fn ticket(&self) -> Ticket {
        let registration = Registration::of(&self.grant, self.key_id, Vec::new());
        Ticket { stores: self.grant.stores.clone(), ..registration.ticket }
    }
}

/// The attempt that a caller's name for it stands for: another caller's same name is another attempt.
fn attempt(caller: &Caller, grant: GrantId, name: &str) -> Attempt {
    let caller = caller.name.as_str().as_bytes();
    let length = (caller.len() as u64).to_be_bytes();
    let parts = [b"farebox-attempt/1\0", &length[..], caller, grant.as_bytes(), name.as_bytes()];
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, &parts.concat()).as_ref()) {
        *to = *from;
    }
    Attempt::from_bytes(bytes)
}

fn refusal(error: SpendError, ticket: &Ticket) -> Refusal {
    match error {
        SpendError::AlreadySpent { first_spent } => Refusal::AlreadySpent { first_spent },
        SpendError::Revoked => Refusal::Revoked,
        SpendError::Expired { now } => Refusal::Expired { end: ticket.end, now },
        SpendError::UnknownGrant => Refusal::UnknownGrant,
        SpendError::Fenced => Refusal::Fenced,
        SpendError::PredecessorUnsettled => Refusal::PredecessorUnsettled,
        // Nobody can tell whether it was taken: the caller may ask again with the same attempt.
        _ => Refusal::StoreDown,
    }
}
