//! What is asked for: one action, by a caller who is known.

use farebox_verifier::keys::{self, KeyFormat};
use farebox_verifier::params::canon;
use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{
    Action, Agent, Audience, Bounds, GrantId, Params, ParamsDigest, PublicKey, Purpose,
    RequestDigest, Resource, Step, UnixSeconds, Workflow, limits as verifier,
};

use super::Refused;
use crate::callers::Caller;
use crate::evidence::About;
use crate::fields::{FieldError, Fields};
use crate::limits::{self, EVIDENCE_MAX, PREDECESSORS_MAX};
use crate::policy::Question;
use crate::store::desk::{self, Body, KeyDigest, Proposal, Request, RequestHash};

/// One request for a grant, as its caller wrote it. Nothing in it is believed but what it asks for.
#[derive(Clone)]
pub struct Wanted {
    /// What is to be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// By which API.
    pub audience: Audience,
    /// With which parameters.
    pub params: Params,
    /// Which members of them may vary, within what.
    pub bounds: Option<Bounds>,
    /// What the agent says of its task; a policy knows that it is the agent's word.
    pub context: Vec<(String, String)>,
    /// Statements that third parties signed.
    pub evidence: Vec<String>,
    /// What it is for, in the agent's words.
    pub purpose: Option<Purpose>,
    /// The workflow and the step that it belongs to.
    pub workflow: Option<(Workflow, Step)>,
    /// Grants that must settle as succeeded first.
    pub after: Vec<GrantId>,
    /// The grant of an earlier try of which nobody can tell what came.
    pub retry_of: Option<GrantId>,
    /// For how long.
    pub ttl_seconds: Option<u64>,
    /// The key whose holder alone may use it.
    pub holder: Option<PublicKey>,
    /// The digest of the request as it was written, by which it is known again: two that mean the same are the same,
    /// however they are spaced.
    pub hash: RequestHash,
    /// The request as it was written.
    written: Json,
    /// The key under which it may be asked again, as its caller wrote it, and as it is kept.
    pub key: Option<(String, KeyDigest)>,
}

impl Wanted {
    /// What this caller asks for in these words, under its key.
    ///
    /// # Errors
    /// [`FieldError`] where a member is missing, unknown or not what it should be.
    pub fn read(
        caller: &Caller,
        object: &Object,
        key: Option<String>,
    ) -> Result<Wanted, FieldError> {
        let named = desk::Caller::parse(caller.name.as_str());
        let named = named.map_err(|error| FieldError::of(error.to_string()))?;
        let qualify = |own: &Workflow| {
            caller.workflow(own).map_err(|error| FieldError::of(format!("workflow: {error}")))
        };
        Wanted::read_as(&named, object, key, qualify)
    }

    fn read_as(
        caller: &desk::Caller,
        object: &Object,
        key: Option<String>,
        qualify: impl FnOnce(&Workflow) -> Result<Workflow, FieldError>,
    ) -> Result<Wanted, FieldError> {
        let mut fields = Fields::of(object);
        let workflow = fields.name("workflow", Workflow::parse)?;
        let workflow = match (workflow, fields.name("step", Step::parse)?) {
            (None, None) => None,
            (Some(own), Some(step)) => Some((qualify(&own)?, step)),
            _ => return Err(FieldError::of("workflow and step come together")),
        };
        let after = fields.texts("after", PREDECESSORS_MAX)?.into_iter();
        let holder = fields.parsed("holder", "a public key in hexadecimal", |text| {
            keys::parse(text, KeyFormat::Hex).ok()
        })?;
        let evidence = fields.texts("evidence", EVIDENCE_MAX)?;
        let written = Json::Object(object.clone());
        let hash = RequestHash(*ParamsDigest::of_bytes(&canon::canonical(&written)).as_bytes());
        let wanted = Wanted {
            action: fields.required_name("action", Action::parse)?,
            resource: fields.required_name("resource", Resource::parse)?,
            audience: fields.required_name("audience", Audience::parse)?,
            params: fields.params("params")?,
            bounds: fields.bounds("bounds")?,
            context: fields.words("context")?,
            evidence: evidence.into_iter().map(str::to_owned).collect(),
            purpose: fields.name("purpose", Purpose::parse)?,
            workflow,
            after: after.map(|id| grant_id("after", id)).collect::<Result<_, _>>()?,
            retry_of: fields.text("retry_of")?.map(|id| grant_id("retry_of", id)).transpose()?,
            ttl_seconds: fields.count("ttl_seconds")?,
            holder,
            hash,
            written,
            key: key.map(|key| keyed(caller, key)).transpose()?,
        };
        fields.end()?;
        match wanted.ttl_seconds {
            Some(0) => Err(FieldError::of("ttl_seconds is 0: nobody could use it")),
            Some(ttl) if ttl > verifier::TTL_SECONDS_MAX => {
                let max = verifier::TTL_SECONDS_MAX;
                Err(FieldError::of(format!("ttl_seconds is more than {max}")))
            }
            _ => Ok(wanted),
        }
    }

