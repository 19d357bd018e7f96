//! What must always hold, and what must be possible, so that nothing holds only for want of anything to do.

use stateright::Property;

use crate::fleet::Fleet;
use crate::issuer::ISSUERS;
use crate::life::{Bid, GRANTS, Grant, LIMIT, Mark, Outcome, Token};
use crate::rules::Rules;
use crate::server::{Answer, Entry};
use crate::set::Set;
use crate::world::{Phase, World};

/// Something that is watched in every world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Watch {
    /// Always: at most one attempt is answered OK for a grant.
    Once,
    /// Always: nothing is answered OK after its revocation was acknowledged as effective now.
    Revoked,
    /// Always: the grants that were used, or could yet be, stay within the budget.
    Budget,
    /// Always: a grant is spent only after its predecessor succeeded.
    Predecessor,
    /// Always: whatever is answered OK stands in the stream of its life.
    Recorded,
    /// Sometimes: a grant is spent.
    Spends,
    /// Sometimes: a repeat is answered.
    Repeats,
    /// Sometimes: a spend is fenced.
    Fences,
    /// Sometimes: a life is over for want of its stream.
    Ends,
    /// Sometimes: a revocation is acknowledged.
    Acknowledges,
    /// Sometimes: a grant is registered under two numbers.
    Twice,
    /// Sometimes: a grant is spent in a life that was opened later.
    Succeeds,
    /// Sometimes: a hold is given back.
    GivesBack,
    /// Sometimes: a later life counts, and holds something.
    Counts,
    /// Sometimes: both grants of the budget are used, one after the other was given back.
    UsesAgain,
    /// Sometimes: a grant is spent that waited for its predecessor.
    Follows,
    /// Sometimes: a grant is spent whose predecessor had succeeded before it was minted.
    Trusts,
}

impl Watch {
    /// What must always hold.
    pub(crate) const ALWAYS: [Watch; 5] =
        [Watch::Once, Watch::Revoked, Watch::Budget, Watch::Predecessor, Watch::Recorded];

