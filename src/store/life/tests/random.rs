//! Commands at random, answered as the [`reference`](super::reference) answers them.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Command, Said, kind, names};
use super::reference::Reference;
use super::*;
use crate::store::Found as Met;
use crate::store::budget::{BudgetKey, Hold, HoldId, Take};

const RUNS: u64 = 300;
const COMMANDS: usize = 250;
const LIMIT: u64 = 20;
const OTHER: PolicyHash = PolicyHash::from_bytes([6; 32]);
const SECONDS: [u64; 12] = [1, 1, 1, 1, 5, 5, 10, 10, 60, 300, 960, 3600];
const WINDOWS: [u64; 2] = [60, 3600];
/// What a life can be heard to say, up to the first number.
const EVERYTHING: [&str; 36] = [
    "Done(Ok(()))",
    "Lapsed(Ok(Before))",
    "Lapsed(Ok(NotYet))",
    "Lapsed(Ok(Over))",
    "Leased(Err(Held",
    "Leased(Err(Limit))",
    "Leased(Ok(Lease",
    "Registered(Err(Abandoned))",
    "Registered(Err(Blocked))",
    "Registered(Err(End))",
    "Registered(Err(Policy))",
    "Registered(Err(PredecessorElsewhere))",
    "Registered(Err(PredecessorFailed))",
    "Registered(Err(TooManyPredecessors))",
    "Registered(Ok(",
    "Revoked(Ok(Expired))",
    "Revoked(Ok(Settled(Succeeded)))",
    "Revoked(Ok(Settled(Unknown)))",
    "Revoked(Ok(Settled(Void)))",
    "Revoked(Ok(Spent))",
    "Revoked(Ok(Unknown))",
    "Revoked(Ok(Unspent))",
    "Settled(Err(Conflict",
    "Settled(Err(NotSpent))",
    "Settled(Ok(()))",
    "Spent(Err(AlreadySpent",
    "Spent(Err(Expired",
    "Spent(Err(PredecessorUnsettled))",
    "Spent(Err(Revoked))",
    "Spent(Err(UnknownGrant))",
    "Spent(Ok(Receipt",
    "Taken(Err(Amount))",
    "Taken(Err(Closed))",
    "Taken(Err(GivenBack))",
    "Taken(Err(Over",
    "Taken(Ok(Hold",
];

/// Chance that repeats itself, xorshift64*.
struct Chance(u64);

impl Chance {
    fn of(seed: u64) -> Chance {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Small seeds begin alike.
        for _ in 0..8 {
            chance.below(2);
        }
        chance
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % end
    }

    fn once_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let place = self.below(u64::try_from(from.len()).unwrap());
        from[usize::try_from(place).unwrap()].clone()
    }
}

/// One run: a life, the reference, and what must hold whatever both say.
struct Run {
    chance: Chance,
    scene: Scene,
    reference: Reference,
    tickets: BTreeMap<u64, Ticket>,
    /// Numbers of which a revocation was acknowledged.
    dead: BTreeSet<u64>,
    /// Number → whose the use is.
    granted: BTreeMap<u64, u8>,
    repeated: usize,
    holds: Vec<Hold>,
    /// The answers there were, without what they are about.
    said: BTreeSet<String>,
}

impl Run {
    fn of(seed: u64) -> Run {
        Run {
            chance: Chance::of(seed),
            scene: scene(),
            reference: Reference::new(NOW),
            tickets: BTreeMap::new(),
            dead: BTreeSet::new(),
            granted: BTreeMap::new(),
            repeated: 0,
            holds: Vec::new(),
            said: BTreeSet::new(),
        }
    }

    fn step(&mut self) {
        if self.chance.once_in(5) {
            let seconds = self.chance.pick(&SECONDS);
            self.scene.pass(seconds);
            self.reference.pass(seconds);
        }
        let command = self.command();
        let (change, said) = command.ask(&self.scene.life);
        let (expected, event) = self.reference.tell(&command);
        let now = self.reference.now;
        assert_eq!(said, expected, "{command:?} at {now}");
        let happened = change.as_ref().and_then(|change| kind(&change.what));
        assert_eq!(happened, event, "{command:?} at {now}");
        let words = format!("{said:?}");
        let bare: String = words.chars().take_while(|c| !"{0123456789".contains(*c)).collect();
        self.said.insert(bare.trim_end().to_owned());
        change.into_iter().for_each(|change| self.scene.append(change));
        self.holds_good(&command, &said);
    }