    /// What evidence and approvals are about.
    #[must_use]
    pub fn digest(&self) -> RequestDigest {
        let (params, bounds) = (self.params.digest(), self.bounds.as_ref());
        RequestDigest::of(&self.action, &self.resource, &self.audience, params, bounds)
    }

    /// What evidence must be about.
    pub(super) fn about<'w>(&'w self, agent: &'w Agent, now: UnixSeconds) -> About<'w> {
        let idempotency_key = self.key.as_ref().map(|(name, _)| name.as_str());
        About { request: self.digest(), agent, idempotency_key, now }
    }

    /// What policies are asked, as far as the request itself says it: nothing in it is verified.
    pub(super) fn question<'w>(&'w self, agent: &'w Agent, now: UnixSeconds) -> Question<'w> {
        Question {
            action: &self.action,
            resource: &self.resource,
            audience: &self.audience,
            params: &self.params,
            bounds: self.bounds.as_ref(),
            agent,
            attributes: &[],
            authenticated: now,
            credential: "",
            purpose: self.purpose.as_ref(),
            workflow: self.workflow.as_ref().map(|(workflow, step)| (workflow, step)),
            context: &self.context,
            attested: &[],
            predecessors: &[],
            retry_of: None,
            now,
        }
    }

    /// The request as it was written, in canonical form.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        canon::canonical(&self.written)
    }

    /// The request for later, when people have decided: as it was written, and its key.
    pub(super) fn body(&self) -> Result<Body, Refused> {
        let key = self.key.as_ref().map_or(Json::Null, |(key, _)| Json::Text(key.as_str().into()));
        let whole = Object::new([("key", key), ("request", self.written.clone())]);
        let whole = whole.or(Err(Refused::Internal { what: "a request cannot be written" }))?;
        Body::new(&canon::canonical(&Json::Object(whole))).map_err(|error| {
            Refused::bad_request(format!("people would have to read it, and it is {error}"))
        })
    }

    /// The request that waits, as its requester wrote it; nothing where it is not kept any more.
    pub(super) fn of_request(request: &Request) -> Option<Wanted> {
        let Proposal { requester, workflow, body, .. } = &request.proposal;
        let Json::Object(whole) = Json::parse(body.as_bytes()).ok()? else { return None };
        let key = match whole.get("key")? {
            Json::Text(key) => Some((**key).to_owned()),
            _ => None,
        };
        let Json::Object(object) = whole.get("request")? else { return None };
        // As it was qualified when it was asked.
        let qualify = |_: &Workflow| workflow.clone().ok_or_else(|| FieldError::of("no workflow"));
        Wanted::read_as(requester, object, key, qualify).ok()
    }
}

fn keyed(caller: &desk::Caller, key: String) -> Result<(String, KeyDigest), FieldError> {
    if key.is_empty()
        || key.len() > limits::KEY_BYTES_MAX
        || !key.bytes().all(|b| b.is_ascii_graphic())
    {
        let max = limits::KEY_BYTES_MAX;
        let what = format!("Idempotency-Key is not 1 to {max} visible letters of ASCII");
        return Err(FieldError::of(what));
    }
    let digest = KeyDigest::of(caller, &key);
    Ok((key, digest))
}

fn grant_id(name: &str, text: &str) -> Result<GrantId, FieldError> {
    GrantId::from_hex(text).ok_or_else(|| FieldError::of(format!("{name} is no grant's id")))
}
