//! A server: a role, a data set, and at most one life in the memory of its functions.
//!
//! Every call does the same three things in one step that nothing comes between: it checks, it appends to
//! the life's stream, and then it changes the memory. A stream that is not there ends the life for good.

use std::fmt;

use crate::data::{Event, Gen, Log, Write};
use crate::life::{Bid, Grant, Life, Mark, Need, Outcome, Token, Verdict};
use crate::rules::{Decides, Rules};
use crate::set::Set;

/// One of the two servers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum At {
    /// The master at the start.
    A,
    /// Its replica at the start.
    B,
}

impl At {
    /// Both.
    pub(crate) const BOTH: [At; 2] = [At::A, At::B];

    /// The other one.
    pub(crate) const fn other(self) -> At {
        match self {
            At::A => At::B,
            At::B => At::A,
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            At::A => "A",
            At::B => "B",
        })
    }
}

/// What a server does beside answering.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Role {
    /// It takes writes, and so it runs the functions.
    Master,
    /// It copies the other server's log, and refuses functions that write.
    Replica,
}

/// Who answers a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Entry {
    /// The life that the call names.
    Living,
    /// That life, and with this answer it is over: its stream is missing.
    Ended,
    /// A master that does not hold the life. Whether that means something depends on whose run it is.
    Fenced,
    /// Nobody: a replica refuses.
    Silent,
}

/// What a spend is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Answer {
    /// OK, for the first time.
    First(Recorded),
    /// OK, again.
    Repeat,
    /// No.
    No(Entry),
}

/// Whether a step stands in the life's stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Recorded {
    /// It does.
    Yes,
    /// There was no stream to stand in.
    No,
}

/// A server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Server {
    /// Master or replica.
    pub(crate) role: Role,
    /// Its run id, where a rule reads it.
    pub(crate) run: u8,
    /// Its replication id, where a rule reads it.
    pub(crate) replication: u8,
    /// Its data set.
    pub(crate) log: Log,
    /// The memory of its functions.
    pub(crate) life: Option<Life>,
}

impl Server {
    /// What every call does first.
    pub(crate) fn enter(&mut self, rules: &Rules, named: Gen) -> Entry {
        if self.role != Role::Master {
            return Entry::Silent;
        }
        if rules.grants == Decides::Record {
            self.life = Life::recorded(&self.log);
        }
        match self.life {
            Some(life) if !rules.fence || life.generation == named => Entry::Living,
            _ => Entry::Fenced,
        }
    }

    /// The life that answers a call; it has entered.
    fn living(&mut self, rules: &Rules, named: Gen) -> Option<Life> {
        if self.enter(rules, named) == Entry::Living { self.life } else { None }
    }

    /// Whether the life in memory has its stream, or goes on without.
    fn recordable(&mut self, rules: &Rules) -> Option<Recorded> {
        let life = self.life?;
        if self.log.has_stream(life.generation) {
            return Some(Recorded::Yes);
        }
        if !rules.tie {
            return Some(Recorded::No);
        }
        if rules.ends_for_good {
            self.life = None;
        }
        None
    }

    /// Appends to the life's stream, and never makes one (`NOMKSTREAM`): nothing where that ended the life.
    fn append(&mut self, rules: &Rules, event: Event) -> Option<Recorded> {
        let recorded = self.recordable(rules)?;
        let life = self.life?;
        if recorded == Recorded::Yes {
            let event = if rules.reads(event) { event } else { Event::Unread };
            self.log.push(Write::Append(life.generation, event));
        }
        Some(recorded)
    }

    /// Whether an opening finds a life here that it answers with.
    pub(crate) fn open_already(&self) -> Option<Gen> {
        self.life.map(|life| life.generation).filter(|life| self.log.has_stream(*life))
    }

    /// Opens a life where none is open, and renames the stream of the one that the pointer names in the same
    /// step: whose stream that was.
    pub(crate) fn open(&mut self, rules: &Rules, life: Gen) -> Option<Gen> {
        let there = |old: &Gen| rules.renames && self.log.has_stream(*old);
        let renamed = self.log.pointer().filter(there);
        self.log.push(Write::Open { life, renamed });
        self.life = Some(Life::new(life));
        renamed
    }

    /// Registers a grant, after the one of a given number.
    pub(crate) fn register(
        &mut self,
        rules: &Rules,
        named: Gen,
        grant: Grant,
        after: Option<u8>,
    ) -> Option<Token> {
        let sequence = self.living(rules, named)?.may_register(grant, after)?;
        self.append(rules, Event::Registered(grant, sequence))?;
        self.life.as_mut()?.register(grant, after)
    }

    /// Refuses a grant id for good, and revokes what is registered of it: what its life answers.
    pub(crate) fn abandon(&mut self, rules: &Rules, named: Gen, grant: Grant) -> Entry {
        let entry = self.enter(rules, named);
        let (Entry::Living, Some(life)) = (entry, self.life) else { return entry };
        if !life.refused.has(grant) && self.append(rules, Event::Abandoned(grant)).is_none() {
            return Entry::Ended;
        }
        if let Some(life) = &mut self.life {
            life.refused = life.refused.with(grant);
        }
        self.revoke_each(rules, life.sequences(grant))
    }

