//! The issuer: who may do what, once, decided for each step. Nothing here knows HTTP.
//!
//! ```text
//! Wanted ─→ fits the catalogue ─→ evidence ─→ predecessors ─→ policy ─→ key ─→ record: begun
//!                                                                                   │
//!     token ←── record: issued ←── signed ←── registered ←── budgets held ←─────────┘
//! ```
//! What has been begun in the record is ended there too. Whatever fails on the way gives no token: a grant
//! whose registration nobody can tell of is given up for good before another one is registered for it.

mod again;
mod approve;
mod asked;
mod bind;
mod budgets;
mod collect;
mod decide;
mod deciding;
mod given_up;
mod issued;
mod keys;
mod mint;
mod noted;
mod plan;
mod policies;
mod predecessors;
mod refused;
mod show;
mod staff;
mod tasks;
mod tenants;
mod uses;
mod wanted;
mod written;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use farebox_verifier::keys as trusted;
use farebox_verifier::{
    Clock, GrantId, Issuer as Trusted, KeyRing, Keys, PolicyHash, Registered, SpendStore, Verifier,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use self::deciding::Deciding;
use self::given_up::{GivenUp, Unregistered};
use self::issued::IssuedBook;
use self::keys::Busy;
use self::noted::Noted;
use self::tasks::Tasks;
use crate::callers::Callers;
use crate::feed::Feed;
use crate::policy::{InForce, PolicySet};
use crate::record::{Entry, ReadError, Record};
use crate::signer::Signer;
use crate::store::desk::KeyDigest;
use crate::store::{GrantStore, Ledger};

pub use approve::Word;
pub use asked::Put;
pub use mint::{Issued, Minted};
pub use plan::Plan;
pub use policies::Swapped;
pub use refused::Refused;
pub use show::Shown;
pub use staff::Revoked;
pub use tenants::Tenants;
pub use uses::{Presentation, Taken, Together};
pub use wanted::Wanted;

/// Whether the record keeps the parameters of requests, or their digest alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// As they were asked for: whoever reads the record reads them.
    Full,
    /// Their SHA-256.
    Digest,
}

/// What an issuer is made of.
pub struct Parts {
    /// By which grants begin, and what is over is forgotten.
    pub clock: Arc<dyn Clock>,
    /// By which tokens that are shown here end.
    pub wall: Arc<dyn Clock>,
    /// Who can sign: the first does.
    pub signers: Vec<Signer>,
    /// Every key that is trusted, the signer's among them.
    pub keys: KeyRing,
    /// Who is known: an approval counts while its approver is one.
    pub callers: Arc<Callers>,
    /// What decides.
    pub policies: PolicySet,
    /// What is written down.
    pub record: Arc<Record>,
    /// What of it is told to those who verify without a store.
    pub feed: Arc<Feed>,
    /// Where grants are registered.
    pub store: Arc<dyn GrantStore>,
    /// Where uses are taken; as another user, where the store knows users.
    pub spender: Arc<dyn SpendStore>,
    /// What is durable with this issuer.
    pub ledger: Arc<Ledger>,
    /// How many stores must agree on a use.
    pub needed: NonZeroUsize,
    /// For how long a token lives that asks for nothing else.
    pub ttl_seconds: u64,
    /// For how long any token may live.
    pub ttl_seconds_max: u64,
    /// How long a request waits for people.
    pub approval_seconds: u64,
    /// What the record keeps of parameters.
    pub parameters: Parameters,
}

/// One issuer.
pub struct Issuer {
    clock: Arc<dyn Clock>,
    /// The first signs; the others signed before, and sign again what they signed.
    signers: RwLock<Arc<Vec<Signer>>>,
    trusted: Arc<Keys>,
    verifier: Verifier,
    policies: InForce,
    deciding: Deciding,
    record: Arc<Record>,
    feed: Arc<Feed>,
    /// Words that are in force and could not be written down.
    unsaid: Mutex<Vec<Entry>>,
    store: Arc<dyn GrantStore>,
    spender: Arc<dyn SpendStore>,
    ledger: Arc<Ledger>,
    /// The set of policies that the store was last told of, and heard.
    heard: Mutex<PolicyHash>,
    ttl_seconds: u64,
    ttl_seconds_max: u64,
    approval_seconds: u64,
    parameters: Parameters,
    callers: Arc<Callers>,
    issued: IssuedBook,
    busy: Busy<KeyDigest>,
    collecting: Busy<GrantId>,
    /// How often a request that waits for people has moved.
    moves: watch::Sender<u64>,
    unregistered: Unregistered,
    given_up: GivenUp,
    noted: Noted,
    tenants: Arc<Tenants>,
    tasks: Tasks,
}

