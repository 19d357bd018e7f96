//! A request, owned.

use farebox_verifier::{
    Action, Audience, Outputs, Params, Proof, Request, Resource, Sent, UnixSeconds,
};

/// Whether the verifier sees the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sees {
    Params,
    Digest,
}

/// What is asked for, when, and with which proofs.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) audience: Audience,
    pub(crate) action: Action,
    pub(crate) resource: Resource,
    pub(crate) params: Params,
    pub(crate) sees: Sees,
    pub(crate) proofs: Vec<Proof>,
    pub(crate) outputs: Outputs,
    pub(crate) now: UnixSeconds,
}

impl Asked {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            audience: &self.audience,
            action: &self.action,
            resource: &self.resource,
            sent: match self.sees {
                Sees::Params => Sent::Params(&self.params),
                Sees::Digest => Sent::Digest(self.params.digest()),
            },
            proofs: &self.proofs,
            outputs: self.outputs,
        }
    }
}
