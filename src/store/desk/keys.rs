//! Idempotency keys: which grant a caller's key stands for, so that asking twice is asking once.
//!
//! A key is written before its grant is registered. It stands for one grant at a time: only when that
//! grant's id was given up for good does it pass to a fresh one.
//!
//! There may be as many keys as grants, so each takes some seventy bytes: halves of hashes, a minute for a
//! time, and no allocation of its own.

use std::collections::{BTreeSet, HashMap};

use farebox_verifier::{GrantId, Scope, UnixSeconds};

use super::event::DeskWhat;
use super::wheel::{Minute, Wheel};
use super::words::{Half, KeyDigest, RequestHash};
use super::{Desk, Step};
use crate::limits;
use crate::store::packed::fields;

/// A caller's word that this request is one with all others under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyClaim {
    /// The caller and its key.
    pub key: KeyDigest,
    /// The caller alone: keys are limited for each.
    pub caller: Scope,
    /// The request.
    pub request: RequestHash,
    /// The grant that it will have, if the key is fresh.
    pub grant: GrantId,
    /// Until when the key is remembered, to the minute.
    pub until: UnixSeconds,
}

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The key was not known: it stands for the grant that was claimed.
    Fresh,
    /// It was claimed before, by the same request.
    Same {
        /// The grant it stands for.
        grant: GrantId,
        /// Until when.
        until: UnixSeconds,
    },
}

/// Why a key was not claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It stands for another request.
    #[error("key was used for another request")]
    Conflict,
    /// It would be over already, or be remembered for longer than any.
    #[error("no key is remembered for so long")]
    Until,
    /// The caller has as many keys as it may.
    #[error("caller has too many keys")]
    CallerFull,
    /// As many keys are remembered as may be: none is forgotten for another.
    #[error("too many keys")]
    Full,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// Why a key did not pass to another grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// It stands for nothing: it was forgotten, or never claimed.
    #[error("key is not known")]
    Unknown,
    /// It passed on already.
    #[error("key stands for grant {grant}")]
    Moved {
        /// The grant it stands for.
        grant: GrantId,
    },
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// A key, and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The caller and its key.
    pub key: Half,
    /// The caller alone.
    pub caller: Scope,
    /// The request.
    pub request: Half,
    /// The grant.
    pub grant: GrantId,
    /// When it is forgotten.
    pub until: Minute,
}

fields!(KnownKey { key, caller, request, grant, until });

/// The keys.
#[derive(Default)]
pub(super) struct Keys {
    slots: Vec<KnownKey>,
    free: Vec<u32>,
    /// How each key begins, and its slot. A map of whole keys would take twice the room.
    index: BTreeSet<([u8; 4], u32)>,
    callers: HashMap<Scope, usize>,
    ends: Wheel<u32>,
}

impl Keys {
    fn find(&self, key: Half) -> Option<&KnownKey> {
        self.place(key).and_then(|place| self.slots.get(index(place)))
    }

    fn place(&self, key: Half) -> Option<u32> {
        let begins = beginning(key);
        let mut alike = self.index.range((begins, 0)..=(begins, u32::MAX)).map(|(_, place)| *place);
        alike.find(|place| self.slots.get(index(*place)).is_some_and(|found| found.key == key))
    }

    pub(super) fn claimed(&mut self, key: KnownKey) {
        // The limit on keys is far below what four bytes count.
        let next = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let place = self.free.pop().unwrap_or(next);
        match self.slots.get_mut(index(place)) {
            Some(slot) => *slot = key,
            None => self.slots.push(key),
        }
        self.index.insert((beginning(key.key), place));
        *self.callers.entry(key.caller).or_default() += 1;
        self.ends.put(key.until.start(), place);
    }

    pub(super) fn renewed(&mut self, key: Half, to: GrantId) {
        let place = self.place(key);
        if let Some(slot) = place.and_then(|place| self.slots.get_mut(index(place))) {
            slot.grant = to;
        }
    }

    pub(super) fn forget(&mut self, now: UnixSeconds) {
        for place in self.ends.due(now) {
            let Some(KnownKey { key, caller, .. }) = self.slots.get(index(place)) else { continue };
            self.index.remove(&(beginning(*key), place));
            if let Some(count) = self.callers.get_mut(caller) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.callers.remove(caller);
                }
            }
            self.free.push(place);
        }
    }

    /// All of them, in an order of their own.
    pub(super) fn iter(&self) -> impl Iterator<Item = KnownKey> + '_ {
        self.index.iter().filter_map(|(_, place)| self.slots.get(index(*place)).copied())
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn beginning(Half(key): Half) -> [u8; 4] {
    let [a, b, c, d, ..] = key;
    [a, b, c, d]
}

impl Desk {
    /// The grant that a key stands for and until when, if it is known and was claimed for this request.
    pub(crate) fn key(
        &self,
        key: &KeyDigest,
        request: &RequestHash,
    ) -> Result<Option<(GrantId, UnixSeconds)>, KeyError> {
        match self.keys.find(key.half()) {
            None => Ok(None),
            Some(found) if found.request == request.half() => {
                Ok(Some((found.grant, found.until.start())))
            }
            Some(_) => Err(KeyError::Conflict),
        }
    }

