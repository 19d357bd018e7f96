//! What an event makes of the memory. Nothing here refuses: the event is true already.

use farebox_verifier::{Mark, Scope, Selector, UnixSeconds};

use super::slots::{Slot, State};
use super::{Life, Outcome};
use crate::limits;
use crate::store::event::{Description, Entry, OldGrants, What};
use crate::store::lease::Lease;

/// Stands where an entry has no mark: one that no attempt and no content is known by.
const NO_MARK: Mark = Mark::from_bytes([0; 6]);

impl Life {
    /// Makes an event true in memory.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let Entry { event, mark } = entry;
        let mark = mark.unwrap_or(NO_MARK);
        self.pass(event.at);
        self.appended = event.number;
        match &event.what {
            What::Opened { policy, .. } => self.policy = *policy,
            What::Registered { grant, .. } => self.registered(grant, mark),
            What::Spent { sequence } => self.spent(*sequence, mark, event.at),
            What::Replayed { sequence } | What::Forged { sequence } => {
                self.slot(*sequence, |slot| slot.contested = true);
            }
            What::Repeated { sequence } => {
                self.slot(*sequence, |slot| slot.repeats = slot.repeats.saturating_add(1));
            }
            What::Settled { sequence, outcome } => {
                self.becomes(*sequence, State::Settled(*outcome))
            }
            What::Lapsed { sequence } => self.becomes(*sequence, State::Settled(Outcome::Unknown)),
            What::Expired { sequence } => self.becomes(*sequence, State::Expired),
            What::Revoked { sequence, spent: false } => self.becomes(*sequence, State::Revoked),
            What::Revoked { sequence, spent: true } => self.becomes(*sequence, State::SpentRevoked),
            What::RevokedAll { selector, upto } => self.revoked_all(selector, *upto),
            What::Abandoned { grant } => {
                let until = event.at.plus(limits::ABANDONED_SECONDS);
                self.abandoned.insert(*grant, until);
            }
            What::Held { hold } => self.budgets.take(*hold),
            What::GivenBack { hold } => self.budgets.give_back(*hold),
            What::BudgetsOpened => self.budgets.open(),
            What::Blocked { selector } => {
                self.blocked.insert(selector.scope());
            }
            What::Unblocked { selector } => {
                self.blocked.remove(&selector.scope());
            }
            What::PolicySet { policy, replaced, old, upto } => {
                if *old == OldGrants::Revoked {
                    self.revoked_all(&Selector::Policy(*replaced), *upto);
                }
                self.policy = *policy;
            }
            What::Leased { name, holder, number, end } => {
                self.leases.give(name, holder, Lease { number: *number, end: *end });
            }
            What::Closed => {}
        }
    }

    /// Everything up to this event was drained.
    pub(crate) fn drained(&mut self, number: u64) {
        self.drained = self.drained.max(number.min(self.appended));
    }

    fn registered(&mut self, grant: &Description, mark: Mark) {
        let agent = Selector::Agent(grant.agent.clone()).scope();
        *self.agents.entry(agent).or_default() += 1;
        for before in &grant.after {
            self.slot(*before, |slot| slot.kept = slot.kept.max(grant.end));
        }
        self.slots.push(Slot {
            state: State::Issued,
            mark,
            spent_at: UnixSeconds(0),
            end: grant.end,
            kept: grant.end.plus(limits::REMEMBERED_SECONDS),
            agent,
            contested: false,
            repeats: 0,
            after: grant.after.clone().into(),
        });
    }

    fn spent(&mut self, sequence: u64, mark: Mark, at: UnixSeconds) {
        self.slot(sequence, |slot| {
            slot.state = State::Spent;
            slot.mark = mark;
            slot.spent_at = at;
            slot.contested = false;
        });
    }

    fn becomes(&mut self, sequence: u64, state: State) {
        self.slot(sequence, |slot| slot.state = state);
    }

    fn slot(&mut self, sequence: u64, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.slots.get_mut(sequence) {
            change(slot);
        }
    }

    fn revoked_all(&mut self, selector: &Selector, upto: u64) {
        match selector {
            Selector::All => self.all = self.all.max(upto),
            // Nothing that is remembered has so low a number.
            _ if upto <= self.slots.cut() => {}
            _ => {
                let upto_before = self.watermarks.entry(selector.scope()).or_default();
                *upto_before = upto.max(*upto_before);
            }
        }
    }

    pub(super) fn forget(&mut self) {
        let now = self.latest;
        let agents = &mut self.agents;
        let last = self.slots.cut();
        self.slots.prune(now, |agent: Scope| {
            if let Some(count) = agents.get_mut(&agent) {
                *count = count.saturating_sub(1);
            }
        });
        let cut = self.slots.cut();
        if cut > last {
            agents.retain(|_, count| *count > 0);
            self.watermarks.retain(|_, upto| *upto > cut);
        }
        self.abandoned.retain(|_, until| now < *until);
        self.budgets.sweep(now);
    }
}
