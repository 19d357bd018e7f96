//! A question: everything that a decision rests on, beside the policies themselves.

use farebox_verifier::{
    Action, Agent, Audience, Bounds, Params, Purpose, Resource, Step, UnixSeconds, Workflow,
};

/// May this agent do this, now? The fields above the line are the request's, those below the issuer's.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// What is to be done.
    pub action: &'q Action,
    /// What it is done to.
    pub resource: &'q Resource,
    /// The API that acts.
    pub audience: &'q Audience,
    /// The parameters, without those that may vary.
    pub params: &'q Params,
    /// The parameters that may vary, and within what.
    pub bounds: Option<&'q Bounds>,
    /// What it is for, in the agent's words.
    pub purpose: Option<&'q Purpose>,
    /// The workflow, and the step of it.
    pub workflow: Option<(&'q Workflow, &'q Step)>,
    /// The agent's own word, believed by nobody.
    pub context: &'q [(String, String)],

    /// Who asks.
    pub agent: &'q Agent,
    /// What was verified of them.
    pub attributes: &'q [(String, String)],
    /// When they last proved who they are.
    pub authenticated: UnixSeconds,
    /// By what: `api-key`, `jwt`, `x509`.
    pub credential: &'q str,
    /// What third parties signed, verified.
    pub attested: &'q [Attested],
    /// The grants that this one comes after.
    pub predecessors: &'q [Predecessor],
    /// The grant of which nobody can tell whether it was used.
    pub retry_of: Option<&'q str>,
    /// The time.
    pub now: UnixSeconds,
}

/// A third party's signed word, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// Who signed: the name of their key.
    pub signer: String,
    /// What they speak of.
    pub name: String,
    /// What they say of it.
    pub value: String,
}

/// A grant that comes before, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// What it was for.
    pub action: String,
    /// What that was done to.
    pub resource: String,
    /// The step it was; empty where it was none.
    pub step: String,
    /// What became of it: `succeeded`, `failed`, `issued`, …
    pub state: String,
}
