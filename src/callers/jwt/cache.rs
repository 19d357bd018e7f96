//! The keys of a source, as they were last read well.
//!
//! ```text
//! a token with a known key    ─→ verified with what is here; never waits for anybody
//! a token with an unknown one ─→ waits for one reading, with all others that do, every ten seconds at most
//! every refresh_seconds       ─→ read again, beside all that
//! ```
//! Reading is a task of its own: whoever asked and hung up does not break it off for the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use farebox_verifier::{Clock, UnixSeconds};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::fetch::{AuthoritiesError, JwksError, Place};
use super::key_set::KeySet;
use super::source::Source;
use crate::callers::SourceName;
use crate::limits;

/// The keys of one source.
pub(super) struct Cache {
    shared: Arc<Shared>,
    refresh_seconds: u64,
    keep_seconds: u64,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    name: SourceName,
    place: Place,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    turn: Mutex<Turn>,
    /// How many readings have ended.
    ended: watch::Sender<u64>,
}

/// What is known of a source's keys.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) keys: Option<Arc<KeySet>>,
    /// When they were read.
    pub(super) read: Option<UnixSeconds>,
    /// Why the last reading failed, if it did.
    pub(super) failure: Option<JwksError>,
}

#[derive(Default)]
struct Turn {
    running: bool,
    begun: Option<UnixSeconds>,
}

/// Ends a turn whatever becomes of its task.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.turn).running = false;
        self.0.ended.send_modify(|ended| *ended += 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    pub(super) fn of(source: &Source, clock: Arc<dyn Clock>) -> Result<Cache, AuthoritiesError> {
        let shared = Shared {
            name: source.name.clone(),
            place: Place::of(&source.keys)?,
            clock,
            known: RwLock::default(),
            turn: Mutex::default(),
            ended: watch::Sender::new(0),
        };
        Ok(Cache {
            shared: Arc::new(shared),
            refresh_seconds: source.refresh_seconds,
            keep_seconds: source.keep_seconds,
            tasks: Mutex::default(),
        })
    }

    pub(super) fn known(&self) -> Known {
        self.shared.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys, unless they were last read so long ago that a withdrawn one may be among them.
    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        let known = self.known();
        let age = self.shared.clock.now().0.saturating_sub(known.read?.0);
        known.keys.filter(|_| age <= self.keep_seconds)
    }

    /// Begins to read the keys again if it is time, and does not wait for it.
    pub(super) fn tend(&self) {
        let read = self.known().read;
        let now = self.shared.clock.now();
        // A clock that went back makes keys look young for as long as it went back.
        if read.is_none_or(|read| now.0.abs_diff(read.0) >= self.refresh_seconds) {
            self.begin(&mut lock(&self.shared.turn));
        }
    }

    /// Waits for the keys to be read again: by this call, or by one that is at it already. Soon after the last one
    /// began, nothing is read and nobody waits.
    pub(super) async fn reread(&self) {
        let mut ended = {
            let mut turn = lock(&self.shared.turn);
            self.begin(&mut turn);
            if !turn.running {
                return;
            }
            // Within the turn, so that its end is not missed.
            self.shared.ended.subscribe()
        };
        let longest = Duration::from_secs(limits::JWKS_SECONDS_MAX + 1);
        // Whatever came of it, the keys are looked at again.
        drop(tokio::time::timeout(longest, ended.changed()).await);
    }

    fn begin(&self, turn: &mut Turn) {
        let now = self.shared.clock.now();
        let soon = |begun: UnixSeconds| now.0.abs_diff(begun.0) < limits::JWKS_AGAIN_SECONDS;
        if turn.running || turn.begun.is_some_and(soon) {
            return;
        }
        // Without a runtime there is nobody to read: a program that only lists callers, say.
        let Ok(handle) = Handle::try_current() else { return };
        (turn.running, turn.begun) = (true, Some(now));
        let running = Running(Arc::clone(&self.shared));
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(async move { running.0.read().await }, &handle);
    }
}

impl Shared {
    async fn read(&self) {
        let outcome = self.place.read().await;
        let now = self.clock.now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(keys) => {
                *known = Known { keys: Some(Arc::new(keys)), read: Some(now), failure: None };
            }
            Err(why) => {
                let error: &dyn std::error::Error = &why;
                tracing::warn!(source = %self.name, error, "keys of a source cannot be read; the last good ones stay");
                known.failure = Some(why);
            }
        }
    }
}
