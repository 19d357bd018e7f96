//! The store of one process, as everybody sees it.

use farebox_verifier::{
    Answer, Attempt, GrantId, Outcome, PolicyHash, Receipt, Seats, Selector, SettleError,
    SpendError, SpendStore, Ticket,
};

use super::{Keeper, Memory, Solo, Taken, Word};
use crate::limits;
use crate::store::budget::{Hold, Take, TakeError};
use crate::store::event::{Event, OldGrants};
use crate::store::lease::{Lease, LeaseError};
use crate::store::life::{Lapse, Step};
use crate::store::registration::{RegisterError, Registration};
use crate::store::view::{Cursor, Filter, Listed, Page};
use crate::store::{
    AdminError, Found, GrantStore, Journal, JournalError, Lapsed, LifeId, Reach, Revocation,
};

impl<K: Keeper> SpendStore for Solo<K> {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move {
            match self.step(|memory| memory.spend(ticket, attempt)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(SpendError::InDoubt),
                Taken::Down => Err(SpendError::Down),
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
            match self.step(|memory| memory.settle(ticket, attempt, outcome)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt | Taken::Down => Err(SettleError::Down),
            }
        })
    }
}

#[expect(private_bounds, reason = "nobody outside names a keeper")]
impl<K: Keeper> Solo<K> {
    async fn admin<T>(
        &self,
        decide: impl FnOnce(&Memory) -> Step<T, AdminError>,
    ) -> Result<T, AdminError> {
        match self.step(decide).await {
            Taken::Answer(answer) => answer,
            Taken::InDoubt => Err(AdminError::InDoubt),
            Taken::Down => Err(AdminError::Down),
        }
    }

    async fn everywhere(
        &self,
        decide: impl FnOnce(&Memory) -> Step<(), AdminError>,
    ) -> Result<Reach, AdminError> {
        self.admin(decide).await.map(|()| Reach::default())
    }

    /// What is read from a journal is kept by then: who reads it builds on it.
    async fn journalled<T>(
        &self,
        read: impl FnOnce(&Memory) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match self.turn(|turn| Ok(read(turn.memory()))).await {
            Taken::Answer(answer) => answer,
            Taken::InDoubt | Taken::Down => Err(JournalError::Down),
        }
    }

    async fn trim_journal(
        &self,
        life: &LifeId,
        upto: u64,
        lease: Lease,
    ) -> Result<(), JournalError> {
        let trimmed = self.turn(|turn| {
            if let Err(refusal) = turn.memory().may_trim(life, lease) {
                return Ok(Err(refusal));
            }
            let generation = life.generation;
            turn.say(&[Word::Drained { generation, upto }]).map(Ok)
        });
        match trimmed.await {
            Taken::Answer(answer) => answer,
            Taken::InDoubt | Taken::Down => Err(JournalError::Down),
        }
    }

    async fn lapse_grants(
        &self,
        life: &LifeId,
        sequences: &[u64],
        lease: Lease,
    ) -> Result<Lapsed, JournalError> {
        let lapsed = self.turn(|turn| {
            if let Err(refusal) = turn.memory().leased(life, lease) {
                return Ok(Err(refusal));
            }
            let mut lapsed = Lapsed::default();
            for sequence in sequences {
                if turn.step(|memory| memory.life.lapse(*sequence))? == Ok(Lapse::NotYet) {
                    lapsed.not_yet.push(*sequence);
                }
            }
            Ok(Ok(lapsed))
        });
        match lapsed.await {
            Taken::Answer(answer) => answer,
            Taken::InDoubt | Taken::Down => Err(JournalError::Down),
        }
    }
}

