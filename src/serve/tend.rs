//! Tending: what a running issuer looks after, beside its calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farebox_verifier::{Issuer as Trusted, KeyRing, Selector};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::whole;
use super::place::Place;
use super::retired::Retired;
use super::watch::{Looked, TlsFiles, differs};
use super::{PAUSE, policies};
use crate::callers::Callers;
use crate::issuer::Issuer;
use crate::keychain::Keychain;
use crate::metrics::Metrics;
use crate::policy::Zone;
use crate::record::{Entry, Kind, Record, StoreArchive};
use crate::signer::{Passphrase, Signer};
use crate::store::drain::Drain;

/// How long a journal waits to be taken to the record.
const DRAIN_PAUSE: Duration = Duration::from_millis(200);

/// How often the grants that may be spent are counted, for whoever reads the numbers.
const COUNTED_EACH: Duration = Duration::from_secs(5);

/// What is looked after.
pub(super) struct Tending {
    pub(super) issuer: Arc<Issuer>,
    pub(super) callers: Arc<Callers>,
    pub(super) keychain: Keychain,
    pub(super) passphrase: Option<Passphrase>,
    pub(super) policies: Option<PathBuf>,
    pub(super) zone: Zone,
    pub(super) place: Place,
    pub(super) record: Arc<Record>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tls: TlsFiles,
    /// Held by whoever reads again: of two at once, the one that read earlier must not be in force later.
    pub(super) alone: Mutex<()>,
    pub(super) retired: Mutex<Retired>,
    /// How long an entry waits for a signature.
    pub(super) checkpoint: Duration,
}

/// What was said to be wrong: what stays so for a night is a line in the log, and not one for each second.
#[derive(Default)]
struct Said(Vec<String>);

impl Said {
    /// What is wrong now, where it is not what was said last.
    fn news(&mut self, wrong: Vec<String>) -> Option<&[String]> {
        let news = wrong != self.0;
        self.0 = wrong;
        news.then_some(&*self.0)
    }
}

