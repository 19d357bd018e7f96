//! The feed of revocations: what the record says was taken back, numbered without a gap and signed each second, for
//! those who verify without a store.
//!
//! ```text
//! record ─(words of the staff, policies, keys)─→ Book ─→ DIR/feed, durable ─→ head, signed ─→ whoever follows
//! ```
//! The record is what the feed is made of: a word is in it before anybody is told that it holds, so a head that is
//! signed once the record was read to its end has every word that was acknowledged before. The file beside it keeps
//! what must never differ: which number and digest each word has. A crash between the two reads the same words again,
//! and gives them the same numbers.
//!
//! **No record, no head.** While a word could not be written down, or the record cannot be read, nothing is signed;
//! followers grow stale and refuse.

mod book;
mod file;
mod said;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use farebox_verifier::feed::{Epoch, Event, FeedDigest, HEAD_TYPE, SNAPSHOT_TYPE, Standing};
use farebox_verifier::{Clock, PolicyHash, PublicKey, UnixSeconds};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, watch};

use self::book::Book;
use self::file::FeedFile;
use crate::jws;
use crate::limits;
use crate::record::{Follow, FollowError, Kind, Record};
use crate::signer::PrivateKey;

pub use file::FeedFileError;

/// Entries of which something follows for the feed.
const KINDS: &[Kind] =
    &[Kind::Revocation, Kind::Blocked, Kind::Unblocked, Kind::PolicyChanged, Kind::KeyChanged];

/// The feed of an issuer.
pub struct Feed {
    key: PrivateKey,
    clock: Arc<dyn Clock>,
    turning: Mutex<Turning>,
    newest: watch::Sender<Option<Arc<Signed>>>,
    knocked: Notify,
    /// Words that are in force and not in the record.
    unsaid: AtomicUsize,
}

struct Turning {
    follow: Follow,
    book: Book,
    file: Arc<std::sync::Mutex<FeedFile>>,
}

