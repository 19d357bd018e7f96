//! What goes wrong. Each of these uses up one of the faults that the bounds allow, except for replication,
//! which is free, and may be as slow as it likes.

use std::fmt;

use crate::bounds::Kind;
use crate::data::{Event, Gen, LIVES, Write};
use crate::fleet::Fleet;
use crate::life::{Grant, Outcome};
use crate::server::{At, Role};
use crate::step::Step;
use crate::world::World;

/// What a server keeps of itself when it loses its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// A crash and a restart: another run.
    Crash,
    /// An older file is loaded into the running server, or its library is loaded anew: the same run.
    Reload,
}

/// How a server comes to follow the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Resync {
    /// It goes on from where its own log ends, and its functions keep their memory.
    Partial,
    /// It loads the other's data set, which clears their memory.
    Full,
}

/// A command that the network delivers again, or late. Nobody hears the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    /// The opening of this number.
    Open(u8),
    /// The registration of a grant.
    Register(Grant),
}

/// A fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// A replica copies one more write.
    Replicate { at: At },
    /// A server loses its memory, and keeps the first writes of its data set.
    Lose { at: At, keep: u8, loss: Loss },
    /// A replica becomes a master.
    Promote { at: At },
    /// A server becomes a replica.
    Follow { at: At, resync: Resync },
    /// A master with nothing left to replicate changes places with its replica.
    Failover { to: At },
    /// Somebody writes to a data set.
    Tamper { at: At, write: Write },
    /// The network delivers a command.
    Deliver { at: At, command: Command },
    /// A server's replication id changes, and nothing else.
    Rename { at: At },
}

