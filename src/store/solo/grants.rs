//! The store of one process, as everybody sees it.

use farebox_verifier::{
    Answer, Attempt, GrantId, Outcome, PolicyHash, Receipt, Seats, Selector, SettleError,
    SpendError, SpendStore, Ticket,
};

use super::{Elsewhere, Ended, Keeper, Solo, Taken};
use crate::limits;
use crate::store::budget::{Hold, Take, TakeError};
use crate::store::event::{Event, OldGrants};
use crate::store::lease::{Lease, LeaseError};
use crate::store::life::{Lapse, Life, Step};
use crate::store::registration::{RegisterError, Registration};
use crate::store::view::{Cursor, Filter, Listed, Page};
use crate::store::{
    AdminError, DRAIN, Found, GrantStore, Journal, JournalError, Lapsed, LifeId, Reach, Revocation,
};

impl<K: Keeper> SpendStore for Solo<K> {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move {
            let number = match self.number(ticket) {
                Ok(number) => number,
                Err(Elsewhere::EarlierLife) => return Err(SpendError::Fenced),
                Err(Elsewhere::Nowhere) => return Err(SpendError::UnknownGrant),
            };
            match self.step(|life| life.spend(number, ticket, attempt)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(SpendError::InDoubt),
                Taken::Ended(Ended::Lost) => Err(SpendError::Down),
                Taken::Ended(Ended::Clock) => Err(SpendError::Fenced),
            }
        })
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        Box::pin(async move {
            let number = match self.number(ticket) {
                Ok(number) => number,
                Err(Elsewhere::EarlierLife) => return Err(SettleError::Fenced),
                Err(Elsewhere::Nowhere) => return Err(SettleError::NotSpent),
            };
            match self.step(|life| life.settle(number, ticket, attempt, outcome)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt | Taken::Ended(Ended::Lost) => Err(SettleError::Down),
                Taken::Ended(Ended::Clock) => Err(SettleError::Fenced),
            }
        })
    }
}

impl<K: Keeper> Solo<K> {
    async fn admin<T>(
        &self,
        decide: impl FnOnce(&Life) -> Step<T, AdminError>,
    ) -> Result<T, AdminError> {
        match self.step(decide).await {
            Taken::Answer(answer) => answer,
            Taken::InDoubt => Err(AdminError::InDoubt),
            Taken::Ended(_) => Err(AdminError::Down),
        }
    }

    async fn everywhere(
        &self,
        decide: impl FnOnce(&Life) -> Step<(), AdminError>,
    ) -> Result<Reach, AdminError> {
        self.admin(decide).await.map(|()| Reach::default())
    }

    async fn revoke_one(&self, grant: GrantId) -> Result<Found, AdminError> {
        let place = self.look(|_, view| view.read(grant)).map(|listed| listed.sequence);
        match place {
            None => Ok(Found::Unknown),
            Some(sequence) => self.admin(|life| life.revoke(sequence)).await,
        }
    }

    fn leased(&self, life: &LifeId, lease: Lease) -> Result<(), JournalError> {
        if life != self.id() {
            return Err(JournalError::Gone);
        }
        let held = self.look(|life, _| life.leases.holds(life.now(), DRAIN, lease.number));
        if held { Ok(()) } else { Err(JournalError::NotLeased) }
    }
}

