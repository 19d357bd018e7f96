//! Whose an agent is: staff of a tenant see what is their tenant's, and nothing else.
//!
//! A tenant is found out of who calls, and stands in the record with what was asked. A store knows nothing of it, so
//! what a store shows is sorted by what its agents were found to be, in the time in which their grants are shown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use farebox_verifier::{Agent, Selector, UnixSeconds, Workflow};

use crate::callers::{Caller, Tenant};
use crate::limits;
use crate::record::Entry;

/// The tenants of the agents that have asked lately.
#[derive(Default)]
pub struct Tenants(Mutex<HashMap<Agent, (Box<str>, UnixSeconds)>>);

impl Tenants {
    /// An agent asks.
    pub(super) fn learn(&self, caller: &Caller, now: UnixSeconds) {
        match &caller.tenant {
            Some(tenant) => self.put(&caller.name, tenant.as_str(), now),
            None => drop(self.lock().remove(&caller.name)),
        }
    }

    /// An agent was of this tenant then. Where too many are known, one more is nobody's: that hides, and shows nothing.
    pub(super) fn put(&self, agent: &Agent, tenant: &str, at: UnixSeconds) {
        let mut known = self.lock();
        if let Some((same, seen)) = known.get_mut(agent).filter(|(known, _)| **known == *tenant) {
            (*same, *seen) = (tenant.into(), at.max(*seen));
            return;
        }
        if known.len() >= limits::TENANTS_KNOWN_MAX {
            known.retain(|_, (_, seen)| seen.plus(limits::ISSUED_KNOWN_SECONDS) > at);
        }
        if known.len() < limits::TENANTS_KNOWN_MAX || known.contains_key(agent) {
            known.insert(agent.clone(), (tenant.into(), at));
        }
    }

    /// The tenant of an agent, where it has one and it is known.
    #[must_use]
    pub fn of(&self, agent: &Agent) -> Option<Box<str>> {
        self.lock().get(agent).map(|(tenant, _)| tenant.clone())
    }

    /// Whether what this agent asked for in this workflow is this tenant's. A workflow says so by itself.
    pub(super) fn owns(&self, tenant: &Tenant, agent: &Agent, workflow: Option<&Workflow>) -> bool {
        match workflow.and_then(of_workflow) {
            Some(of_workflow) => of_workflow == tenant.as_str(),
            None => self.of(agent).as_deref() == Some(tenant.as_str()),
        }
    }

    /// Whether staff of this tenant may know that this is blocked: what is theirs, and what is everybody's.
    pub(super) fn concerns(&self, tenant: &Tenant, selector: &Selector) -> bool {
        match selector {
            Selector::Workflow(workflow) => of_workflow(workflow) == Some(tenant.as_str()),
            Selector::Agent(agent) => self.of(agent).as_deref() == Some(tenant.as_str()),
            Selector::Grant(_) => false,
            _ => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Agent, (Box<str>, UnixSeconds)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tenant that stands before a workflow's own name.
fn of_workflow(workflow: &Workflow) -> Option<&str> {
    workflow.as_str().strip_prefix('@')?.split_once('/').map(|(tenant, _)| tenant)
}

/// The entry, with the tenant of who caused it.
pub(super) fn told_of(entry: Entry, caller: &Caller) -> Entry {
    match &caller.tenant {
        Some(tenant) => entry.tenant(tenant.as_str()),
        None => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    #[test]
    fn one_agent_too_many_is_nobodys_until_others_are_forgotten() {
        let tenants = Tenants::default();
        let agent = |number: usize| Agent::parse(&format!("oidc:ci:{number}")).unwrap();
        for number in 0..limits::TENANTS_KNOWN_MAX {
            tenants.put(&agent(number), "acme", NOW);
        }
        let last = agent(limits::TENANTS_KNOWN_MAX);
        tenants.put(&last, "acme", NOW);
        assert_eq!(tenants.of(&last), None);
        assert_eq!(tenants.of(&agent(0)).as_deref(), Some("acme"));
        tenants.put(&last, "acme", NOW.plus(limits::ISSUED_KNOWN_SECONDS));
        assert_eq!(tenants.of(&last).as_deref(), Some("acme"));
        assert_eq!(tenants.of(&agent(0)), None);
    }
}
