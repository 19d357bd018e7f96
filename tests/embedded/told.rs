//! What a store has answered, as its caller wrote it down, and whether another start still knows it.
//!
//! One line for one answer:
//!
//! ```text
//! life GENERATION
//! registered NUMBER SEQUENCE │ spent NUMBER SEQUENCE │ settled NUMBER SEQUENCE
//! blocked KEY │ abandoned NUMBER │ policy BYTE │ held NUMBER │ claimed NUMBER │ trimmed UPTO
//! ```

use std::collections::{BTreeMap, BTreeSet};

use farebox::store::budget::{BudgetKey, Take};
use farebox::store::desk::{Caller, Claimed, KeyClaim, KeyDigest, RequestHash};
use farebox::store::event::What;
use farebox::store::registration::RegisterError;
use farebox::store::{Embedded, GrantStore, LifeId};
use farebox_verifier::{
    Generation, Outcome, PolicyHash, Seat, Seats, Selector, SettleError, Shard, SpendError,
    SpendStore as _, Ticket,
};

use super::scene::{
    NOW, POLICY, attempt, ended, events_after, id, living, name, register, registration, spend,
};

/// One step that a grant has taken: which, and by its number in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Registered(u64),
    Spent(u64),
    Settled(u64),
}

/// What was answered.
#[derive(Clone, Default)]
pub(super) struct Told {
    lives: Vec<Generation>,
    steps: BTreeMap<Generation, BTreeSet<Step>>,
    tickets: BTreeMap<u64, Ticket>,
    trimmed: BTreeMap<Generation, u64>,
    blocked: Option<u32>,
    abandoned: Vec<u64>,
    policy: Option<u8>,
    held: Vec<u64>,
    claimed: Vec<u64>,
}

impl Told {
    /// Takes a line in.
    pub(super) fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "life" => self.lives.push(Generation::from_hex(words[1]).unwrap()),
            "registered" => {
                self.step(Step::Registered(number(2)));
                let ticket = ticket(number(1), self.life(), number(2));
                self.tickets.insert(number(1), ticket);
            }
            "spent" => self.step(Step::Spent(number(2))),
            "settled" => self.step(Step::Settled(number(2))),
            "blocked" => self.blocked = Some(words[1].parse().unwrap()),
            "abandoned" => self.abandoned.push(number(1)),
            "policy" => self.policy = Some(words[1].parse().unwrap()),
            "held" => self.held.push(number(1)),
            "claimed" => self.claimed.push(number(1)),
            "trimmed" => drop(self.trimmed.insert(self.life(), number(1))),
            other => panic!("{other}"),
        }
    }

    fn life(&self) -> Generation {
        *self.lives.last().unwrap()
    }

    fn step(&mut self, step: Step) {
        let life = self.life();
        self.steps.entry(life).or_default().insert(step);
    }

    /// How many steps were answered.
    pub(super) fn steps(&self) -> usize {
        self.steps.values().map(BTreeSet::len).sum()
    }

    /// Whether a life is over that nobody was told of: its first words were cut off.
    pub(super) fn knows_a_life(&self) -> bool {
        !self.lives.is_empty()
    }

    /// Takes in what else was told: the tickets of some grants.
    pub(super) fn remember(&mut self, other: Told, count_max: usize) {
        self.tickets.extend(other.tickets.into_iter().take(count_max));
    }

    /// Whether all of it is true of a store that began another life.
    pub(super) async fn check(&self, store: &Embedded) {
        let living = living(store).await;
        assert!(!self.lives.contains(&living.generation), "a life has come back");
        self.check_tickets(store).await;
        self.check_journals(store).await;
        self.check_words(store).await;
    }

    /// What was granted is granted no more.
    pub(super) async fn check_tickets(&self, store: &Embedded) {
        for ticket in self.tickets.values() {
            for claimant in [1, 2] {
                assert_eq!(spend(store, ticket, claimant).await, Err(SpendError::Fenced));
            }
            let settled = store.settle(ticket, &attempt(1), Outcome::Failed).await;
            assert_eq!(settled, Err(SettleError::Fenced));
        }
    }

    /// Each step is an event of its life, unless it was drained.
    pub(super) async fn check_journals(&self, store: &Embedded) {
        let ended = ended(store).await;
        for (generation, steps) in &self.steps {
            let life = life_id(*generation);
            let drained = self.trimmed.get(generation).copied().unwrap_or(0);
            let journal = ended.iter().find(|journal| journal.life == life);
            let journal = journal.unwrap_or_else(|| panic!("the journal of {life:?} is gone"));
            assert!(journal.drained >= drained, "what was drained is there again");
            let (found, mut numbers) = happened(store, &life).await;
            // Numbers are given one after the other, and none twice.
            numbers.dedup();
            assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            if drained == 0 {
                let lost: Vec<&Step> = steps.difference(&found).collect();
                assert!(lost.is_empty(), "lost: {lost:?}");
            }
        }
    }

    /// What was said about others is still so.
    async fn check_words(&self, store: &Embedded) {
        let policy = self.policy.map_or(POLICY, |byte| PolicyHash::from_bytes([byte; 32]));
        let mut fresh = registration(1 << 40, NOW);
        fresh.ticket.policy = policy;
        if let Some(key) = self.blocked {
            let mut blocked = fresh.clone();
            blocked.ticket.key_id = key;
            let refused = register(store, blocked).await;
            assert_eq!(refused.map(|_| ()), Err(RegisterError::Blocked));
        }
        for number in &self.abandoned {
            let mut abandoned = fresh.clone();
            abandoned.ticket.grant = id(*number);
            let refused = register(store, abandoned).await;
            assert_eq!(refused.map(|_| ()), Err(RegisterError::Abandoned), "grant {number}");
        }
        for number in &self.held {
            // There is nothing left for a hold that is not known.
            store.take(&take(*number)).await.unwrap();
        }
        for number in &self.claimed {
            let claim = KeyClaim { grant: id(number + 1), ..claim(*number) };
            let claimed = store.ledger().claim_key(&claim).await.unwrap();
            let until = claim.until;
            assert_eq!(claimed, Claimed::Same { grant: id(*number), until });
        }
    }
}