    /// Takes a grant's one use.
    pub(crate) fn spend(&mut self, rules: &Rules, bid: &Bid, expired: Set) -> Answer {
        let entry = self.enter(rules, bid.token.life);
        let (Entry::Living, Some(life)) = (entry, self.life) else { return Answer::No(entry) };
        match life.verdict(rules, bid, expired, &self.log) {
            Verdict::Refused => Answer::No(Entry::Living),
            // A repeat is an event as well; that there is a stream for it is all that matters here.
            Verdict::Repeat => match self.recordable(rules) {
                Some(_) => Answer::Repeat,
                None => Answer::No(Entry::Ended),
            },
            Verdict::First => {
                let event = Event::Spent(bid.token.sequence, bid.attempt);
                let Some(recorded) = self.append(rules, event) else {
                    return Answer::No(Entry::Ended);
                };
                if let Some(life) = &mut self.life {
                    life.set(bid.token.sequence, Mark::Spent(bid.attempt));
                }
                Answer::First(recorded)
            }
        }
    }

    /// Says what came of a spent grant: whether the life took it.
    pub(crate) fn settle(&mut self, rules: &Rules, bid: &Bid, outcome: Outcome) -> bool {
        let Some(life) = self.living(rules, bid.token.life) else { return false };
        let sequence = bid.token.sequence;
        let mark = life.seat_of(bid.grant, bid.token).map(|seat| seat.mark);
        let attempt = bid.attempt;
        if mark != Some(Mark::Spent(attempt)) && mark != Some(Mark::Stopped(attempt)) {
            return false;
        }
        if self.append(rules, Event::Settled(sequence, bid.grant, outcome)).is_none() {
            return false;
        }
        if let Some(life) = &mut self.life {
            life.set(sequence, Mark::Settled(outcome));
        }
        true
    }

    /// Revokes everything registered so far.
    pub(crate) fn revoke_all(&mut self, rules: &Rules, named: Gen) -> Entry {
        let entry = self.enter(rules, named);
        if entry != Entry::Living {
            return entry;
        }
        if self.append(rules, Event::AllRevoked).is_none() {
            return Entry::Ended;
        }
        if let Some(life) = &mut self.life {
            life.watermark = life.sequence;
        }
        Entry::Living
    }

    /// Revokes the registrations of these numbers.
    pub(crate) fn revoke_each(
        &mut self,
        rules: &Rules,
        sequences: impl Iterator<Item = u8>,
    ) -> Entry {
        for sequence in sequences {
            if self.role == Role::Replica {
                return Entry::Silent;
            }
            if !self.life.is_some_and(|life| life.would_revoke(sequence)) {
                continue;
            }
            if self.append(rules, Event::Revoked(sequence)).is_none() {
                return Entry::Ended;
            }
            if let Some(life) = &mut self.life {
                life.revoke(sequence);
            }
        }
        Entry::Living
    }

    /// The life's own word on how far its stream goes. Without one it has no word, and is over. This writes
    /// nothing to the data set, so that a replica answers as well.
    pub(crate) fn vouch(&mut self, rules: &Rules, named: Gen) -> Entry {
        let entry = match self.role {
            Role::Master => self.enter(rules, named),
            Role::Replica if self.life.is_some_and(|life| life.generation == named) => {
                Entry::Living
            }
            Role::Replica => Entry::Fenced,
        };
        let before = self.life;
        if entry == Entry::Living && self.recordable(rules).is_none() {
            if !rules.asking_ends {
                self.life = before;
            }
            return Entry::Ended;
        }
        entry
    }

    /// Takes a hold. A life counts once every issuer has restored its own holds there.
    pub(crate) fn hold(&mut self, rules: &Rules, named: Gen, grant: Grant, issuers: Set) -> bool {
        let Some(life) = self.living(rules, named) else { return false };
        let open = !rules.restored || life.restored == issuers;
        if !open || !life.may_hold(rules, grant) {
            return false;
        }
        if !life.holds.has(grant) && self.append(rules, Event::Held(grant)).is_none() {
            return false;
        }
        if let Some(life) = &mut self.life {
            life.holds = life.holds.with(grant);
        }
        true
    }

    /// Restores an issuer's begun holds: whether the life took them.
    pub(crate) fn restore(&mut self, rules: &Rules, named: Gen, issuer: u8, begun: Set) -> bool {
        let Some(life) = self.living(rules, named) else { return false };
        if life.restored.has(issuer) || self.append(rules, Event::Restored(issuer, begun)).is_none()
        {
            return false;
        }
        if let Some(life) = &mut self.life {
            life.restore(issuer, begun);
        }
        true
    }

    /// Gives a hold back: whether there was one.
    pub(crate) fn give_back(&mut self, rules: &Rules, named: Gen, grant: Grant) -> bool {
        let Some(life) = self.living(rules, named) else { return false };
        if !life.holds.has(grant) || self.append(rules, Event::GivenBack(grant)).is_none() {
            return false;
        }
        if let Some(life) = &mut self.life {
            life.give_back(grant);
        }
        true
    }

    /// What the living registration says of a grant's hold.
    pub(crate) fn need(&mut self, rules: &Rules, token: Token, grant: Grant, expired: Set) -> Need {
        let living = self.living(rules, token.life);
        living.map_or(Need::Needed, |life| life.need(grant, token, expired))
    }
}