impl Issuer {
    /// An issuer of these parts. Blocks, and reads what the record knows of the last hour.
    ///
    /// # Errors
    /// [`ReadError`] where the record cannot be read.
    pub fn new(parts: Parts) -> Result<Issuer, ReadError> {
        let Parts { clock, signers, keys, policies, record, store, spender, ledger, .. } = parts;
        let trusted = Arc::new(Keys::new(keys));
        let verifier = Verifier::new(Arc::clone(&trusted), Registered::In(parts.needed));
        let verifier = verifier.with_clock(parts.wall);
        let tenants = Arc::new(Tenants::default());
        let issued = IssuedBook::open(Arc::clone(&record), Arc::clone(&clock), &tenants)?;
        Ok(Issuer {
            signers: RwLock::new(Arc::new(signers)),
            heard: Mutex::new(policies.hash()),
            trusted,
            verifier,
            policies: InForce::new(policies),
            deciding: Deciding::new(),
            issued,
            record,
            feed: parts.feed,
            unsaid: Mutex::default(),
            store,
            spender,
            ledger,
            ttl_seconds: parts.ttl_seconds,
            ttl_seconds_max: parts.ttl_seconds_max,
            approval_seconds: parts.approval_seconds,
            parameters: parts.parameters,
            callers: parts.callers,
            clock,
            busy: Busy::default(),
            collecting: Busy::default(),
            moves: watch::Sender::new(0),
            unregistered: Unregistered::default(),
            given_up: GivenUp::default(),
            noted: Noted::default(),
            tenants,
            tasks: Tasks::default(),
        })
    }

    /// What decides.
    #[must_use]
    pub fn policies(&self) -> Arc<PolicySet> {
        self.policies.get()
    }

    /// Waits until everything that was begun has ended.
    pub async fn finish(&self) {
        self.tasks.end().await;
    }

    /// Signs with the first of these from now on, if there is one, and trusts these.
    pub fn change_keys(&self, signers: Vec<Signer>, keys: KeyRing) {
        // Whoever verifies must know a key before it signs.
        self.trusted.swap(keys);
        *self.signers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signers);
    }

    /// The keys as they are published.
    #[must_use]
    pub fn published_keys(&self) -> Value {
        let (signing, ring) = (self.signers().first().map(Signer::id), self.trusted.now());
        let keys = ring.issuers().into_iter().map(|(id, issuer)| {
            let state = match issuer {
                Trusted::Trusted(_) if Some(id) == signing => "signing",
                Trusted::Trusted(_) => "trusted",
                Trusted::Retired(_) => "retired",
            };
            let key = issuer.key();
            json!({
                "id": id,
                "state": state,
                "hex": key.to_string(),
                "pem": trusted::pem_text(key),
                "jwk": serde_json::from_str::<Value>(&trusted::jwk_text(key, Some(id)))
                    .unwrap_or_default(),
            })
        });
        let feed = self.feed.public();
        let feed = json!({
            "hex": feed.to_string(),
            "pem": trusted::pem_text(&feed),
            "jwk": serde_json::from_str::<Value>(&trusted::jwk_text(&feed, None))
                .unwrap_or_default(),
        });
        json!({ "keys": keys.collect::<Vec<_>>(), "feed": [feed] })
    }

    /// What is told to those who verify without a store.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Why nothing is granted, if that is so: in words that anybody may read, and in full, for its operator.
    #[must_use]
    pub fn trouble(&self) -> Option<(&'static str, String)> {
        let record =
            self.record.trouble().map(|error| ("record cannot be written", error.to_string()));
        let ledger =
            || self.ledger.trouble().map(|error| ("ledger cannot be written", error.to_string()));
        let store = || self.store.trouble().map(|what| ("grant store does not serve", what));
        let none = || ("there is no key to sign with", Refused::NoSigner.to_string());
        let signer = || self.signers().is_empty().then(none);
        record.or_else(ledger).or_else(store).or_else(signer)
    }

    /// The number of the record's last entry.
    #[must_use]
    pub fn record_entries(&self) -> u64 {
        self.record.head().n
    }

    /// Where uses are taken: for an API that lives in this process.
    #[must_use]
    pub fn spender(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.spender)
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// The tenants of those who have asked.
    #[must_use]
    pub fn tenants(&self) -> &Arc<Tenants> {
        &self.tenants
    }

    /// Every key that is trusted now.
    #[must_use]
    pub fn trusted(&self) -> Arc<KeyRing> {
        Arc::clone(&self.trusted.now())
    }

    /// Writes down what the issuer's own operator did.
    ///
    /// # Errors
    /// [`Refused::RecordDown`] where it is not durable.
    pub async fn tell(&self, entry: Entry) -> Result<(), Refused> {
        self.note(entry).await.map(|_n| ())
    }

    fn signers(&self) -> Arc<Vec<Signer>> {
        Arc::clone(&self.signers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes an entry down, and waits until it is durable.
    async fn note(&self, entry: Entry) -> Result<u64, Refused> {
        let pending = self.record.append(entry).or(Err(Refused::RecordDown))?;
        pending.await.map(|kept| kept.n).or(Err(Refused::RecordDown))
    }
}
