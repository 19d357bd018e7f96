//! What is asked for: one action, by a caller who is known.

use farebox_verifier::{
    Action, Audience, Bounds, GrantId, Params, PublicKey, Purpose, RequestDigest, Resource, Step,
    Workflow,
};

use crate::store::desk::{KeyDigest, RequestHash};

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
    /// The digest of the request as it was written, by which it is known again.
    pub hash: RequestHash,
    /// The key under which it may be asked again, as its caller wrote it, and as it is kept.
    pub key: Option<(String, KeyDigest)>,
}

impl Wanted {
    /// What evidence and approvals are about.
    #[must_use]
    pub fn digest(&self) -> RequestDigest {
        let (params, bounds) = (self.params.digest(), self.bounds.as_ref());
        RequestDigest::of(&self.action, &self.resource, &self.audience, params, bounds)
    }
}
