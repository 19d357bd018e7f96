//! Local stores: which boot of each is the living one, and what was registered for it.
//!
//! A local store keeps what was spent in its own memory and nothing else. What was granted for an earlier
//! boot is over, for nobody remembers whether it was spent; so the issuer registers for the last boot that
//! was announced, and for no other.

use std::collections::BTreeMap;

use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::{Audience, Generation, Seat, Selector, Shard, StoreName, UnixSeconds};

use super::event::DeskWhat;
use super::wheel::Minute;
use super::{Desk, Step};
use crate::limits;
use crate::store::AdminError;
use crate::store::event::Description;
use crate::store::packed::fields;

/// The living boot of a local store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The store.
    pub store: StoreName,
    /// The API that it is a part of.
    pub audience: Audience,
    /// What no other boot is called.
    pub generation: Generation,
    /// When it was announced.
    pub announced_at: UnixSeconds,
    /// How many grants are registered for it that have not ended.
    pub outstanding: u64,
}

/// Why a boot was not announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// The store is a part of another API, whose grants are none of this one's.
    #[error("store is another audience's")]
    OtherAudience,
    /// It was announced before the living one: an announcement that came late.
    #[error("boot is over")]
    Earlier,
    /// The API has as many local stores as it may.
    #[error("audience has too many local stores")]
    AudienceFull,
    /// As many local stores are remembered as may be.
    #[error("too many local stores")]
    Full,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// Why a grant was not registered for a local store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeatError {
    /// It has not been announced.
    #[error("no such local store")]
    NoBoot,
    /// The store is a part of another API.
    #[error("store is another audience's")]
    OtherAudience,
    /// Its agent, workflow, audience, action, policy or key is blocked.
    #[error("blocked")]
    Blocked,
    /// A local store knows nothing of other grants.
    #[error("a local store waits for no predecessor")]
    Predecessor,
    /// It has ended, or lasts longer than any grant.
    #[error("its end is not within reach")]
    End,
    /// The store has as many grants as it may.
    #[error("local store has too many grants")]
    Full,
    /// It may be registered; take another grant id.
    #[error("desk is down")]
    Down,
}

/// The local stores.
#[derive(Default)]
pub(super) struct Boots {
    boots: BTreeMap<StoreName, CarriedBoot>,
    /// The last number that was given, to any of them: so none is ever given twice.
    last: u64,
}

/// A boot, and how many of its grants end when.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CarriedBoot {
    boot: Boot,
    ends: Vec<EndsIn>,
    /// The boots before it, the latest last.
    earlier: Vec<Generation>,
}

/// How many grants end in a minute.
#[derive(Clone, Copy, PartialEq, Eq)]
struct EndsIn {
    minute: Minute,
    count: u64,
}

fields!(Boot { store, audience, generation, announced_at, outstanding });
fields!(EndsIn { minute, count });
fields!(CarriedBoot { boot, ends, earlier });

