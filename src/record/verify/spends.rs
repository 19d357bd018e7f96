//! What is counted over all chains: that no grant was spent twice, and what is missing from journals in all of them.
//!
//! Two issuers may record the same event, where one took over the other's drain: an event is known by its life and
//! number, and counts once.

use std::collections::HashMap;

use farebox_verifier::GrantId;

use super::super::entry::Entry;
use super::super::kind::Kind;

/// Where a spend was seen first.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) chain: usize,
    pub(super) n: u64,
    /// The event that told it, by life and number: none where an issuer told it itself.
    event: Option<(u32, u64)>,
    /// One store's word, where it takes several.
    vote: bool,
}

/// A gap that some chain admits.
pub(super) struct Admitted {
    pub(super) chain: usize,
    pub(super) n: u64,
    pub(super) life: Box<str>,
    pub(super) code: Box<str>,
    /// The numbers that are missing; none where a journal ended without a last word.
    pub(super) missing: Option<(u64, u64)>,
}

/// All spends, and all events of journals.
#[derive(Default)]
pub(super) struct Spends {
    lives: HashMap<Box<str>, u32>,
    /// The stores of lives, by the number of the life.
    stores: Vec<Box<str>>,
    grants: HashMap<GrantId, Vec<Seen>>,
    /// Numbers of events that are there, as runs, by life.
    there: HashMap<u32, Vec<(u64, u64)>>,
    pub(super) gaps: Vec<Admitted>,
    /// Spends of which nobody knows the grant.
    pub(super) unnamed: u64,
}

impl Spends {
    pub(super) fn grants(&self) -> u64 {
        u64::try_from(self.grants.len()).unwrap_or(u64::MAX)
    }

    /// Takes an entry in, and says which spend it repeats.
    pub(super) fn take(&mut self, chain: usize, n: u64, entry: &Entry) -> Option<Seen> {
        if let (Some(life), Some(last)) = (&entry.life, entry.number) {
            let first = match entry.kind {
                Kind::Gap => None,
                Kind::Cursor => detail(entry, "from").or(Some(last)),
                _ => Some(last),
            };
            if let Some(first) = first {
                let life = self.life(life);
                add(self.there.entry(life).or_default(), (first, last));
            }
        }
        match entry.kind {
            Kind::Gap => self.admit(chain, n, entry),
            Kind::Spent => return self.spent(chain, n, entry),
            _ => {}
        }
        None
    }

    fn spent(&mut self, chain: usize, n: u64, entry: &Entry) -> Option<Seen> {
        let life = entry.life.as_ref().map(|life| self.life(life));
        let event = life.zip(entry.number);
        let vote = entry.detail.as_ref().is_some_and(|detail| detail.contains_key("vote_of"));
        let Some(grant) = entry.grant.as_deref().and_then(GrantId::from_hex) else {
            self.unnamed += 1;
            return None;
        };
        let seen = Seen { chain, n, event, vote };
        let stores = &self.stores;
        let store = |seen: &Seen| {
            let (life, _) = seen.event?;
            stores.get(usize::try_from(life).ok()?)
        };
        let before = self.grants.entry(grant).or_default();
        if before.iter().any(|before| before.event.is_some() && before.event == seen.event) {
            return None;
        }
        // Of several stores each has one vote; of one store, no grant has two.
        let other = |before: &&Seen| {
            !(seen.vote && before.vote && store(&seen).is_some() && store(before) != store(&seen))
        };
        let first = before.iter().find(other).cloned();
        before.push(seen);
        first
    }

    fn admit(&mut self, chain: usize, n: u64, entry: &Entry) {
        let missing = detail(entry, "from").zip(detail(entry, "to"));
        let text = |text: &Option<Box<str>>| text.clone().unwrap_or_default();
        let (life, code) = (text(&entry.life), text(&entry.code));
        self.gaps.push(Admitted { chain, n, life, code, missing });
    }

    /// Whether all that a gap misses stands in some chain.
    pub(super) fn is_filled(&self, gap: &Admitted) -> bool {
        let Some((from, to)) = gap.missing else { return false };
        // Desks are not shared: what one misses no other has.
        let Some(life) = self.lives.get(&gap.life).filter(|_| gap.life.contains('/')) else {
            return false;
        };
        let there = self.there.get(life).map(Vec::as_slice).unwrap_or_default();
        there.iter().any(|(first, last)| *first <= from && to <= *last)
    }

    fn life(&mut self, name: &str) -> u32 {
        if let Some(life) = self.lives.get(name) {
            return *life;
        }
        let life = u32::try_from(self.stores.len()).unwrap_or(u32::MAX);
        // The store's name stands before the part and the life.
        let store = name.rsplitn(3, '/').nth(2).unwrap_or(name);
        self.stores.push(store.into());
        self.lives.insert(name.into(), life);
        life
    }
}

fn detail(entry: &Entry, name: &str) -> Option<u64> {
    entry.detail.as_ref()?.get(name)?.as_u64()
}

/// Adds a run to others, and joins those that touch. Events come in order, so there are few.
fn add(runs: &mut Vec<(u64, u64)>, (first, last): (u64, u64)) {
    if let Some(run) = runs.last_mut()
        && run.0 <= first
        && first <= run.1.saturating_add(1)
    {
        run.1 = run.1.max(last);
        return;
    }
    runs.push((first, last));
    runs.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
    for run in runs.drain(..) {
        match joined.last_mut() {
            Some(before) if run.0 <= before.1.saturating_add(1) => before.1 = before.1.max(run.1),
            _ => joined.push(run),
        }
    }
    *runs = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_touch_are_one() {
        let mut runs = Vec::new();
        for run in [(5, 6), (1, 2), (9, 9), (3, 4), (7, 8), (20, 30), (25, 26)] {
            add(&mut runs, run);
        }
        assert_eq!(runs, [(1, 9), (20, 30)]);
    }
}
