//! A revocation under way: what it covers, and which lives have heard of it.
//!
//! asked ──→ reached, life by life ──→ acknowledged as effective now
//!
//! It is acknowledged when each life on the lists has answered for itself, or is over. One grant is found by
//! the journals: once a life had it there is no need to ask the others.

use std::fmt;

use crate::data::{Event, Gen};
use crate::fleet::Fleet;
use crate::issuer::ISSUERS;
use crate::life::{GRANTS, Grant};
use crate::rules::{Acknowledged, Over, Places};
use crate::server::{At, Entry, Role};
use crate::set::Set;
use crate::step::Step;
use crate::world::{World, owner};

/// What is revoked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Selector {
    /// One grant.
    One(Grant),
    /// All that were minted so far.
    All,
}

/// Where the issuer looks for the one grant before it asks any life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// Nowhere: it asks the lives.
    ByLives,
    /// In the journals that this server shows.
    By(At),
    /// No server shows it any.
    ByNobody,
}

/// A revocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Revocation {
    /// Who was asked.
    issuer: u8,
    /// What it selects.
    selector: Selector,
    /// The grants whose tokens were signed when it was asked for.
    covers: Set,
    /// The lives that must hear of it.
    needs: Set,
    /// Those that did.
    reached: Set,
    /// Whether the one grant was found.
    found: bool,
}

/// A step of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Revoke {
    /// Staff asks an issuer, which looks for the grant in the journals at a server, where it looks there.
    Ask { issuer: u8, selector: Selector, shown: Shown },
    /// The issuer asks whichever server it reaches for one life.
    Reach { at: At, life: Gen },
    /// The issuer says that it is effective now.
    Acknowledge,
}

impl Revoke {
    /// The steps that may come next.
    pub(crate) fn offer(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
        let Some(revocation) = &world.revocation else {
            return ask(fleet, world, steps);
        };
        for life in revocation.needs.members().filter(|life| !revocation.reached.has(*life)) {
            let all = revocation.selector == Selector::All;
            let asked = |at: &At| !all || world.server(*at).role == Role::Master;
            let each = At::BOTH.into_iter().filter(asked);
            steps.extend(each.map(|at| Step::Revoke(Revoke::Reach { at, life })));
        }
        if revocation.complete(fleet, world) {
            steps.push(Step::Revoke(Revoke::Acknowledge));
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, fleet: &Fleet, world: &mut World) {
        match self {
            Revoke::Ask { issuer, selector, shown } => {
                world.revocations_left -= 1;
                world.revocation = Some(Revocation::new(fleet, world, issuer, selector, shown));
            }
            Revoke::Reach { at, life } => reach(fleet, world, at, life),
            Revoke::Acknowledge => {
                if let Some(revocation) = world.revocation.take() {
                    world.revoked = world.revoked.or(revocation.covers);
                }
            }
        }
    }
}

fn ask(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
    let signed = |grant: Grant| world.story(grant).signed().next().is_some();
    if world.revocations_left == 0 || !fleet.bounds.grants().any(signed) {
        return;
    }
    // Where all lists are asked for, it makes no difference who asks.
    let issuers = if fleet.rules.issuers_asked { 1 } else { ISSUERS };
    for issuer in 0..issuers {
        let mut push = |selector, shown| {
            steps.push(Step::Revoke(Revoke::Ask { issuer, selector, shown }));
        };
        push(Selector::All, Shown::ByLives);
        for grant in fleet.bounds.grants().filter(|grant| signed(*grant)) {
            match fleet.rules.places {
                Places::Vouched => push(Selector::One(grant), Shown::ByLives),
                Places::Shown => {
                    let masters = world.masters();
                    masters.for_each(|at| push(Selector::One(grant), Shown::By(at)));
                }
                Places::Readable => push(Selector::One(grant), Shown::ByNobody),
            }
        }
    }
}

fn reach(fleet: &Fleet, world: &mut World, at: At, life: Gen) {
    let Some(mut revocation) = world.revocation else {
        return;
    };
    let (entry, found) = match revocation.selector {
        Selector::All => (world.server_mut(at).revoke_all(&fleet.rules, life), false),
        Selector::One(grant) => reach_one(fleet, world, at, life, grant),
    };
    let heard = match entry {
        // An ended life is reached as well: it said itself that it will never spend again.
        Entry::Living | Entry::Ended => true,
        Entry::Silent => false,
        Entry::Fenced => match fleet.rules.acknowledged {
            Acknowledged::Life => false,
            Acknowledged::Run => world.held_in_this_run(life, at),
            Acknowledged::Anybody => true,
        },
    };
    if heard {
        revocation.reached = revocation.reached.with(life);
        let over = entry != Entry::Living && revocation.selector != Selector::All;
        revocation.found |= found || (over && !fleet.rules.found_by_number);
    }
    world.revocation = Some(revocation);
}

/// Revokes a grant under the numbers that the life's journal shows.
fn reach_one(fleet: &Fleet, world: &mut World, at: At, life: Gen, grant: Grant) -> (Entry, bool) {
    let server = world.server_mut(at);
    let entry = server.vouch(&fleet.rules, life);
    let Some(held) = server.life.filter(|_| entry == Entry::Living) else {
        return (entry, false);
    };
    let log = server.log;
    let shown = |sequence: &u8| {
        let registered = Event::Registered(grant, *sequence);
        // With the tie, whatever is registered is shown.
        fleet.rules.tie || log.events(life, false).any(|event| event == registered)
    };
    let last = held.sequences(grant).filter(shown).last();
    let each = |sequence: &u8| fleet.rules.every_number || Some(*sequence) == last;
    let sequences = held.sequences(grant).filter(shown).filter(each);
    (server.revoke_each(&fleet.rules, sequences), last.is_some())
}

impl Revocation {
    fn new(
        fleet: &Fleet,
        world: &World,
        issuer: u8,
        selector: Selector,
        shown: Shown,
    ) -> Revocation {
        let grants = fleet.bounds.grants().filter(|grant| match selector {
            Selector::One(one) => *grant == one,
            Selector::All => true,
        });
        let signed = |grant: &Grant| world.story(*grant).signed().next().is_some();
        let covers = grants.filter(signed).fold(Set::EMPTY, Set::with);
        let listed = match fleet.rules.issuers_asked {
            true => world.listed(),
            false => world.issuer(issuer).lives,
        };
        let needs = match (selector, shown) {
            (Selector::One(grant), Shown::By(at)) => shows(world, at, grant, listed),
            (Selector::One(_), Shown::ByNobody) => Set::EMPTY,
            _ => listed,
        };
        Revocation { issuer, selector, covers, needs, reached: Set::EMPTY, found: false }
    }

