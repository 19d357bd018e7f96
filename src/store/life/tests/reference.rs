//! The rules of a life said another way: sets of numbers and names, with nothing packed, hashed or marked.

mod held;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::command::{Command, Kind, Said, kind, names};
use super::*;
use crate::store::Found as Met;
use crate::store::budget::{BudgetKey, Hold, HoldId, Take, TakeError};
use crate::store::lease::{Lease, LeaseError};

struct Known {
    ticket: Ticket,
    after: Vec<u64>,
    /// Until when it is asked about.
    kept: UnixSeconds,
}

#[derive(Clone, Copy)]
struct Use {
    claimant: u8,
    content: Mark,
    at: UnixSeconds,
}

struct Counted {
    hold: Hold,
    back: bool,
}

/// All that has happened, and nothing that follows from it.
pub(super) struct Reference {
    pub(super) now: UnixSeconds,
    grants: BTreeMap<u64, Known>,
    forgotten: u64,
    uses: BTreeMap<u64, Use>,
    outcomes: BTreeMap<u64, Outcome>,
    revoked: BTreeSet<u64>,
    /// By a selector: each number that it named when it was said.
    swept: BTreeSet<u64>,
    expired: BTreeSet<u64>,
    replayed: BTreeSet<u64>,
    forged: BTreeSet<u64>,
    repeats: BTreeMap<u64, u8>,
    blocked: HashSet<Selector>,
    abandoned: HashMap<GrantId, UnixSeconds>,
    policy: PolicyHash,
    counted: Vec<Counted>,
    open: bool,
    leases: BTreeMap<&'static str, (&'static str, Lease)>,
}

/// One event of each kind, for what it is called.
fn said(sequence: u64) -> [Kind; 7] {
    [
        kind(&What::Spent { sequence }),
        kind(&What::Repeated { sequence }),
        kind(&What::Replayed { sequence }),
        kind(&What::Forged { sequence }),
        kind(&What::Lapsed { sequence }),
        kind(&What::Expired { sequence }),
        kind(&What::Revoked { sequence, spent: false }),
    ]
}

