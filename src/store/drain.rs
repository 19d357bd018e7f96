//! The drain: takes the journals' events to where they are kept for good, and ends what is over.
//!
//! ```text
//!  journal ──lease──→ events, in order ──→ archive keeps them and the cursor ──→ trim
//!                          └─→ never spent, or void: what was held is given back
//!  due ──lease──→ lapse: unspent grants expire, spent ones that nobody settled become unknown
//! ```
//! Events arrive at least once: a drain that dies between keeping and trimming reads them again, and the
//! number of each tells. What is not kept is never trimmed. A missing number, and a life that ended without
//! a last word, are gaps, and said.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use farebox_verifier::{Answer, GrantId, Outcome, StoreName};

use super::budget::Hold;
use super::event::{Event, What};
use super::lease::Lease;
use super::{DRAIN, GrantStore, Journal, JournalError, LifeId};

/// How long the lease is asked for: another drain takes over so soon after this one died.
const LEASE_SECONDS: u64 = 10;

/// What the journal of a life does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Events between two that are there.
    Missing {
        /// The first number that is missing.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The life is over and its journal did not say so: what came after this number, if anything, nobody
    /// knows. Its grants that are not shown as over are unknown.
    Ending {
        /// The last number that is known.
        after: u64,
    },
}

/// Where events go for good.
pub trait Archive: Send + Sync {
    /// The number of the last event that is kept of this life.
    fn cursor(&self, life: &LifeId) -> u64;

    /// Keeps events, each once by its number, and the cursor with them; durable before it answers.
    ///
    /// # Errors
    /// [`NotKept`] where they are not: they are brought again.
    fn keep<'a>(&'a self, life: &'a LifeId, events: &'a [Event])
    -> Answer<'a, Result<(), NotKept>>;

    /// Keeps that something is not known.
    ///
    /// # Errors
    /// [`NotKept`] where it is not kept: it is brought again.
    fn gap<'a>(&'a self, life: &'a LifeId, gap: &'a Gap) -> Answer<'a, Result<(), NotKept>>;

    /// What was taken for this grant and not given back.
    fn held(&self, grant: GrantId) -> Vec<Hold>;

    /// A hold was given back.
    ///
    /// # Errors
    /// [`NotKept`] where that is not kept: it is given back again, which changes nothing.
    fn given_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), NotKept>>;
}

/// What was brought is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("archive cannot keep what it is told")]
pub struct NotKept;

/// What one round of the drain did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Events that were taken out.
    pub events: u64,
    /// Events that are still in journals.
    pub lag: u64,
    /// Grants that were ended.
    pub lapsed: u64,
    /// Holds that were given back.
    pub given_back: u64,
    /// Gaps that were found.
    pub gaps: u64,
    /// Journals that somebody else drains.
    pub others: u64,
    /// Journals that could not be read, or not be let go of.
    pub failed: u64,
}

/// A drain of one store.
pub struct Drain {
    store: Arc<dyn GrantStore>,
    archive: Arc<dyn Archive>,
    holder: Box<str>,
    /// How many stores must say that a grant was never spent.
    needed: usize,
    /// Which stores have said so, of grants that something is held for.
    unspent: HashMap<GrantId, HashSet<StoreName>>,
}

impl Drain {
    /// A drain under this holder's name, of a store whose grants need so many servers to agree.
    #[must_use]
    pub fn new(
        store: Arc<dyn GrantStore>,
        archive: Arc<dyn Archive>,
        holder: &str,
        needed: usize,
    ) -> Drain {
        let unspent = HashMap::new();
        Drain { store, archive, holder: holder.into(), needed: needed.max(1), unspent }
    }

    /// One round over all journals.
    pub async fn round(&mut self) -> Round {
        let mut round = Round::default();
        let Ok(journals) = self.store.journals().await else {
            round.failed = 1;
            return round;
        };
        for journal in journals {
            if self.one(&journal, &mut round).await.is_err() {
                round.failed += 1;
            }
        }
        round
    }

    async fn one(&mut self, journal: &Journal, round: &mut Round) -> Result<(), Stuck> {
        let life = &journal.life;
        let lease = match journal.living {
            false => None,
            true => match self.store.lease(life, DRAIN, &self.holder, LEASE_SECONDS).await {
                Ok(lease) => Some(lease),
                Err(super::lease::LeaseError::Held { .. }) => {
                    round.others += 1;
                    return Ok(());
                }
                Err(_) => return Err(Stuck),
            },
        };
        if let Some(lease) = lease {
            self.lapse(life, lease, round).await?;
        }
        let kept = self.take_out(life, lease, round).await?;
        match lease {
            Some(_) => round.lag += self.lag(life, kept).await,
            None => self.ended(life, kept, round).await?,
        }
        Ok(())
    }

