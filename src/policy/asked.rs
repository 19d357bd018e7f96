//! A question written down: in a table of tests, or in a file that somebody wants explained.

use std::collections::BTreeMap;

use farebox_verifier::{
    Action, Agent, Audience, Bounds, BoundsError, NameError, Params, ParamsError, Purpose,
    Resource, Step, UnixSeconds, Workflow,
};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::question::{Attested, Predecessor, Question};

/// A question as it is written, in TOML or in JSON.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What is to be done.
    pub action: Option<String>,
    /// What it is done to.
    pub resource: Option<String>,
    /// The API that acts.
    pub audience: Option<String>,
    /// The parameters.
    pub params: Option<serde_json::Value>,
    /// What may vary of them.
    pub bounds: Option<serde_json::Value>,
    /// What it is for.
    pub purpose: Option<String>,
    /// The workflow.
    pub workflow: Option<String>,
    /// The step of it.
    pub step: Option<String>,
    /// The agent's own word.
    #[serde(default)]
    pub context: BTreeMap<String, OneOrMany>,
    /// Who asks.
    pub agent: Option<String>,
    /// What was verified of them.
    #[serde(default)]
    pub attributes: BTreeMap<String, OneOrMany>,
    /// When they proved who they are; at the time of the question where nothing is said.
    pub authenticated: Option<String>,
    /// By what.
    pub credential: Option<String>,
    /// What third parties signed.
    #[serde(default)]
    pub attested: Vec<WrittenAttested>,
    /// The grants before.
    #[serde(default)]
    pub predecessors: Vec<WrittenPredecessor>,
    /// The grant in doubt.
    pub retry_of: Option<String>,
    /// The time.
    pub now: Option<String>,
}

/// One value, or several under one name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A third party's signed word.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenAttested {
    /// Who signed.
    pub signer: String,
    /// What they speak of.
    pub name: String,
    /// What they say of it.
    pub value: String,
}

/// A grant that comes before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenPredecessor {
    /// What it was for.
    pub action: String,
    /// What that was done to.
    #[serde(default)]
    pub resource: String,
    /// The step it was.
    #[serde(default)]
    pub step: String,
    /// What became of it.
    pub state: String,
}

/// Why a written question is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskedError {
    /// Something that every question has is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A name is none.
    #[error("{field} cannot be used: {source}")]
    Name {
        /// Which.
        field: &'static str,
        /// Why not.
        source: NameError,
    },
    /// The parameters cannot be used.
    #[error("params cannot be used: {0}")]
    Params(ParamsError),
    /// The bounds cannot be used.
    #[error("bounds cannot be used: {0}")]
    Bounds(BoundsError),
    /// A date is none.
    #[error("{0} is no date such as 2026-11-21T12:00:00Z")]
    Date(&'static str),
    /// One of the two is given.
    #[error("workflow and step come together")]
    Step,
}

/// A question that owns what it says.
#[derive(Clone)]
pub struct Asked {
    action: Action,
    resource: Resource,
    audience: Audience,
    params: Params,
    bounds: Option<Bounds>,
    purpose: Option<Purpose>,
    workflow: Option<(Workflow, Step)>,
    context: Vec<(String, String)>,
    agent: Agent,
    attributes: Vec<(String, String)>,
    authenticated: UnixSeconds,
    credential: String,
    attested: Vec<Attested>,
    predecessors: Vec<Predecessor>,
    retry_of: Option<String>,
    now: UnixSeconds,
}

