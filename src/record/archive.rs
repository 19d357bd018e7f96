//! The record as the place where a store's journals go for good.
//!
//! Up to where a journal was drained follows from the entries themselves: what is recorded and its cursor are one
//! write. What comes again after a crash is known by its number, and not recorded again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::{Agent, Answer, GrantId};

use super::entry::{Entry, life_text};
use super::remembered::Registrations;
use super::told;
use super::{ReadError, Record};
use crate::limits;
use crate::store::budget::{Hold, HoldId};
use crate::store::desk::{HoldEnd, HoldError};
use crate::store::drain::{Archive, Gap, NotKept};
use crate::store::event::{Description, Event, What};
use crate::store::{Embedded, GrantStore, Ledger, LifeId};

/// Holds that were asked for and not given back since; the rest is looked for among all.
const ASKED_MAX: usize = 4_096;
/// Events of one append: some of them have names of half a kilobyte each.
const EVENTS_OF_ONE_APPEND: usize = 250;

/// Where an issuer's ledger is: in a file of its own, or in that of its store.
pub trait HasLedger: Send + Sync {
    /// The ledger.
    fn ledger(&self) -> &Ledger;
}

impl HasLedger for Ledger {
    fn ledger(&self) -> &Ledger {
        self
    }
}

impl HasLedger for Embedded {
    fn ledger(&self) -> &Ledger {
        Embedded::ledger(self)
    }
}

/// Says of which tenant an agent is.
pub type TenantOf = Arc<dyn Fn(&Agent) -> Option<Box<str>> + Send + Sync>;

/// Keeps the journals of one store in a record, and what becomes of holds in a ledger.
pub struct StoreArchive {
    record: Arc<Record>,
    store: Arc<dyn GrantStore>,
    ledger: Arc<dyn HasLedger>,
    /// How many stores must say that a grant is spent: what one of several says is a vote.
    needed: usize,
    /// The tenants of agents, where they are known.
    tenants: Option<TenantOf>,
    registrations: Mutex<Registrations>,
    asked: Mutex<HashMap<HoldId, GrantId>>,
}

impl StoreArchive {
    /// An archive of this store's journals, whose grants need so many servers to agree.
    #[must_use]
    pub fn new(
        record: Arc<Record>,
        store: Arc<dyn GrantStore>,
        ledger: Arc<dyn HasLedger>,
        needed: usize,
    ) -> StoreArchive {
        let (registrations, asked) = (Mutex::default(), Mutex::default());
        let (needed, tenants) = (needed.max(1), None);
        StoreArchive { record, store, ledger, needed, tenants, registrations, asked }
    }

    /// The same, which says of each entry whose staff may see it.
    #[must_use]
    pub fn with_tenants(mut self, tenants: TenantOf) -> StoreArchive {
        self.tenants = Some(tenants);
        self
    }

    /// The entry, with the tenant of its grant's agent.
    fn sorted(&self, entry: Entry, grant: Option<&Description>) -> Entry {
        let tenant = grant.and_then(|grant| self.tenants.as_ref()?(&grant.agent));
        match tenant {
            Some(tenant) => entry.tenant(&tenant),
            None => entry,
        }
    }

    /// What is known of the grant that an event is about.
    async fn grant_of(&self, life: &LifeId, what: &What) -> Option<Arc<Description>> {
        let sequence = told::sequence_of(what)?;
        let recent = lock(&self.registrations).get((life.generation, sequence));
        match recent {
            Some(grant) => Some(grant),
            None => {
                let listed = self.store.at(life, sequence).await?;
                Some(Arc::new(listed.description))
            }
        }
    }

    async fn entries(&self, life: &LifeId, events: &[Event]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(events.len());
        let mut passed = Vec::new();
        for event in events {
            if let What::Registered { sequence, grant } = &event.what {
                lock(&self.registrations).add((life.generation, *sequence), grant);
            }
            let grant = self.grant_of(life, &event.what).await;
            match told::entry(life, event, grant.as_deref()) {
                Some(entry) => {
                    entries.extend(told::passed_over(life, &std::mem::take(&mut passed)));
                    let whose = match &event.what {
                        What::Registered { grant, .. } => Some(&**grant),
                        _ => grant.as_deref(),
                    };
                    let entry = self.sorted(entry, whose);
                    entries.push(self.counted(entry, &event.what));
                }
                None => passed.push(event),
            }
        }
        entries.extend(told::passed_over(life, &passed));
        entries
    }

