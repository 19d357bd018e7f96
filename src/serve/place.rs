//! Where grants are registered: a file, or servers; and how each begins and ends.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use farebox_verifier::redis::{Address, RedisStore, Topology, Waits};
use farebox_verifier::{Clock, PolicyHash, SpendStore};
use tokio::sync::Mutex;

use super::error::whole;
use super::{ServeError, file_store};
use crate::record::Record;
use crate::store::budget::Hold;
use crate::store::embedded::Start;
use crate::store::event::OldGrants;
use crate::store::redis::{Fleet, Servers};
use crate::store::{AdminError, Embedded, GrantStore, Ledger, LifeId};

/// Which store.
pub enum StoreSettings {
    /// A file in the data folder.
    Embedded,
    /// Servers.
    Redis(RedisSettings),
}

/// Servers, and the users by which they are asked.
pub struct RedisSettings {
    /// How they stand to each other.
    pub topology: Topology,
    /// Where they are, with the issuer's user.
    pub servers: Vec<Address>,
    /// The same servers, with the user that spends.
    pub spenders: Vec<Address>,
    /// How long is waited.
    pub waits: Waits,
}

/// The store of a running issuer.
pub(super) struct Place {
    kind: Kind,
    pub(super) store: Arc<dyn GrantStore>,
    pub(super) spender: Arc<dyn SpendStore>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) needed: NonZeroUsize,
    /// The lives that count their budgets.
    counted: Mutex<BTreeSet<LifeId>>,
    /// What its operator should know of how it began.
    pub(super) told: Vec<String>,
}

enum Kind {
    File(Arc<Embedded>),
    Servers(Arc<Fleet>),
}

impl Place {
    pub(super) async fn open(
        settings: &StoreSettings,
        data: &Path,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
    ) -> Result<Place, ServeError> {
        match settings {
            StoreSettings::Embedded => Place::file(data, clock, policy).await,
            StoreSettings::Redis(redis) => Place::servers(redis, data, clock, policy),
        }
    }

    async fn file(
        data: &Path,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
    ) -> Result<Place, ServeError> {
        let name = file_store().ok_or(ServeError::StoreName)?;
        let (store, opened) = Embedded::open(&data.join("store"), name, clock, policy)?;
        let mut told = Vec::new();
        if let Start::Unsealed { fenced } | Start::ClockBehind { fenced } = opened.start {
            told.push(format!(
                "the store was not closed in good order: another life begins, and {fenced} grants that were \
                 outstanding are fenced"
            ));
        }
        if opened.policy != policy {
            // What was allowed under other policies is asked again.
            let set = store.set_policy(policy, OldGrants::Revoked).await;
            let _everywhere = set.or(Err(ServeError::StoreDown))?;
        }
        let (ledger, store) = (Arc::clone(store.ledger()), Arc::new(store));
        Ok(Place {
            store: Arc::clone(&store) as _,
            spender: Arc::clone(&store) as _,
            kind: Kind::File(store),
            ledger,
            needed: NonZeroUsize::MIN,
            counted: Mutex::default(),
            told,
        })
    }

    fn servers(
        redis: &RedisSettings,
        data: &Path,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
    ) -> Result<Place, ServeError> {
        let ledger = Arc::new(Ledger::open(&data.join("ledger"), Arc::clone(&clock))?);
        let spender = || RedisStore::new(redis.topology, redis.spenders.clone(), redis.waits);
        let servers = Servers {
            topology: redis.topology,
            addresses: redis.servers.clone(),
            spender: spender()?,
            waits: redis.waits,
            issuer: 0,
            issuers: 1,
        };
        let fleet = Arc::new(Fleet::new(servers, clock, policy, Arc::clone(&ledger))?);
        let needed = redis.topology.needed(redis.servers.len());
        Ok(Place {
            store: Arc::clone(&fleet) as _,
            spender: Arc::clone(&fleet) as _,
            kind: Kind::Servers(fleet),
            ledger,
            needed: NonZeroUsize::new(needed).unwrap_or(NonZeroUsize::MIN),
            counted: Mutex::default(),
            told: Vec::new(),
        })
    }

    /// Tells the store what the record knows, and opens it. What is away now is tried again later: an issuer
    /// starts without its store, and refuses.
    pub(super) async fn begin(&self, record: &Record) -> Vec<String> {
        if let Kind::Servers(fleet) = &self.kind {
            for known in self.ledger.lives() {
                let life = &known.life;
                let told = record.events_of(life, |events| fleet.remember(life, events));
                if let Err(error) = told {
                    let error = whole(&error);
                    tracing::error!(error, "what the record knows of a life cannot be read");
                }
            }
        }
        let mut wrong = self.tend().await;
        wrong.extend(self.store.trouble().map(|what| format!("nothing is granted: {what}")));
        wrong
    }

    /// One round: lives are opened and looked after, and budgets counted again. Gives what is wrong.
    pub(super) async fn tend(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Kind::Servers(fleet) = &self.kind {
            wrong.extend(fleet.tend().await.into_iter().map(|error| whole(&error)));
        }
        if let Err(error) = self.open_budgets().await {
            wrong.push(format!("budgets are not counted: {error}"));
        }
        wrong
    }

    /// Brings in what is held, once for each life: a hold that is taken meanwhile is the store's own to count.
    async fn open_budgets(&self) -> Result<(), AdminError> {
        let journals = self.store.journals().await.or(Err(AdminError::Down))?;
        let living: BTreeSet<LifeId> = journals
            .into_iter()
            .filter(|journal| journal.living)
            .map(|journal| journal.life)
            .collect();
        if living.is_empty() || *self.counted.lock().await == living {
            return Ok(());
        }
        let holds: Vec<Hold> = self.ledger.holds().into_iter().map(|begun| begun.hold).collect();
        self.store.open_budgets(&holds).await?;
        *self.counted.lock().await = living;
        Ok(())
    }

    /// Waits until it is worth tending again.
    pub(super) async fn knocked(&self, at_most: Duration) {
        match &self.kind {
            Kind::File(_) => tokio::time::sleep(at_most).await,
            Kind::Servers(fleet) => fleet.knocked(at_most).await,
        }
    }

    /// Closes it in good order.
    pub(super) async fn close(&self) {
        let closed = match &self.kind {
            Kind::File(store) => store.close().await.map_err(|error| whole(&error)),
            // Its lives go on: another start of this issuer finds them, and its grants may be spent meanwhile.
            Kind::Servers(_) => self.ledger.close().await.map_err(|error| whole(&error)),
        };
        if let Err(error) = closed {
            tracing::warn!(error, "the store was not sealed: the next start begins another life");
        }
    }
}
