//! A grant store wholly offline, for an API that runs as one process.
//!
//! ```text
//! boot ──announced──→ issuer ──tokens that name the boot──→ this memory, which takes their use
//!                       └──────revocations, by the feed───→
//! ```
//! A process makes up a name for itself, its boot, when it first needs one, and has it announced to the issuer
//! by somebody who may spend for this API. The issuer numbers what it grants for the boot that was announced
//! last; nothing else is let through here. So nothing need be durable: what an earlier process may have spent
//! names another boot, and is [`SpendError::Fenced`].
//!
//! Nobody asks the issuer while a token is spent. What it takes back reaches this store by the issuer's signed feed
//! ([`Local::following`]), or by whoever calls [`Local::revoke`]; without either, the token's own end is the only limit.
//!
//! What no memory can know is that it was set back or copied: with the whole machine, or by a fork.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::attempt::Attempt;
use crate::clock::{Clock, UnixSeconds};
use crate::crypto::NoRandom;
use crate::feed::Follower;
use crate::grant::{Generation, GrantId, Seat, Seats, Shard};
use crate::limits;
use crate::name::StoreName;
use crate::refusal::Refusal;
use crate::selector::{Scope, Selector};
use crate::store::{Answer, Outcome, Receipt, SettleError, SpendError, SpendStore, Ticket};
use crate::taken::Taken;

/// A grant store of one process.
pub struct Local {
    store: StoreName,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    followed: Option<Arc<Follower>>,
}

struct State {
    boot: Option<Generation>,
    taken: Taken,
    revoked: Revoked,
}

/// What was taken back.
#[derive(Default)]
struct Revoked {
    /// Single grants, each until no token of it is left.
    grants: HashMap<GrantId, UnixSeconds>,
    /// Up to which number those are dead that share a name.
    watermarks: HashMap<Scope, Watermark>,
    /// The same for all.
    all: u64,
}

#[derive(Clone, Copy)]
struct Watermark {
    upto: u64,
    until: UnixSeconds,
}

/// Where a grant is registered that is not registered for this boot.
enum Elsewhere {
    /// For another boot of this store.
    OtherBoot,
    /// For no boot of it.
    Nowhere,
}

impl Local {
    /// A store under this name, which the issuer knows as a part of this API.
    #[must_use]
    pub fn new(store: StoreName, clock: Arc<dyn Clock>) -> Local {
        let (taken, revoked) = (Taken::none(clock.now()), Revoked::default());
        let state = State { boot: None, taken, revoked };
        Local { store, clock, state: Mutex::new(state), followed: None }
    }

    /// The same, which takes a use only while this feed is fresh and does not cover the grant.
    #[must_use]
    pub fn following(self, feed: Arc<Follower>) -> Local {
        Local { followed: Some(feed), ..self }
    }

    /// The store's name.
    #[must_use]
    pub fn store(&self) -> &StoreName {
        &self.store
    }

