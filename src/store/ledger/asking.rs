//! What is asked of a ledger: each is durable before it is answered, or its answer says that nobody knows.

use farebox_verifier::{Audience, Generation, GrantId, Seat, Selector, StoreName, UnixSeconds};

use super::Bearing::{Begins, Continues};
use super::Ledger;
use crate::store::budget::{Hold, HoldId};
use crate::store::desk::{
    BootError, Caller, Claimed, CollectError, Collected, DecideError, Decision, EventSecret,
    HoldEnd, HoldError, KeyClaim, KeyDigest, KeyError, LifeEnd, LifeError, Proposal, ProposeError,
    Reason, RenewError, RequestState, SeatError, Swept, WithdrawError,
};
use crate::store::event::Description;
use crate::store::{AdminError, LifeId};

/// Idempotency keys.
impl Ledger {
    /// Claims a key for a request, before its grant is registered.
    ///
    /// # Errors
    /// [`KeyError`] where it stands for another request, or there is no room.
    pub async fn claim_key(&self, claim: &KeyClaim) -> Result<Claimed, KeyError> {
        self.step(Begins, |desk| desk.claim_key(claim)).await
    }

    /// Passes a key from a grant whose id was given up to a fresh one.
    ///
    /// # Errors
    /// [`RenewError`] where it stands for another grant, or for none.
    pub async fn renew_key(
        &self,
        key: &KeyDigest,
        from: GrantId,
        to: GrantId,
    ) -> Result<(), RenewError> {
        self.step(Continues, |desk| desk.renew_key(key, from, to)).await
    }
}

/// Requests that wait for people.
impl Ledger {
    /// Asks people. Asked again, it is the same request.
    ///
    /// # Errors
    /// [`ProposeError`] where they are not asked.
    pub async fn propose(&self, proposal: &Proposal) -> Result<(), ProposeError> {
        self.step(Begins, |desk| desk.propose(proposal)).await
    }

    /// Counts an approver's decision, and says where the request stands then.
    ///
    /// # Errors
    /// [`DecideError`] where it does not count.
    pub async fn decide(
        &self,
        grant: GrantId,
        decision: Decision,
    ) -> Result<RequestState, DecideError> {
        self.step(Continues, |desk| desk.decide(grant, decision)).await
    }

    /// Takes a request back, and says which grant must be revoked with it.
    ///
    /// # Errors
    /// [`WithdrawError`] where it stays.
    pub async fn withdraw(
        &self,
        grant: GrantId,
        by: &Caller,
    ) -> Result<Option<GrantId>, WithdrawError> {
        self.step(Continues, |desk| desk.withdraw(grant, by)).await
    }

    /// Uses an approval up, for this grant or for the one that it was used up for before.
    ///
    /// # Errors
    /// [`CollectError`] where it pays for nothing.
    pub async fn collect(&self, grant: GrantId, fresh: GrantId) -> Result<Collected, CollectError> {
        self.step(Continues, |desk| desk.collect(grant, fresh)).await
    }

    /// Passes a used approval from a grant whose id was given up to a fresh one.
    ///
    /// # Errors
    /// [`CollectError`] where it pays for nothing more.
    pub async fn collect_again(
        &self,
        grant: GrantId,
        abandoned: GrantId,
        fresh: GrantId,
    ) -> Result<Collected, CollectError> {
        self.step(Continues, |desk| desk.collect_again(grant, abandoned, fresh)).await
    }

    /// Takes the first of all requests that the selector names; asked until nothing is left.
    ///
    /// # Errors
    /// [`AdminError`] where that may not have happened.
    pub async fn cancel(
        &self,
        selector: &Selector,
        by: &Caller,
        reason: &Reason,
    ) -> Result<Swept, AdminError> {
        self.step(Continues, |desk| desk.cancel(selector, by, reason)).await
    }

    /// Ends the first of all requests that have waited too long; asked until nothing is left.
    ///
    /// # Errors
    /// [`AdminError`] where that may not have happened.
    pub async fn expire(&self) -> Result<Swept, AdminError> {
        self.step(Continues, |desk| desk.expire()).await
    }
}