impl Written {
    /// What this says, and where it says nothing, what `base` says.
    #[must_use]
    pub fn over(self, base: &Written) -> Written {
        let mut base = base.clone();
        base.context.extend(self.context);
        base.attributes.extend(self.attributes);
        let either = |own: Option<String>, base: Option<String>| own.or(base);
        Written {
            action: either(self.action, base.action),
            resource: either(self.resource, base.resource),
            audience: either(self.audience, base.audience),
            params: self.params.or(base.params),
            bounds: self.bounds.or(base.bounds),
            purpose: either(self.purpose, base.purpose),
            workflow: either(self.workflow, base.workflow),
            step: either(self.step, base.step),
            context: base.context,
            agent: either(self.agent, base.agent),
            attributes: base.attributes,
            authenticated: either(self.authenticated, base.authenticated),
            credential: either(self.credential, base.credential),
            attested: if self.attested.is_empty() { base.attested } else { self.attested },
            predecessors: if self.predecessors.is_empty() {
                base.predecessors
            } else {
                self.predecessors
            },
            retry_of: either(self.retry_of, base.retry_of),
            now: either(self.now, base.now),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`AskedError`] with the first part of it that cannot be used.
    pub fn read(self, clock: UnixSeconds) -> Result<Asked, AskedError> {
        let now = self.now.as_deref().map_or(Ok(clock), |text| date(text, "now"))?;
        let since = self.authenticated.as_deref();
        let params = match &self.params {
            None => Params::empty(),
            Some(json) => Params::parse(json.to_string().as_bytes()).map_err(AskedError::Params)?,
        };
        let bounds = self.bounds.as_ref().map(bounds).transpose()?;
        if let Some(bounds) = &bounds {
            bounds.stand_apart_from(&params).map_err(AskedError::Bounds)?;
        }
        let workflow = match (&self.workflow, &self.step) {
            (None, None) => None,
            (Some(workflow), Some(step)) => Some((
                name("workflow", Workflow::parse(workflow))?,
                name("step", Step::parse(step))?,
            )),
            _ => return Err(AskedError::Step),
        };
        let purpose = self.purpose.as_deref().map(|text| name("purpose", Purpose::parse(text)));
        Ok(Asked {
            action: name("action", Action::parse(&must(self.action, "action")?))?,
            resource: name("resource", Resource::parse(&must(self.resource, "resource")?))?,
            audience: name("audience", Audience::parse(&must(self.audience, "audience")?))?,
            params,
            bounds,
            purpose: purpose.transpose()?,
            workflow,
            context: pairs(self.context),
            agent: name("agent", Agent::parse(&must(self.agent, "agent")?))?,
            attributes: pairs(self.attributes),
            authenticated: since.map_or(Ok(now), |text| date(text, "authenticated"))?,
            credential: self.credential.unwrap_or_else(|| "api-key".to_owned()),
            attested: self.attested.into_iter().map(Attested::from).collect(),
            predecessors: self.predecessors.into_iter().map(Predecessor::from).collect(),
            retry_of: self.retry_of,
            now,
        })
    }
}

impl Asked {
    /// The question.
    #[must_use]
    pub fn question(&self) -> Question<'_> {
        Question {
            action: &self.action,
            resource: &self.resource,
            audience: &self.audience,
            params: &self.params,
            bounds: self.bounds.as_ref(),
            purpose: self.purpose.as_ref(),
            workflow: self.workflow.as_ref().map(|(workflow, step)| (workflow, step)),
            context: &self.context,
            agent: &self.agent,
            attributes: &self.attributes,
            authenticated: self.authenticated,
            credential: &self.credential,
            attested: &self.attested,
            predecessors: &self.predecessors,
            retry_of: self.retry_of.as_deref(),
            now: self.now,
        }
    }
}

impl From<WrittenAttested> for Attested {
    fn from(WrittenAttested { signer, name, value }: WrittenAttested) -> Attested {
        Attested { signer, name, value }
    }
}

impl From<WrittenPredecessor> for Predecessor {
    fn from(
        WrittenPredecessor { action, resource, step, state }: WrittenPredecessor,
    ) -> Predecessor {
        Predecessor { action, resource, step, state }
    }
}

fn must(given: Option<String>, field: &'static str) -> Result<String, AskedError> {
    given.ok_or(AskedError::Missing(field))
}

fn name<T>(field: &'static str, read: Result<T, NameError>) -> Result<T, AskedError> {
    read.map_err(|source| AskedError::Name { field, source })
}

fn bounds(json: &serde_json::Value) -> Result<Bounds, AskedError> {
    let params = Params::parse(json.to_string().as_bytes()).map_err(AskedError::Params)?;
    Bounds::from_json(params.as_json()).map_err(AskedError::Bounds)
}

fn date(text: &str, field: &'static str) -> Result<UnixSeconds, AskedError> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(date) => Ok(UnixSeconds::from(date)),
        Err(_) => Err(AskedError::Date(field)),
    }
}

fn pairs(written: BTreeMap<String, OneOrMany>) -> Vec<(String, String)> {
    let each = |(name, values): (String, OneOrMany)| match values {
        OneOrMany::One(value) => vec![(name, value)],
        OneOrMany::Many(values) => values.into_iter().map(|value| (name.clone(), value)).collect(),
    };
    written.into_iter().flat_map(each).collect()
}
