//! Deciding: what policies say to a request, with all that was verified of it.

use std::sync::Arc;

use super::predecessors::Before;
use super::{Issuer, Refused, Wanted};
use crate::callers::Caller;
use crate::evidence;
use crate::policy::{Attested, Decision, PolicySet, Question, Terms};

/// A decision to allow, and what it rests on.
pub(super) struct Allowed {
    pub(super) set: Arc<PolicySet>,
    pub(super) rule: String,
    pub(super) terms: Box<Terms>,
    pub(super) before: Before,
}

impl Issuer {
    /// Whether the policies allow it now.
    pub(super) async fn decide(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<Allowed, Refused> {
        let before = self.before(caller, wanted).await?;
        self.decide_after(caller, wanted, before).await
    }

    /// Whether they allow it after these steps.
    pub(super) async fn decide_after(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        before: Before,
    ) -> Result<Allowed, Refused> {
        if let Some(bounds) = &wanted.bounds {
            let apart = bounds.stand_apart_from(&wanted.params);
            apart.map_err(|error| Refused::bad_request(error.to_string()))?;
        }
        let now = self.clock.now();
        let attested = self.attested(caller, wanted)?;
        let retry_of = self.retried(caller, wanted).await?;
        let question = Question {
            attributes: &caller.attributes,
            authenticated: caller.authenticated,
            credential: caller.credential.word(),
            attested: &attested,
            predecessors: &before.seen,
            retry_of,
            ..wanted.question(&caller.name, now)
        };
        let set = self.policies.get();
        set.fits(&question).map_err(|error| Refused::bad_request(error.to_string()))?;
        match self.deciding.decide(&set, &question).await {
            Decision::Allowed { rule, terms } => {
                Ok(Allowed { set, rule: rule.to_string(), terms, before })
            }
            Decision::Denied { rule, why } => {
                let rule = rule.map(|rule| rule.to_string());
                Err(Refused::Denied { rule, why: why.to_string() })
            }
            Decision::Error { statement, error } => {
                tracing::error!(rule = %statement, %error, "a policy failed on a request");
                Err(Refused::PolicyError { rule: Some(statement.to_string()) })
            }
            Decision::Timeout => Err(Refused::PolicyTimeout),
        }
    }

    /// What third parties signed about exactly this request. One statement that does not hold refuses it whole.
    fn attested(&self, caller: &Caller, wanted: &Wanted) -> Result<Vec<Attested>, Refused> {
        let about = wanted.about(&caller.name, self.clock.now());
        let told = evidence::verify(&wanted.evidence, &self.trusted.now(), about);
        let told = told.map_err(|error| {
            self.deciding.refuse_evidence();
            let why = std::error::Error::source(&error).map(|why| format!(": {why}"));
            Refused::EvidenceInvalid { why: format!("{error}{}", why.unwrap_or_default()) }
        })?;
        let attested = told.into_iter().map(|told| Attested {
            signer: told.signer.as_str().to_owned(),
            name: told.name.as_str().to_owned(),
            value: told.value.as_str().to_owned(),
        });
        Ok(attested.collect())
    }

    /// Where the earlier try stands that this one names.
    async fn retried(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<Option<&'static str>, Refused> {
        let Some(grant) = wanted.retry_of else { return Ok(None) };
        let unknown = Refused::bad_request("retry_of names no grant of yours");
        match self.store.read(grant).await {
            Some(listed) if listed.description.agent == caller.name => {
                Ok(Some(listed.standing.word()))
            }
            Some(_) => Err(unknown),
            // Its life is over, or it was forgotten: the record knows whether it was this caller's.
            None => match self.issued.find(grant).await? {
                Some(issued) if issued.grant.agent == caller.name => Ok(Some("fenced")),
                _ => Err(unknown),
            },
        }
    }
}
