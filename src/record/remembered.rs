//! Registrations that were recorded a moment ago, so that what is told of them in the next seconds is told with
//! names.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use farebox_verifier::Generation;

use crate::limits;
use crate::store::event::Description;

/// A grant's place: no two lives are called the same.
type Place = (Generation, u64);

/// The latest registrations.
#[derive(Default)]
pub(super) struct Registrations {
    grants: HashMap<Place, Arc<Description>>,
    /// In the order in which they came, those that were forgotten since among them.
    order: VecDeque<Place>,
}

impl Registrations {
    pub(super) fn add(&mut self, place: Place, grant: &Description) {
        if self.grants.insert(place, Arc::new(grant.clone())).is_none() {
            self.order.push_back(place);
        }
        while self.order.len() > limits::RECORD_REGISTRATIONS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.grants.remove(&oldest);
            }
        }
    }

    pub(super) fn get(&self, place: Place) -> Option<Arc<Description>> {
        self.grants.get(&place).cloned()
    }
}

#[cfg(test)]
mod tests {
    use farebox_verifier::{Action, Agent, Audience, GrantId, PolicyHash, Resource, UnixSeconds};

    use super::*;

    #[test]
    fn only_so_many_are_remembered_and_the_latest_are() {
        let grant = Description {
            grant: GrantId::from_bytes([1; 16]),
            agent: Agent::parse("key:ci").unwrap(),
            workflow: None,
            audience: Audience::parse("api").unwrap(),
            action: Action::parse("act").unwrap(),
            resource: Resource::parse("it").unwrap(),
            policy: PolicyHash::from_bytes([2; 32]),
            key_id: 1,
            end: UnixSeconds(9),
            after: Vec::new(),
        };
        let (life, max) =
            (Generation::from_bytes([1; 16]), limits::RECORD_REGISTRATIONS_MAX as u64);
        let mut registrations = Registrations::default();
        for sequence in 1..=max + 10 {
            registrations.add((life, sequence), &grant);
        }
        assert_eq!(registrations.grants.len(), limits::RECORD_REGISTRATIONS_MAX);
        assert!(registrations.get((life, 10)).is_none());
        assert!(registrations.get((life, max + 10)).is_some());
    }
}