impl Fault {
    /// The faults that may come next.
    pub(crate) fn offer(fleet: &Fleet, world: &World, steps: &mut Vec<Step>) {
        let mut push = |fault| steps.push(Step::Fault(fault));
        for at in At::BOTH {
            let (server, other) = (world.server(at), world.server(at.other()));
            let behind = server.log.len() < other.log.len() && server.log.is_prefix_of(&other.log);
            if server.role == Role::Replica && behind {
                push(Fault::Replicate { at });
            }
        }
        if world.faults_left == 0 {
            return;
        }
        for at in At::BOTH {
            roles(fleet, world, at, &mut push);
            losses(fleet, world, at, &mut push);
            if fleet.bounds.allow(Kind::Tampering) {
                tampering(fleet, world, at, &mut push);
            }
        }
        for at in world.masters().filter(|_| fleet.bounds.allow(Kind::Delivery)) {
            if world.lives < LIVES {
                (0..world.openings)
                    .for_each(|n| push(Fault::Deliver { at, command: Command::Open(n) }));
            }
            for grant in fleet.bounds.grants().filter(|grant| world.story(*grant).sent.is_some()) {
                push(Fault::Deliver { at, command: Command::Register(grant) });
            }
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, fleet: &Fleet, world: &mut World) {
        if !matches!(self, Fault::Replicate { .. }) {
            world.faults_left -= 1;
        }
        match self {
            Fault::Replicate { at } => {
                let next = usize::from(world.server(at).log.len());
                let write = world.server(at.other()).log.writes()[next];
                world.server_mut(at).log.push(write);
            }
            Fault::Lose { at, keep, loss } => lose(fleet, world, at, keep, loss),
            Fault::Promote { at } => {
                world.server_mut(at).role = Role::Master;
                rename(fleet, world, at);
            }
            Fault::Follow { at, resync } => follow(fleet, world, at, resync),
            Fault::Failover { to } => {
                world.server_mut(to).role = Role::Master;
                world.server_mut(to.other()).role = Role::Replica;
                rename(fleet, world, to);
                world.server_mut(to.other()).replication = world.server(to).replication;
            }
            Fault::Tamper { at, write } => world.server_mut(at).log.push(write),
            Fault::Deliver { at, command } => deliver(fleet, world, at, command),
            Fault::Rename { at } => rename(fleet, world, at),
        }
    }
}

fn roles(fleet: &Fleet, world: &World, at: At, push: &mut impl FnMut(Fault)) {
    let (server, other) = (world.server(at), world.server(at.other()));
    let master = server.role == Role::Master;
    if !master {
        if fleet.bounds.allow(Kind::Promotion) {
            push(Fault::Promote { at });
        }
        if fleet.bounds.allow(Kind::Failover) && server.log == other.log {
            push(Fault::Failover { to: at });
        }
    }
    if fleet.bounds.allow(Kind::Following) && other.role == Role::Master {
        if master && server.log.is_prefix_of(&other.log) {
            push(Fault::Follow { at, resync: Resync::Partial });
        }
        push(Fault::Follow { at, resync: Resync::Full });
    }
    if fleet.bounds.allow(Kind::Identity) && fleet.rules.reads_identity() && master {
        push(Fault::Rename { at });
    }
}

fn losses(fleet: &Fleet, world: &World, at: At, push: &mut impl FnMut(Fault)) {
    if !fleet.bounds.allow(Kind::Loss) {
        return;
    }
    let server = world.server(at);
    for keep in 0..=server.log.len() {
        if keep < server.log.len() || server.life.is_some() {
            push(Fault::Lose { at, keep, loss: Loss::Crash });
            push(Fault::Lose { at, keep, loss: Loss::Reload });
        }
    }
}

fn tampering(fleet: &Fleet, world: &World, at: At, push: &mut impl FnMut(Fault)) {
    let log = &world.server(at).log;
    let mut write = |write| push(Fault::Tamper { at, write });
    let pointer = log.pointer();
    if pointer.is_some() {
        write(Write::Point(None));
    }
    let mut streams = false;
    for life in 0..world.lives {
        if pointer != Some(life) {
            write(Write::Point(Some(life)));
        }
        if log.has_stream(life) {
            streams = true;
            write(Write::Delete(life));
            if fleet.bounds.scope.predecessor {
                write(Write::Forge(life, Event::Settled(1, 0, Outcome::Succeeded)));
            }
        } else {
            write(Write::Restore(life));
        }
    }
    if streams && pointer.is_some() {
        write(Write::Flush);
    }
}

fn lose(fleet: &Fleet, world: &mut World, at: At, keep: u8, loss: Loss) {
    let server = world.server_mut(at);
    server.life = None;
    server.log.cut(keep);
    if loss == Loss::Crash {
        world.run_ends(at);
    }
    if loss == Loss::Crash && fleet.rules.reads_identity() {
        world.identities += 1;
        let run = world.identities;
        world.server_mut(at).run = run;
        if world.server(at).role == Role::Master {
            rename(fleet, world, at);
        }
    }
}

fn follow(fleet: &Fleet, world: &mut World, at: At, resync: Resync) {
    let other = *world.server(at.other());
    let server = world.server_mut(at);
    server.role = Role::Replica;
    server.replication = other.replication;
    if resync == Resync::Full {
        server.log = other.log;
        if fleet.rules.resync_clears {
            server.life = None;
        }
    }
}

fn deliver(fleet: &Fleet, world: &mut World, at: At, command: Command) {
    match command {
        Command::Open(command) => {
            // One that finds a life open changes nothing, and one whose life's stream is there already fails.
            if world.server(at).open_already().is_some() {
                return;
            }
            if let Some(life) = world.born(&fleet.rules, command, at)
                && !world.server(at).log.has_stream(life)
            {
                world.server_mut(at).open(&fleet.rules, life);
            }
        }
        Command::Register(grant) => {
            if let Some(sent) = world.story(grant).sent {
                world.server_mut(at).register(&fleet.rules, sent.life, grant, sent.after);
            }
        }
    }
}

fn rename(fleet: &Fleet, world: &mut World, at: At) {
    if fleet.rules.reads_identity() {
        world.identities += 1;
        let identity = world.identities;
        world.server_mut(at).replication = identity;
    }
}

fn tampered(write: &Write, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let named = |life: &Gen| life + 1;
    match write {
        Write::Point(None) => f.write_str("the pointer is deleted"),
        Write::Point(Some(life)) => write!(f, "the pointer is set to life {}", named(life)),
        Write::Delete(life) => {
            write!(f, "the stream of life {} is deleted or evicted", named(life))
        }
        Write::Restore(life) => write!(f, "the stream of life {} is brought back", named(life)),
        Write::Forge(life, _) => {
            write!(f, "an event of life {} is forged: grant 1 succeeded", named(life))
        }
        Write::Flush => f.write_str("everything is flushed"),
        Write::None | Write::Open { .. } | Write::Append(..) => f.write_str("nothing happens"),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Replicate { at } => write!(f, "{at} copies one more write of {}", at.other()),
            Fault::Lose { at, keep, loss } => {
                let how = match loss {
                    Loss::Crash => "loses its memory",
                    Loss::Reload => "loses its memory in the same run",
                };
                write!(f, "{at} {how}, and keeps {keep} writes")
            }
            Fault::Promote { at } => write!(f, "{at} is promoted; {} goes on", at.other()),
            Fault::Follow { at, resync: Resync::Partial } => {
                write!(f, "{at} follows {} by a partial resync, and keeps its memory", at.other())
            }
            Fault::Follow { at, resync: Resync::Full } => {
                write!(f, "{at} follows {} by a full resync", at.other())
            }
            Fault::Failover { to } => {
                write!(f, "{to} takes over from {}, with nothing lost", to.other())
            }
            Fault::Tamper { at, write } => {
                write!(f, "at {at} ")?;
                tampered(write, f)
            }
            Fault::Deliver { at, command: Command::Open(n) } => {
                write!(f, "opening {} is delivered at {at}, once more", n + 1)
            }
            Fault::Deliver { at, command: Command::Register(grant) } => {
                write!(
                    f,
                    "the registration of grant {} is delivered at {at}, late or twice",
                    grant + 1
                )
            }
            Fault::Rename { at } => write!(f, "the replication id of {at} changes"),
        }
    }
}