impl<K: Keeper> GrantStore for Solo<K> {
    fn register<'a>(
        &'a self,
        registration: &'a Registration,
    ) -> Answer<'a, Result<Seats, RegisterError>> {
        Box::pin(async move {
            let mine = |seats: &Seats| seats.seats().iter().all(|seat| self.is_mine(seat));
            if !registration.after.iter().all(mine) {
                return Err(RegisterError::PredecessorElsewhere);
            }
            match self.step(|life| life.register(registration)).await {
                Taken::Answer(answer) => self.seats(answer?).ok_or(RegisterError::Down),
                Taken::InDoubt => Err(RegisterError::InDoubt),
                Taken::Ended(_) => Err(RegisterError::Down),
            }
        })
    }

    fn abandon(&self, grant: GrantId) -> Answer<'_, Result<(), AdminError>> {
        Box::pin(async move {
            self.admin(|life| life.abandon(grant)).await?;
            // Nothing registers it from here on; what did so before is on view.
            self.revoke_one(grant).await.map(|_found| ())
        })
    }

    fn revoke<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Revocation, AdminError>> {
        Box::pin(async move {
            let found = match selector {
                Selector::Grant(grant) => Some(self.revoke_one(*grant).await?),
                _ => {
                    self.admin(|life| life.revoke_all(selector)).await?;
                    None
                }
            };
            Ok(Revocation { found, reach: Reach::default() })
        })
    }

    fn block<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(|life| life.block(selector)))
    }

    fn unblock<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(|life| life.unblock(selector)))
    }

    fn set_policy(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Answer<'_, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(move |life| life.set_policy(policy, old)))
    }

    fn take<'a>(&'a self, take: &'a Take) -> Answer<'a, Result<Hold, TakeError>> {
        Box::pin(async move {
            match self.step(|life| life.take(take)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(TakeError::InDoubt),
                Taken::Ended(_) => Err(TakeError::Down),
            }
        })
    }

    fn give_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(self.admin(|life| life.give_back(hold.id)))
    }

    fn open_budgets<'a>(&'a self, held: &'a [Hold]) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(async move {
            for hold in held {
                self.admin(|life| life.restore(*hold)).await?;
            }
            self.admin(Life::open_budgets).await
        })
    }

    fn lease<'a>(
        &'a self,
        life: &'a LifeId,
        name: &'a str,
        holder: &'a str,
        seconds: u64,
    ) -> Answer<'a, Result<Lease, LeaseError>> {
        Box::pin(async move {
            if life != self.id() {
                return Err(LeaseError::Down);
            }
            // Two who ask at once are both refused or one is given it: the lease is taken where the
            // decision is, under the lock.
            match self.step(|life| life.lease(name, holder, seconds)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt | Taken::Ended(_) => Err(LeaseError::Down),
            }
        })
    }

    fn journals(&self) -> Answer<'_, Result<Vec<Journal>, JournalError>> {
        Box::pin(async move { Ok(vec![self.journal()]) })
    }

    fn events<'a>(
        &'a self,
        life: &'a LifeId,
        after: u64,
    ) -> Answer<'a, Result<Vec<Event>, JournalError>> {
        Box::pin(async move {
            if life != self.id() {
                return Err(JournalError::Gone);
            }
            Ok(self.events_after(after))
        })
    }

    fn trim<'a>(
        &'a self,
        life: &'a LifeId,
        upto: u64,
        lease: Lease,
    ) -> Answer<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.leased(life, lease)?;
            self.let_go(upto);
            Ok(())
        })
    }

    fn lapse<'a>(
        &'a self,
        life: &'a LifeId,
        sequences: &'a [u64],
        lease: Lease,
    ) -> Answer<'a, Result<Lapsed, JournalError>> {
        Box::pin(async move {
            self.leased(life, lease)?;
            let mut lapsed = Lapsed::default();
            for sequence in sequences {
                match self.admin(|life| life.lapse(*sequence)).await {
                    Ok(Lapse::NotYet) => lapsed.not_yet.push(*sequence),
                    Ok(Lapse::Over | Lapse::Before) => {}
                    Err(_) => return Err(JournalError::Down),
                }
            }
            Ok(lapsed)
        })
    }

    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        cursor: Option<Cursor>,
        count_max: usize,
    ) -> Answer<'a, Page> {
        Box::pin(async move { self.look(|_, view| view.list(filter, cursor, count_max)) })
    }

    fn count<'a>(&'a self, filter: &'a Filter) -> Answer<'a, u64> {
        Box::pin(async move { self.look(|_, view| view.count(filter)) })
    }

    fn read(&self, grant: GrantId) -> Answer<'_, Option<Listed>> {
        Box::pin(async move { self.look(|_, view| view.read(grant)) })
    }

    fn at<'a>(&'a self, life: &'a LifeId, sequence: u64) -> Answer<'a, Option<Listed>> {
        Box::pin(async move { self.look(|_, view| view.at(life, sequence)) })
    }

    fn closed<'a>(&'a self, _: &'a LifeId) -> Answer<'a, bool> {
        Box::pin(async { false })
    }

    fn forget<'a>(&'a self, _: &'a LifeId) -> Answer<'a, ()> {
        Box::pin(async {})
    }

    fn due<'a>(&'a self, life: &'a LifeId) -> Answer<'a, Vec<u64>> {
        Box::pin(
            async move { self.look(|memory, view| view.due(life, memory.now(), limits::LIST_MAX)) },
        )
    }
}
