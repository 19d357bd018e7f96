//! What those who hold a token do: spend, ask again, settle.
//!
//! Attempts are numbered in the order in which they were first answered OK. One that was only ever refused
//! left no trace, so there may be any number of those, and two that race are covered by every order of two.

use std::fmt;

use crate::fleet::Fleet;
use crate::life::{Bid, Outcome};
use crate::server::{Answer, At, Recorded};
use crate::step::Step;
use crate::world::World;

/// A step of a claimant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// An attempt spends: a new one, or the same one again, sent twice by its verifier or by the network.
    Spend { at: At, bid: Bid },
    /// The attempt that spent it says what came of it.
    Settle { at: At, bid: Bid, outcome: Outcome },
}

impl Claim {
    /// The steps that may come next.
    pub(crate) fn offer(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
        for grant in fleet.bounds.grants() {
            let story = world.story(grant);
            for token in story.signed() {
                for at in world.masters() {
                    for attempt in 0..=story.granted.min(1) {
                        let bid = Bid { grant, token, attempt };
                        steps.push(Step::Claim(Claim::Spend { at, bid }));
                        if attempt < story.granted {
                            for outcome in outcomes(fleet) {
                                steps.push(Step::Claim(Claim::Settle { at, bid, outcome }));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, fleet: &Fleet, world: &mut World) {
        match self {
            Claim::Spend { at, bid } => spend(fleet, world, at, &bid),
            Claim::Settle { at, bid, outcome } => {
                let settled = world.server_mut(at).settle(&fleet.rules, &bid, outcome);
                let story = world.story_mut(bid.grant);
                if settled && story.settled.is_none() {
                    story.settled = Some(outcome);
                }
            }
        }
    }
}

/// The outcomes that make a difference: a success to successors, and nothing done to the budget.
fn outcomes(fleet: &Fleet) -> impl Iterator<Item = Outcome> {
    let scope = fleet.bounds.scope;
    let succeeded = scope.predecessor.then_some(Outcome::Succeeded);
    let void = scope.budget.then_some(Outcome::Void);
    succeeded.into_iter().chain(void)
}

fn spend(fleet: &Fleet, world: &mut World, at: At, bid: &Bid) {
    let expired = world.expired;
    let answer = world.server_mut(at).spend(&fleet.rules, bid, expired);
    if let Answer::First(recorded) = answer {
        let waits = fleet.bounds.scope.predecessor && bid.grant > 0;
        let early = waits && world.story(bid.grant - 1).settled != Some(Outcome::Succeeded);
        world.wrongs.before_predecessor |= early;
        world.wrongs.unrecorded |= recorded == Recorded::No;
    }
    if matches!(answer, Answer::First(_) | Answer::Repeat) {
        world.wrongs.after_revocation |= world.revoked.has(bid.grant);
        let story = world.story_mut(bid.grant);
        story.granted = story.granted.max(bid.attempt + 1);
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Spend { at, bid } => {
                let (attempt, grant, life) = (bid.attempt + 1, bid.grant + 1, bid.token.life + 1);
                write!(f, "attempt {attempt} spends grant {grant} (of life {life}) at {at}")
            }
            Claim::Settle { at, bid, outcome } => {
                let outcome = match outcome {
                    Outcome::Succeeded => "succeeded",
                    Outcome::Void => "void",
                };
                write!(f, "grant {} is settled as {outcome} at {at}", bid.grant + 1)
            }
        }
    }
}