/// Why a head was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedTrouble {
    /// A word is in force and not in the record.
    #[error("a word of the staff is not in the record")]
    Unsaid,
    /// The record cannot be read, or takes nothing.
    #[error("record cannot be followed")]
    Record(#[from] FollowError),
    /// The file cannot be written.
    #[error("feed cannot be written")]
    File(#[from] FeedFileError),
}

/// Where the feed stood at a second, signed.
pub struct Signed {
    epoch: Epoch,
    number: u64,
    digest: FeedDigest,
    at: UnixSeconds,
    head: String,
    /// The last events, for those who were here lately, and the number before the first of them.
    before: u64,
    tail: Arc<[String]>,
    standing: Arc<Standing>,
}

impl Feed {
    /// The feed in this file, which goes on behind the record's entries that it has seen; where there is no file, one
    /// that begins under these policies. Blocks.
    ///
    /// # Errors
    /// [`FeedFileError`] where the file cannot be used, or is not this record's.
    pub fn open(
        path: &Path,
        record: &Arc<Record>,
        policy: PolicyHash,
        (key, clock): (PrivateKey, Arc<dyn Clock>),
    ) -> Result<Feed, FeedFileError> {
        let (file, book) = FeedFile::open(path, clock.now(), policy)?;
        let last = record.head().n;
        if book.upto > last {
            return Err(FeedFileError::Ahead { path: path.to_owned(), upto: book.upto, last });
        }
        let follow = record.follow(book.upto);
        let file = Arc::new(std::sync::Mutex::new(file));
        Ok(Feed {
            key,
            clock,
            turning: Mutex::new(Turning { follow, book, file }),
            newest: watch::Sender::new(None),
            knocked: Notify::new(),
            unsaid: AtomicUsize::new(0),
        })
    }

    /// The public half of its key, which followers pin.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// What stands, and the policies that were in force, as far as the feed has seen the record.
    pub async fn standing(&self) -> (Standing, Option<String>) {
        let book = &self.turning.lock().await.book;
        (book.standing.clone(), book.policy.clone())
    }

    /// Something was said: the next turn need not wait for its second.
    pub fn knock(&self) {
        self.knocked.notify_one();
    }

    /// Waits until something was said.
    pub async fn knocked(&self) {
        self.knocked.notified().await;
    }

    /// Signs nothing while a word is not in the record.
    pub fn hold(&self) {
        self.unsaid.fetch_add(1, Ordering::SeqCst);
    }

    /// That word is in the record now.
    pub fn release(&self) {
        self.unsaid.fetch_sub(1, Ordering::SeqCst);
    }

    /// Reads the record to its end, keeps what is new, and signs for all of it.
    ///
    /// # Errors
    /// [`FeedTrouble`]; then nothing was signed.
    pub async fn turn(&self) -> Result<(), FeedTrouble> {
        let mut turning = self.turning.lock().await;
        let Turning { follow, book, file } = &mut *turning;
        // Before the record is read: what is acknowledged later may be missing.
        let at = self.clock.now();
        if self.unsaid.load(Ordering::SeqCst) > 0 {
            return Err(FeedTrouble::Unsaid);
        }
        let (entries, upto) = follow.so_far(KINDS).await?;
        let words: Vec<_> = entries.iter().flat_map(|it| said::words(&it.entry, at)).collect();
        let policy = entries.iter().rev().find_map(|it| said::policy(&it.entry));
        let mut next = book.clone();
        let events = next.add(words, at);
        next.upto = upto;
        next.policy = policy.or(next.policy);
        if let Some(line) = next.since(book, &events) {
            let (file, before) = (Arc::clone(file), book.clone());
            let append = move || {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.append(&before, &line)
            };
            let kept = tokio::task::spawn_blocking(append).await;
            let kept = kept.map_err(|_broke| FeedTrouble::from(FollowError::Gone));
            if let Err(error) = kept.and_then(|kept| Ok(kept?)) {
                // Nothing may be signed without these words: they are read again.
                follow.go_back(book.upto);
                return Err(error);
            }
            *book = next;
        }
        // In between somebody may have said what could not be written down.
        if self.unsaid.load(Ordering::SeqCst) > 0 {
            return Err(FeedTrouble::Unsaid);
        }
        let signed = self.sign(book, at, !events.is_empty());
        self.newest.send_replace(Some(Arc::new(signed)));
        Ok(())
    }

    fn sign(&self, book: &Book, at: UnixSeconds, changed: bool) -> Signed {
        let before = self.newest.borrow().clone().filter(|_| !changed);
        let (tail, standing) = match before {
            Some(before) => (Arc::clone(&before.tail), Arc::clone(&before.standing)),
            None => {
                let tail = book.tail.iter().map(Event::to_string).collect();
                (tail, Arc::new(book.standing.clone()))
            }
        };
        let mut signed = Signed {
            epoch: book.epoch,
            number: book.number,
            digest: book.digest,
            at,
            head: String::new(),
            before: book.before.0,
            tail,
            standing,
        };
        signed.head = self.word(HEAD_TYPE, &signed.payload());
        signed
    }

    fn word(&self, what: &str, payload: &Value) -> String {
        let name = self.public().to_string();
        jws::sign(what, &name, payload, |message| self.key.sign(message))
    }

    /// Where it stands, each time that it is signed; nothing before the first time.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<Option<Arc<Signed>>> {
        self.newest.subscribe()
    }

    /// What a follower takes that knows the events up to this cursor: those behind it, or a snapshot where it knows
    /// none that are here.
    #[must_use]
    pub fn document(&self, signed: &Signed, cursor: Option<&str>) -> Value {
        match cursor.and_then(|cursor| signed.events_after(cursor)) {
            Some(events) => json!({
                "head": signed.head, "events": events, "cursor": signed.cursor(),
            }),
            None => self.snapshot(signed),
        }
    }

    fn snapshot(&self, signed: &Signed) -> Value {
        let mut standing = Standing::clone(&signed.standing);
        standing.forget(signed.at);
        let mut count_max = limits::FEED_SNAPSHOT_EVENTS_MAX;
        let text = loop {
            standing.fold(count_max);
            let lines: Vec<String> = standing.events().iter().map(Event::to_string).collect();
            let text = lines.join("\n");
            // Where blocks alone are too many it is served as it is, and followers refuse: they stay no secret.
            if text.len() <= limits::FEED_SNAPSHOT_BYTES_MAX || count_max == 0 {
                break text;
            }
            count_max /= 2;
        };
        let mut payload = signed.payload();
        if let Value::Object(payload) = &mut payload {
            let state = FeedDigest::of_snapshot(text.lines());
            payload.insert("state".to_owned(), json!(state.to_string()));
        }
        let head = self.word(SNAPSHOT_TYPE, &payload);
        json!({ "head": head, "snapshot": text, "cursor": signed.cursor() })
    }
}

impl Signed {
    /// What a follower says that has taken all of it.
    #[must_use]
    pub fn cursor(&self) -> String {
        format!("{}.{}", self.epoch, self.number)
    }

    /// Whether it brings nothing new to a follower at this cursor, which it knows.
    #[must_use]
    pub fn is_at(&self, cursor: &str) -> bool {
        self.cursor() == cursor
    }

    fn payload(&self) -> Value {
        json!({
            "epoch": self.epoch.to_string(),
            "number": self.number,
            "digest": self.digest.to_string(),
            "iat": self.at.0,
        })
    }

    fn events_after(&self, cursor: &str) -> Option<String> {
        let (epoch, number) = cursor.split_once('.')?;
        let known: u64 = number.parse().ok()?;
        let passed = usize::try_from(known.checked_sub(self.before)?).ok()?;
        let events = self.tail.get(passed..)?;
        (epoch == self.epoch.to_string()).then(|| events.join("\n"))
    }
}
