//! The lives of stores: which there are, until when something minted under each may be spent, and how far
//! each was drained.
//!
//! What is minted under a life must not outlast what this list says, or a revocation would call a life
//! reached that still lets something through. So the end is promised before the grant is registered; and it
//! is promised in whole steps of ten minutes, so that a synced write comes once in ten minutes and not once
//! for each grant. A life that cannot be reached is waited for up to ten minutes longer than it need be.

use std::collections::BTreeMap;

use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::{Generation, UnixSeconds};

use super::event::{DeskChange, DeskWhat};
use super::words::EventSecret;
use super::{Desk, Step};
use crate::limits;
use crate::store::LifeId;
use crate::store::packed::{choices, fields};

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeEnd {
    /// Nothing more is granted in it; there may be more to drain.
    Over,
    /// All of its events were drained, its closing word among them.
    Drained,
    /// What it told after this number is lost.
    Gap {
        /// The first number that is missing.
        from: u64,
    },
}

choices!(LifeEnd { 0_u8 = Over, 1_u8 = Drained, 2_u8 = Gap { from } });

/// A life, as its issuer knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLife {
    /// Which.
    pub life: LifeId,
    /// What its events carry.
    pub secret: EventSecret,
    /// When it was opened.
    pub opened_at: UnixSeconds,
    /// Nothing that was minted under it ends later.
    pub until: UnixSeconds,
    /// The number of its last event that was drained.
    pub cursor: u64,
    /// How it ended; nothing while it lives.
    pub end: Option<LifeEnd>,
}

fields!(KnownLife { life, secret, opened_at, until, cursor, end });

/// Why a life is not on the list as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifeError {
    /// It is not on the list.
    #[error("no such life")]
    Unknown,
    /// It is on the list, with another store, part or secret.
    #[error("life is known to be another")]
    Conflict,
    /// It has ended.
    #[error("life is over")]
    Over,
    /// A grant under it would have ended already, or last longer than any.
    #[error("no grant lasts until then")]
    Until,
    /// It is not drained, or something that was minted under it may not have ended.
    #[error("life still matters")]
    Matters,
    /// As many lives are remembered as may be.
    #[error("too many lives")]
    Full,
    /// Nobody knows whether it is kept; asking again is safe.
    #[error("desk is down")]
    Down,
}

/// The lives.
#[derive(Default)]
pub(super) struct Lives(BTreeMap<Generation, KnownLife>);

impl Lives {
    pub(super) fn insert(&mut self, life: KnownLife) {
        self.0.insert(life.life.generation, life);
    }

    pub(super) fn change(&mut self, generation: Generation, change: impl FnOnce(&mut KnownLife)) {
        if let Some(life) = self.0.get_mut(&generation) {
            change(life);
        }
    }

    pub(super) fn dropped(&mut self, generation: Generation) {
        self.0.remove(&generation);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KnownLife> {
        self.0.values()
    }
}

impl Desk {
    /// Puts a life on the list, before anything is registered in it. Asked again, it is the same.
    pub(crate) fn open_life(&self, life: &LifeId, secret: &EventSecret) -> Step<(), LifeError> {
        match self.lives.0.get(&life.generation) {
            Some(known) if known.life == *life && known.secret == *secret => (None, Ok(())),
            Some(_) => (None, Err(LifeError::Conflict)),
            None if self.lives.0.len() >= limits::LIVES_MAX => (None, Err(LifeError::Full)),
            None => {
                let what = DeskWhat::LifeOpened { life: life.clone() };
                (Some(DeskChange { what, secret: Some(secret.clone()) }), Ok(()))
            }
        }
    }

    /// Promises that nothing minted under this life ends later than what is answered, which is no earlier
    /// than `end`. It comes before the grant is registered, and changes something once in ten minutes.
    pub(crate) fn extend_life(
        &self,
        generation: Generation,
        end: UnixSeconds,
    ) -> Step<UnixSeconds, LifeError> {
        let Some(known) = self.lives.0.get(&generation) else {
            return (None, Err(LifeError::Unknown));
        };
        if known.end.is_some() {
            return (None, Err(LifeError::Over));
        }
        if end <= self.latest || end > self.latest.plus(TTL_SECONDS_MAX) {
            return (None, Err(LifeError::Until));
        }
        if end <= known.until {
            return (None, Ok(known.until));
        }
        let until = promised(end);
        (Some(DeskWhat::LifeExtended { generation, until }.into()), Ok(until))
    }

    /// Says that the events up to this number are drained. An earlier number is no error. This need not be
    /// awaited: what is forgotten of it is drained again, and counted once.
    pub(crate) fn advance(&self, generation: Generation, cursor: u64) -> Step<(), LifeError> {
        match self.lives.0.get(&generation) {
            None => (None, Err(LifeError::Unknown)),
            Some(known) if cursor <= known.cursor => (None, Ok(())),
            Some(KnownLife { end: None | Some(LifeEnd::Over), .. }) => {
                (Some(DeskWhat::LifeDrained { generation, cursor }.into()), Ok(()))
            }
            Some(_) => (None, Err(LifeError::Over)),
        }
    }

    /// Says that a life is over, or how its draining ended. Said again, it is the same.
    pub(crate) fn end_life(&self, generation: Generation, end: LifeEnd) -> Step<(), LifeError> {
        let ends = || Some(DeskWhat::LifeEnded { generation, end }.into());
        match self.lives.0.get(&generation).map(|known| known.end) {
            None => (None, Err(LifeError::Unknown)),
            Some(Some(known)) if known == end => (None, Ok(())),
            Some(None | Some(LifeEnd::Over)) => (ends(), Ok(())),
            // Whoever ends a life twice learns no less by it.
            Some(Some(LifeEnd::Drained | LifeEnd::Gap { .. })) if end == LifeEnd::Over => {
                (None, Ok(()))
            }
            Some(Some(_)) => (None, Err(LifeError::Over)),
        }
    }

    /// Takes a life off the list, once nothing minted under it can be spent and nothing of it is left to
    /// drain. One that is not there is no error: it was taken off.
    pub(crate) fn drop_life(&self, generation: Generation) -> Step<(), LifeError> {
        match self.lives.0.get(&generation) {
            None => (None, Ok(())),
            Some(KnownLife {
                end: Some(LifeEnd::Drained | LifeEnd::Gap { .. }), until, ..
            }) if *until <= self.latest => {
                (Some(DeskWhat::LifeDropped { generation }.into()), Ok(()))
            }
            Some(_) => (None, Err(LifeError::Matters)),
        }
    }

    /// One life.
    pub(crate) fn life(&self, generation: Generation) -> Option<&KnownLife> {
        self.lives.0.get(&generation)
    }

    /// Every life on the list.
    pub(crate) fn lives(&self) -> impl Iterator<Item = &KnownLife> {
        self.lives.iter()
    }
}

/// The end of the step that `end` is in.
fn promised(end: UnixSeconds) -> UnixSeconds {
    let step = limits::LIFE_STEP_SECONDS;
    UnixSeconds(end.0 - end.0 % step).plus(step)
}