/// Blocks.
impl Ledger {
    /// Blocks what the selector names. What is blocked already stays blocked for its first reason.
    ///
    /// # Errors
    /// [`AdminError`] where it may not be blocked.
    pub async fn block(
        &self,
        selector: &Selector,
        by: &Caller,
        reason: &Reason,
    ) -> Result<(), AdminError> {
        self.step(Continues, |desk| desk.block(selector, by, reason)).await
    }

    /// Lifts a block.
    ///
    /// # Errors
    /// [`AdminError`] where it may not be lifted.
    pub async fn lift(&self, selector: &Selector, by: &Caller) -> Result<(), AdminError> {
        self.step(Continues, |desk| desk.lift(selector, by)).await
    }
}

/// Local stores.
impl Ledger {
    /// Takes a boot for the living one of its store. Announced again, it is the same.
    ///
    /// # Errors
    /// [`BootError`] where it is not.
    pub async fn announce(
        &self,
        store: &StoreName,
        audience: &Audience,
        generation: Generation,
    ) -> Result<(), BootError> {
        self.step(Begins, |desk| desk.announce(store, audience, generation)).await
    }

    /// Registers a grant for the living boot of a local store. This is sent once: sent again, it is another
    /// number, and only the last one that is signed can be spent.
    ///
    /// # Errors
    /// [`SeatError`] where it is not registered, or nobody can tell.
    pub async fn next_seat(
        &self,
        store: &StoreName,
        grant: &Description,
    ) -> Result<Seat, SeatError> {
        self.step(Begins, |desk| desk.next_seat(store, grant)).await
    }

    /// Forgets a local store that is no more.
    ///
    /// # Errors
    /// [`AdminError`] where it may be known.
    pub async fn dismiss(&self, store: &StoreName) -> Result<(), AdminError> {
        self.step(Continues, |desk| desk.dismiss(store)).await
    }
}

/// Lives of stores.
impl Ledger {
    /// Puts a life on the list, before anything is registered in it.
    ///
    /// # Errors
    /// [`LifeError`] where it is not on it.
    pub async fn open_life(&self, life: &LifeId, secret: &EventSecret) -> Result<(), LifeError> {
        self.step(Begins, |desk| desk.open_life(life, secret)).await
    }

    /// Promises that nothing minted under this life ends later than what is answered. It comes before the
    /// grant is registered, and changes something once in ten minutes.
    ///
    /// # Errors
    /// [`LifeError`] where nothing may be minted under it.
    pub async fn extend_life(
        &self,
        generation: Generation,
        end: UnixSeconds,
    ) -> Result<UnixSeconds, LifeError> {
        self.step(Continues, |desk| desk.extend_life(generation, end)).await
    }

    /// Says that a life's events up to this number are drained.
    ///
    /// # Errors
    /// [`LifeError`] where it is not known.
    pub async fn advance(&self, generation: Generation, cursor: u64) -> Result<(), LifeError> {
        self.step(Continues, |desk| desk.advance(generation, cursor)).await
    }

    /// Says that a life is over, or how its draining ended.
    ///
    /// # Errors
    /// [`LifeError`] where it ended otherwise.
    pub async fn end_life(&self, generation: Generation, end: LifeEnd) -> Result<(), LifeError> {
        self.step(Continues, |desk| desk.end_life(generation, end)).await
    }

    /// Takes a life off the list, once nothing of it can matter.
    ///
    /// # Errors
    /// [`LifeError`] where it still does.
    pub async fn drop_life(&self, generation: Generation) -> Result<(), LifeError> {
        self.step(Continues, |desk| desk.drop_life(generation)).await
    }
}

/// Holds on budgets.
impl Ledger {
    /// Writes a hold down before the store is asked for it.
    ///
    /// # Errors
    /// [`HoldError`] where it must not be asked for.
    pub async fn begin_hold(&self, grant: GrantId, hold: Hold) -> Result<(), HoldError> {
        self.step(Begins, |desk| desk.begin_hold(grant, hold)).await
    }

    /// Says what has become of a hold, for good.
    ///
    /// # Errors
    /// [`HoldError`] where something else has, or it is not known.
    pub async fn end_hold(
        &self,
        grant: GrantId,
        hold: HoldId,
        end: HoldEnd,
    ) -> Result<(), HoldError> {
        self.step(Continues, |desk| desk.end_hold(grant, hold, end)).await
    }
}