impl<K: Keeper> GrantStore for Solo<K> {
    fn register<'a>(
        &'a self,
        registration: &'a Registration,
    ) -> Answer<'a, Result<Seats, RegisterError>> {
        Box::pin(async move {
            match self.step(|memory| memory.register(registration)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(RegisterError::InDoubt),
                Taken::Down => Err(RegisterError::Down),
            }
        })
    }

    fn abandon(&self, grant: GrantId) -> Answer<'_, Result<(), AdminError>> {
        Box::pin(async move {
            self.admin(|memory| memory.life.abandon(grant)).await?;
            // Nothing registers it from here on; what did so before is on view.
            match self.admin(|memory| memory.revoke(grant)).await? {
                Found::Spent | Found::Settled(_) => Err(AdminError::Used),
                Found::Unknown | Found::Unspent | Found::Expired => Ok(()),
            }
        })
    }

    fn revoke<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Revocation, AdminError>> {
        Box::pin(async move {
            let found = match selector {
                Selector::Grant(grant) => Some(self.admin(|memory| memory.revoke(*grant)).await?),
                _ => {
                    self.admin(|memory| memory.life.revoke_all(selector)).await?;
                    None
                }
            };
            Ok(Revocation { found, reach: Reach::default() })
        })
    }

    fn block<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(|memory| memory.life.block(selector)))
    }

    fn unblock<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(|memory| memory.life.unblock(selector)))
    }

    fn set_policy(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Answer<'_, Result<Reach, AdminError>> {
        Box::pin(self.everywhere(move |memory| memory.life.set_policy(policy, old)))
    }

    fn take<'a>(&'a self, take: &'a Take) -> Answer<'a, Result<Hold, TakeError>> {
        Box::pin(async move {
            match self.step(|memory| memory.life.take(take)).await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(TakeError::InDoubt),
                Taken::Down => Err(TakeError::Down),
            }
        })
    }

    fn give_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(self.admin(|memory| memory.life.give_back(hold.id)))
    }

    fn open_budgets<'a>(&'a self, held: &'a [Hold]) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(async move {
            let opened = self.turn(|turn| {
                for hold in held {
                    if let Err(refusal) = turn.step(|memory| memory.life.restore(*hold))? {
                        return Ok(Err(refusal));
                    }
                }
                turn.step(|memory| memory.life.open_budgets())
            });
            match opened.await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt => Err(AdminError::InDoubt),
                Taken::Down => Err(AdminError::Down),
            }
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
            // Two who ask at once are both refused or one is given it: the lease is taken where the
            // decision is, under the lock.
            let leased = self.step(|memory| match *life == memory.id {
                true => memory.life.lease(name, holder, seconds),
                false => (None, Err(LeaseError::Down)),
            });
            match leased.await {
                Taken::Answer(answer) => answer,
                Taken::InDoubt | Taken::Down => Err(LeaseError::Down),
            }
        })
    }

    fn journals(&self) -> Answer<'_, Result<Vec<Journal>, JournalError>> {
        Box::pin(self.journalled(|memory| Ok(memory.journals())))
    }

    fn events<'a>(
        &'a self,
        life: &'a LifeId,
        after: u64,
    ) -> Answer<'a, Result<Vec<Event>, JournalError>> {
        Box::pin(self.journalled(move |memory| memory.events_after(life, after)))
    }

    fn trim<'a>(
        &'a self,
        life: &'a LifeId,
        upto: u64,
        lease: Lease,
    ) -> Answer<'a, Result<(), JournalError>> {
        Box::pin(self.trim_journal(life, upto, lease))
    }

    fn lapse<'a>(
        &'a self,
        life: &'a LifeId,
        sequences: &'a [u64],
        lease: Lease,
    ) -> Answer<'a, Result<Lapsed, JournalError>> {
        Box::pin(self.lapse_grants(life, sequences, lease))
    }

    fn list<'a>(
        &'a self,
        filter: &'a Filter,
        cursor: Option<Cursor>,
        count_max: usize,
    ) -> Answer<'a, Page> {
        Box::pin(async move { self.look(|memory| memory.view.list(filter, cursor, count_max)) })
    }

    fn count<'a>(&'a self, filter: &'a Filter) -> Answer<'a, u64> {
        Box::pin(async move {
            let (mut total, mut from) = (0_u64, None);
            loop {
                let (some, next) = self.look(|memory| memory.view.count_some(filter, from));
                total = total.saturating_add(some);
                if next.is_none() {
                    return total;
                }
                from = next;
                tokio::task::yield_now().await;
            }
        })
    }

    fn read(&self, grant: GrantId) -> Answer<'_, Option<Listed>> {
        Box::pin(async move { self.look(|memory| memory.view.read(grant)) })
    }

    fn at<'a>(&'a self, life: &'a LifeId, sequence: u64) -> Answer<'a, Option<Listed>> {
        Box::pin(async move { self.look(|memory| memory.view.at(life, sequence)) })
    }

    fn unspent<'a>(&'a self, life: &'a LifeId, grant: GrantId) -> Answer<'a, bool> {
        Box::pin(async move { self.look(|memory| memory.view.unspent(life, grant)) })
    }

    fn closed<'a>(&'a self, life: &'a LifeId) -> Answer<'a, bool> {
        Box::pin(async move { self.look(|memory| memory.closed(life)) })
    }

    fn forget<'a>(&'a self, life: &'a LifeId) -> Answer<'a, ()> {
        Box::pin(async move {
            let forgotten = self.turn(|turn| match turn.memory().is_drained(life) {
                true => turn.say(&[Word::Forgotten { generation: life.generation }]).map(Ok),
                false => Ok(Ok::<(), JournalError>(())),
            });
            // Where that is not kept, the life is there again, and forgotten again.
            let (Taken::Answer(_) | Taken::InDoubt | Taken::Down) = forgotten.await;
        })
    }

    fn due<'a>(&'a self, life: &'a LifeId) -> Answer<'a, Vec<u64>> {
        Box::pin(async move {
            self.look(|memory| memory.view.due(life, memory.life.now(), limits::LIST_MAX))
        })
    }
}
