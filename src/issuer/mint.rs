//! Minting: decided, written down, registered, signed, written down again, and only then given out.

use std::sync::Arc;

use farebox_verifier::{
    ApprovalDigest, Grant, GrantId, Seats, Selector, TokenText, UnixSeconds, Uses,
};

use super::again::signed;
use super::collect::Paid;
use super::decide::Allowed;
use super::issued::{IssuedBook, IssuedGrant};
use super::tenants::told_of;
use super::{Issuer, Parameters, Refused, Wanted};
use crate::callers::Caller;
use crate::limits;
use crate::record::{Entry, Kind};
use crate::store::budget::Hold;
use crate::store::desk::Request;
use crate::store::registration::{RegisterError, Registration};
use crate::store::view::Standing;

/// A token that was issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The grant.
    pub grant: GrantId,
    /// Its token.
    pub token: TokenText,
    /// The first second in which it is worth nothing.
    pub end: UnixSeconds,
    /// The rule that allowed it.
    pub rule: Option<String>,
}

/// What asking came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Minted {
    /// A token.
    Fresh(Issued),
    /// The token that was issued for the same request before.
    Again(Issued),
    /// It was issued for the same request before, and is used or over.
    Over {
        /// The grant.
        grant: GrantId,
        /// Where it stands.
        standing: Standing,
        /// The first second in which it is worth nothing.
        end: UnixSeconds,
    },
    /// People are asked: nothing is granted before they have said yes, and nobody has collected it.
    Waiting(Box<Request>),
}

impl Issuer {
    /// A token for one action, if the policies allow it now. It runs to its end whether or not the caller
    /// waits for it.
    ///
    /// # Errors
    /// [`Refused`]; then there is no token, and none will come of this call.
    pub async fn mint(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        wanted: Wanted,
    ) -> Result<Minted, Refused> {
        self.tenants.learn(&caller, self.clock.now());
        let issuer = Arc::clone(self);
        let minted = self.tasks.run(async move {
            let minted = issuer.mint_now(&caller, &wanted).await;
            issuer.note_asked(&caller, &wanted, &minted);
            minted
        });
        minted.await.unwrap_or(Err(Refused::Internal { what: "a mint broke off" }))
    }

    async fn mint_now(&self, caller: &Caller, wanted: &Wanted) -> Result<Minted, Refused> {
        let key = wanted.key.as_ref().map(|(_, key)| *key);
        let _held = match key {
            Some(key) => Some(self.busy.take(key).ok_or(Refused::KeyBusy)?),
            None => None,
        };
        if let Some(key) = key
            && let Some(again) = self.again(key, wanted).await?
        {
            return Ok(again);
        }
        self.decide_and_issue(caller, wanted, Paid::Free).await
    }

    /// Decides, and issues what is allowed, or asks the people whom its rule names.
    pub(super) async fn decide_and_issue(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        paid: Paid<'_>,
    ) -> Result<Minted, Refused> {
        let mut decided = self.decide(caller, wanted).await;
        for _ in 0..limits::MINT_TRIES_MAX {
            let enough =
                decided.and_then(|allowed| self.is_paid(&allowed, &paid).map(|()| allowed));
            let allowed = match enough {
                Ok(allowed) => allowed,
                Err(refused) => return self.refuse(caller, wanted, refused, None).await,
            };
            let grant = match &paid {
                Paid::By(request) => self.use_up(request).await?,
                Paid::Free if !allowed.terms.approvals.is_empty() => {
                    // What could not be granted to anybody is not put before people.
                    if let Err(refused) =
                        self.bind(caller, wanted, &allowed, GrantId::from_bytes([0; 16]))
                    {
                        return self.refuse(caller, wanted, refused, None).await;
                    }
                    return self.ask(caller, wanted, &allowed).await;
                }
                Paid::Free => self.claim(caller, wanted).await?,
            };
            match self.issue((caller, wanted, &allowed), grant, paid.digest()).await {
                Ok(issued) => {
                    self.still_paid(&paid, grant).await?;
                    return Ok(Minted::Fresh(issued));
                }
                Err(Failed::Refused(refused)) => {
                    if refused.leaves_nothing() {
                        self.unregistered.keep(wanted, &paid, grant);
                    }
                    return self.refuse(caller, wanted, refused, Some(grant)).await;
                }
                Err(failed) => {
                    // What was begun for this id is ended: another is begun for the next.
                    let entry = self.entry(Kind::Refused, caller, wanted).grant(grant);
                    self.note(entry.code("given-up")).await?;
                    self.unregistered.keep(wanted, &paid, grant);
                    decided = match failed {
                        // Other policies are in force since: what they say counts.
                        Failed::Policy => self.decide(caller, wanted).await,
                        // The id is given up, and the key passes to another.
                        _ => Ok(allowed),
                    };
                }
            }
        }
        self.refuse(caller, wanted, Refused::StoreDown, None).await
    }

