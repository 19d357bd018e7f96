//! A life: one table in the memory of a server's functions. It is never replicated, never written to disk,
//! and gone with the process, with a full resync and with a reload of the library.

use crate::data::{Event, Gen, Log};
use crate::rules::{Confirms, Decides, Rules};
use crate::set::Set;

/// A grant's number.
pub(crate) type Grant = u8;

/// How many grants there are at most.
pub(crate) const GRANTS: u8 = 2;

/// How many registrations one life takes: a registration that comes twice gets two numbers.
const SEATS: usize = 4;

/// The budget that all grants share allows this many: the first holds it, the second must wait.
pub(crate) const LIMIT: u32 = 1;

/// What a settle says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Outcome {
    /// It was done.
    Succeeded,
    /// Nothing was done.
    Void,
}

/// What a life remembers of a registration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Mark {
    /// It may be spent.
    Issued,
    /// By which attempt it was spent.
    Spent(u8),
    /// What came of it.
    Settled(Outcome),
    /// It was revoked before it was spent.
    Revoked,
    /// It was revoked after it was spent, by which attempt: it gives no repeat.
    Stopped(u8),
}

/// A registration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Seat {
    /// Of which grant: the content's mark is compared with the token's.
    pub(crate) grant: Grant,
    /// What became of it.
    pub(crate) mark: Mark,
    /// The number of its predecessor, where that had not succeeded yet.
    pub(crate) after: Option<u8>,
}

/// What a signed token says about its registration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Token {
    /// In which life.
    pub(crate) life: Gen,
    /// Under which number, from 1.
    pub(crate) sequence: u8,
}

/// What a living registration says of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Need {
    /// The grant was used, or may yet be.
    Needed,
    /// It was not used, and never will be; or its handler said that nothing was done.
    Free,
}

/// How a spend would end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Verdict {
    /// Nobody took the use yet.
    First,
    /// This attempt did.
    Repeat,
    /// No.
    Refused,
}

/// A spend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Bid {
    /// Of which grant.
    pub(crate) grant: Grant,
    /// By which token.
    pub(crate) token: Token,
    /// By which attempt.
    pub(crate) attempt: u8,
}

/// The table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Life {
    /// Its number.
    pub(crate) generation: Gen,
    /// The last sequence number given out.
    pub(crate) sequence: u8,
    seats: [Option<Seat>; SEATS],
    /// Sequence numbers up to here are revoked.
    pub(crate) watermark: u8,
    /// The grant ids that are refused for good.
    pub(crate) refused: Set,
    /// The grants that the budget holds something for.
    pub(crate) holds: Set,
    /// The issuers that restored their holds here.
    pub(crate) restored: Set,
}

impl Life {
    /// A new one.
    pub(crate) fn new(generation: Gen) -> Life {
        Life {
            generation,
            sequence: 0,
            seats: [None; SEATS],
            watermark: 0,
            refused: Set::EMPTY,
            holds: Set::EMPTY,
            restored: Set::EMPTY,
        }
    }

    /// What a data set tells of the life that its pointer names: for servers that believe it.
    pub(crate) fn recorded(log: &Log) -> Option<Life> {
        let generation = log.pointer().filter(|life| log.has_stream(*life))?;
        let mut life = Life::new(generation);
        for event in log.events(generation, true) {
            life.follow(event);
        }
        Some(life)
    }

    fn follow(&mut self, event: Event) {
        match event {
            Event::Registered(grant, _) => {
                self.register(grant, None);
            }
            Event::Abandoned(grant) => self.refused = self.refused.with(grant),
            Event::Spent(sequence, attempt) => self.set(sequence, Mark::Spent(attempt)),
            Event::Settled(sequence, _, outcome) => self.set(sequence, Mark::Settled(outcome)),
            Event::Revoked(sequence) => self.revoke(sequence),
            Event::AllRevoked => self.watermark = self.sequence,
            Event::Restored(issuer, holds) => self.restore(issuer, holds),
            Event::Held(grant) => self.holds = self.holds.with(grant),
            Event::GivenBack(grant) => self.give_back(grant),
            Event::Unread => {}
        }
    }

    /// The registration of this number.
    pub(crate) fn seat(&self, sequence: u8) -> Option<&Seat> {
        self.seats.get(usize::from(sequence.checked_sub(1)?))?.as_ref()
    }

    /// The registration that a token names, if it is of this grant.
    pub(crate) fn seat_of(&self, grant: Grant, token: Token) -> Option<&Seat> {
        self.seat(token.sequence).filter(|seat| seat.grant == grant)
    }

    /// Notes what became of a registration.
    pub(crate) fn set(&mut self, sequence: u8, mark: Mark) {
        let place = usize::from(sequence).wrapping_sub(1);
        if let Some(Some(seat)) = self.seats.get_mut(place) {
            seat.mark = mark;
        }
    }

    /// The numbers under which a grant is registered.
    pub(crate) fn sequences(&self, grant: Grant) -> impl Iterator<Item = u8> + use<> {
        let life = *self;
        let of = move |sequence: &u8| life.seat(*sequence).is_some_and(|seat| seat.grant == grant);
        (1..=self.sequence).filter(of)
    }

