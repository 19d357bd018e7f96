//! What a revocation names: one grant, or all that share a name.

use std::fmt;

use crate::crypto;
use crate::grant::{GrantId, PolicyHash};
use crate::hex;
use crate::name::{Action, Agent, Audience, Workflow};
use crate::store::Ticket;

hex::bytes! {
    /// A selector in eight bytes, so that a store compares numbers and not names.
    ///
    /// Two names of one scope would be revoked together, never spared together.
    Scope, 8
}

/// Which grants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// One.
    Grant(GrantId),
    /// Those of an agent.
    Agent(Agent),
    /// Those of a workflow.
    Workflow(Workflow),
    /// Those for an API.
    Audience(Audience),
    /// Those for an action.
    Action(Action),
    /// Those that a set of policies allowed.
    Policy(PolicyHash),
    /// Those that a key signed.
    Key(u32),
    /// Every one.
    All,
}

/// How many scopes a grant belongs to, besides its own and all.
pub const SCOPES: usize = 6;

impl Selector {
    /// The word for its kind, everywhere.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Selector::Grant(_) => "grant",
            Selector::Agent(_) => "agent",
            Selector::Workflow(_) => "workflow",
            Selector::Audience(_) => "audience",
            Selector::Action(_) => "action",
            Selector::Policy(_) => "policy",
            Selector::Key(_) => "key",
            Selector::All => "all",
        }
    }

    /// What is named, as text; nothing for all.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Selector::Grant(grant) => grant.to_string(),
            Selector::Agent(agent) => agent.as_str().to_owned(),
            Selector::Workflow(workflow) => workflow.as_str().to_owned(),
            Selector::Audience(audience) => audience.as_str().to_owned(),
            Selector::Action(action) => action.as_str().to_owned(),
            Selector::Policy(policy) => policy.to_string(),
            Selector::Key(key) => key.to_string(),
            Selector::All => String::new(),
        }
    }

    /// The selector that these two words say.
    #[must_use]
    pub fn parse(kind: &str, value: &str) -> Option<Selector> {
        Some(match kind {
            "grant" => Selector::Grant(GrantId::from_hex(value)?),
            "agent" => Selector::Agent(Agent::parse(value).ok()?),
            "workflow" => Selector::Workflow(Workflow::parse(value).ok()?),
            "audience" => Selector::Audience(Audience::parse(value).ok()?),
            "action" => Selector::Action(Action::parse(value).ok()?),
            "policy" => Selector::Policy(PolicyHash::from_hex(value)?),
            "key" => Selector::Key(value.parse().ok().filter(|_| !value.starts_with('+'))?),
            "all" if value.is_empty() => Selector::All,
            _ => return None,
        })
    }

    /// Its eight bytes.
    #[must_use]
    pub fn scope(&self) -> Scope {
        scope(self.kind(), self.value().as_bytes())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::All => f.write_str("all"),
            _ => write!(f, "{} {}", self.kind(), self.value()),
        }
    }
}

/// What a grant belongs to: agent, workflow, audience, action, policy and key, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(pub [Scope; SCOPES]);

impl Scopes {
    /// The agent's, which stores also count by.
    #[must_use]
    pub fn agent(&self) -> Scope {
        let [agent, ..] = self.0;
        agent
    }

    /// The policy's.
    #[must_use]
    pub fn policy(&self) -> Scope {
        let [.., policy, _] = self.0;
        policy
    }
}

impl Ticket {
    /// The scopes of the grant. A grant without a workflow is in the scope of none.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let workflow = self.workflow.as_ref().map_or("", Workflow::as_str);
        Scopes([
            scope("agent", self.agent.as_str().as_bytes()),
            scope("workflow", workflow.as_bytes()),
            scope("audience", self.audience.as_str().as_bytes()),
            scope("action", self.action.as_str().as_bytes()),
            scope("policy", self.policy.to_string().as_bytes()),
            scope("key", self.key_id.to_string().as_bytes()),
        ])
    }
}

fn scope(kind: &str, value: &[u8]) -> Scope {
    // No kind holds the separator, so no two selectors are one text.
    let [a, b, c, d, e, f, g, h, ..] =
        crypto::sha256(&[b"farebox-scope/1\0", kind.as_bytes(), b"\0", value]);
    Scope::from_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_selector_says_is_read_back() {
        let selectors = [
            Selector::Grant(GrantId::from_bytes([7; 16])),
            Selector::Agent(Agent::parse("key:ci").unwrap()),
            Selector::Workflow(Workflow::parse("run-81").unwrap()),
            Selector::Audience(Audience::parse("payments-api").unwrap()),
            Selector::Action(Action::parse("payments.transfer").unwrap()),
            Selector::Policy(PolicyHash::from_bytes([9; 32])),
            Selector::Key(4_294_967_295),
            Selector::All,
        ];
        for (i, selector) in selectors.iter().enumerate() {
            let read = Selector::parse(selector.kind(), &selector.value());
            assert_eq!(read.as_ref(), Some(selector));
            assert!(selectors[..i].iter().all(|other| other.scope() != selector.scope()));
        }
    }

    #[test]
    fn what_names_nothing_is_no_selector() {
        for (kind, value) in [
            ("all", "x"),
            ("key", "+1"),
            ("key", "4294967296"),
            ("grant", "7"),
            ("agent", ""),
            ("", ""),
        ] {
            assert_eq!(Selector::parse(kind, value), None, "{kind} {value}");
        }
    }

    #[test]
    fn one_name_in_two_scopes_is_two() {
        let agent = Selector::Agent(Agent::parse("a").unwrap());
        let audience = Selector::Audience(Audience::parse("a").unwrap());
        assert_ne!(agent.scope(), audience.scope());
    }
}
