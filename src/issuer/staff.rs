//! What staff say: told to every life of every store, and written down.

use std::sync::{Arc, PoisonError};

use farebox_verifier::Selector;

use super::tenants::told_of;
use super::{Issuer, Refused};
use crate::callers::Caller;
use crate::record::{Entry, Kind};
use crate::store::desk::{self, Reason};
use crate::store::{AdminError, Found, Reach};

/// What a revocation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// How many outstanding grants it named.
    pub count: u64,
    /// Where the one grant stood, where it named one.
    pub found: Option<&'static str>,
    /// Whom it reached.
    pub reach: Reach,
}

impl Issuer {
    /// Ends every outstanding grant that the selector names, and grants nothing more for it where asked.
    ///
    /// # Errors
    /// [`Refused`] where no store was reached, or the ledger takes nothing.
    pub async fn revoke(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        selector: Selector,
        reason: Reason,
        block: bool,
    ) -> Result<Revoked, Refused> {
        self.staff(move |issuer| async move {
            let count = issuer.outstanding(&selector).await;
            let by = by(&caller)?;
            // The block comes first: what is minted between the two is revoked too. Where it is not put up, what is
            // outstanding is revoked all the same.
            let blocked = match block {
                true => issuer.put_up(&selector, &by, &reason).await,
                false => Ok(Reach::default()),
            };
            // What waits for people goes before the stores hear: whoever collects meanwhile finds it taken back after
            // registering, or registers before the stores hear.
            let paid = match &selector {
                Selector::Grant(asked) => issuer.ledger.request(*asked).and_then(|it| it.collected),
                _ => None,
            };
            let cancelled = issuer.cancel_all(&selector, &by, &reason).await;
            let revoked = issuer.store.revoke(&selector).await.map_err(down);
            let entry = word(Kind::Revocation, &caller, &selector, &reason).detail("count", count);
            issuer.note_staff(entry.detail("block", block)).await;
            // A request that paid for another grant than the one it was asked under is known by both.
            if let Some(paid) = paid.filter(|paid| selector != Selector::Grant(*paid)) {
                let paid = Selector::Grant(paid);
                issuer.note_staff(word(Kind::Revocation, &caller, &paid, &reason)).await;
                issuer.store.revoke(&paid).await.map_err(down)?;
            }
            cancelled?;
            let (revocation, blocked) = (revoked?, blocked?);
            let mut reach = revocation.reach;
            reach.unreached.extend(blocked.unreached);
            let found = revocation.found.map(found_word);
            Ok(Revoked { count, found, reach })
        })
        .await
    }

    /// Takes all requests back that wait for people, or were approved.
    pub(super) async fn cancel_all(
        &self,
        selector: &Selector,
        by: &desk::Caller,
        reason: &Reason,
    ) -> Result<(), Refused> {
        while self.ledger.cancel(selector, by, reason).await.map_err(down)?.left > 0 {}
        self.moved();
        Ok(())
    }

    /// Grants nothing for what the selector names, until it is lifted.
    ///
    /// # Errors
    /// [`Refused`] where no store was reached, or the ledger takes nothing.
    pub async fn block(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        selector: Selector,
        reason: Reason,
    ) -> Result<Reach, Refused> {
        self.staff(move |issuer| async move {
            let put_up = issuer.put_up(&selector, &by(&caller)?, &reason).await;
            issuer.note_staff(word(Kind::Blocked, &caller, &selector, &reason)).await;
            put_up
        })
        .await
    }

    /// Grants for it again. What was revoked stays revoked.
    ///
    /// # Errors
    /// [`Refused`] where it is not written down, or no store was reached.
    pub async fn lift(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        selector: Selector,
        reason: Reason,
    ) -> Result<Reach, Refused> {
        self.staff(move |issuer| async move {
            issuer.note(word(Kind::Unblocked, &caller, &selector, &reason)).await?;
            issuer.feed.knock();
            issuer.ledger.lift(&selector, &by(&caller)?).await.map_err(down)?;
            issuer.store.unblock(&selector).await.map_err(down)
        })
        .await
    }

    /// A word of the staff that takes something away is in force whether or not it can be written down: a full
    /// disk must not keep a stolen token alive. The stores' journals tell of it too.
    /// Those who verify without a store hear of it by the record alone: the feed is silent until it is written down.
    pub(super) async fn note_staff(&self, entry: Entry) {
        let entry = entry.at(self.clock.now());
        if self.note(entry.clone()).await.is_err() {
            tracing::error!("a word of the staff is in force and could not be written down");
            self.feed.hold();
            self.unsaid.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
        self.feed.knock();
    }

    /// Writes down that keys were made or retired, which is in force whether or not it can be.
    pub async fn tell_keys(&self, entry: Entry) {
        self.note_staff(entry).await;
    }

    /// Writes down what could not be.
    pub async fn note_unsaid(&self) {
        let unsaid =
            std::mem::take(&mut *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner));
        for entry in unsaid {
            if self.note(entry.clone()).await.is_ok() {
                self.feed.release();
            } else {
                self.unsaid.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            }
        }
    }

    async fn put_up(
        &self,
        selector: &Selector,
        by: &desk::Caller,
        reason: &Reason,
    ) -> Result<Reach, Refused> {
        // In the ledger first: a life that is opened from now on is told of it.
        self.ledger.block(selector, by, reason).await.map_err(down)?;
        self.store.block(selector).await.map_err(down)
    }

    /// Runs a word of the staff to its end: half said, nobody would know whom it reached.
    async fn staff<T: Send + 'static, F>(
        self: &Arc<Self>,
        say: impl FnOnce(Arc<Issuer>) -> F,
    ) -> Result<T, Refused>
    where
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let said = self.tasks.run(say(Arc::clone(self))).await;
        said.unwrap_or(Err(Refused::Internal { what: "a word of the staff broke off" }))
    }
}

fn word(kind: Kind, caller: &Caller, selector: &Selector, reason: &Reason) -> Entry {
    told_of(Entry::of(kind), caller)
        .by(caller.name.as_str())
        .reason(reason.as_str())
        .selector(selector)
}

fn by(caller: &Caller) -> Result<desk::Caller, Refused> {
    let named = desk::Caller::parse(caller.name.as_str());
    named.or(Err(Refused::Internal { what: "a caller's name is none" }))
}

fn down(error: AdminError) -> Refused {
    match error {
        AdminError::Full => Refused::Full,
        _ => Refused::StoreDown,
    }
}

fn found_word(found: Found) -> &'static str {
    match found {
        Found::Unspent => "unspent",
        Found::Spent => "spent",
        Found::Settled(outcome) => outcome.word(),
        Found::Expired => "expired",
        Found::Unknown => "unknown",
    }
}