    fn complete(&self, fleet: &Fleet, world: &World) -> bool {
        let one = |life| self.reached.has(life) || self.over(fleet, world, life);
        self.found || self.needs.members().all(one)
    }

    /// Whether nothing that was minted in a life can be spent any more, as far as the lists say.
    fn over(&self, fleet: &Fleet, world: &World, life: Gen) -> bool {
        let mine = |grant: Grant| fleet.rules.issuers_asked || owner(grant) == self.issuer;
        let (mut any, mut ended) = (false, true);
        for grant in (0..GRANTS).filter(|grant| mine(*grant)) {
            for _ in world.story(grant).signed().filter(|token| token.life == life) {
                any = true;
                ended &= world.past.has(grant);
            }
        }
        let dropped = fleet.rules.over != Over::Expiry && !world.listed().has(life);
        // Who asks nobody else knows only its own mints, and waits for a life where it has none.
        (ended && (any || fleet.rules.issuers_asked)) || dropped
    }
}

/// The lives of a list whose journals, as a server shows them, name a grant.
fn shows(world: &World, at: At, grant: Grant, listed: Set) -> Set {
    let log = &world.server(at).log;
    let names = |life: &Gen| {
        log.events(*life, false)
            .any(|event| matches!(event, Event::Registered(of, _) if of == grant))
    };
    listed.members().filter(names).fold(Set::EMPTY, Set::with)
}

impl fmt::Display for Revoke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Revoke::Ask { issuer, selector: Selector::One(grant), shown } => {
                write!(f, "staff asks issuer {} to revoke grant {}", issuer + 1, grant + 1)?;
                match shown {
                    Shown::ByLives => Ok(()),
                    Shown::By(at) => write!(f, ", which it looks for in the journals at {at}"),
                    Shown::ByNobody => f.write_str(", which can read no journal"),
                }
            }
            Revoke::Ask { issuer, selector: Selector::All, .. } => {
                write!(f, "staff asks issuer {} to revoke everything minted so far", issuer + 1)
            }
            Revoke::Reach { at, life } => {
                write!(f, "the revocation for life {} reaches {at}", life + 1)
            }
            Revoke::Acknowledge => f.write_str("the revocation is acknowledged: effective now"),
        }
    }
}