    /// The number that a registration would get: none where the id is refused, where the predecessor is not
    /// here or can succeed no more, or where the life is full. An id that it has seen is no reason: it keeps
    /// no list of them.
    pub(crate) fn may_register(&self, grant: Grant, after: Option<u8>) -> Option<u8> {
        let early = |sequence: &u8| {
            let mark = self.seat(*sequence).map(|seat| seat.mark);
            matches!(mark, Some(Mark::Issued | Mark::Spent(_) | Mark::Settled(Outcome::Succeeded)))
        };
        let room = usize::from(self.sequence) < SEATS;
        let allowed = room && !self.refused.has(grant) && after.iter().all(early);
        allowed.then_some(self.sequence + 1)
    }

    /// Gives a registration its number. A predecessor that has succeeded is not kept.
    pub(crate) fn register(&mut self, grant: Grant, after: Option<u8>) -> Option<Token> {
        let sequence = self.may_register(grant, after)?;
        let after = after.filter(|before| !self.succeeded(*before));
        self.sequence = sequence;
        *self.seats.get_mut(usize::from(sequence) - 1)? =
            Some(Seat { grant, mark: Mark::Issued, after });
        Some(Token { life: self.generation, sequence })
    }

    /// Revokes a registration.
    pub(crate) fn revoke(&mut self, sequence: u8) {
        match self.seat(sequence).map(|seat| seat.mark) {
            Some(Mark::Issued) => self.set(sequence, Mark::Revoked),
            Some(Mark::Spent(attempt)) => self.set(sequence, Mark::Stopped(attempt)),
            _ => {}
        }
    }

    /// Whether revoking a registration would change something.
    pub(crate) fn would_revoke(&self, sequence: u8) -> bool {
        let mark = self.seat(sequence).map(|seat| seat.mark);
        matches!(mark, Some(Mark::Issued | Mark::Spent(_)))
    }

    /// How a spend ends. `expired` are the grants whose end has passed.
    pub(crate) fn verdict(&self, rules: &Rules, bid: &Bid, expired: Set, log: &Log) -> Verdict {
        let Some(seat) = self.seat_of(bid.grant, bid.token) else { return Verdict::Refused };
        let ended = rules.end_checked && expired.has(bid.grant);
        let revoked = bid.token.sequence <= self.watermark;
        let mine = |attempt: u8| attempt == bid.attempt || !rules.claimant_kept;
        match seat.mark {
            Mark::Issued if revoked || ended => Verdict::Refused,
            Mark::Issued if seat.after.is_some_and(|before| !self.before(rules, before, log)) => {
                Verdict::Refused
            }
            Mark::Issued => Verdict::First,
            Mark::Spent(attempt) if mine(attempt) => match ended || (revoked && rules.repeats_stop)
            {
                true => Verdict::Refused,
                false => Verdict::Repeat,
            },
            Mark::Stopped(attempt) if mine(attempt) && !rules.repeats_stop => Verdict::Repeat,
            _ => Verdict::Refused,
        }
    }

    fn succeeded(&self, sequence: u8) -> bool {
        self.seat(sequence).is_some_and(|seat| seat.mark == Mark::Settled(Outcome::Succeeded))
    }

    fn before(&self, rules: &Rules, sequence: u8, log: &Log) -> bool {
        let said =
            |event| matches!(event, Event::Settled(of, _, Outcome::Succeeded) if of == sequence);
        match rules.predecessors {
            Decides::Memory => self.succeeded(sequence),
            Decides::Record => log.events(self.generation, true).any(said),
        }
    }

    /// What this registration says of a grant's hold.
    pub(crate) fn need(&self, grant: Grant, token: Token, expired: Set) -> Need {
        let over = token.sequence <= self.watermark || expired.has(grant);
        match self.seat_of(grant, token).map(|seat| seat.mark) {
            Some(Mark::Revoked | Mark::Settled(Outcome::Void)) => Need::Free,
            Some(Mark::Issued) if over => Need::Free,
            _ => Need::Needed,
        }
    }

    /// Whether a token may still be spent here for the first time.
    pub(crate) fn would_spend(&self, grant: Grant, token: Token, expired: Set) -> bool {
        let issued = self.seat_of(grant, token).is_some_and(|seat| seat.mark == Mark::Issued);
        let alive = token.sequence > self.watermark && !expired.has(grant);
        self.generation == token.life && issued && alive
    }

    /// Whether the budget may confirm a hold: it has room for it; or it has it, and is not over its limit by
    /// what was restored.
    pub(crate) fn may_hold(&self, rules: &Rules, grant: Grant) -> bool {
        match (self.holds.has(grant), rules.confirms) {
            (true, Confirms::WithinLimit) => self.holds.len() <= LIMIT,
            (true, Confirms::Always) => true,
            (false, _) => self.holds.len() < LIMIT,
        }
    }

    /// Takes over the holds that an issuer began in earlier lives, whether there is room or not.
    pub(crate) fn restore(&mut self, issuer: u8, begun: Set) {
        self.holds = self.holds.or(begun);
        self.restored = self.restored.with(issuer);
    }

    /// Gives a hold back.
    pub(crate) fn give_back(&mut self, grant: Grant) {
        self.holds = self.holds.without(grant);
    }
}