    /// Claims a key for a request, before its grant is registered.
    pub(crate) fn claim_key(&self, claim: &KeyClaim) -> Step<Claimed, KeyError> {
        let KeyClaim { key, caller, request, grant, until } = *claim;
        let (key, request) = (key.half(), request.half());
        if let Some(found) = self.keys.find(key) {
            let same = Claimed::Same { grant: found.grant, until: found.until.start() };
            return (
                None,
                if found.request == request { Ok(same) } else { Err(KeyError::Conflict) },
            );
        }
        if until <= self.latest || until > self.latest.plus(limits::KEY_SECONDS_MAX) {
            return (None, Err(KeyError::Until));
        }
        let free = limits::KEYS_MAX.saturating_sub(self.keys.index.len());
        if free == 0 {
            return (None, Err(KeyError::Full));
        }
        let own = self.keys.callers.get(&caller).copied().unwrap_or(0);
        // While half are free anybody has its full share. From then on each takes so little of the rest that whoever
        // has few gets some, however many have taken theirs.
        let share = match free > limits::KEYS_MAX / 2 {
            true => limits::KEYS_PER_CALLER_MAX,
            false => (free / 4).clamp(1, limits::KEYS_PER_CALLER_MAX),
        };
        if own >= share {
            return (None, Err(KeyError::CallerFull));
        }
        let key = KnownKey { key, caller, request, grant, until: Minute::from(until) };
        (Some(DeskWhat::KeyClaimed { key }.into()), Ok(Claimed::Fresh))
    }

    /// Passes a key from a grant whose id was given up to a fresh one. Asked again, it is the same answer.
    pub(crate) fn renew_key(
        &self,
        key: &KeyDigest,
        from: GrantId,
        to: GrantId,
    ) -> Step<(), RenewError> {
        let key = key.half();
        match self.keys.find(key).map(|found| found.grant) {
            None => (None, Err(RenewError::Unknown)),
            Some(grant) if grant == to => (None, Ok(())),
            Some(grant) if grant == from => {
                (Some(DeskWhat::KeyRenewed { key, from, to }.into()), Ok(()))
            }
            Some(grant) => (None, Err(RenewError::Moved { grant })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixSeconds = UnixSeconds(1_800_000_000);

    fn claim(caller: Scope) -> KeyClaim {
        KeyClaim {
            key: KeyDigest([1; 32]),
            caller,
            request: RequestHash([1; 32]),
            grant: GrantId::from_bytes([1; 16]),
            until: START.plus(60),
        }
    }

    #[test]
    fn no_caller_crowds_out_the_others() {
        let mut desk = Desk::new(START);
        let (greedy, other) = (Scope::from_bytes([1; 8]), Scope::from_bytes([2; 8]));
        desk.keys.callers.insert(greedy, limits::KEYS_PER_CALLER_MAX - 1);
        let Some(change) = desk.claim_key(&claim(greedy)).0 else {
            panic!("the last one is refused")
        };
        let entry = desk.entry(change);
        desk.apply(&entry);
        let next = KeyClaim { key: KeyDigest([2; 32]), ..claim(greedy) };
        assert_eq!(desk.claim_key(&next).1, Err(KeyError::CallerFull));
        assert_eq!(desk.claim_key(&KeyClaim { caller: other, ..next }).1, Ok(Claimed::Fresh));
        // When one is forgotten there is room for one again.
        desk.pass(START.plus(60));
        let next = KeyClaim { until: START.plus(120), ..next };
        assert_eq!(desk.claim_key(&next).1, Ok(Claimed::Fresh));
    }

    #[test]
    fn greedy_callers_together_leave_room_for_one_who_is_not() {
        let mut desk = Desk::new(START);
        let greedy: Vec<Scope> = (1..=8).map(|byte| Scope::from_bytes([byte; 8])).collect();
        // Each takes as many as it is given, in large bites.
        let bite = limits::KEYS_MAX / 1_000;
        while let Some(hungry) =
            greedy.iter().find(|caller| desk.claim_key(&claim(**caller)).1 == Ok(Claimed::Fresh))
        {
            let from = u32::try_from(desk.keys.index.len()).unwrap();
            let to = from + u32::try_from(bite).unwrap();
            desk.keys.index.extend((from..to).map(|place| ([0; 4], place)));
            *desk.keys.callers.entry(*hungry).or_default() += bite;
        }
        let free = limits::KEYS_MAX - desk.keys.index.len();
        assert!(free >= limits::KEYS_MAX / 10, "{free}");
        let modest = Scope::from_bytes([9; 8]);
        assert_eq!(desk.claim_key(&claim(modest)).1, Ok(Claimed::Fresh));
    }

    #[test]
    fn no_key_is_forgotten_for_another() {
        let mut desk = Desk::new(START);
        let most = u32::try_from(limits::KEYS_MAX).unwrap();
        desk.keys.index = (0..most).map(|place| ([0; 4], place)).collect();
        let one_more = desk.claim_key(&claim(Scope::from_bytes([1; 8]))).1;
        assert_eq!(one_more, Err(KeyError::Full));
        desk.keys.index.pop_last();
        let one_more = desk.claim_key(&claim(Scope::from_bytes([1; 8]))).1;
        assert_eq!(one_more, Ok(Claimed::Fresh));
    }
}
