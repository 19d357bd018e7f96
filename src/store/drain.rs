//! The drain: takes the journals' events to where they are kept for good, and ends what is over.
//!
//! ```text
//!  journal ──lease──→ events, in order ──→ archive keeps them and the cursor ──→ trim
//!                          └─→ never spent, or void: what was held is given back
//!  due ──lease──→ lapse: unspent grants expire, spent ones that nobody settled become unknown
//! ```
//! What is not kept is never trimmed. A drain that dies between the two leaves events that are kept already:
//! they are read again, by their numbers not kept again, and what follows from them is done. A missing
//! number, and a life that ended without a last word, are gaps, and said.

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
    /// Living lives that this drain has had the lease of.
    led: HashSet<LifeId>,
    /// Grants whose holds are to be given back, where a budget's server did not answer. Were they
    /// forgotten, their holds would last to the end of their windows.
    owed: HashSet<GrantId>,
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
        let (unspent, led, owed) = (HashMap::new(), HashSet::new(), HashSet::new());
        Drain { store, archive, holder: holder.into(), needed: needed.max(1), unspent, led, owed }
    }

    /// One round over all journals.
    pub async fn round(&mut self) -> Round {
        let mut round = Round::default();
        let Ok(journals) = self.store.journals().await else {
            round.failed = 1;
            return round;
        };
        for grant in std::mem::take(&mut self.owed) {
            if self.hand_back(grant, &mut round).await.is_err() {
                self.owed.insert(grant);
            }
        }
        for journal in journals {
            if self.one(&journal, &mut round).await.is_err() {
                round.failed += 1;
            }
        }
        match self.store.journals().await {
            Ok(journals) => round.lag = journals.iter().map(left).sum(),
            Err(_) => round.failed += 1,
        }
        round
    }

    async fn one(&mut self, journal: &Journal, round: &mut Round) -> Result<(), Stuck> {
        let life = &journal.life;
        // A lease is an event of its own: asked for in each round, it would fill the journal that is drained
        // under it, for ever.
        let known = journal.living && self.led.contains(life);
        if known && left(journal) == 0 && self.store.due(life).await.is_empty() {
            // A server that is away has nothing left, as far as anybody knows; asked, it does not say so.
            let more = self.store.events(life, journal.last).await.or(Err(Stuck))?;
            if more.is_empty() {
                return Ok(());
            }
        }
        let lease = match journal.living {
            false => None,
            true => match self.store.lease(life, DRAIN, &self.holder, LEASE_SECONDS).await {
                Ok(lease) => {
                    self.led.insert(life.clone());
                    Some(lease)
                }
                Err(super::lease::LeaseError::Held { .. }) => {
                    self.led.remove(life);
                    round.others += 1;
                    return Ok(());
                }
                Err(_) => return Err(Stuck),
            },
        };
        if let Some(lease) = lease {
            self.lapse(life, lease, round).await?;
        }
        let kept = self.take_out(journal, lease, round).await?;
        match lease {
            Some(_) => Ok(()),
            None => self.ended(life, kept, round).await,
        }
    }

    /// Takes all events out, and lets the journal forget them.
    async fn take_out(
        &mut self,
        journal: &Journal,
        lease: Option<Lease>,
        round: &mut Round,
    ) -> Result<u64, Stuck> {
        let life = &journal.life;
        let mut kept = self.archive.cursor(life);
        let mut read = kept.min(journal.drained);
        loop {
            let events = match self.store.events(life, read).await {
                Ok(events) => events,
                Err(JournalError::Gone) if lease.is_none() => return Ok(kept),
                Err(_) => return Err(Stuck),
            };
            let Some(last) = events.last().map(|event| event.number) else { return Ok(kept) };
            for gap in gaps(kept, &events) {
                self.archive.gap(life, &gap).await?;
                round.gaps += 1;
            }
            let fresh = events.partition_point(|event| event.number <= kept);
            if let Some(fresh) = events.get(fresh..).filter(|fresh| !fresh.is_empty()) {
                self.archive.keep(life, fresh).await?;
            }
            (kept, read) = (kept.max(last), last);
            for event in &events {
                self.follow(life, event, lease.is_some(), round).await?;
            }
            self.let_go(life, read, lease).await?;
            round.events += u64::try_from(events.len()).unwrap_or(0);
        }
    }

    async fn let_go(&self, life: &LifeId, upto: u64, lease: Option<Lease>) -> Result<(), Stuck> {
        let lease = lease.unwrap_or(Lease { number: 0, end: farebox_verifier::UnixSeconds(0) });
        match self.store.trim(life, upto, lease).await {
            Ok(()) | Err(JournalError::Gone) => Ok(()),
            Err(_) => Err(Stuck),
        }
    }

    async fn lapse(&self, life: &LifeId, lease: Lease, round: &mut Round) -> Result<(), Stuck> {
        // One whose end the view has missed is due again and again.
        let mut asked = HashSet::new();
        loop {
            let mut due = self.store.due(life).await;
            due.retain(|sequence| asked.insert(*sequence));
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
    async fn ended(&mut self, life: &LifeId, kept: u64, round: &mut Round) -> Result<(), Stuck> {
        // A journal without events is still there.
        self.let_go(life, kept, None).await?;
        if !self.store.closed(life).await {
            self.archive.gap(life, &Gap::Ending { after: kept }).await?;
            round.gaps += 1;
        }
        self.store.forget(life).await;
        self.led.remove(life);
        Ok(())
    }

    /// Does what follows from an event: what is held for a grant that did nothing, by the word of a living
    /// registration, is given back.
    async fn follow(
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
        if self.archive.held(grant).is_empty() {
            return Ok(());
        }
        // A registration that was delivered twice has another number, which may be spent.
        if !void && !self.store.unspent(life, grant).await {
            return Ok(());
        }
        // One store's word is not enough where it takes several: a lone vote may be declared void by whoever lost,
        // while another attempt was granted by the others.
        if self.needed > 1 {
            let said = self.unspent.entry(grant).or_default();
            said.insert(life.store.clone());
            if said.len() < self.needed {
                return Ok(());
            }
            self.unspent.remove(&grant);
        }
        self.hand_back(grant, round).await
    }

    /// Gives back all that is held for a grant. A server that counts a budget and is away keeps no other
    /// server's journal from being drained.
    async fn hand_back(&mut self, grant: GrantId, round: &mut Round) -> Result<(), Stuck> {
        for hold in self.archive.held(grant) {
            if self.store.give_back(&hold).await.is_err() {
                self.owed.insert(grant);
                continue;
            }
            self.archive.given_back(&hold).await?;
            round.given_back += 1;
        }
        Ok(())
    }
}

/// How many events are still in a journal.
fn left(journal: &Journal) -> u64 {
    journal.last.saturating_sub(journal.drained)
}

/// The numbers that are missing between what is kept and these events, and among them.
fn gaps(kept: u64, events: &[Event]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut expected = kept.saturating_add(1);
    for number in events.iter().map(|event| event.number) {
        if number > expected {
            gaps.push(Gap::Missing { from: expected, to: number - 1 });
        }
        expected = expected.max(number.saturating_add(1));
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
