//! What stands after all events: the revocations that can still matter, and the blocks.

use std::collections::HashMap;

use super::event::{Event, Word};
use crate::clock::UnixSeconds;
use crate::limits;
use crate::selector::Selector;
use crate::store::Ticket;

/// What stands. Each is the event that said it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    revoked: HashMap<Selector, Event>,
    blocked: HashMap<Selector, Event>,
}

impl Standing {
    /// Takes an event in.
    pub fn apply(&mut self, event: Event) {
        match event.word {
            // An issuer's clock that was set back takes nothing back that was said.
            Word::Revoked => match self.revoked.get_mut(&event.selector) {
                Some(known) if known.at > event.at => {}
                Some(known) => *known = event,
                None => drop(self.revoked.insert(event.selector.clone(), event)),
            },
            Word::Blocked => drop(self.blocked.insert(event.selector.clone(), event)),
            Word::Lifted => drop(self.blocked.remove(&event.selector)),
        }
    }

    /// Whether an event says what does not stand yet.
    #[must_use]
    pub fn is_changed_by(&self, event: &Event) -> bool {
        let blocked = self.blocked.contains_key(&event.selector);
        match event.word {
            Word::Revoked => {
                self.revoked.get(&event.selector).is_none_or(|known| known.at < event.at)
            }
            Word::Blocked => !blocked,
            Word::Lifted => blocked,
        }
    }

    /// Takes in the revocations that stand in another.
    pub(super) fn join(&mut self, other: &Standing) {
        other.revoked.values().cloned().for_each(|event| self.apply(event));
    }

    /// Forgets the revocations of which no token is left.
    pub fn forget(&mut self, now: UnixSeconds) {
        let lives = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
        self.revoked.retain(|_, event| now <= event.at.plus(lives));
    }

    /// Leaves so many at most. Where there are more, all that was minted up to the last of those that are let go is
    /// dead: too much is refused, and never too little. Blocks stay, however many.
    pub fn fold(&mut self, count_max: usize) {
        let count = self.revoked.len().saturating_add(self.blocked.len());
        if count <= count_max {
            return;
        }
        let mut oldest: Vec<Event> = self.revoked.values().cloned().collect();
        oldest.sort_unstable_by_key(|event| (event.at, event.number));
        // One more, for the place of what stands for them.
        oldest.truncate((count - count_max).saturating_add(1));
        let Some(last) = oldest.last().cloned() else { return };
        oldest.iter().for_each(|event| drop(self.revoked.remove(&event.selector)));
        self.apply(Event { selector: Selector::All, ..last });
    }

    /// Whether something stands for this selector that blocks it.
    #[must_use]
    pub fn blocks(&self, selector: &Selector) -> bool {
        self.blocked.contains_key(selector)
    }

    /// Whether a grant is taken back, or was minted by nobody who may.
    #[must_use]
    pub fn covers(&self, ticket: &Ticket) -> bool {
        if self.revoked.is_empty() && self.blocked.is_empty() {
            return false;
        }
        let minted = ticket.not_before.plus(limits::BACKDATE_SECONDS);
        selectors(ticket).iter().flatten().any(|selector| {
            self.revoked.get(selector).is_some_and(|event| minted <= event.at)
                || self.blocked.get(selector).is_some_and(|event| minted > event.at)
        })
    }

    /// The events that stand, by their numbers.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> =
            self.revoked.values().chain(self.blocked.values()).cloned().collect();
        events.sort_unstable_by_key(|event| (event.number, event.word));
        events
    }
}

/// All that a grant can be named by.
fn selectors(ticket: &Ticket) -> [Option<Selector>; 8] {
    [
        Some(Selector::Grant(ticket.grant)),
        Some(Selector::Agent(ticket.agent.clone())),
        ticket.workflow.clone().map(Selector::Workflow),
        Some(Selector::Audience(ticket.audience.clone())),
        Some(Selector::Action(ticket.action.clone())),
        Some(Selector::Policy(ticket.policy)),
        Some(Selector::Key(ticket.key_id)),
        Some(Selector::All),
    ]
}
