//! The lives that anything was minted under: whom a revocation must reach.
//!
//! The list is the ledger's: a life stands on it before anything is registered there, with a second that
//! nothing minted under it outlasts. So an issuer that begins again knows whom to tell. What stands here
//! beside it is what this process has seen of each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use farebox_verifier::UnixSeconds;
use farebox_verifier::limits::TTL_SECONDS_MAX;

use super::server::Open;
use crate::limits;
use crate::store::budget::Hold;
use crate::store::desk::{KnownLife, LifeEnd, LifeError};
use crate::store::{Ledger, LifeId};

/// A life and how far its issuer knows it.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) open: Open,
    /// Nothing that was minted under it ends later.
    pub(super) until: UnixSeconds,
    /// The number of the last event that the view has seen.
    pub(super) seen: u64,
    /// How far its clock was behind ours at most: so much longer it may let something through.
    pub(super) behind: u64,
    /// Whether the view has missed events, and so may not know all of its grants.
    pub(super) missed: bool,
    /// The number of the last event that was drained.
    pub(super) drained: u64,
    /// Whether its own process has said that it is over.
    pub(super) over: bool,
    /// Whether its journal says that it was ended on purpose.
    pub(super) closed: bool,
    /// Whether its journal was drained to its end.
    pub(super) finished: bool,
}

impl Life {
    fn fresh(open: Open) -> Life {
        let (until, seen, behind, drained) = (UnixSeconds(0), 0, 0, 0);
        let (missed, over, closed, finished) = (false, false, false, false);
        Life { open, until, seen, behind, missed, drained, over, closed, finished }
    }

    /// How its journal ended.
    fn end(&self) -> LifeEnd {
        match self.closed {
            true => LifeEnd::Drained,
            false => LifeEnd::Gap { from: self.seen.saturating_add(1) },
        }
    }

    /// When nothing that was minted under it can be spent any more, by our clock.
    pub(super) fn last_end(&self) -> UnixSeconds {
        match self.until {
            UnixSeconds(0) => self.until,
            until => until.plus(self.behind).plus(limits::CLOCK_STEP_SECONDS_MAX),
        }
    }
}

impl From<KnownLife> for Life {
    /// Which process has it is not kept: only one that is met again can say that it is over.
    fn from(known: KnownLife) -> Life {
        let KnownLife { life: id, secret, until, cursor: drained, end, .. } = known;
        let finished = matches!(end, Some(LifeEnd::Drained | LifeEnd::Gap { .. }));
        // Where its end is missing, it may go on in a process that cannot be reached.
        let over = matches!(end, Some(LifeEnd::Over | LifeEnd::Drained));
        let open = Open { id, secret, run_id: Box::default() };
        Life { until, drained, over, finished, ..Life::fresh(open) }
    }
}

/// The lives, by who they are.
pub(super) struct Lives {
    ledger: Arc<Ledger>,
    known: Mutex<BTreeMap<LifeId, Life>>,
}

impl Lives {
    /// The lives that the ledger has.
    pub(super) fn of(ledger: Arc<Ledger>) -> Lives {
        let known = ledger.lives().into_iter().map(Life::from);
        let known = Mutex::new(known.map(|life| (life.open.id.clone(), life)).collect());
        Lives { ledger, known }
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<LifeId, Life>) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a life on the list; nothing may be registered in it before.
    pub(super) async fn opened(
        &self,
        open: &Open,
        fresh: bool,
        now: UnixSeconds,
    ) -> Result<(), LifeError> {
        self.ledger.open_life(&open.id, &open.secret).await?;
        let met = self.with(|lives| match lives.entry(open.id.clone()) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.open = open.clone();
                known.finished = false;
                true
            }
            Entry::Vacant(place) => {
                place.insert(Life::fresh(open.clone()));
                false
            }
        });
        // Another issuer opened it, or this one before it lost its list: anything may be minted under it.
        if !met && !fresh {
            self.promise(&open.id, now.plus(TTL_SECONDS_MAX)).await?;
        }
        Ok(())
    }

    /// Something that ends then is about to be minted under this life.
    pub(super) async fn promise(&self, id: &LifeId, end: UnixSeconds) -> Result<(), LifeError> {
        self.ledger.extend_life(id.generation, end).await?;
        self.change(id, |life| life.until = life.until.max(end));
        Ok(())
    }

    pub(super) fn change(&self, id: &LifeId, change: impl FnOnce(&mut Life)) {
        self.with(|lives| {
            if let Some(life) = lives.get_mut(id) {
                change(life);
            }
        });
    }

    pub(super) fn get(&self, id: &LifeId) -> Option<Life> {
        self.with(|lives| lives.get(id).cloned())
    }

    pub(super) fn all(&self) -> Vec<Life> {
        self.with(|lives| lives.values().cloned().collect())
    }

    /// The holds that were begun and not ended.
    pub(super) fn begun_holds(&self) -> Vec<Hold> {
        self.ledger.holds().into_iter().map(|begun| begun.hold).collect()
    }

    /// So much of its journal is drained. Where the ledger does not hear it, it is drained again.
    pub(super) async fn drained(&self, id: &LifeId, upto: u64) {
        self.change(id, |life| life.drained = life.drained.max(upto));
        let (Ok(()) | Err(_)) = self.ledger.advance(id.generation, upto).await;
    }

    /// All that its journal had is drained. A life that is met again goes on: what ended it was not its own word.
    pub(super) fn finished(&self, id: &LifeId) {
        self.change(id, |life| life.finished = true);
    }

    /// Forgets lives that are drained to their ends and under which nothing lives any more.
    pub(super) async fn forget_over(&self, now: UnixSeconds) {
        // The ledger's end is a later one: a life that is ended there is not minted under again.
        let promised = |life: &Life| {
            let known = self.ledger.life(life.open.id.generation);
            known.map_or(UnixSeconds(0), |known| known.until)
        };
        let over = |life: &Life| life.finished && life.last_end() <= now && promised(life) <= now;
        for life in self.all().into_iter().filter(over) {
            let (id, end) = (&life.open.id, life.end());
            // Where the ledger does not hear it, this is said again.
            if self.ledger.end_life(id.generation, end).await.is_ok()
                && self.ledger.drop_life(id.generation).await.is_ok()
            {
                self.with(|lives| lives.remove(id));
            }
        }
    }
}