impl Boots {
    /// The last number that was given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Goes on after this number.
    pub(super) fn go_on(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    pub(super) fn insert(&mut self, carried: CarriedBoot) {
        self.boots.insert(carried.boot.store.clone(), carried);
    }

    pub(super) fn announced(&mut self, boot: Boot) {
        let mut earlier = Vec::new();
        if let Some(before) = self.boots.remove(&boot.store) {
            earlier = before.earlier;
            earlier.push(before.boot.generation);
            if earlier.len() > limits::EARLIER_BOOTS_MAX {
                earlier.remove(0);
            }
        }
        self.insert(CarriedBoot { boot, ends: Vec::new(), earlier });
    }

    pub(super) fn seated(&mut self, store: &StoreName, sequence: u64, end: UnixSeconds) {
        self.go_on(sequence);
        let Some(CarriedBoot { boot, ends, .. }) = self.boots.get_mut(store) else { return };
        boot.outstanding = boot.outstanding.saturating_add(1);
        let minute = Minute::from(end);
        match ends.iter_mut().find(|ends| ends.minute == minute) {
            Some(ends) => ends.count = ends.count.saturating_add(1),
            None => ends.push(EndsIn { minute, count: 1 }),
        }
    }

    pub(super) fn dismissed(&mut self, store: &StoreName) {
        self.boots.remove(store);
    }

    pub(super) fn forget(&mut self, now: UnixSeconds) {
        for CarriedBoot { boot, ends, .. } in self.boots.values_mut() {
            ends.retain(|EndsIn { minute, count }| {
                let lasts = now < minute.start();
                if !lasts {
                    boot.outstanding = boot.outstanding.saturating_sub(*count);
                }
                lasts
            });
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CarriedBoot> {
        self.boots.values()
    }
}

impl Desk {
    /// Takes a boot for the living one of its store. Announced again, it is the same.
    pub(crate) fn announce(
        &self,
        store: &StoreName,
        audience: &Audience,
        generation: Generation,
    ) -> Step<(), BootError> {
        let announced = |previous| {
            let (store, audience) = (store.clone(), audience.clone());
            Some(DeskWhat::Announced { store, audience, generation, previous }.into())
        };
        match self.boots.boots.get(store) {
            Some(known) if known.boot.audience != *audience => {
                (None, Err(BootError::OtherAudience))
            }
            Some(known) if known.boot.generation == generation => (None, Ok(())),
            Some(known) if known.earlier.contains(&generation) => (None, Err(BootError::Earlier)),
            Some(known) => (announced(Some(known.boot.generation)), Ok(())),
            None => match self.may_be_new(audience) {
                Err(refusal) => (None, Err(refusal)),
                Ok(()) => (announced(None), Ok(())),
            },
        }
    }

    fn may_be_new(&self, audience: &Audience) -> Result<(), BootError> {
        let boots = self.boots.boots.values();
        if boots.filter(|known| known.boot.audience == *audience).count()
            >= limits::BOOTS_PER_AUDIENCE_MAX
        {
            return Err(BootError::AudienceFull);
        }
        if self.boots.boots.len() >= limits::BOOTS_MAX {
            return Err(BootError::Full);
        }
        Ok(())
    }

    /// Registers a grant for the living boot of a local store. This is sent once: where its answer is lost,
    /// nothing is signed for it, and another grant id is taken.
    pub(crate) fn next_seat(
        &self,
        store: &StoreName,
        grant: &Description,
    ) -> Step<Seat, SeatError> {
        match self.may_sit(store, grant) {
            Err(refusal) => (None, Err(refusal)),
            Ok(generation) => {
                let (store, shard) = (store.clone(), Shard::only());
                let sequence = self.boots.last().saturating_add(1);
                let what = DeskWhat::Seated {
                    store: store.clone(),
                    generation,
                    sequence,
                    grant: Box::new(grant.clone()),
                };
                (Some(what.into()), Ok(Seat { store, shard, generation, sequence }))
            }
        }
    }

    fn may_sit(&self, store: &StoreName, grant: &Description) -> Result<Generation, SeatError> {
        let boot = &self.boots.boots.get(store).ok_or(SeatError::NoBoot)?.boot;
        if boot.audience != grant.audience {
            return Err(SeatError::OtherAudience);
        }
        if self.blocks.cover(selectors(grant)) {
            return Err(SeatError::Blocked);
        }
        if !grant.after.is_empty() {
            return Err(SeatError::Predecessor);
        }
        if grant.end <= self.latest || grant.end > self.latest.plus(TTL_SECONDS_MAX) {
            return Err(SeatError::End);
        }
        if boot.outstanding >= limits::GRANTS_PER_BOOT_MAX {
            return Err(SeatError::Full);
        }
        Ok(boot.generation)
    }

    /// Forgets a local store that is no more. One that is not known is no error: it was forgotten.
    pub(crate) fn dismiss(&self, store: &StoreName) -> Step<(), AdminError> {
        let known = self.boots.boots.contains_key(store);
        (known.then(|| DeskWhat::Dismissed { store: store.clone() }.into()), Ok(()))
    }

    /// The living boot of a local store.
    pub(crate) fn boot(&self, store: &StoreName) -> Option<&Boot> {
        self.boots.boots.get(store).map(|known| &known.boot)
    }

    /// The living boot of every local store, by name.
    pub(crate) fn boots(&self) -> impl Iterator<Item = &Boot> {
        self.boots.iter().map(|known| &known.boot)
    }
}

fn selectors(grant: &Description) -> impl Iterator<Item = Selector> {
    [
        Selector::All,
        Selector::Grant(grant.grant),
        Selector::Agent(grant.agent.clone()),
        Selector::Audience(grant.audience.clone()),
        Selector::Action(grant.action.clone()),
        Selector::Policy(grant.policy),
        Selector::Key(grant.key_id),
    ]
    .into_iter()
    .chain(grant.workflow.clone().map(Selector::Workflow))
}