    /// What no store may ever do, whichever rules it follows.
    fn holds_good(&mut self, command: &Command, said: &Said) {
        match (command, said) {
            (Command::Register(registration), Said::Registered(Ok(number))) => {
                let known = self.tickets.insert(*number, registration.ticket.clone());
                assert!(known.is_none(), "{number} was given twice");
                let last = u64::try_from(self.tickets.len()).unwrap();
                assert_eq!(*number, last, "numbers have no gap");
            }
            (Command::Spend(number, ticket, claimant), Said::Spent(Ok(receipt))) => {
                assert!(!self.dead.contains(number), "{number} was revoked");
                assert_eq!(ticket.mark, self.tickets[number].mark);
                let repeat = self.granted.contains_key(number);
                assert_eq!(receipt.sending == Sending::Repeat, repeat, "{number}");
                self.repeated += usize::from(repeat);
                let whose = self.granted.entry(*number).or_insert(*claimant);
                assert_eq!(whose, claimant, "{number} has two claimants");
            }
            (Command::Revoke(number), Said::Revoked(Ok(Met::Unspent | Met::Spent))) => {
                self.dead.insert(*number);
            }
            (Command::RevokeAll(selector), Said::Done(Ok(()))) => {
                let named = self.tickets.iter().filter(|(_, ticket)| names(selector, ticket));
                self.dead.extend(named.map(|(number, _)| *number));
            }
            (Command::Take(_), Said::Taken(Ok(hold))) => {
                let taken = self.reference.taken(hold.budget, hold.from);
                // What was held before this life may be more than the limit; nothing is added to that.
                let brought_in = self.holds.iter().any(|held| held.budget == hold.budget);
                assert!(taken <= LIMIT || brought_in, "{taken} of {LIMIT}");
            }
            (Command::Restore(hold), _) => self.holds.push(*hold),
            _ => {}
        }
    }

    fn command(&mut self) -> Command {
        match self.chance.below(40) {
            0..8 => Command::Register(self.registration()),
            8..18 => {
                let (number, ticket) = self.presented();
                Command::Spend(number, ticket, self.claimant())
            }
            18..23 => {
                let (number, ticket) = self.presented();
                let outcomes = [Outcome::Succeeded, Outcome::Succeeded, Outcome::Void];
                let outcome = self.chance.pick(&outcomes);
                Command::Settle(number, ticket, self.claimant(), outcome)
            }
            23..25 => Command::Revoke(self.number()),
            25 => Command::RevokeAll(self.selector()),
            26 if self.chance.once_in(3) => Command::Abandon(self.grant()),
            27 if self.chance.once_in(3) => Command::Block(self.selector()),
            26..30 => Command::Unblock(self.selector()),
            30 => {
                let old = self.chance.pick(&[OldGrants::Revoked, OldGrants::Kept]);
                Command::SetPolicy(self.chance.pick(&[POLICY, POLICY, OTHER]), old)
            }
            31..33 => Command::Take(self.take()),
            33 => {
                let take = self.take();
                Command::GiveBack(HoldId::of(take.grant, take.budget))
            }
            34 => Command::OpenBudgets,
            35 => Command::Restore(self.hold()),
            36..38 => Command::Lapse(self.number()),
            _ => {
                let (name, holder) = (["drain", "sweep"], ["issuer-1", "issuer-2"]);
                let seconds = self.chance.pick(&[0, 1, 30, 300, 301]);
                Command::Lease(self.chance.pick(&name), self.chance.pick(&holder), seconds)
            }
        }
    }

    fn claimant(&mut self) -> u8 {
        u8::try_from(self.chance.below(3)).unwrap()
    }

    fn grant(&mut self) -> GrantId {
        GrantId::from_bytes([u8::try_from(self.chance.below(200)).unwrap(); 16])
    }

    /// A number, mostly one of the last that were given.
    fn number(&mut self) -> u64 {
        let last = self.reference.last();
        match self.chance.below(20) {
            0 => self.chance.below(last + 3),
            _ => last.saturating_sub(self.chance.below(8)),
        }
    }

    /// A grant as its verifier presents it, or somewhat otherwise.
    fn presented(&mut self) -> (u64, Ticket) {
        let number = self.number();
        let known = self.tickets.get(&number).cloned();
        let mut ticket = known.unwrap_or_else(|| registration(0, NOW, 60).ticket);
        if self.chance.once_in(8) {
            ticket.mark = Mark::from_bytes([0xee; 6]);
        }
        if self.chance.once_in(4) {
            ticket.end = ticket.end.minus(self.chance.below(60));
        }
        (number, ticket)
    }