impl Tending {
    /// Begins to look after all of it, until the stop is told.
    pub(super) fn begin(self: &Arc<Self>, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let (tending, stopped) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { tending.look_after(stopped).await });
        let (tending, stopped) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { tending.carry(stopped).await });
        let (tending, stopped) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move { tending.tell(stopped).await });
    }

    /// The store's lives, and the files that may have changed.
    async fn look_after(self: &Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut signed = Instant::now();
        let mut looked = self.apart(Tending::look).await;
        let (mut said, mut counted) = (Said::default(), None);
        // What was retired while nobody was here to say so is said now.
        let (Ok(()) | Err(_)) = self.tell_retired().await;
        loop {
            if counted.is_none_or(|counted: Instant| counted.elapsed() >= COUNTED_EACH) {
                counted = Some(Instant::now());
                self.metrics.outstanding(self.issuer.outstanding(&Selector::All).await);
            }
            tokio::select! {
                () = self.place.knocked(PAUSE) => {}
                _told = stop.wait_for(|stop| *stop) => return,
            }
            let mut wrong = self.place.tend().await;
            self.reread_callers().await;
            wrong.extend(self.follow(&mut looked).await);
            wrong.extend(self.tell_retired().await.err());
            self.issuer.say_policies().await;
            self.issuer.expire_requests().await;
            self.issuer.note_counts();
            wrong.extend(self.issuer.trouble().map(|(what, why)| format!("{what}: {why}")));
            match said.news(wrong) {
                Some([]) => tracing::info!("everything serves again"),
                Some(wrong) => wrong.iter().for_each(|wrong| tracing::warn!(wrong, "trouble")),
                None => {}
            }
            // An issuer that is idle signs for its last entries too.
            if signed.elapsed() >= self.checkpoint {
                signed = Instant::now();
                drop(self.record.checkpoint());
            }
        }
    }

    /// Reads what looks different, and tells what cannot be looked at.
    async fn follow(self: &Arc<Self>, before: &mut Looked) -> Vec<String> {
        let _alone = self.alone.lock().await;
        let now = self.apart(Tending::look).await;
        if differs(&mut before.keys, now.keys) {
            self.reload_keys().await;
        }
        if differs(&mut before.policies, now.policies) {
            self.reload_policies().await;
        }
        if differs(&mut before.certificate, now.certificate) {
            self.apart(|tending| tending.tls.reload()).await;
        }
        now.wrong
    }

    /// Reads files where nobody else waits: a table of policies takes seconds, a slow disk as long as it likes.
    async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Tending) -> T + Send + 'static,
    ) -> T {
        let tending = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&tending)).await {
            Ok(done) => done,
            Err(broke) => std::panic::resume_unwind(broke.into_panic()),
        }
    }

    fn look(&self) -> Looked {
        Looked::at(&self.keychain, self.policies.as_deref(), &self.tls)
    }

    /// Journals to the record, and what is over is ended.
    async fn carry(&self, mut stop: watch::Receiver<bool>) {
        let mut drain = self.drain();
        loop {
            self.round(&mut drain).await;
            tokio::select! {
                () = tokio::time::sleep(DRAIN_PAUSE) => {}
                _told = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// What was taken back, to those who verify without a store.
    async fn tell(&self, mut stop: watch::Receiver<bool>) {
        let feed = self.issuer.feed();
        let mut said = Said::default();
        loop {
            self.issuer.note_unsaid().await;
            let wrong = feed.turn().await.err().map(|error| whole(&error));
            if let Some([wrong]) = said.news(wrong.into_iter().collect()) {
                tracing::error!(wrong, "the feed of revocations is not signed: followers refuse");
            }
            tokio::select! {
                () = feed.knocked() => {}
                () = tokio::time::sleep(PAUSE) => {}
                _told = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn drain(&self) -> Drain {
        let (store, needed) = (Arc::clone(&self.place.store), self.place.needed.get());
        let (record, ledger) = (Arc::clone(&self.record), Arc::clone(&self.place.ledger));
        let tenants = Arc::clone(self.issuer.tenants());
        let archive = StoreArchive::new(record, Arc::clone(&store), ledger, needed);
        let archive = Arc::new(archive.with_tenants(Arc::new(move |agent| tenants.of(agent))));
        Drain::new(store, archive, self.record.chain().as_str(), needed)
    }

    async fn round(&self, drain: &mut Drain) {
        let round = drain.round().await;
        self.metrics.drained(&round);
        if round.gaps > 0 {
            tracing::error!(gaps = round.gaps, "a journal has a gap: the record says where");
        }
        if let Err(error) = self.record.drain_ledger(&self.place.ledger).await {
            tracing::error!(error = whole(&error), "the ledger's events are not in the record");
        }
    }

    /// Reads everything again.
    pub(super) async fn reload(self: &Arc<Self>) {
        let _alone = self.alone.lock().await;
        self.reread_callers().await;
        self.reload_keys().await;
        self.reload_policies().await;
        self.apart(|tending| tending.tls.reload()).await;
    }

    async fn reread_callers(self: &Arc<Self>) {
        match self.apart(|tending| tending.callers.tend()).await {
            Ok(reread) => {
                for broken in &reread.broken {
                    tracing::error!(
                        error = whole(broken),
                        "a caller's file cannot be read: the caller is refused"
                    );
                }
            }
            Err(error) => {
                tracing::error!(
                    error = whole(&error),
                    "callers cannot be read: those who were known stay so"
                )
            }
        }
    }

    /// A key that was retired kills its tokens, at APIs that have not heard of it too.
    async fn reload_keys(self: &Arc<Self>) {
        let before = self.issuer.trusted();
        let read = |tending: &Tending| {
            let passphrase = tending.passphrase.as_ref();
            (tending.keychain.checkpoint_key(passphrase), tending.keychain.open(passphrase))
        };
        let (key, opened) = self.apart(read).await;
        match opened {
            Err(error) => {
                tracing::error!(
                    error = whole(&error),
                    "keys cannot be read: those that were known stay so"
                )
            }
            Ok((signers, ring)) => {
                let (retired, trusted) = (retired(&before, &ring), retired(&ring, &before));
                let signs = signers.first().map(Signer::id);
                if signs.is_none() {
                    tracing::error!(
                        "the last key was retired: nothing is granted until there is another"
                    );
                }
                self.issuer.change_keys(signers, ring);
                let entry = Entry::of(Kind::KeyChanged).detail("signing", serde_json::json!(signs));
                let entry = entry.detail("trusted", trusted);
                self.issuer.tell_keys(entry.detail("retired", retired.clone())).await;
                if let Ok(key) = key
                    && self.record.change_key(Box::new(key)).is_err()
                {
                    tracing::error!("the record's checkpoints are signed with the old key");
                }
                self.retired.lock().await.gone.extend(retired);
                if let Err(unheard) = self.tell_retired().await {
                    tracing::error!("{unheard}");
                }
            }
        }
    }

    async fn reload_policies(self: &Arc<Self>) {
        let read = |tending: &Tending| policies(tending.policies.as_deref(), &tending.zone);
        let read = self.apart(read).await;
        let (set, told) = match read {
            Ok(read) => read,
            Err(error) => {
                self.metrics.reloaded("refused");
                tracing::error!(
                    error = whole(&error),
                    "policies cannot be used: those in force stay so"
                );
                return;
            }
        };
        for warning in told {
            tracing::warn!(warning, "policies");
        }
        match self.issuer.swap_policies(set).await {
            Ok(swapped) => {
                self.metrics.reloaded("swapped");
                tracing::info!(policy = %swapped.policy, everywhere = swapped.reach.everywhere(), "policies in force");
            }
            Err(error) => {
                self.metrics.reloaded("unheard");
                tracing::error!(
                    error = whole(&error),
                    "no store has heard of the new policies: nothing is granted until one has"
                );
            }
        }
    }

    /// The last of it: what is left in the journals, then the doors.
    pub(super) async fn end(&self) {
        let mut drain = self.drain();
        self.round(&mut drain).await;
        self.issuer.note_last_counts();
        if let Ok(pending) = self.record.append(Entry::of(Kind::Stopped)) {
            drop(pending.await);
        }
        self.place.close().await;
        if let Err(error) = self.record.close().await {
            tracing::warn!(error = whole(&error), "the record was not sealed");
        }
    }
}

/// The keys that were trusted and are not any more.
fn retired(before: &KeyRing, now: &KeyRing) -> Vec<u32> {
    let trusted = |ring: &KeyRing, id| matches!(ring.issuer(id), Some(Trusted::Trusted(_)));
    before.issuers().into_keys().filter(|id| trusted(before, *id) && !trusted(now, *id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_wrong_is_said_once_and_so_is_its_end() {
        let mut said = Said::default();
        let away = || vec!["away".to_owned()];
        assert_eq!(said.news(Vec::new()), None);
        assert_eq!(said.news(away()), Some(&*away()));
        assert_eq!(said.news(away()), None);
        assert_eq!(said.news(Vec::new()), Some(&[][..]));
    }
}
