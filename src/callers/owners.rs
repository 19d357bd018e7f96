//! Owners: who is behind whom. Identities of one owner are one person to approvals.

use std::collections::HashMap;

use farebox_verifier::Agent;

use crate::store::desk::Owner;

/// Which person is behind which identities, as the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners(HashMap<Agent, Owner>);

/// An identity belongs to two people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{agent} is of {first} and of {second}")]
pub struct OwnedTwice {
    /// Which identity.
    pub agent: Agent,
    /// One of them.
    pub first: Owner,
    /// The other.
    pub second: Owner,
}

impl Owners {
    /// Adds an identity of an owner.
    ///
    /// # Errors
    /// [`OwnedTwice`] where it is somebody else's.
    pub fn add(&mut self, agent: Agent, owner: Owner) -> Result<(), OwnedTwice> {
        match self.0.get(&agent) {
            Some(first) if *first != owner => {
                Err(OwnedTwice { first: first.clone(), second: owner, agent })
            }
            _ => {
                self.0.insert(agent, owner);
                Ok(())
            }
        }
    }

    /// The person behind an identity.
    #[must_use]
    pub fn of(&self, agent: &Agent) -> Option<&Owner> {
        self.0.get(agent)
    }
}