    fn registration(&mut self) -> Registration {
        let ttls = [0, 1, 10, 60, 600, 600, 600, TTL_SECONDS_MAX, TTL_SECONDS_MAX + 1];
        let ttl_seconds = self.chance.pick(&ttls);
        let grant = u8::try_from(self.chance.below(200)).unwrap();
        let mut asked = registration(grant, self.reference.now, ttl_seconds);
        let ticket = &mut asked.ticket;
        ticket.agent = Agent::parse(self.chance.pick(&["key:a", "key:b"])).unwrap();
        let workflow = self.chance.pick(&["", "run-1", "run-2"]);
        ticket.workflow = Workflow::parse(workflow).ok();
        ticket.audience = Audience::parse(self.chance.pick(&["one", "two"])).unwrap();
        ticket.action = Action::parse(self.chance.pick(&["a.do", "b.do"])).unwrap();
        ticket.key_id = self.chance.pick(&[1, 2]);
        ticket.policy = self.chance.pick(&[self.scene.life.policy, POLICY]);
        if self.chance.once_in(3) {
            let count = self.chance.pick(&[1, 1, 1, 2, 8, 9]);
            let before: Vec<u64> = (0..count).map(|_| self.number()).collect();
            return behind(&before, asked);
        }
        asked
    }

    fn selector(&mut self) -> Selector {
        match self.chance.below(8) {
            0 => Selector::Agent(Agent::parse(self.chance.pick(&["key:a", "key:b"])).unwrap()),
            1 => Selector::Workflow(Workflow::parse("run-1").unwrap()),
            2 => Selector::Audience(Audience::parse("one").unwrap()),
            3 => Selector::Action(Action::parse("a.do").unwrap()),
            4 => Selector::Policy(self.chance.pick(&[POLICY, OTHER])),
            5 => Selector::Key(1),
            6 => Selector::Grant(self.grant()),
            _ if self.chance.once_in(4) => Selector::All,
            _ => Selector::Key(2),
        }
    }

    fn take(&mut self) -> Take {
        let window_seconds = self.chance.pick(&WINDOWS);
        let value = self.chance.pick(&["a", "b"]);
        let grant = GrantId::from_bytes([u8::try_from(self.chance.below(8)).unwrap(); 16]);
        Take {
            grant,
            budget: BudgetKey::of("payments", value, window_seconds),
            caller: Selector::Key(1).scope(),
            amount: self.chance.pick(&[0, 1, 7, LIMIT, LIMIT + 1, limits::AMOUNT_MAX + 1]),
            limit: LIMIT,
            window_seconds,
        }
    }

    /// What another life may have given: of this window, or of one before.
    fn hold(&mut self) -> Hold {
        let Take { grant, budget, caller, window_seconds, .. } = self.take();
        let from = self.reference.now.0 / window_seconds - self.chance.below(2);
        let from = UnixSeconds(from * window_seconds);
        let id = HoldId::of(grant, budget);
        let to = from.plus(window_seconds);
        Hold { id, budget, caller, amount: self.chance.below(9), from, to }
    }

    /// A life that is made of the entries alone decides everything as the one that wrote them.
    fn replayed_decides_alike(&mut self) {
        let mut replayed = Life::new(NOW);
        self.scene.entries.iter().for_each(|entry| replayed.apply(entry));
        replayed.pass(self.reference.now);
        for _ in 0..200 {
            let command = self.command();
            let alike = command.ask(&replayed) == command.ask(&self.scene.life);
            assert!(alike, "{command:?} after {} entries", self.scene.entries.len());
        }
    }
}

#[test]
fn whatever_is_asked_is_answered_as_the_rules_say() {
    let (mut granted, mut repeated, mut said) = (0, 0, BTreeSet::new());
    for seed in 0..RUNS {
        let mut run = Run::of(seed);
        for _ in 0..COMMANDS {
            run.step();
        }
        granted += run.granted.len();
        repeated += run.repeated;
        said.append(&mut run.said);
    }
    // Chance that refuses everything shows nothing.
    assert!(granted > 1_000 && repeated > 100, "{granted} {repeated}");
    let never: Vec<_> = EVERYTHING.iter().filter(|words| !said.contains(**words)).collect();
    assert!(never.is_empty(), "never answered: {never:?}");
}

#[test]
fn a_life_made_of_its_entries_decides_as_it_did() {
    for seed in RUNS..RUNS + 40 {
        let mut run = Run::of(seed);
        for _ in 0..5 {
            for _ in 0..COMMANDS / 5 {
                run.step();
            }
            run.replayed_decides_alike();
        }
    }
}

#[test]
fn entries_are_numbered_without_a_gap() {
    let mut run = Run::of(0);
    for _ in 0..COMMANDS {
        run.step();
    }
    let numbers = run.scene.entries.iter().map(|entry| entry.event.number);
    assert!(numbers.eq(1..=run.scene.life.appended()));
}