    /// Holds, registers and signs. The record has begun it before, and ends it after.
    async fn issue(
        &self,
        (caller, wanted, allowed): (&Caller, &Wanted, &Allowed),
        id: GrantId,
        approval: Option<ApprovalDigest>,
    ) -> Result<Issued, Failed> {
        let Allowed { set, rule, terms, before } = allowed;
        let mut grant = Grant { approval, ..self.bind(caller, wanted, allowed, id)? };
        let requested = self.entry(Kind::Requested, caller, wanted).grant(id).rule(rule);
        self.note(requested.policy(set.hash())).await?;
        let signers = self.signers();
        let signer = signers.first().ok_or(Refused::NoSigner)?;
        if grant.uses == Uses::Fresh {
            self.may_reuse(&grant, signer.id())?;
        } else {
            let holds = self.hold_all(caller, id, &terms.budgets).await?;
            let registration = Registration::of(&grant, signer.id(), before.after.clone());
            grant.stores = Some(self.register(&registration, &holds).await?);
        }
        let issued = IssuedGrant { grant, key_id: signer.id(), rule: Some(rule.clone()) };
        let Ok(n) = self.note(told_of(IssuedBook::entry(&issued), caller)).await else {
            // No token leaves that the record does not know; the grant expires unspent.
            let (Ok(()) | Err(_)) = self.store.abandon(id).await;
            return Err(Failed::Refused(Refused::RecordDown));
        };
        let issued = self.issued.keep(issued, n);
        // The key that it was registered under, whatever signs by now.
        Ok(signed(&issued, signer)?)
    }

    async fn register(&self, registration: &Registration, holds: &[Hold]) -> Result<Seats, Failed> {
        let error = match self.store.register(registration).await {
            Ok(seats) => return Ok(seats),
            Err(error) => error,
        };
        let grant = registration.ticket.grant;
        if matches!(error, RegisterError::InDoubt | RegisterError::Known | RegisterError::Abandoned)
        {
            // Holds stay where nobody can tell; else they are taken again for the next id.
            self.store.abandon(grant).await.or(Err(Refused::StoreDown))?;
            self.give_up(grant, holds).await;
            return Err(Failed::GivenUp);
        }
        self.give_up(grant, holds).await;
        Err(match error {
            RegisterError::Policy => Failed::Policy,
            RegisterError::Blocked => Refused::Blocked.into(),
            RegisterError::PredecessorElsewhere => Refused::Predecessor {
                why: "a step before this one is registered in another store",
            }
            .into(),
            RegisterError::PredecessorFailed => Refused::Predecessor {
                why: "a step before this one has not succeeded, and will not",
            }
            .into(),
            RegisterError::TooManyPredecessors => {
                Refused::bad_request("after names too many").into()
            }
            RegisterError::Full | RegisterError::AgentFull => Refused::Full.into(),
            _ => Refused::StoreDown.into(),
        })
    }

    /// What no store knows no store keeps from a blocked agent, nor from policies that are not in force any more.
    fn may_reuse(&self, grant: &Grant, key_id: u32) -> Result<(), Failed> {
        if self.policies.get().hash() != grant.policy {
            return Err(Failed::Policy);
        }
        let workflow = grant.workflow.as_ref().map(|(workflow, _)| workflow);
        let blocked = self.ledger.blocks().iter().any(|block| match &block.selector {
            Selector::Agent(agent) => *agent == grant.agent,
            Selector::Workflow(named) => Some(named) == workflow,
            Selector::Audience(audience) => *audience == grant.audience,
            Selector::Action(action) => *action == grant.action,
            Selector::Policy(policy) => *policy == grant.policy,
            Selector::Key(key) => *key == key_id,
            _ => true,
        });
        if blocked { Err(Refused::Blocked.into()) } else { Ok(()) }
    }

    async fn refuse(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        refused: Refused,
        begun: Option<GrantId>,
    ) -> Result<Minted, Refused> {
        Err(self.refused(caller, wanted, refused, begun).await)
    }

    /// Writes down that it was refused, and gives back why: that, or that it cannot be written down.
    pub(super) async fn refused(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        refused: Refused,
        begun: Option<GrantId>,
    ) -> Refused {
        let kind = match &refused {
            Refused::Denied { .. } | Refused::PolicyError { .. } => Kind::Denied,
            _ => Kind::Refused,
        };
        let mut entry = self.entry(kind, caller, wanted).code(refused.code());
        entry = entry.reason(&refused.to_string()).policy(self.policies.get().hash());
        // What was begun is ended by the same entry.
        if let Some(grant) = begun {
            entry = entry.grant(grant);
        }
        if let Refused::Denied { rule: Some(rule), .. }
        | Refused::PolicyError { rule: Some(rule) } = &refused
        {
            entry = entry.rule(rule);
        }
        self.note(entry).await.map_or_else(|down| down, |_n| refused)
    }

    /// What every entry about a request says of it.
    pub(super) fn entry(&self, kind: Kind, caller: &Caller, wanted: &Wanted) -> Entry {
        let mut entry = told_of(Entry::of(kind), caller)
            .agent(&caller.name)
            .audience(&wanted.audience)
            .action(&wanted.action)
            .resource(&wanted.resource)
            .by(caller.name.as_str())
            .detail("credential", caller.credential.word())
            .detail("params_sha256", wanted.params.digest().to_string());
        if let Some((workflow, step)) = &wanted.workflow {
            entry = entry.workflow(workflow).step(step);
        }
        if let Some(purpose) = &wanted.purpose {
            entry = entry.detail("purpose", purpose.as_str());
        }
        if self.parameters == Parameters::Full {
            let canonical = wanted.params.canonical();
            if canonical.len() <= limits::RECORDED_PARAMS_BYTES_MAX {
                let params: serde_json::Value =
                    serde_json::from_slice(&canonical).unwrap_or_default();
                entry = entry.detail("params", params);
            }
        }
        entry
    }
}

/// Why a grant was not issued.
enum Failed {
    /// Other policies are in force.
    Policy,
    /// Its id was given up: another one may be registered.
    GivenUp,
    /// For good.
    Refused(Refused),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Failed {
        Failed::Refused(refused)
    }
}
