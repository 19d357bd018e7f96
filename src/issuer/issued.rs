//! What was issued, for those who ask again: the latest in memory, all others where the record has them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farebox_verifier::{Agent, Clock, Grant, GrantId, UnixSeconds};

use super::{Refused, Tenants, written};
use crate::limits;
use crate::record::{Entry, Kind, Order, Query, ReadError, Record};

/// A grant that was issued, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IssuedGrant {
    pub(super) grant: Grant,
    /// The key that signed it.
    pub(super) key_id: u32,
    /// The rule that allowed it.
    pub(super) rule: Option<String>,
}

/// The grants that this issuer has issued, as long as somebody may ask for them again: until their time is over,
/// and that of settling them.
pub(super) struct IssuedBook {
    record: Arc<Record>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

struct Known {
    /// Where the record has each of them, and until when that may matter.
    places: HashMap<GrantId, (u64, UnixSeconds)>,
    /// When those that are over were last forgotten.
    swept: UnixSeconds,
    latest: HashMap<GrantId, Arc<IssuedGrant>>,
    order: VecDeque<GrantId>,
}

impl Known {
    fn none() -> Known {
        let (places, latest, order) = (HashMap::new(), HashMap::new(), VecDeque::new());
        Known { places, swept: UnixSeconds(0), latest, order }
    }
}

impl IssuedBook {
    /// What the record knows. Blocks, and reads what was recorded in the last hour or so.
    pub(super) fn open(
        record: Arc<Record>,
        clock: Arc<dyn Clock>,
        tenants: &Tenants,
    ) -> Result<IssuedBook, ReadError> {
        let book = IssuedBook { record, clock, known: Mutex::new(Known::none()) };
        let oldest = book.clock.now().minus(limits::ISSUED_KNOWN_SECONDS);
        let mut query = Query {
            kind: Some(Kind::Issued),
            order: Order::NewestFirst,
            limit: limits::RECORD_LIST_MAX,
            ..Query::default()
        };
        loop {
            let page = book.record.reader().search(&query)?;
            for found in &page.items {
                if found.entry.at.is_none_or(|at| at < oldest) {
                    return Ok(book);
                }
                // One that cannot be read was issued all the same.
                let grant = found.entry.grant.as_deref().and_then(GrantId::from_hex);
                if let (Some(grant), Some(at)) = (grant, found.entry.at) {
                    book.place(grant, found.n, at);
                    learn(&found.entry, at, tenants);
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(book),
            }
        }
    }

    /// Where the record has a grant. That is known for as long as its key may pass to another grant, though the grant
    /// itself is over long before: a key of which nobody knows that it was used would be used again.
    fn place(&self, grant: GrantId, n: u64, issued_at: UnixSeconds) {
        let until = issued_at.plus(limits::ISSUED_KNOWN_SECONDS);
        let now = self.clock.now();
        let mut known = self.lock();
        if now.minus(limits::ISSUED_SWEPT_SECONDS) >= known.swept {
            known.swept = now;
            known.places.retain(|_, (_, until)| *until > now);
        }
        known.places.insert(grant, (n, until));
    }

    /// The entry that says that a grant was issued: with it, the same token can be made again.
    pub(super) fn entry(issued: &IssuedGrant) -> Entry {
        let grant = &issued.grant;
        let mut entry = Entry::of(Kind::Issued)
            .grant(grant.id)
            .agent(&grant.agent)
            .audience(&grant.audience)
            .action(&grant.action)
            .resource(&grant.resource)
            .policy(grant.policy);
        if let Some((workflow, step)) = &grant.workflow {
            entry = entry.workflow(workflow).step(step);
        }
        if let Some(rule) = &issued.rule {
            entry = entry.rule(rule);
        }
        entry.detail("key", issued.key_id).detail("token", written::write(grant))
    }

    /// Remembers a grant whose entry is durable, under this number.
    pub(super) fn keep(&self, issued: IssuedGrant, n: u64) -> Arc<IssuedGrant> {
        self.place(issued.grant.id, n, self.clock.now());
        self.remember(issued)
    }

    fn remember(&self, issued: IssuedGrant) -> Arc<IssuedGrant> {
        let issued = Arc::new(issued);
        let mut known = self.lock();
        let Known { latest, order, .. } = &mut *known;
        if latest.insert(issued.grant.id, Arc::clone(&issued)).is_none() {
            order.push_back(issued.grant.id);
        }
        if order.len() > limits::ISSUED_LATEST
            && let Some(oldest) = order.pop_front()
        {
            latest.remove(&oldest);
        }
        issued
    }

    /// The grant of this id, if this issuer has issued it and it may still matter.
    ///
    /// # Errors
    /// [`Refused::RecordDown`] where the record cannot be read: that is no "never issued".
    pub(super) async fn find(&self, grant: GrantId) -> Result<Option<Arc<IssuedGrant>>, Refused> {
        let n = {
            let known = self.lock();
            if let Some(found) = known.latest.get(&grant) {
                return Ok(Some(Arc::clone(found)));
            }
            match known.places.get(&grant) {
                Some((n, _)) => *n,
                None => return Ok(None),
            }
        };
        let record = Arc::clone(&self.record);
        let entries = tokio::task::spawn_blocking(move || record.reader().entries(&[n])).await;
        let entries = entries.or(Err(Refused::RecordDown))?.or(Err(Refused::RecordDown))?;
        let issued = entries.first().and_then(|found| read(&found.entry));
        let issued = issued.filter(|issued| issued.grant.id == grant).ok_or(Refused::RecordDown)?;
        Ok(Some(self.remember(issued)))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose an agent was when its token was issued. The newest comes first, and counts.
fn learn(entry: &Entry, at: UnixSeconds, tenants: &Tenants) {
    let tenant = entry.detail.as_ref().and_then(|detail| detail.get("tenant")?.as_str());
    let agent = entry.agent.as_deref().and_then(|agent| Agent::parse(agent).ok());
    if let (Some(tenant), Some(agent)) = (tenant, agent)
        && tenants.of(&agent).is_none()
    {
        tenants.put(&agent, tenant, at);
    }
}

fn read(entry: &Entry) -> Option<IssuedGrant> {
    let detail = entry.detail.as_ref()?;
    Some(IssuedGrant {
        grant: written::read(detail.get("token")?)?,
        key_id: u32::try_from(detail.get("key")?.as_u64()?).ok()?,
        rule: entry.rule.as_deref().map(str::to_owned),
    })
}
