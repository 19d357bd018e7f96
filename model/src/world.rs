//! Everything that is, at one moment: servers, issuers, grants, a revocation under way; and the truth, which
//! nobody in the model sees and which the invariants are about.

use crate::bounds::Bounds;
use crate::data::{Gen, LIVES, Log};
use crate::issuer::{ISSUERS, Issuer};
use crate::life::{GRANTS, Grant, Life, Outcome, Token};
use crate::revocation::Revocation;
use crate::rules::{Generation, Rules};
use crate::server::{At, Role, Server};
use crate::set::Set;

/// How far a grant's minting is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Phase {
    /// Not begun.
    Idle,
    /// Its hold is written to the issuer's record, to be taken in this life, and nobody knows whether it was.
    Begun(Gen),
    /// Its hold is taken.
    Held,
    /// Its registration was sent to this life, and no answer was heard.
    InDoubt(Gen),
    /// Its registration was answered, and its token is signed.
    Signed,
    /// Given up: before it was sent, or once its life refused its id for good.
    Abandoned,
}

/// A registration as it was sent; the network may deliver it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Registration {
    /// The life it names.
    pub(crate) life: Gen,
    /// The number of the predecessor that it names.
    pub(crate) after: Option<u8>,
}

/// A grant's story.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Story {
    /// How far its minting is.
    pub(crate) phase: Phase,
    /// The registration that was sent last.
    pub(crate) sent: Option<Registration>,
    /// Its tokens: one, as long as ids are registered once.
    pub(crate) tokens: [Option<Token>; 2],
    /// How many different attempts were answered OK. Whether they heard it makes no difference here: what
    /// was said counts.
    pub(crate) granted: u8,
    /// What came of it, as its handler said.
    pub(crate) settled: Option<Outcome>,
}

impl Story {
    /// The tokens that were signed.
    pub(crate) fn signed(&self) -> impl Iterator<Item = Token> {
        self.tokens.into_iter().flatten()
    }

    /// Signs another token.
    pub(crate) fn sign(&mut self, token: Token) {
        self.phase = Phase::Signed;
        if let Some(place) = self.tokens.iter_mut().find(|place| place.is_none()) {
            *place = Some(token);
        }
    }
}

/// What must never have happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Wrongs {
    /// A grant was answered OK after a revocation of it was acknowledged.
    pub(crate) after_revocation: bool,
    /// A grant was answered OK before its predecessor succeeded.
    pub(crate) before_predecessor: bool,
    /// A grant was answered OK and no stream says so.
    pub(crate) unrecorded: bool,
}

/// What a generation's number was made of, where two may be equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Birth {
    command: u8,
    run: u8,
    replication: u8,
}

/// Everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    /// The servers.
    pub(crate) servers: [Server; 2],
    /// The issuers.
    pub(crate) issuers: [Issuer; ISSUERS as usize],
    /// The grants.
    pub(crate) stories: [Story; GRANTS as usize],
    /// The grants whose end has passed for the servers.
    pub(crate) expired: Set,
    /// The grants whose end has passed for the issuers.
    pub(crate) past: Set,
    /// The revocation under way.
    pub(crate) revocation: Option<Revocation>,
    /// The grants covered by an acknowledged revocation.
    pub(crate) revoked: Set,
    /// How many lives there were.
    pub(crate) lives: u8,
    /// How many openings were sent.
    pub(crate) openings: u8,
    /// The rank that each opening gives its life: one more than the highest its issuer had heard of.
    orders: [u8; LIVES as usize],
    /// The rank of each life, in its own word.
    ranks: [u8; LIVES as usize],
    /// What numbers were made of.
    births: [Option<Birth>; LIVES as usize],
    /// At which server a life was opened, for as long as that server's run lasts.
    hosts: [Option<At>; LIVES as usize],
    /// The last run id or replication id made.
    pub(crate) identities: u8,
    /// How many faults may still happen.
    pub(crate) faults_left: u8,
    /// How many openings may still be sent.
    pub(crate) openings_left: u8,
    /// How many revocations may still be asked for.
    pub(crate) revocations_left: u8,
    /// What must never have happened, and did.
    pub(crate) wrongs: Wrongs,
}