/// The steps that a journal tells of, and the numbers that it has given.
async fn happened(store: &Embedded, life: &LifeId) -> (BTreeSet<Step>, Vec<u64>) {
    let (mut steps, mut numbers) = (BTreeSet::new(), Vec::new());
    for event in events_after(store, life, 0).await {
        steps.extend(match event.what {
            What::Registered { sequence, .. } => {
                numbers.push(sequence);
                Some(Step::Registered(sequence))
            }
            What::Spent { sequence } => Some(Step::Spent(sequence)),
            What::Settled { sequence, .. } => Some(Step::Settled(sequence)),
            _ => None,
        });
    }
    (steps, numbers)
}

fn life_id(generation: Generation) -> LifeId {
    LifeId { store: name(), shard: Shard::only(), generation }
}

fn ticket(number: u64, generation: Generation, sequence: u64) -> Ticket {
    let seat = Seat { store: name(), shard: Shard::only(), generation, sequence };
    let seats = Seats::new(1, vec![seat]).unwrap();
    Ticket { stores: Some(seats), ..registration(number, NOW).ticket }
}

/// What a grant takes of a budget: each takes all that is left.
pub(super) fn take(number: u64) -> Take {
    let window_seconds = 100_000_000_000;
    Take {
        grant: id(number),
        budget: BudgetKey::of("payments", &format!("key:{number}"), window_seconds),
        caller: Selector::Key(1).scope(),
        amount: 100,
        limit: 100,
        window_seconds,
    }
}

/// The claim of a key for a grant.
pub(super) fn claim(number: u64) -> KeyClaim {
    KeyClaim {
        key: KeyDigest::of(&Caller::parse("key:ci").unwrap(), &format!("key-{number}")),
        caller: Selector::Key(1).scope(),
        request: RequestHash([1; 32]),
        grant: id(number),
        until: NOW.plus(6_000),
    }
}
