//! The budget: holds begun in an issuer's record, taken in a life, restored in the next, and given back.

use std::fmt;

use crate::data::{Event, Gen};
use crate::fleet::Fleet;
use crate::issuer::ISSUERS;
use crate::life::{Grant, Need};
use crate::mint::Call;
use crate::rules::{Moves, Word};
use crate::server::At;
use crate::set::Set;
use crate::step::Step;
use crate::world::{Phase, World, owner};

/// A step of an issuer with a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Budget {
    /// Writes to its record that it begins a hold.
    Begin { grant: Grant },
    /// Takes the hold that it began; again, if it heard no reply.
    Take { grant: Grant, at: At, life: Gen, call: Call },
    /// Gives up a grant before its registration is sent.
    GiveUp { grant: Grant },
    /// Hears that a hold is not needed any more.
    Free { grant: Grant, at: At },
    /// Gives it back.
    GiveBack { grant: Grant, at: At },
    /// Writes to its record that it takes no more holds in the life it used.
    Leave { issuer: u8, life: Gen },
    /// Restores its begun holds in a life.
    Restore { issuer: u8, at: At, life: Gen },
}

impl Budget {
    /// The steps that may come next.
    pub(crate) fn offer(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
        for grant in fleet.bounds.grants() {
            grant_steps(fleet, world, grant, steps);
        }
        for issuer in 0..ISSUERS {
            let record = world.issuer(issuer);
            for life in record.lives.members() {
                let moves = life != record.home
                    && match fleet.rules.moves {
                        Moves::Up => world.rank(life) > world.rank(record.home),
                        Moves::NotBack => !record.left.has(life),
                        Moves::Anywhere => true,
                    };
                if fleet.rules.leaves_first && moves {
                    steps.push(Step::Budget(Budget::Leave { issuer, life }));
                }
                if !fleet.rules.leaves_first || life == record.home {
                    for at in world.masters() {
                        steps.push(Step::Budget(Budget::Restore { issuer, at, life }));
                    }
                }
            }
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, fleet: &Fleet, world: &mut World) {
        match self {
            Budget::Begin { grant } => {
                let record = world.owner_mut(grant);
                record.begun = record.begun.with(grant);
                let home = record.home;
                world.story_mut(grant).phase = Phase::Begun(home);
            }
            Budget::GiveUp { grant } => {
                world.owner_mut(grant).free(grant);
                world.story_mut(grant).phase = Phase::Abandoned;
            }
            Budget::Take { grant, at, life, call } => {
                let issuers = Set::below(ISSUERS);
                let held = world.server_mut(at).hold(&fleet.rules, life, grant, issuers);
                if held && call == Call::Heard {
                    world.story_mut(grant).phase = Phase::Held;
                }
            }
            Budget::Free { grant, at } => {
                if free(fleet, world, grant, at) {
                    world.owner_mut(grant).free(grant);
                }
            }
            Budget::GiveBack { grant, at } => {
                let home = world.owner(grant).home;
                if world.server_mut(at).give_back(&fleet.rules, home, grant) {
                    let record = world.owner_mut(grant);
                    record.freed = record.freed.without(grant);
                }
            }
            Budget::Leave { issuer, life } => {
                let record = world.issuer_mut(issuer);
                if fleet.rules.moves == Moves::NotBack {
                    record.left = record.left.with(record.home);
                }
                record.home = life;
            }
            Budget::Restore { issuer, at, life } => {
                // What it had begun at the very start is nothing.
                let begun = match fleet.rules.reads_after {
                    true => world.issuer(issuer).begun,
                    false => Set::EMPTY,
                };
                world.server_mut(at).restore(&fleet.rules, life, issuer, begun);
            }
        }
    }
}

fn grant_steps(fleet: &Fleet, world: &World, grant: Grant, steps: &mut Vec<Step>) {
    let record = world.owner(grant);
    match world.story(grant).phase {
        Phase::Idle => steps.push(Step::Budget(Budget::Begin { grant })),
        Phase::Begun(begun) => {
            if fleet.bounds.scope.gives {
                steps.push(Step::Budget(Budget::GiveUp { grant }));
            }
            for life in record.lives.members() {
                // Its first sending may come late, when its issuer has left that life already.
                let sent = life == begun || life == record.home || !fleet.rules.leaves_first;
                for at in world.masters().filter(|_| sent) {
                    for call in [Call::Heard, Call::Lost] {
                        steps.push(Step::Budget(Budget::Take { grant, at, life, call }));
                    }
                }
            }
        }
        Phase::Signed if record.begun.has(grant) && fleet.bounds.scope.gives => {
            for at in At::BOTH {
                steps.push(Step::Budget(Budget::Free { grant, at }));
            }
        }
        _ => {}
    }
    if record.freed.has(grant) {
        for at in world.masters() {
            steps.push(Step::Budget(Budget::GiveBack { grant, at }));
        }
    }
}

/// Whether a server says that nothing is needed of a grant's hold.
fn free(fleet: &Fleet, world: &mut World, grant: Grant, at: At) -> bool {
    let expired = world.expired;
    let Some(token) = world.story(grant).signed().next() else {
        return false;
    };
    match fleet.rules.word {
        Word::Living => {
            let server = world.server_mut(at);
            server.need(&fleet.rules, token, grant, expired) == Need::Free
        }
        Word::Record => {
            let log = &world.server(at).log;
            let shows = |wanted: Event| log.events(token.life, false).any(|event| event == wanted);
            let registered = shows(Event::Registered(grant, token.sequence));
            let spent = [0, 1].iter().any(|by| shows(Event::Spent(token.sequence, *by)));
            registered && !spent && (expired.has(grant) || !log.has_stream(token.life))
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Begin { grant } => {
                write!(f, "issuer {} begins a hold for grant {}", owner(*grant) + 1, grant + 1)
            }
            Budget::Take { grant, at, life, call } => {
                let lost = if *call == Call::Lost { "; the reply is lost" } else { "" };
                let (issuer, grant, life) = (owner(*grant) + 1, grant + 1, life + 1);
                write!(
                    f,
                    "issuer {issuer} takes the hold of grant {grant} in life {life} at {at}{lost}"
                )
            }
            Budget::GiveUp { grant } => {
                write!(f, "issuer {} gives up grant {}", owner(*grant) + 1, grant + 1)
            }
            Budget::Free { grant, at } => {
                write!(f, "{at} says that the hold of grant {} is free", grant + 1)
            }
            Budget::GiveBack { grant, at } => {
                write!(f, "the hold of grant {} is given back at {at}", grant + 1)
            }
            Budget::Leave { issuer, life } => {
                write!(f, "issuer {} takes its holds in life {} from now on", issuer + 1, life + 1)
            }
            Budget::Restore { issuer, at, life } => {
                let (issuer, life) = (issuer + 1, life + 1);
                write!(f, "issuer {issuer} restores its begun holds in life {life} at {at}")
            }
        }
    }
}
