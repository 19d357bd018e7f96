//! Names that many grants share, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

use farebox_verifier::Selector;

use super::Filter;
use super::counts::Counts;
use super::row::{Match, Shared};
use crate::store::shelves::Shelves;

/// A name's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NameId(pub(super) u32);

/// All the names, with how many grants have each.
#[derive(Default)]
pub(super) struct Names {
    known: HashMap<Arc<str>, NameId>,
    texts: Shelves<Kept>,
    free: Vec<NameId>,
    /// How many grants that have them stand where.
    pub(super) counts: Counts,
}

/// A name, and how many grants have it.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) text: Arc<str>,
    users: u32,
}

impl Names {
    /// The name's number, for one user more.
    pub(super) fn keep(&mut self, text: &str) -> NameId {
        if let Some(id) = self.known.get(text).copied() {
            if let Some(kept) = self.kept_mut(id) {
                kept.users = kept.users.saturating_add(1);
            }
            return id;
        }
        let text: Arc<str> = text.into();
        let kept = Kept { text: Arc::clone(&text), users: 1 };
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(place) = self.kept_mut(id) {
                    *place = kept;
                }
                id
            }
            None => {
                self.texts.push(kept);
                NameId(u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.known.insert(text, id);
        id
    }

    /// The names and their numbers, in their order; a number that is free has no name.
    pub(super) fn texts(&self) -> Shelves<Kept> {
        self.texts.clone()
    }

    /// One user less.
    pub(super) fn release(&mut self, id: NameId) {
        let Some(kept) = self.kept_mut(id) else { return };
        kept.users = kept.users.saturating_sub(1);
        if kept.users == 0 {
            let text = std::mem::replace(&mut kept.text, Arc::from(""));
            self.known.remove(&text);
            self.free.push(id);
        }
    }

    pub(super) fn text(&self, id: NameId) -> &str {
        let place = usize::try_from(id.0).ok();
        place.and_then(|place| self.texts.get(place)).map_or("", |kept| &kept.text)
    }

    /// What a filter asks of a row; nothing where it names what no grant has.
    pub(super) fn matching(&self, filter: &Filter) -> Option<Match> {
        let mut wanted = Match::any(filter.standing);
        for selector in &filter.selectors {
            let known = |text: &str| self.known.get(text).copied();
            match selector {
                Selector::All => {}
                Selector::Grant(grant) => wanted.grant(*grant),
                Selector::Key(key) => wanted.key(*key),
                Selector::Agent(agent) => wanted.shared(Shared::Agent, known(agent.as_str())?),
                Selector::Workflow(name) => wanted.shared(Shared::Workflow, known(name.as_str())?),
                Selector::Audience(name) => wanted.shared(Shared::Audience, known(name.as_str())?),
                Selector::Action(name) => wanted.shared(Shared::Action, known(name.as_str())?),
                Selector::Policy(hash) => wanted.shared(Shared::Policy, known(&hash.to_string())?),
            }
        }
        Some(wanted)
    }

    fn kept_mut(&mut self, id: NameId) -> Option<&mut Kept> {
        let place = usize::try_from(id.0).ok()?;
        self.texts.get_mut(place)
    }
}
