//! One server of the store, and the life that is open on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand;
use farebox_verifier::redis::{Address, Call, Link, Unanswered, Value, Waits, question};
use farebox_verifier::{Generation, PolicyHash, Seat, Selector, Shard, StoreName};

use super::calls::{self, Ask, Opening};
use super::library::{self, LibraryError, ServerKind};
use crate::limits;
use crate::store::LifeId;
use crate::store::desk::EventSecret;
use crate::store::event::{Event, wire};
use crate::store::fixed::Unpacker;

/// A call was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// It was surely not carried out.
    Down,
    /// It may have been.
    InDoubt,
}

/// A life that is open on a server.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) id: LifeId,
    pub(super) secret: EventSecret,
    /// The process that it lives in.
    pub(super) run_id: Box<[u8]>,
}

/// Why a server cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server or its library.
    #[error("store {store} cannot be used")]
    Library {
        /// Which.
        store: StoreName,
        /// Why.
        #[source]
        source: LibraryError,
    },
    /// It evicts keys when its memory is full, and a journal is a key.
    #[error(
        "store {store} evicts keys when it is full ({policy}): set maxmemory-policy noeviction"
    )]
    Evicts {
        /// Which.
        store: StoreName,
        /// Its policy.
        policy: String,
    },
    /// The fence does not hold there.
    #[error("store {store} failed its self-test at step {step}")]
    Unfenced {
        /// Which.
        store: StoreName,
        /// Where.
        step: u8,
    },
    /// No life could be opened.
    #[error("store {store} did not open: {what}")]
    Unopened {
        /// Which.
        store: StoreName,
        /// What happened.
        what: &'static str,
    },
}

/// A server of the store.
pub(super) struct Server {
    name: StoreName,
    shard: Shard,
    pub(super) link: Arc<Link>,
    open: Mutex<Option<Open>>,
    /// Whether it answered when it was asked last.
    answers: AtomicBool,
    /// Whether this process has seen the fence hold there, and in which run of the server.
    proven: Mutex<Option<String>>,
}

impl Server {
    pub(super) fn new(address: Address, shard: Shard, waits: Waits) -> Server {
        let name = address.name().clone();
        let link = Arc::new(Link::new(address, waits));
        let answers = AtomicBool::new(false);
        Server { name, shard, link, open: Mutex::new(None), answers, proven: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &StoreName {
        &self.name
    }

    /// The life that is open here, as far as known.
    pub(super) fn life(&self) -> Option<Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether grants can be registered here, as far as known.
    pub(super) fn serves(&self) -> bool {
        self.life().is_some() && self.answers.load(Ordering::Relaxed)
    }

    /// The life is over: the next pass opens another.
    pub(super) fn is_over(&self, life: &LifeId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|open| open.id == *life) {
            *open = None;
        }
    }

    /// Asks a function about a life: its letter, and what stands behind it.
    pub(super) async fn ask(&self, life: &LifeId, ask: Ask) -> Result<(u8, Vec<u8>), Silence> {
        let answer = self.ask_key(journal(life).as_bytes(), ask).await;
        self.answers.store(answer.is_ok(), Ordering::Relaxed);
        answer.map_err(|unanswered| silence(&unanswered))
    }

    async fn ask_key(&self, key: &[u8], ask: Ask) -> Result<(u8, Vec<u8>), Unanswered> {
        let mut echo = [0; 16];
        // A machine without random bytes mints nothing; here they only tell one reply from another, and
        // sixteen equal bytes that nobody else sends would do as badly.
        if rand::fill(&mut echo).is_err() {
            echo = [0xff; 16];
        }
        let packed = [&echo[..], &ask.packed].concat();
        let call = Call { function: ask.function, key, packed: &packed };
        let reply = self.link.call(call, &echo).await?;
        Ok(match reply.body().split_first() {
            Some((letter, rest)) => (*letter, rest.to_vec()),
            None => (0, Vec::new()),
        })
    }

    /// Makes sure that the server can be used, and that a life is open on it. Says whether it began now. It is
    /// not registered in before it is adopted.
    pub(super) async fn open(
        &self,
        policy: PolicyHash,
        blocked: &[Selector],
        issuers: u16,
    ) -> Result<(Open, bool), OpenError> {
        self.prove().await?;
        let mut secret = [0; 16];
        rand::fill(&mut secret).map_err(|_unspecified| self.unopened("no random bytes"))?;
        let opening = Opening { secret: EventSecret::from_bytes(secret), policy, issuers, blocked };
        let shard = self.shard.clone();
        let pointer = format!("{}:{{{}}}:life", question::PREFIX, shard.as_str());
        let answer = self.ask_key(pointer.as_bytes(), calls::open(&opening)).await;
        let answer = answer.map_err(|_unanswered| self.unopened("no answer"))?;
        let (b'K', rest) = answer else { return Err(self.unopened("refused")) };
        self.read_open(shard, &rest).ok_or(self.unopened("garbled"))
    }

    /// Grants are registered in this life from now on.
    pub(super) fn adopt(&self, open: Open) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    }

    fn read_open(&self, shard: Shard, rest: &[u8]) -> Option<(Open, bool)> {
        let mut from = Unpacker::new(rest);
        let generation: [u8; 32] = from.array()?;
        let generation = Generation::from_hex(std::str::from_utf8(&generation).ok()?)?;
        let secret = EventSecret::from_bytes(from.array()?);
        let (fresh, run_id) = (from.byte()?, from.rest().into());
        let id = LifeId { store: self.name.clone(), shard, generation };
        from.end((Open { id, secret, run_id }, fresh == b'1'))
    }

