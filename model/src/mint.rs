//! What issuers do with lives and with grants: meet and open, register, abandon, read the journal.
//!
//! A token is signed when, and only when, the reply to its registration was heard.

use std::fmt;

use crate::data::{Event, Gen, LIVES};
use crate::fleet::Fleet;
use crate::issuer::ISSUERS;
use crate::life::{Grant, Outcome};
use crate::rules::Over;
use crate::server::{At, Entry};
use crate::set::Set;
use crate::step::Step;
use crate::world::{Phase, Registration, World, owner};

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    /// It was answered.
    Heard,
    /// It was carried out, and its answer was lost.
    Lost,
    /// It is still on its way, and may come late or never.
    Late,
}

/// A registration on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sending {
    grant: Grant,
    at: At,
    life: Gen,
    call: Call,
}

/// A step of an issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mint {
    /// Opens a life, or hears of the one that is open.
    Open { issuer: u8, at: At, call: Call },
    /// Starts again.
    Restart { issuer: u8 },
    /// Reads the journal in a server's data set.
    Drain { issuer: u8, at: At },
    /// Registers a grant.
    Register(Sending),
    /// Has an id refused for good.
    Abandon { grant: Grant, at: At },
}

impl Mint {
    /// The steps that may come next.
    pub(crate) fn offer(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
        for issuer in 0..ISSUERS {
            for at in world.masters() {
                tend(world, issuer, at, steps);
            }
            if !fleet.rules.lists_kept && !world.issuer(issuer).lives.is_empty() {
                steps.push(Step::Mint(Mint::Restart { issuer }));
            }
            let settled = |grant| world.story(grant).settled.is_some();
            let something = fleet.bounds.grants().any(settled) || !fleet.rules.secret;
            if something || fleet.rules.over == Over::Drained {
                for at in At::BOTH {
                    steps.push(Step::Mint(Mint::Drain { issuer, at }));
                }
            }
        }
        for grant in fleet.bounds.grants() {
            register(fleet, world, grant, steps);
            if let Phase::InDoubt(_) = world.story(grant).phase {
                for at in world.masters() {
                    steps.push(Step::Mint(Mint::Abandon { grant, at }));
                }
            }
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, fleet: &Fleet, world: &mut World) {
        match self {
            Mint::Open { issuer, at, call } => open(fleet, world, issuer, at, call),
            Mint::Restart { issuer } => world.issuer_mut(issuer).lives = Set::EMPTY,
            Mint::Drain { issuer, at } => drain(fleet, world, issuer, at),
            Mint::Register(sending) => send(fleet, world, sending),
            Mint::Abandon { grant, at } => abandon(fleet, world, grant, at),
        }
    }
}

/// An issuer's round over the servers: where a life is open it hears of it, and elsewhere it opens one.
fn tend(world: &World, issuer: u8, at: At, steps: &mut Vec<Step>) {
    let mut push = |call| steps.push(Step::Mint(Mint::Open { issuer, at, call }));
    match world.server(at).open_already() {
        Some(life) if world.issuer(issuer).lives.has(life) => {}
        Some(_) => push(Call::Heard),
        None if world.openings_left == 0 || world.lives == LIVES => {}
        None => {
            push(Call::Heard);
            // Whose call it was makes no difference where nobody hears.
            if issuer == 0 {
                push(Call::Lost);
            }
        }
    }
}

fn register(fleet: &Fleet, world: &World, grant: Grant, steps: &mut Vec<Step>) {
    let story = world.story(grant);
    let first = match story.phase {
        Phase::Idle => !fleet.bounds.scope.budget,
        Phase::Held => true,
        _ => false,
    };
    // Without the rule an id goes to another store when the first one is slow, and both tokens are signed.
    let again = !fleet.rules.registered_once
        && matches!(story.phase, Phase::InDoubt(_) | Phase::Signed)
        && story.tokens.iter().any(Option::is_none);
    if !first && !again {
        return;
    }
    let mut push = |sending| steps.push(Step::Mint(Mint::Register(sending)));
    for life in world.owner(grant).lives.members() {
        for at in world.masters() {
            push(Sending { grant, at, life, call: Call::Heard });
            if first && fleet.bounds.scope.doubt {
                push(Sending { grant, at, life, call: Call::Lost });
            }
        }
        if first && fleet.bounds.scope.doubt {
            push(Sending { grant, at: At::A, life, call: Call::Late });
        }
    }
}

fn open(fleet: &Fleet, world: &mut World, issuer: u8, at: At, call: Call) {
    if let Some(life) = world.server(at).open_already() {
        let (rank, _) = world.rank(life);
        world.issuer_mut(issuer).learn(life, rank);
        return;
    }
    let command = world.openings;
    world.openings += 1;
    world.openings_left -= 1;
    // Ranks order lives for budgets, and for nothing else.
    if fleet.bounds.scope.budget {
        let record = world.issuer_mut(issuer);
        record.highest += 1;
        let rank = record.highest;
        world.ordered(command, rank);
    }
    let Some(life) = world.born(&fleet.rules, command, at) else {
        return;
    };
    let renamed = world.server_mut(at).open(&fleet.rules, life);
    if call == Call::Heard {
        let (rank, _) = world.rank(life);
        for (number, record) in world.issuers.iter_mut().enumerate() {
            if number == usize::from(issuer) || fleet.bounds.scope.told {
                record.learn(life, rank);
            }
            // Where issuers ask each other for their lists, what one takes off is off.
            if fleet.rules.over == Over::Renamed {
                record.lives = renamed.map_or(record.lives, |old| record.lives.without(old));
            }
        }
    }
}

/// Sends a registration, and signs the token if its answer is heard.
fn send(fleet: &Fleet, world: &mut World, sending: Sending) {
    let Sending { grant, at, life, call } = sending;
    let Some(after) = predecessor(fleet, world, grant, life) else {
        return;
    };
    let token = match call {
        Call::Heard | Call::Lost => world.server_mut(at).register(&fleet.rules, life, grant, after),
        Call::Late => None,
    };
    let story = world.story_mut(grant);
    match (call, token) {
        (Call::Heard, Some(token)) => story.sign(token),
        // Heard as refused: nothing was registered, and the hold, if any, still waits.
        (Call::Heard, None) => return,
        (Call::Lost | Call::Late, _) => story.phase = Phase::InDoubt(life),
    }
    story.sent = Some(Registration { life, after });
}

/// What a registration says of its predecessor: nothing of one that succeeded, as the journal says; the
/// number of one that is in the same life. One that is elsewhere is waited for by nobody.
fn predecessor(fleet: &Fleet, world: &World, grant: Grant, life: Gen) -> Option<Option<u8>> {
    if !fleet.bounds.scope.predecessor || grant == 0 || world.owner(grant).succeeded.has(grant - 1)
    {
        return Some(None);
    }
    let mut tokens = world.story(grant - 1).signed();
    tokens.find(|token| token.life == life).map(|token| Some(token.sequence))
}

fn abandon(fleet: &Fleet, world: &mut World, grant: Grant, at: At) {
    let Phase::InDoubt(life) = world.story(grant).phase else {
        return;
    };
    // Only the life's own word that it refuses the id counts; then nothing is needed of the hold.
    let refused = world.server_mut(at).abandon(&fleet.rules, life, grant) == Entry::Living;
    if refused || !fleet.rules.abandons {
        world.story_mut(grant).phase = Phase::Abandoned;
        world.owner_mut(grant).free(grant);
    }
}

/// Reads what came of grants from the streams that a data set holds.
fn drain(fleet: &Fleet, world: &mut World, issuer: u8, at: At) {
    for life in world.issuer(issuer).lives.members() {
        if fleet.rules.over == Over::Drained && world.server(at).open_already() != Some(life) {
            world.issuers.iter_mut().for_each(|record| record.lives = record.lives.without(life));
        }
        let log = world.server(at).log;
        for event in log.events(life, !fleet.rules.secret) {
            let Event::Settled(_, grant, outcome) = event else {
                continue;
            };
            let record = world.issuer_mut(issuer);
            match outcome {
                // Its own steps wait for these; who mints no later step does not look.
                Outcome::Succeeded if owner(grant + 1) == issuer => {
                    record.succeeded = record.succeeded.with(grant);
                }
                Outcome::Void if owner(grant) == issuer => record.free(grant),
                Outcome::Succeeded | Outcome::Void => {}
            }
        }
    }
}

impl fmt::Display for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mint::Open { issuer, at, call: Call::Heard } => {
                write!(f, "issuer {} opens a life at {at}", issuer + 1)
            }
            Mint::Open { issuer, at, .. } => {
                write!(f, "issuer {} opens a life at {at}; the reply is lost", issuer + 1)
            }
            Mint::Restart { issuer } => write!(f, "issuer {} is started again", issuer + 1),
            Mint::Drain { issuer, at } => {
                write!(f, "issuer {} reads the journal at {at}", issuer + 1)
            }
            Mint::Register(Sending { grant, at, life, call }) => {
                let (issuer, grant, life) = (owner(*grant) + 1, grant + 1, life + 1);
                match call {
                    Call::Heard => write!(
                        f,
                        "issuer {issuer} registers grant {grant} in life {life} at {at} and signs its token"
                    ),
                    Call::Lost => write!(
                        f,
                        "issuer {issuer} registers grant {grant} in life {life} at {at}; the reply is lost"
                    ),
                    Call::Late => write!(
                        f,
                        "issuer {issuer} sends a registration of grant {grant} in life {life}; it is on its way"
                    ),
                }
            }
            Mint::Abandon { grant, at } => {
                write!(f, "issuer {} abandons grant {} at {at}", owner(*grant) + 1, grant + 1)
            }
        }
    }
}
