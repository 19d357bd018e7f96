//! A follower: takes what is brought if it is the next of what was signed, and answers from it.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use super::FeedError;
use super::event::{Epoch, Event, FeedDigest};
use super::signed::{HEAD_TYPE, Head, SNAPSHOT_TYPE};
use super::standing::Standing;
use crate::clock::UnixSeconds;
use crate::key::PublicKey;
use crate::limits;
use crate::params::json::{Json, Object};
use crate::refusal::Refusal;
use crate::store::Ticket;

/// One issuer's feed, as far as it was brought here. Whoever asks waits for nobody who brings.
///
/// ```text
/// GET /v1/revocations/feed                     → take   a snapshot
/// GET /v1/revocations/feed?after=CURSOR&…      → take   what came after, again and again
/// ```
/// What is refused changes nothing; ask again from [`Follower::cursor`], or without one for a snapshot.
pub struct Follower {
    /// The feed's keys, pinned: the one in use, and the next one while it is exchanged.
    keys: Vec<PublicKey>,
    stale_seconds: u64,
    known: ArcSwapOption<Known>,
    /// Held by whoever takes: of two at once, the later one builds on what the earlier one took.
    taking: Mutex<()>,
}

struct Known {
    epoch: Epoch,
    number: u64,
    digest: FeedDigest,
    issued_at: UnixSeconds,
    /// Up to when nothing is missing: by the issuer's clock or by ours, whichever is behind.
    whole_until: UnixSeconds,
    standing: Arc<Standing>,
}

impl Follower {
    /// Follows the feed of the issuer that has one of these keys, and refuses once what is known is older than so many
    /// seconds. Heads are signed each second.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>, stale_seconds: u64) -> Follower {
        Follower { keys, stale_seconds, known: ArcSwapOption::empty(), taking: Mutex::new(()) }
    }

    /// Where to go on; nothing before the first snapshot.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.known.load().as_ref().map(|known| format!("{}.{}", known.epoch, known.number))
    }

    /// Takes a document: a snapshot, or the next events with the head that they lead to.
    ///
    /// # Errors
    /// [`FeedError`]; then nothing of it was taken.
    pub fn take(&self, document: &[u8], now: UnixSeconds) -> Result<(), FeedError> {
        let Ok(Json::Object(document)) = Json::parse(document) else {
            return Err(FeedError::Malformed);
        };
        let Some(Json::Text(head)) = document.get("head") else { return Err(FeedError::Malformed) };
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let _taking = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        let next = if document.get("snapshot").is_some() {
            let head = Head::read(SNAPSHOT_TYPE, head, &self.keys)?;
            begin(known.as_deref(), &head, &lines(&document, "snapshot")?, now)?
        } else {
            let head = Head::read(HEAD_TYPE, head, &self.keys)?;
            go_on(known.as_deref(), &head, &lines(&document, "events")?, now)?
        };
        self.known.store(Some(Arc::new(next)));
        Ok(())
    }

    /// Whether a token of this grant may be taken now, as far as the feed says.
    ///
    /// # Errors
    /// [`Refusal::Revoked`] where it may not, and [`Refusal::FeedStale`] where nobody can tell.
    pub fn covers(&self, ticket: &Ticket, now: UnixSeconds) -> Result<(), Refusal> {
        let known = self.known.load();
        let Some(known) = known.as_ref() else {
            return Err(Refusal::FeedStale { whole_until: None, now });
        };
        // What was taken back stays so, however old the news.
        if known.standing.covers(ticket) {
            return Err(Refusal::Revoked);
        }
        // A clock that was set back does not tell how much time has passed.
        match now.0.checked_sub(known.whole_until.0) {
            Some(age) if age <= self.stale_seconds => Ok(()),
            _ => Err(Refusal::FeedStale { whole_until: Some(known.whole_until), now }),
        }
    }
}

/// Begins, or begins again, with a snapshot.
fn begin(
    known: Option<&Known>,
    head: &Head,
    lines: &[&str],
    now: UnixSeconds,
) -> Result<Known, FeedError> {
    check_time(known, head, now)?;
    if let Some(known) = known.filter(|known| known.epoch == head.epoch) {
        check_forward(known, head)?;
        if known.number == head.number && known.digest != head.digest {
            return Err(FeedError::Digest);
        }
    }
    if head.state != Some(FeedDigest::of_snapshot(lines.iter().copied())) {
        return Err(FeedError::Digest);
    }
    let mut standing = Standing::default();
    for line in lines {
        standing.apply(Event::parse(line).ok_or(FeedError::Malformed)?);
    }
    // A revocation is never lifted: what was heard once is kept while a token of it can be left.
    if let Some(known) = known {
        standing.join(&known.standing);
    }
    Ok(settled(head, standing, now))
}

/// Goes on with the events behind those that are known.
fn go_on(
    known: Option<&Known>,
    head: &Head,
    lines: &[&str],
    now: UnixSeconds,
) -> Result<Known, FeedError> {
    let known = known.filter(|known| known.epoch == head.epoch).ok_or(FeedError::Epoch)?;
    check_time(Some(known), head, now)?;
    check_forward(known, head)?;
    let (mut number, mut digest) = (known.number, known.digest);
    let mut events = Vec::with_capacity(lines.len());
    for line in lines {
        let event = Event::parse(line).ok_or(FeedError::Malformed)?;
        let wanted = number.saturating_add(1);
        if event.number != wanted {
            return Err(FeedError::Gap { wanted });
        }
        (number, digest) = (wanted, digest.then(&event));
        events.push(event);
    }
    if number < head.number {
        return Err(FeedError::Gap { wanted: number.saturating_add(1) });
    }
    if number != head.number || digest != head.digest {
        return Err(FeedError::Digest);
    }
    let mut standing = (*known.standing).clone();
    events.into_iter().for_each(|event| standing.apply(event));
    Ok(settled(head, standing, now))
}

fn check_time(known: Option<&Known>, head: &Head, now: UnixSeconds) -> Result<(), FeedError> {
    if head.issued_at > now.plus(limits::BACKDATE_SECONDS) {
        return Err(FeedError::Future);
    }
    match known {
        Some(known) if head.issued_at < known.issued_at => Err(FeedError::Older),
        _ => Ok(()),
    }
}

fn check_forward(known: &Known, head: &Head) -> Result<(), FeedError> {
    if head.number < known.number {
        return Err(FeedError::Back { known: known.number, number: head.number });
    }
    Ok(())
}

fn settled(head: &Head, mut standing: Standing, now: UnixSeconds) -> Known {
    // By the issuer's clock, which wrote the times of the events.
    standing.forget(head.issued_at);
    standing.fold(limits::LOCAL_REVOKED_MAX);
    Known {
        epoch: head.epoch,
        number: head.number,
        digest: head.digest,
        issued_at: head.issued_at,
        whole_until: head.issued_at.min(now),
        standing: Arc::new(standing),
    }
}

/// The lines of a document. They are one text: a list of so many would be more values than JSON may have here.
fn lines<'a>(document: &'a Object, name: &str) -> Result<Vec<&'a str>, FeedError> {
    match document.get(name) {
        Some(Json::Text(text)) => Ok(text.lines().collect()),
        _ => Err(FeedError::Malformed),
    }
}