    /// Looks at the server, its library and its fence, once for each run of it.
    pub(super) async fn prove(&self) -> Result<ServerKind, OpenError> {
        let library = |source| OpenError::Library { store: self.name.clone(), source };
        let kind = library::kind(&self.link).await.map_err(library)?;
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if proven.as_ref() == Some(&kind.run_id) && library::is_there(&self.link).await == Ok(true)
        {
            return Ok(kind);
        }
        if kind.eviction != "noeviction" {
            return Err(OpenError::Evicts { store: self.name.clone(), policy: kind.eviction });
        }
        library::ensure(&self.link).await.map_err(library)?;
        let pointer = format!("{}:{{probe}}:life", question::PREFIX);
        match self.ask_key(pointer.as_bytes(), calls::probe()).await {
            Ok((b'K', _)) => {}
            Ok((_, rest)) => {
                let step = rest.first().copied().unwrap_or(0);
                return Err(OpenError::Unfenced { store: self.name.clone(), step });
            }
            Err(unanswered) => return Err(library(LibraryError::Unanswered(unanswered))),
        }
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind.run_id.clone());
        Ok(kind)
    }

    pub(super) fn unopened(&self, what: &'static str) -> OpenError {
        OpenError::Unopened { store: self.name.clone(), what }
    }

    /// Events after this number, and whether there may be more; those without the life's secret are
    /// nobody's. Where another life was opened over it, they stand under another name.
    pub(super) async fn events(
        &self,
        open: &Open,
        after: u64,
    ) -> Result<(Vec<Event>, bool), Silence> {
        let (events, more) = self.range(&journal(&open.id), open, after).await?;
        match events.is_empty() && self.life().is_none_or(|current| current.id != open.id) {
            true => self.range(&ended(&open.id), open, after).await,
            false => Ok((events, more)),
        }
    }

    async fn range(
        &self,
        key: &str,
        open: &Open,
        after: u64,
    ) -> Result<(Vec<Event>, bool), Silence> {
        let mut from = format!("({after}-{}", u64::MAX);
        let most = limits::EVENTS_MAX.to_string();
        loop {
            let range: [&[u8]; 5] =
                [key.as_bytes(), from.as_bytes(), b"+", b"COUNT", most.as_bytes()];
            let value = self.link.command("XRANGE", &range).await;
            let value = value.map_err(|unanswered| silence(&unanswered))?;
            let Value::Array(entries) = value else { return Err(Silence::InDoubt) };
            let events: Vec<Event> =
                entries.iter().filter_map(|entry| read_entry(&open.secret, entry)).collect();
            // What strangers wrote may fill a whole answer, and hides nothing that stands behind it.
            match entries.last().and_then(entry_id) {
                Some(last) if entries.len() >= limits::EVENTS_MAX => from = format!("({last}"),
                _ => return Ok((events, false)),
            }
            if !events.is_empty() {
                return Ok((events, true));
            }
        }
    }

    /// Drops the journal of a life that has ended, and the pointer to it.
    pub(super) async fn drop_journal(&self, id: &LifeId) -> Result<(), Silence> {
        let pointer = format!("{}:{{{}}}:life", question::PREFIX, id.shard.as_str());
        let keys = [journal(id), ended(id), pointer];
        let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
        let dropped = self.link.command("UNLINK", &keys).await;
        dropped.map(drop).map_err(|unanswered| silence(&unanswered))
    }

    /// Drops the journal of a life that another was opened over.
    pub(super) async fn drop_ended(&self, id: &LifeId) -> Result<(), Silence> {
        let dropped = self.link.command("UNLINK", &[ended(id).as_bytes()]).await;
        dropped.map(drop).map_err(|unanswered| silence(&unanswered))
    }

    /// Whether a seat is one of the life that is open here.
    pub(super) fn sequence_of(&self, life: &LifeId, seats: &[Seat]) -> Option<u64> {
        let mine = |seat: &&Seat| {
            seat.store == life.store
                && seat.shard == life.shard
                && seat.generation == life.generation
        };
        seats.iter().find(mine).map(|seat| seat.sequence)
    }
}

fn journal(id: &LifeId) -> String {
    question::journal_key(&id.shard, &id.generation)
}

fn ended(id: &LifeId) -> String {
    format!("{}:{{{}}}:ended:{}", question::PREFIX, id.shard.as_str(), id.generation)
}

fn entry_id(entry: &Value) -> Option<&str> {
    let Value::Array(parts) = entry else { return None };
    library::text(parts.first()?)
}

fn read_entry(secret: &EventSecret, entry: &Value) -> Option<Event> {
    let Value::Array(parts) = entry else { return None };
    let [_, Value::Array(fields)] = parts.as_slice() else { return None };
    let number = entry_id(entry)?.strip_suffix("-0")?.parse().ok()?;
    let [_, Value::BulkString(payload)] = fields.as_slice() else { return None };
    let event = payload.strip_prefix(secret.expose())?;
    wire::read(number, event)
}

pub(super) fn silence(unanswered: &Unanswered) -> Silence {
    match unanswered.surely_not_carried_out() {
        true => Silence::Down,
        false => Silence::InDoubt,
    }
}
