//! What a caller was told that changes nothing: refused at the door of a store, or answered again. Each is written
//! down the first time, and counted from then on.
//!
//! The store's journal does the same for replays. A caller that is refused a thousand times a second must be seen, and
//! must not fill the disk by it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use farebox_verifier::{Agent, Grant, GrantId, UnixSeconds};

use super::tenants::told_of;
use super::{Issuer, Minted, Presentation, Refused, Wanted};
use crate::callers::Caller;
use crate::limits;
use crate::record::{Entry, Kind};

/// What is one and the same, however often it is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Told {
    caller: Agent,
    kind: Kind,
    code: &'static str,
    /// None where nobody vouches for it: a caller could make up any number of them.
    grant: Option<GrantId>,
}

/// What was told since the counting began.
#[derive(Default)]
pub(super) struct Noted(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    since: Option<UnixSeconds>,
    /// How often after the first time.
    later: HashMap<Told, u64>,
    callers: HashMap<Agent, usize>,
}

impl Noted {
    /// Whether this is to be written down: it is told for the first time.
    fn first(&self, mut told: Told, now: UnixSeconds) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.since.get_or_insert(now);
        let own = counted.callers.get(&told.caller).copied().unwrap_or(0);
        let full = own >= limits::NOTED_PER_CALLER_MAX || counted.later.len() >= limits::NOTED_MAX;
        if full && !counted.later.contains_key(&told) {
            // Beyond that a code is counted for all of a caller's grants together.
            told.grant = None;
        }
        if let Some(times) = counted.later.get_mut(&told) {
            *times = times.saturating_add(1);
            return false;
        }
        *counted.callers.entry(told.caller.clone()).or_default() += 1;
        counted.later.insert(told, 0);
        true
    }

    /// What was told again, once it was counted for long enough: counting begins anew.
    fn over(&self, now: UnixSeconds) -> Vec<(Told, u64)> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.since.is_none_or(|since| now < since.plus(limits::NOTED_SECONDS)) {
            return Vec::new();
        }
        let Counted { later, .. } = std::mem::take(&mut *counted);
        later.into_iter().filter(|(_, times)| *times > 0).collect()
    }
}

impl Issuer {
    /// What asking for a grant came to, where nothing else says so.
    pub(super) fn note_asked(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        came: &Result<Minted, Refused>,
    ) {
        let (kind, code, grant) = match came {
            Ok(Minted::Fresh(_) | Minted::Waiting(_)) => return,
            Ok(Minted::Again(issued)) => (Kind::GivenAgain, "again", Some(issued.grant)),
            Ok(Minted::Over { grant, .. }) => (Kind::GivenAgain, "over", Some(*grant)),
            Err(
                refused @ (Refused::KeyConflict
                | Refused::KeyBusy
                | Refused::KeyOver { .. }
                | Refused::KeysFull
                | Refused::TooManyGivenUp
                | Refused::Fenced { .. }),
            ) => (Kind::Refused, refused.code(), None),
            // All others have been written down where they were found.
            Err(_) => return,
        };
        let told = Told { caller: caller.name.clone(), kind, code, grant };
        if !self.noted.first(told, self.clock.now()) {
            return;
        }
        let mut entry = self.entry(kind, caller, wanted).code(code);
        if let Some(grant) = grant {
            entry = entry.grant(grant);
        }
        if let Err(refused) = came {
            entry = entry.reason(&short(&refused.to_string()));
        }
        self.note_later(entry);
    }

    /// Why a use was refused. The grant is the token's where its signatures hold, and nobody's else.
    pub(super) fn note_unspent(
        &self,
        caller: &Caller,
        presented: &Presentation,
        grant: Option<&Grant>,
        refused: &Refused,
    ) {
        let (kind, code) = (Kind::UseRefused, refused.code());
        let grant_id = grant.map(|grant| grant.id);
        let told = Told { caller: caller.name.clone(), kind, code, grant: grant_id };
        if !self.noted.first(told, self.clock.now()) {
            return;
        }
        let mut entry = told_of(Entry::of(kind), caller)
            .by(caller.name.as_str())
            .code(code)
            .reason(&short(&refused.to_string()))
            .audience(&presented.audience)
            .action(&presented.action)
            .resource(&presented.resource)
            .detail("credential", caller.credential.word());
        if let Some(grant) = grant {
            entry = entry.grant(grant.id).agent(&grant.agent);
            if let Some((workflow, step)) = &grant.workflow {
                entry = entry.workflow(workflow).step(step);
            }
        }
        self.note_later(entry);
    }

    /// Writes down how often something was told again, once that was counted for long enough.
    pub fn note_counts(&self) {
        self.note_counted(self.clock.now());
    }

    /// The same at a stop, when nothing is counted any more.
    pub fn note_last_counts(&self) {
        self.note_counted(UnixSeconds(u64::MAX));
    }

    fn note_counted(&self, now: UnixSeconds) {
        for (told, times) in self.noted.over(now) {
            let entry = Entry::of(told.kind).by(told.caller.as_str()).code(told.code);
            let entry = match told.grant {
                Some(grant) => entry.grant(grant),
                None => entry,
            };
            self.note_later(entry.detail("again", times));
        }
    }

    /// Nothing follows from it, so nobody waits until it is durable.
    fn note_later(&self, entry: Entry) {
        if let Err(error) = self.record.append(entry).map(drop) {
            tracing::warn!(%error, "what a caller was told could not be written down");
        }
    }
}

/// As much of it as an entry takes.
fn short(text: &str) -> String {
    let fits = |(at, letter): &(usize, char)| {
        at.saturating_add(letter.len_utf8()) <= limits::RECORD_PROSE_BYTES_MAX
    };
    text.char_indices().take_while(fits).map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn told(caller: &str, grant: Option<u128>) -> Told {
        let grant = grant.map(|grant| GrantId::from_bytes(grant.to_be_bytes()));
        let caller = Agent::parse(caller).unwrap();
        Told { caller, kind: Kind::UseRefused, code: "expired", grant }
    }

    #[test]
    fn the_first_time_is_written_down_and_later_ones_are_counted() {
        let noted = Noted::default();
        assert!(noted.first(told("key:a", Some(1)), NOW));
        for _ in 0..7 {
            assert!(!noted.first(told("key:a", Some(1)), NOW));
        }
        assert!(noted.first(told("key:a", Some(2)), NOW) && noted.first(told("key:b", None), NOW));
        assert_eq!(noted.over(NOW.plus(limits::NOTED_SECONDS - 1)), []);
        let over = noted.over(NOW.plus(limits::NOTED_SECONDS));
        assert_eq!(over, [(told("key:a", Some(1)), 7)]);
        assert!(noted.first(told("key:a", Some(1)), NOW.plus(limits::NOTED_SECONDS)));
    }

    #[test]
    fn no_caller_fills_the_record_or_the_memory_with_its_refusals() {
        let noted = Noted::default();
        let written = (0..100_000).filter(|n| noted.first(told("key:a", Some(*n)), NOW)).count();
        assert_eq!(written, limits::NOTED_PER_CALLER_MAX + 1);
        assert!(noted.first(told("key:b", Some(1)), NOW));
    }
}
