//! An entry: what happened, in one flat shape that people search by.
//!
//! ```text
//! Entry::of(Kind::Denied).grant(grant).agent(&agent).action(&action).rule("bills.datalog:4").reason("…")
//! ```
//! What is not known is left out. Where the entry stands, and what it is chained to, is the record's to say.

use farebox_verifier::{
    Action, Agent, Audience, GrantId, Outcome, PolicyHash, Resource, Selector, Step, UnixSeconds,
    Workflow,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::kind::Kind;
use crate::limits;
use crate::store::LifeId;
use crate::store::event::Description;

type Text = Option<Box<str>>;

/// What happened. Every member but the kind may be absent; the order of members is that of the bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is about.
    pub kind: Kind,
    /// When it happened; when it was recorded, unless something else was said.
    #[serde(serialize_with = "write_at", deserialize_with = "read_at")]
    pub at: Option<UnixSeconds>,
    /// Which grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Text,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Text,
    /// The workflow it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Text,
    /// The step of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Text,
    /// The API that acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Text,
    /// What is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Text,
    /// What it is done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Text,
    /// The set of policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Text,
    /// The rule of it that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Text,
    /// Who did it: a caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Text,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Text,
    /// Why, by its stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Text,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Text,
    /// The life of a store whose journal said so, or `desk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life: Text,
    /// The number of the event in that journal: each is recorded once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The number of the grant in that life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Whatever else belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Map<String, Value>>,
    /// The event as the journal has it, packed, for farebox itself to read again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Text,
}

/// A member with more in it than any entry may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} of an entry has {bytes} bytes: {bytes_max} is the limit")]
pub struct TooLarge {
    /// Which.
    pub member: &'static str,
    /// What there is.
    pub bytes: usize,
    /// What there may be.
    pub bytes_max: usize,
}

impl Entry {
    /// An entry of this kind that says nothing more yet.
    #[must_use]
    pub fn of(kind: Kind) -> Entry {
        Entry {
            kind,
            at: None,
            grant: None,
            agent: None,
            workflow: None,
            step: None,
            audience: None,
            action: None,
            resource: None,
            policy: None,
            rule: None,
            by: None,
            reason: None,
            code: None,
            outcome: None,
            life: None,
            number: None,
            sequence: None,
            detail: None,
            event: None,
        }
    }

    /// When it happened, where that is not now.
    #[must_use]
    pub fn at(self, at: UnixSeconds) -> Entry {
        Entry { at: Some(at), ..self }
    }

    /// Which grant.
    #[must_use]
    pub fn grant(self, grant: GrantId) -> Entry {
        Entry { grant: Some(grant.to_string().into()), ..self }
    }

    /// Who asked for it.
    #[must_use]
    pub fn agent(self, agent: &Agent) -> Entry {
        Entry { agent: Some(agent.as_str().into()), ..self }
    }

    /// The workflow it belongs to.
    #[must_use]
    pub fn workflow(self, workflow: &Workflow) -> Entry {
        Entry { workflow: Some(workflow.as_str().into()), ..self }
    }

    /// The step of it.
    #[must_use]
    pub fn step(self, step: &Step) -> Entry {
        Entry { step: Some(step.as_str().into()), ..self }
    }

    /// The API that acts.
    #[must_use]
    pub fn audience(self, audience: &Audience) -> Entry {
        Entry { audience: Some(audience.as_str().into()), ..self }
    }

    /// What is done.
    #[must_use]
    pub fn action(self, action: &Action) -> Entry {
        Entry { action: Some(action.as_str().into()), ..self }
    }

    /// What it is done to.
    #[must_use]
    pub fn resource(self, resource: &Resource) -> Entry {
        Entry { resource: Some(resource.as_str().into()), ..self }
    }