impl World {
    /// The start: A is a master and B its empty replica; life 1 is open at A, both issuers know it, and it
    /// counts.
    pub(crate) fn start(rules: &Rules, bounds: &Bounds) -> World {
        let server = |role, run, life| Server { role, run, replication: 0, log: Log::EMPTY, life };
        let everybody = Set::below(ISSUERS);
        let mut world = World {
            servers: [server(Role::Master, 0, None), server(Role::Replica, 1, None)],
            issuers: [Issuer::start(0); ISSUERS as usize],
            stories: [Story {
                phase: Phase::Idle,
                sent: None,
                tokens: [None; 2],
                granted: 0,
                settled: None,
            }; GRANTS as usize],
            expired: Set::EMPTY,
            past: Set::EMPTY,
            revocation: None,
            revoked: Set::EMPTY,
            lives: 0,
            openings: 0,
            orders: [0; LIVES as usize],
            ranks: [0; LIVES as usize],
            births: [None; LIVES as usize],
            hosts: [None; LIVES as usize],
            identities: 1,
            faults_left: bounds.faults,
            openings_left: bounds.openings,
            revocations_left: bounds.revocations,
            wrongs: Wrongs::default(),
        };
        if let Some(first) = world.born(rules, 0, At::A) {
            world.server_mut(At::A).open(rules, first);
        }
        world.openings = 1;
        if let Some(Life { restored, .. }) = &mut world.server_mut(At::A).life {
            *restored = everybody;
        }
        world
    }

    /// The number of a life that opening `command` opens at a server; nothing where the bounds are reached.
    pub(crate) fn born(&mut self, rules: &Rules, command: u8, at: At) -> Option<Gen> {
        let server = *self.server(at);
        let birth = match rules.generation {
            Generation::Hashed => None,
            Generation::Identity => {
                Some(Birth { command, run: server.run, replication: server.replication })
            }
            Generation::Caller => Some(Birth { command, run: 0, replication: 0 }),
        };
        let before = self.births.iter().position(|old| birth.is_some() && *old == birth);
        if let Some(before) = before {
            return u8::try_from(before).ok();
        }
        let place = self.births.get_mut(usize::from(self.lives))?;
        *place = birth;
        self.ranks[usize::from(self.lives)] = self.orders[usize::from(command)];
        self.hosts[usize::from(self.lives)] = Some(at);
        self.lives += 1;
        Some(self.lives - 1)
    }

    /// The rank that an opening gives its life.
    pub(crate) fn ordered(&mut self, command: u8, rank: u8) {
        self.orders[usize::from(command)] = rank;
    }

    /// A life's place among all. Of two with one rank that somebody opened without knowing of the other, the
    /// younger is higher here; any order does that everybody can tell.
    pub(crate) fn rank(&self, life: Gen) -> (u8, Gen) {
        (self.ranks[usize::from(life)], life)
    }

    /// Whether a server is in the very run in which a life was opened at it.
    pub(crate) fn held_in_this_run(&self, life: Gen, at: At) -> bool {
        self.hosts[usize::from(life)] == Some(at)
    }

    /// A server's run is over: nobody speaks for its lives any more.
    pub(crate) fn run_ends(&mut self, at: At) {
        for host in self.hosts.iter_mut().filter(|host| **host == Some(at)) {
            *host = None;
        }
    }

    /// A server.
    pub(crate) fn server(&self, at: At) -> &Server {
        match at {
            At::A => &self.servers[0],
            At::B => &self.servers[1],
        }
    }

    /// A server, to call it.
    pub(crate) fn server_mut(&mut self, at: At) -> &mut Server {
        match at {
            At::A => &mut self.servers[0],
            At::B => &mut self.servers[1],
        }
    }

    /// The servers that take writes.
    pub(crate) fn masters(&self) -> impl Iterator<Item = At> {
        At::BOTH.into_iter().filter(|at| self.server(*at).role == Role::Master)
    }

    /// A grant's story.
    pub(crate) fn story(&self, grant: Grant) -> &Story {
        &self.stories[usize::from(grant)]
    }

    /// A grant's story, to go on with it.
    pub(crate) fn story_mut(&mut self, grant: Grant) -> &mut Story {
        &mut self.stories[usize::from(grant)]
    }

    /// An issuer.
    pub(crate) fn issuer(&self, number: u8) -> &Issuer {
        &self.issuers[usize::from(number)]
    }

    /// An issuer, to go on with it.
    pub(crate) fn issuer_mut(&mut self, number: u8) -> &mut Issuer {
        &mut self.issuers[usize::from(number)]
    }

    /// The issuer that mints a grant: the two share the work.
    pub(crate) fn owner(&self, grant: Grant) -> &Issuer {
        &self.issuers[usize::from(owner(grant))]
    }

    /// The same, to change it.
    pub(crate) fn owner_mut(&mut self, grant: Grant) -> &mut Issuer {
        &mut self.issuers[usize::from(owner(grant))]
    }

    /// The lives that any issuer has on its list.
    pub(crate) fn listed(&self) -> Set {
        self.issuers.iter().fold(Set::EMPTY, |lives, issuer| lives.or(issuer.lives))
    }
}

/// Which issuer mints a grant.
pub(crate) fn owner(grant: Grant) -> u8 {
    grant % ISSUERS
}