impl Reference {
    pub(super) fn new(now: UnixSeconds) -> Reference {
        Reference {
            now,
            grants: BTreeMap::new(),
            forgotten: 0,
            uses: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            revoked: BTreeSet::new(),
            swept: BTreeSet::new(),
            expired: BTreeSet::new(),
            replayed: BTreeSet::new(),
            forged: BTreeSet::new(),
            repeats: BTreeMap::new(),
            blocked: HashSet::new(),
            abandoned: HashMap::new(),
            policy: POLICY,
            counted: Vec::new(),
            open: false,
            leases: BTreeMap::new(),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(seconds);
        let now = self.now;
        // In order: one that is asked about holds all behind it.
        while self.grants.get(&(self.forgotten + 1)).is_some_and(|known| known.kept <= now) {
            self.forgotten += 1;
        }
        self.counted.retain(|counted| now < counted.hold.to);
        self.abandoned.retain(|_, until| now < *until);
    }

    pub(super) fn last(&self) -> u64 {
        self.grants.last_key_value().map_or(0, |(number, _)| *number)
    }

    pub(super) fn tell(&mut self, command: &Command) -> (Said, Kind) {
        match command {
            Command::Register(registration) => self.register(registration),
            Command::Spend(number, ticket, claimant) => self.spend(*number, ticket, *claimant),
            Command::Settle(number, ticket, claimant, outcome) => {
                self.settle(*number, ticket, *claimant, *outcome)
            }
            Command::Revoke(number) => self.revoke(*number),
            Command::RevokeAll(selector) => {
                self.sweep(selector);
                let what = What::RevokedAll { selector: selector.clone(), upto: 0 };
                (Said::Done(Ok(())), kind(&what))
            }
            Command::Abandon(grant) => {
                let until = self.now.plus(TTL_SECONDS_MAX + limits::REMEMBERED_SECONDS);
                let fresh = !self.abandoned.contains_key(grant);
                self.abandoned.entry(*grant).or_insert(until);
                done(fresh, &What::Abandoned { grant: *grant })
            }
            Command::Block(selector) => {
                let fresh = self.blocked.insert(selector.clone());
                done(fresh, &What::Blocked { selector: selector.clone() })
            }
            Command::Unblock(selector) => {
                let known = self.blocked.remove(selector);
                done(known, &What::Unblocked { selector: selector.clone() })
            }
            Command::SetPolicy(policy, old) => self.set_policy(*policy, *old),
            Command::Take(take) => self.take(take),
            Command::GiveBack(id) => self.give_back(*id),
            Command::OpenBudgets => {
                let fresh = !std::mem::replace(&mut self.open, true);
                done(fresh, &What::BudgetsOpened)
            }
            Command::Restore(hold) => {
                let known = self.counted.iter().any(|counted| counted.hold.id == hold.id);
                let fresh = !known && self.now < hold.to;
                if fresh {
                    self.counted.push(Counted { hold: *hold, back: false });
                }
                done(fresh, &What::Held { hold: *hold })
            }
            Command::Lapse(number) => self.lapse(*number),
            Command::Lease(name, holder, seconds) => self.lease(name, holder, *seconds),
        }
    }

    fn register(&mut self, registration: &Registration) -> (Said, Kind) {
        let ticket = &registration.ticket;
        let refuse = |error| (Said::Registered(Err(error)), None);
        if ticket.policy != self.policy {
            return refuse(RegisterError::Policy);
        }
        if self.blocked.iter().any(|selector| names(selector, ticket)) {
            return refuse(RegisterError::Blocked);
        }
        if self.abandoned.contains_key(&ticket.grant) {
            return refuse(RegisterError::Abandoned);
        }
        let seconds = ticket.grant_end.0.saturating_sub(self.now.0);
        if !(1..=TTL_SECONDS_MAX).contains(&seconds) {
            return refuse(RegisterError::End);
        }
        if registration.after.len() > 8 {
            return refuse(RegisterError::TooManyPredecessors);
        }
        let numbers: Vec<u64> =
            registration.after.iter().map(|seats| seats.seats()[0].sequence).collect();
        for number in &numbers {
            if *number == 0 || *number > self.last() {
                return refuse(RegisterError::PredecessorElsewhere);
            }
            let open = !self.outcomes.contains_key(number) && !self.revoked.contains(number);
            let may = open && !self.expired.contains(number) || self.succeeded(*number);
            if *number <= self.forgotten || !may {
                return refuse(RegisterError::PredecessorFailed);
            }
        }
        let number = self.last() + 1;
        let after: Vec<u64> =
            numbers.into_iter().filter(|before| !self.succeeded(*before)).collect();
        for before in &after {
            let known = self.grants.get_mut(before).unwrap();
            known.kept = known.kept.max(ticket.grant_end);
        }
        let kept = ticket.grant_end.plus(limits::REMEMBERED_SECONDS);
        self.grants.insert(number, Known { ticket: ticket.clone(), after, kept });
        let grant = Box::new(Description::of(registration, Vec::new()));
        (Said::Registered(Ok(number)), kind(&What::Registered { sequence: number, grant }))
    }

    fn succeeded(&self, number: u64) -> bool {
        self.outcomes.get(&number) == Some(&Outcome::Succeeded) && number > self.forgotten
    }

    fn told_again(&mut self, number: u64, at: UnixSeconds, repeated: Kind) -> (Said, Kind) {
        let told = self.repeats.entry(number).or_insert(0);
        *told += 1;
        match *told > limits::REPEATS_MAX {
            true => (Said::Spent(Err(SpendError::AlreadySpent { first_spent: at })), None),
            false => {
                (Said::Spent(Ok(Receipt { spent_at: at, sending: Sending::Repeat })), repeated)
            }
        }
    }

    fn spend(&mut self, number: u64, ticket: &Ticket, claimant: u8) -> (Said, Kind) {
        let now = self.now;
        let [first, repeated, replayed, forged, ..] = said(number);
        let refuse = |error, kind| (Said::Spent(Err(error)), kind);
        let Some(known) = self.grants.get(&number) else {
            return refuse(SpendError::UnknownGrant, None);
        };
        if number <= self.forgotten || self.expired.contains(&number) {
            return refuse(SpendError::Expired { now }, None);
        }
        let settled = self.outcomes.contains_key(&number);
        if self.revoked.contains(&number) && !settled {
            return refuse(SpendError::Revoked, None);
        }
        if let Some(Use { claimant: whose, content, at }) = self.uses.get(&number).copied() {
            let mine = (whose, content) == (claimant, ticket.mark);
            if !mine || settled || now >= ticket.end {
                let told = !mine && self.replayed.insert(number);
                let error = SpendError::AlreadySpent { first_spent: at };
                return refuse(error, if told { replayed } else { None });
            }
            if self.swept.contains(&number) {
                return refuse(SpendError::Revoked, None);
            }
            return self.told_again(number, at, repeated);
        }
        if known.ticket.mark != ticket.mark {
            let told = self.forged.insert(number);
            return refuse(SpendError::UnknownGrant, if told { forged } else { None });
        }
        if self.swept.contains(&number) {
            return refuse(SpendError::Revoked, None);
        }
        if now >= ticket.end.min(known.ticket.grant_end) {
            return refuse(SpendError::Expired { now }, None);
        }
        if !known.after.iter().all(|before| self.succeeded(*before)) {
            return refuse(SpendError::PredecessorUnsettled, None);
        }
        self.uses.insert(number, Use { claimant, content: ticket.mark, at: now });
        (Said::Spent(Ok(Receipt { spent_at: now, sending: Sending::First })), first)
    }

    fn settle(
        &mut self,
        number: u64,
        ticket: &Ticket,
        claimant: u8,
        outcome: Outcome,
    ) -> (Said, Kind) {
        let refuse = |error| (Said::Settled(Err(error)), None);
        if number <= self.forgotten && number > 0 {
            return refuse(SettleError::Conflict { settled: Outcome::Unknown });
        }
        match self.uses.get(&number) {
            Some(of) if (of.claimant, of.content) == (claimant, ticket.mark) => {}
            _ => return refuse(SettleError::NotSpent),
        }
        match self.outcomes.get(&number).copied() {
            Some(settled) if settled == outcome => (Said::Settled(Ok(())), None),
            Some(settled) => refuse(SettleError::Conflict { settled }),
            None => {
                self.outcomes.insert(number, outcome);
                let what = What::Settled { sequence: number, outcome };
                (Said::Settled(Ok(())), kind(&what))
            }
        }
    }

    fn revoke(&mut self, number: u64) -> (Said, Kind) {
        let [.., revoked] = said(number);
        let met = |met| Said::Revoked(Ok(met));
        if number <= self.forgotten || number > self.last() {
            return (met(Met::Unknown), None);
        }
        if let Some(outcome) = self.outcomes.get(&number) {
            return (met(Met::Settled(*outcome)), None);
        }
        if self.expired.contains(&number) {
            return (met(Met::Expired), None);
        }
        let fresh = self.revoked.insert(number);
        let found = if self.uses.contains_key(&number) { Met::Spent } else { Met::Unspent };
        (met(found), if fresh { revoked } else { None })
    }

    fn sweep(&mut self, selector: &Selector) {
        let named = self.grants.iter().filter(|(_, known)| names(selector, &known.ticket));
        self.swept.extend(named.map(|(number, _)| *number));
    }

    fn set_policy(&mut self, policy: PolicyHash, old: OldGrants) -> (Said, Kind) {
        let replaced = self.policy;
        let changes = policy != replaced;
        if changes && old == OldGrants::Revoked {
            self.sweep(&Selector::Policy(replaced));
        }
        self.policy = policy;
        done(changes, &What::PolicySet { policy, replaced, old, upto: 0 })
    }

    fn lapse(&mut self, number: u64) -> (Said, Kind) {
        let [.., lapsed, expired, _] = said(number);
        let lapse = |lapse| Said::Lapsed(Ok(lapse));
        let over = self.outcomes.contains_key(&number) || self.expired.contains(&number);
        let Some(known) = self.grants.get(&number).filter(|_| number > self.forgotten && !over)
        else {
            return (lapse(Lapse::Before), None);
        };
        match self.uses.get(&number) {
            Some(of) if self.now.0 < of.at.0 + 900 => (lapse(Lapse::NotYet), None),
            Some(_) => {
                self.outcomes.insert(number, Outcome::Unknown);
                (lapse(Lapse::Over), lapsed)
            }
            None if self.revoked.contains(&number) => (lapse(Lapse::Before), None),
            None if self.now < known.ticket.grant_end => (lapse(Lapse::NotYet), None),
            None => {
                self.expired.insert(number);
                (lapse(Lapse::Over), expired)
            }
        }
    }

    fn lease(&mut self, name: &'static str, holder: &'static str, seconds: u64) -> (Said, Kind) {
        if !(1..=300).contains(&seconds) {
            return (Said::Leased(Err(LeaseError::Limit)), None);
        }
        let before = self.leases.get(name).copied();
        let living = before.filter(|(_, lease)| self.now < lease.end);
        let number = match (living, before) {
            (Some((whose, lease)), _) if whose != holder => {
                return (Said::Leased(Err(LeaseError::Held { until: lease.end })), None);
            }
            (Some((_, lease)), _) => lease.number,
            (None, Some((_, lease))) => lease.number + 1,
            (None, None) => 1,
        };
        let end = self.now.plus(seconds);
        let lease = Lease { number, end };
        self.leases.insert(name, (holder, lease));
        let what = What::Leased { name: name.into(), holder: holder.into(), number, end };
        (Said::Leased(Ok(lease)), kind(&what))
    }
}

fn done(happened: bool, what: &What) -> (Said, Kind) {
    (Said::Done(Ok(())), if happened { kind(what) } else { None })
}