    /// The set of policies.
    #[must_use]
    pub fn policy(self, policy: PolicyHash) -> Entry {
        Entry { policy: Some(policy.to_string().into()), ..self }
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(self, rule: &str) -> Entry {
        Entry { rule: Some(rule.into()), ..self }
    }

    /// Who did it.
    #[must_use]
    pub fn by(self, by: &str) -> Entry {
        Entry { by: Some(by.into()), ..self }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(self, reason: &str) -> Entry {
        Entry { reason: Some(reason.into()), ..self }
    }

    /// Why, by its stable name.
    #[must_use]
    pub fn code(self, code: &str) -> Entry {
        Entry { code: Some(code.into()), ..self }
    }

    /// What came of it.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Entry {
        Entry { outcome: Some(outcome.word().into()), ..self }
    }

    /// The life of a store, and the grant's number in it.
    #[must_use]
    pub fn seat(self, life: &LifeId, sequence: u64) -> Entry {
        Entry { life: Some(life_text(life)), sequence: Some(sequence), ..self }
    }

    /// What a selector names: its kind and value in the detail, and the member that is searched by.
    #[must_use]
    pub fn selector(self, selector: &Selector) -> Entry {
        let entry = self.detail("by", selector.kind()).detail("value", selector.value());
        match selector {
            Selector::Grant(grant) => entry.grant(*grant),
            Selector::Agent(agent) => entry.agent(agent),
            Selector::Workflow(workflow) => entry.workflow(workflow),
            Selector::Audience(audience) => entry.audience(audience),
            Selector::Action(action) => entry.action(action),
            Selector::Policy(policy) => entry.policy(*policy),
            Selector::Key(_) | Selector::All => entry,
        }
    }

    /// What a registration says of its grant.
    #[must_use]
    pub fn described(self, grant: &Description) -> Entry {
        let entry = self.grant(grant.grant).agent(&grant.agent).audience(&grant.audience);
        let entry = entry.action(&grant.action).resource(&grant.resource).policy(grant.policy);
        match &grant.workflow {
            Some(workflow) => entry.workflow(workflow),
            None => entry,
        }
    }

    /// Whose staff may see it, beside those of no tenant.
    #[must_use]
    pub fn tenant(self, tenant: &str) -> Entry {
        self.detail("tenant", tenant)
    }

    /// Whether staff of this tenant may see it: it says so itself, or its workflow does.
    #[must_use]
    pub fn is_of(&self, tenant: &str) -> bool {
        let said = self.detail.as_ref().and_then(|detail| detail.get("tenant"));
        match (said.and_then(Value::as_str), self.workflow.as_deref()) {
            (Some(said), _) => said == tenant,
            (None, Some(workflow)) => {
                let behind = workflow.strip_prefix('@').and_then(|rest| rest.strip_prefix(tenant));
                behind.is_some_and(|rest| rest.starts_with('/'))
            }
            (None, None) => false,
        }
    }

    /// One thing more. A number has to be an integer within what readers of JSON agree on.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Entry {
        self.detail.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    /// The texts with their names, and how long each may be.
    fn texts(&self) -> [(&'static str, &Text, usize); 14] {
        use farebox_verifier::limits as names;
        let (word, prose) = (limits::RECORD_WORD_BYTES_MAX, limits::RECORD_PROSE_BYTES_MAX);
        [
            ("grant", &self.grant, word),
            ("agent", &self.agent, names::AGENT_BYTES_MAX),
            ("workflow", &self.workflow, names::WORKFLOW_BYTES_MAX),
            ("step", &self.step, names::WORKFLOW_BYTES_MAX),
            ("audience", &self.audience, names::AUDIENCE_BYTES_MAX),
            ("action", &self.action, names::ACTION_BYTES_MAX),
            ("resource", &self.resource, names::RESOURCE_BYTES_MAX),
            ("policy", &self.policy, word),
            ("rule", &self.rule, prose),
            ("by", &self.by, prose),
            ("reason", &self.reason, prose),
            ("code", &self.code, word),
            ("outcome", &self.outcome, word),
            ("life", &self.life, word),
        ]
    }

    /// Refuses a member that is too long.
    pub(super) fn measure(&self) -> Result<(), TooLarge> {
        for (member, text, bytes_max) in self.texts() {
            let bytes = text.as_ref().map_or(0, |text| text.len());
            if bytes > bytes_max {
                return Err(TooLarge { member, bytes, bytes_max });
            }
        }
        Ok(())
    }
}

/// A life in a word: no store's name holds white space, and the two parts behind it are hexadecimal.
#[must_use]
pub fn life_text(life: &LifeId) -> Box<str> {
    format!("{}/{}/{}", life.store, life.shard.as_str(), life.generation).into()
}

fn write_at<S: Serializer>(at: &Option<UnixSeconds>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.unwrap_or(UnixSeconds(0)))
}

fn read_at<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UnixSeconds>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    let date = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
    Ok(Some(date.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let entry = Entry::of(Kind::Started).at(UnixSeconds(1_800_000_000));
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(text, r#"{"kind":"started","at":"2027-01-15T08:00:00Z"}"#);
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }

    #[test]
    fn a_member_that_is_too_long_is_named() {
        let long = "x".repeat(limits::RECORD_PROSE_BYTES_MAX + 1);
        let refused = Entry::of(Kind::Alarm).reason(&long).measure().unwrap_err();
        assert_eq!(refused.member, "reason");
        let all_right = "x".repeat(limits::RECORD_PROSE_BYTES_MAX);
        assert!(Entry::of(Kind::Alarm).reason(&all_right).measure().is_ok());
    }

    #[test]
    fn a_member_that_nobody_knows_or_that_stands_twice_is_refused() {
        let at = r#""kind":"alarm","at":"2027-01-15T08:00:00Z""#;
        for more in [r#""extra":1"#, r#""code":"a","code":"b""#] {
            assert!(serde_json::from_str::<Entry>(&format!("{{{at},{more}}}")).is_err());
        }
    }
}