    /// Says of a spend how many like it make one, where it takes several.
    fn counted(&self, entry: Entry, what: &What) -> Entry {
        match what {
            What::Spent { .. } if self.needed > 1 => entry.detail("vote_of", self.needed),
            _ => entry,
        }
    }

    /// Appends what may come again, and waits for it.
    async fn kept(&self, entries: Vec<Entry>) -> Result<(), NotKept> {
        let pending = self.record.append_all(entries).map_err(|_not_taken| NotKept)?;
        pending.await.map(drop).map_err(|_lost| NotKept)
    }

    /// Which grant a hold is for.
    fn grant_of_hold(&self, hold: &Hold) -> Option<GrantId> {
        if let Some(grant) = lock(&self.asked).remove(&hold.id) {
            return Some(grant);
        }
        let begun = self.ledger.ledger().holds();
        begun.iter().find(|begun| begun.hold.id == hold.id).map(|begun| begun.grant)
    }
}

impl Archive for StoreArchive {
    fn cursor(&self, life: &LifeId) -> u64 {
        self.record.cursor(&life_text(life))
    }

    fn keep<'a>(
        &'a self,
        life: &'a LifeId,
        events: &'a [Event],
    ) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            for some in events.chunks(EVENTS_OF_ONE_APPEND) {
                let entries = self.entries(life, some).await;
                self.kept(entries).await?;
            }
            Ok(())
        })
    }

    fn gap<'a>(&'a self, life: &'a LifeId, gap: &'a Gap) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            let entry = told::gap(life, gap, self.record.clock.now());
            self.kept(vec![entry]).await
        })
    }

    fn held(&self, grant: GrantId) -> Vec<Hold> {
        let begun = self.ledger.ledger().holds_of(grant);
        let holds = begun.iter().filter(|begun| begun.end.is_none()).map(|begun| begun.hold);
        let holds: Vec<Hold> = holds.collect();
        let mut asked = lock(&self.asked);
        if asked.len() > ASKED_MAX {
            asked.clear();
        }
        asked.extend(holds.iter().map(|hold| (hold.id, grant)));
        holds
    }

    fn given_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            // A hold that nobody knows any more has a window that is over.
            let Some(grant) = self.grant_of_hold(hold) else { return Ok(()) };
            match self.ledger.ledger().end_hold(grant, hold.id, HoldEnd::GivenBack).await {
                Ok(()) | Err(HoldError::Unknown | HoldError::Conflict) => Ok(()),
                Err(_) => Err(NotKept),
            }
        })
    }
}

impl Record {
    /// The number of the last event of this journal that is recorded.
    pub(super) fn cursor(&self, life: &str) -> u64 {
        self.lock().known.lives.get(life).map_or(0, |drained| drained.cursor)
    }

    /// The events of a life that are recorded, in order, some at a time: what a store's view has to be told after a
    /// start (`Fleet::remember`) before anything is asked of it. Blocks, and reads all that was recorded since the
    /// life began.
    ///
    /// # Errors
    /// [`ReadError`] where a file cannot be read, or what stands there cannot be believed.
    pub fn events_of(
        &self,
        life: &LifeId,
        mut show: impl FnMut(&[Event]),
    ) -> Result<(), ReadError> {
        let text = life_text(life);
        let segment = self.lock().known.lives.get(&text).map(|drained| drained.segment);
        let Some(segment) = segment else { return Ok(()) };
        // Files that were taken away to where they are archived cannot be shown.
        let first = self.reader.segments()?.first().copied().unwrap_or(1);
        let mut lines = self.reader.lines_in(segment.max(first), 0);
        let wanted = format!(r#","life":"{text}","#);
        loop {
            let (mut events, mut flaw) = (Vec::new(), None);
            let more = lines.next(|_, bytes| {
                if std::str::from_utf8(bytes).is_ok_and(|line| line.contains(&wanted)) {
                    match super::Recorded::read(bytes) {
                        Ok(recorded) => events.extend(told::events_of(&recorded.entry)),
                        Err(source) => flaw = Some(source),
                    }
                }
            })?;
            if let Some(source) = flaw {
                let path = super::folder::segment_path(self.reader.folder(), lines.segment());
                return Err(ReadError::Line { path, source });
            }
            events.chunks(limits::EVENTS_MAX).for_each(&mut show);
            if !more {
                return Ok(());
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