    /// The boot that the issuer is to be told of, made when it is first asked for.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn boot(&self) -> Result<Generation, NoRandom> {
        self.with(|state| match state.boot {
            Some(boot) => Ok(boot),
            None => Ok(*state.boot.insert(Generation::fresh()?)),
        })
    }

    /// Takes back what the selector names, of the grants with numbers up to this one: the last that the
    /// issuer had given when it revoked. Without a number it takes back all of it, and what is granted later
    /// too, for as long as this boot lives.
    ///
    /// It never fails: where there is no room to remember a name, all grants up to that number are dead.
    pub fn revoke(&self, selector: &Selector, upto: Option<u64>) {
        self.with(|state| {
            // No token that is minted by now lives longer, and nobody settles what was spent later.
            let lives = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
            let until = state.taken.now().plus(lives + limits::SETTLE_SECONDS_MAX);
            state.revoked.add(selector, upto, until);
        });
    }

    /// Refuses what the feed covers, and everything where it says nothing any more.
    fn heard(&self, ticket: &Ticket) -> Result<(), SpendError> {
        let Some(feed) = &self.followed else { return Ok(()) };
        feed.covers(ticket, self.clock.now()).map_err(|refusal| match refusal {
            Refusal::Revoked => SpendError::Revoked,
            _ => SpendError::Down,
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.taken.pass(self.clock.now()) {
            let now = state.taken.now();
            state.revoked.forget(now);
        }
        change(&mut state)
    }
}

impl State {
    /// The grant's number in this boot.
    fn number(&self, store: &StoreName, ticket: &Ticket) -> Result<u64, Elsewhere> {
        let Some([seat]) = ticket.stores.as_ref().map(Seats::seats) else {
            return Err(Elsewhere::Nowhere);
        };
        let Seat { generation, sequence, shard, .. } = seat;
        let mine = self.boot == Some(*generation) && *shard == Shard::only();
        match seat.store == *store {
            true if mine => Ok(*sequence),
            true => Err(Elsewhere::OtherBoot),
            false => Err(Elsewhere::Nowhere),
        }
    }

    fn spend(
        &mut self,
        store: &StoreName,
        ticket: &Ticket,
        attempt: &Attempt,
    ) -> Result<Receipt, SpendError> {
        let number = self.number(store, ticket).map_err(|elsewhere| match elsewhere {
            Elsewhere::OtherBoot => SpendError::Fenced,
            Elsewhere::Nowhere => SpendError::UnknownGrant,
        })?;
        if self.revoked.covers(number, ticket) {
            return Err(SpendError::Revoked);
        }
        // The fence is the boot, and it was looked at first.
        self.taken.spend(ticket, attempt, |_ticket| Ok(()))
    }

    fn settle(
        &mut self,
        store: &StoreName,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        self.number(store, ticket).map_err(|elsewhere| match elsewhere {
            Elsewhere::OtherBoot => SettleError::Fenced,
            Elsewhere::Nowhere => SettleError::NotSpent,
        })?;
        self.taken.settle(ticket, attempt, outcome)
    }
}

impl Revoked {
    fn add(&mut self, selector: &Selector, upto: Option<u64>, until: UnixSeconds) {
        let room =
            self.grants.len().saturating_add(self.watermarks.len()) < limits::LOCAL_REVOKED_MAX;
        let all_upto = self.all.max(upto.unwrap_or(u64::MAX));
        match selector {
            Selector::All => self.all = all_upto,
            Selector::Grant(grant) => {
                if room || self.grants.contains_key(grant) {
                    self.grants.insert(*grant, until);
                } else {
                    self.all = all_upto;
                }
            }
            named => {
                let until = if upto.is_some() { until } else { UnixSeconds::MAX };
                let mark = Watermark { upto: upto.unwrap_or(u64::MAX), until };
                match self.watermarks.get_mut(&named.scope()) {
                    Some(known) => known.raise(mark),
                    None if room => drop(self.watermarks.insert(named.scope(), mark)),
                    None => self.all = all_upto,
                }
            }
        }
    }

    fn covers(&self, number: u64, ticket: &Ticket) -> bool {
        let covered = |scope| self.watermarks.get(scope).is_some_and(|mark| number <= mark.upto);
        number <= self.all
            || self.grants.contains_key(&ticket.grant)
            || (!self.watermarks.is_empty() && ticket.scopes().0.iter().any(covered))
    }

    fn forget(&mut self, now: UnixSeconds) {
        self.grants.retain(|_, until| now < *until);
        self.watermarks.retain(|_, mark| now < mark.until);
    }
}

impl Watermark {
    fn raise(&mut self, other: Watermark) {
        self.upto = self.upto.max(other.upto);
        self.until = self.until.max(other.until);
    }
}

impl SpendStore for Local {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move {
            self.heard(ticket)?;
            self.with(|state| state.spend(&self.store, ticket, attempt))
        })
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        Box::pin(
            async move { self.with(|state| state.settle(&self.store, ticket, attempt, outcome)) },
        )
    }
}