    /// Takes all events out, and lets the journal forget them.
    async fn take_out(
        &mut self,
        life: &LifeId,
        lease: Option<Lease>,
        round: &mut Round,
    ) -> Result<u64, Stuck> {
        let mut cursor = self.archive.cursor(life);
        loop {
            let events = match self.store.events(life, cursor).await {
                Ok(events) => events,
                Err(JournalError::Gone) if lease.is_none() => return Ok(cursor),
                Err(_) => return Err(Stuck),
            };
            let (Some(first), Some(last)) = (events.first(), events.last()) else { break };
            let last = last.number;
            for gap in gaps(cursor, first.number, &events) {
                self.archive.gap(life, &gap).await?;
                round.gaps += 1;
            }
            self.archive.keep(life, &events).await?;
            for event in &events {
                self.give_back(life, event, lease.is_some(), round).await?;
            }
            round.events += u64::try_from(events.len()).unwrap_or(0);
            cursor = last;
            self.let_go(life, cursor, lease).await?;
        }
        Ok(cursor)
    }

    async fn let_go(&self, life: &LifeId, upto: u64, lease: Option<Lease>) -> Result<(), Stuck> {
        let lease = lease.unwrap_or(Lease { number: 0, end: farebox_verifier::UnixSeconds(0) });
        match self.store.trim(life, upto, lease).await {
            Ok(()) | Err(JournalError::Gone) => Ok(()),
            Err(_) => Err(Stuck),
        }
    }

    async fn lag(&self, life: &LifeId, kept: u64) -> u64 {
        let journals = self.store.journals().await.unwrap_or_default();
        let journal = journals.into_iter().find(|journal| journal.life == *life);
        journal.map_or(0, |journal| journal.last.saturating_sub(kept))
    }

    async fn lapse(&self, life: &LifeId, lease: Lease, round: &mut Round) -> Result<(), Stuck> {
        loop {
            let due = self.store.due(life).await;
            if due.is_empty() {
                return Ok(());
            }
            let lapsed = self.store.lapse(life, &due, lease).await.map_err(|_journal| Stuck)?;
            let ended = due.len().saturating_sub(lapsed.not_yet.len());
            round.lapsed += u64::try_from(ended).unwrap_or(0);
            // The store's clock is behind ours: the rest is for a later round.
            if ended == 0 {
                return Ok(());
            }
        }
    }

    /// A life that will say nothing more.
    async fn ended(&self, life: &LifeId, kept: u64, round: &mut Round) -> Result<(), Stuck> {
        if !self.store.closed(life).await {
            self.archive.gap(life, &Gap::Ending { after: kept }).await?;
            round.gaps += 1;
        }
        self.store.forget(life).await;
        Ok(())
    }

    /// Gives back what is held for a grant that did nothing, by the word of a living registration.
    async fn give_back(
        &mut self,
        life: &LifeId,
        event: &Event,
        living: bool,
        round: &mut Round,
    ) -> Result<(), Stuck> {
        let (sequence, void) = match &event.what {
            What::Settled { sequence, outcome: Outcome::Void } => (*sequence, true),
            What::Expired { sequence } | What::Revoked { sequence, spent: false } if living => {
                (*sequence, false)
            }
            _ => return Ok(()),
        };
        let Some(listed) = self.store.at(life, sequence).await else { return Ok(()) };
        let grant = listed.description.grant;
        let held = self.archive.held(grant);
        if held.is_empty() {
            return Ok(());
        }
        if !void {
            // A registration that was delivered twice has another number, which may be spent.
            if !self.store.unspent(life, grant).await {
                return Ok(());
            }
            let said = self.unspent.entry(grant).or_default();
            said.insert(life.store.clone());
            if said.len() < self.needed {
                return Ok(());
            }
            self.unspent.remove(&grant);
        }
        for hold in held {
            self.store.give_back(&hold).await.map_err(|_admin| Stuck)?;
            self.archive.given_back(&hold).await?;
            round.given_back += 1;
        }
        Ok(())
    }
}

/// The numbers that are missing before and among these events.
fn gaps(cursor: u64, first: u64, events: &[Event]) -> Vec<Gap> {
    let numbers = events.iter().map(|event| event.number);
    let mut gaps = Vec::new();
    let mut expected = cursor.saturating_add(1).min(first);
    for number in numbers {
        if number > expected {
            gaps.push(Gap::Missing { from: expected, to: number - 1 });
        }
        expected = number.saturating_add(1);
    }
    gaps
}

/// A journal that is left for the next round.
struct Stuck;

impl From<NotKept> for Stuck {
    fn from(_: NotKept) -> Stuck {
        Stuck
    }
}