    /// Its sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Watch::Once => "at most one attempt is answered OK for a grant",
            Watch::Revoked => "nothing is answered OK once its revocation was acknowledged",
            Watch::Budget => "what was used, or could yet be, stays within the budget",
            Watch::Predecessor => "a grant is spent only after its predecessor succeeded",
            Watch::Recorded => "whatever is answered OK stands in the stream of its life",
            Watch::Spends => "a grant is spent",
            Watch::Repeats => "a repeat is answered",
            Watch::Fences => "a spend is fenced",
            Watch::Ends => "a life is over for want of its stream",
            Watch::Acknowledges => "a revocation is acknowledged",
            Watch::Twice => "a grant is registered under two numbers",
            Watch::Succeeds => "a grant is spent in a later life",
            Watch::GivesBack => "a hold is given back",
            Watch::Counts => "a later life counts",
            Watch::UsesAgain => "a grant is spent with what another gave back",
            Watch::Follows => "a grant is spent after the predecessor it waited for",
            Watch::Trusts => "a grant is spent whose predecessor had succeeded before",
        }
    }

    /// It, in a word, where it must always hold.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Watch::Once => "at most once",
            Watch::Revoked => "none after a revocation",
            Watch::Budget => "budget",
            Watch::Predecessor => "predecessor",
            Watch::Recorded => "record",
            _ => "",
        }
    }

    /// It, for the checker.
    pub(crate) fn property(self) -> Property<Fleet> {
        let name = self.name();
        match self {
            Watch::Once => Property::always(name, |_, world: &World| {
                world.stories.iter().all(|story| story.granted <= 1)
            }),
            Watch::Revoked => {
                Property::always(name, |_, world: &World| !world.wrongs.after_revocation)
            }
            Watch::Budget => Property::always(name, |fleet: &Fleet, world: &World| {
                !fleet.bounds.scope.budget || used(fleet, world) <= LIMIT
            }),
            Watch::Predecessor => {
                Property::always(name, |_, world: &World| !world.wrongs.before_predecessor)
            }
            Watch::Recorded => Property::always(name, |_, world: &World| !world.wrongs.unrecorded),
            Watch::Spends => Property::sometimes(name, |_, world: &World| granted(world, 0)),
            Watch::Repeats => Property::sometimes(name, |fleet: &Fleet, world: &World| {
                answers(&fleet.rules, world).any(|answer| answer == Answer::Repeat)
            }),
            Watch::Fences => Property::sometimes(name, |fleet: &Fleet, world: &World| {
                answers(&fleet.rules, world).any(|answer| answer == Answer::No(Entry::Fenced))
            }),
            Watch::Ends => Property::sometimes(name, |fleet: &Fleet, world: &World| {
                answers(&fleet.rules, world).any(|answer| answer == Answer::No(Entry::Ended))
            }),
            Watch::Acknowledges => {
                Property::sometimes(name, |_, world: &World| !world.revoked.is_empty())
            }
            Watch::Twice => Property::sometimes(name, |_, world: &World| {
                let mut lives = world.servers.iter().filter_map(|server| server.life);
                lives.any(|life| life.sequences(0).count() > 1)
            }),
            Watch::Succeeds => Property::sometimes(name, |_, world: &World| {
                let later = |grant: Grant| world.story(grant).signed().any(|token| token.life > 0);
                (0..GRANTS).any(|grant| granted(world, grant) && later(grant))
            }),
            Watch::GivesBack => Property::sometimes(name, |fleet: &Fleet, world: &World| {
                fleet.bounds.scope.budget && gave_back(world)
            }),
            Watch::Counts => Property::sometimes(name, |_, world: &World| {
                let everybody = Set::below(ISSUERS);
                world.servers.iter().filter_map(|server| server.life).any(|life| {
                    life.generation > 0 && life.restored == everybody && !life.holds.is_empty()
                })
            }),
            Watch::UsesAgain => {
                Property::sometimes(name, |_, world: &World| granted(world, 0) && granted(world, 1))
            }
            Watch::Follows => Property::sometimes(name, |_, world: &World| follows(world, true)),
            Watch::Trusts => Property::sometimes(name, |_, world: &World| follows(world, false)),
        }
    }
}

fn granted(world: &World, grant: Grant) -> bool {
    world.story(grant).granted > 0
}

fn gave_back(world: &World) -> bool {
    (0..GRANTS).any(|grant| {
        let (story, record) = (world.story(grant), world.owner(grant));
        story.granted == 0
            && story.phase == Phase::Signed
            && !record.begun.has(grant)
            && !record.freed.has(grant)
    })
}

fn follows(world: &World, waited: bool) -> bool {
    let story = world.story(1);
    let lives = || world.servers.iter().filter_map(|server| server.life);
    let named = |token: Token| {
        lives().filter_map(move |life| {
            life.seat_of(1, token).filter(|_| life.generation == token.life).copied()
        })
    };
    story
        .signed()
        .flat_map(named)
        .any(|seat| matches!(seat.mark, Mark::Spent(_)) && seat.after.is_some() == waited)
}

/// What spends that are sent now would be answered, by every master and for every attempt so far.
fn answers(rules: &Rules, world: &World) -> impl Iterator<Item = Answer> {
    let grants = (0..GRANTS).filter(|grant| world.story(*grant).granted > 0);
    grants.flat_map(move |grant| {
        world.story(grant).signed().flat_map(move |token| {
            world.masters().map(move |at| {
                let mut server = *world.server(at);
                server.spend(rules, &Bid { grant, token, attempt: 0 }, world.expired)
            })
        })
    })
}

/// How many grants were used and not declared void, or could yet be spent in some memory.
fn used(fleet: &Fleet, world: &World) -> u32 {
    let used = |grant: &Grant| {
        let story = world.story(*grant);
        let was = story.granted > 0 && story.settled != Some(Outcome::Void);
        let could = story.signed().any(|token| {
            world
                .servers
                .iter()
                .filter_map(|server| server.life)
                .any(|life| life.would_spend(*grant, token, world.expired))
        });
        was || could
    };
    fleet.bounds.grants().filter(used).map(|_| 1).sum()
}
