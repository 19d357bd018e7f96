//! The model: from a world, every world that may come next.

use stateright::{Model, Property};

use crate::bounds::Bounds;
use crate::budget::Budget;
use crate::claim::Claim;
use crate::fault::Fault;
use crate::mint::Mint;
use crate::property::Watch;
use crate::revocation::Revoke;
use crate::rules::Rules;
use crate::step::Step;
use crate::world::World;

/// Two servers, two issuers and whoever holds a token.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    /// The rules they keep.
    pub(crate) rules: Rules,
    /// How much may happen.
    pub(crate) bounds: Bounds,
    /// What is watched.
    pub(crate) watches: Vec<Watch>,
}

impl Model for Fleet {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::start(&self.rules, &self.bounds)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        Mint::offer(self, world, steps);
        if self.bounds.scope.budget {
            Budget::offer(self, world, steps);
        }
        Claim::offer(self, world, steps);
        Revoke::offer(self, world, steps);
        if self.bounds.scope.expiry {
            for grant in self.bounds.grants().filter(|grant| !world.expired.has(*grant)) {
                if world.story(grant).signed().next().is_none() {
                    continue;
                }
                steps.push(Step::End(grant));
                if !self.rules.margin && !world.past.has(grant) {
                    steps.push(Step::Early(grant));
                }
            }
        }
        Fault::offer(self, world, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = *world;
        match step {
            Step::Mint(step) => step.take(self, &mut next),
            Step::Budget(step) => step.take(self, &mut next),
            Step::Claim(step) => step.take(self, &mut next),
            Step::Revoke(step) => step.take(self, &mut next),
            Step::End(grant) => {
                next.expired = next.expired.with(grant);
                next.past = next.past.with(grant);
            }
            Step::Early(grant) => next.past = next.past.with(grant),
            Step::Fault(step) => step.take(self, &mut next),
        }
        if !self.bounds.scope.unread {
            next.servers.iter_mut().for_each(|server| server.log.forget_unread());
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Fleet>> {
        self.watches.iter().map(|watch| watch.property()).collect()
    }
}
