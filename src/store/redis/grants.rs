//! The fleet as a grant store.

use std::sync::Arc;

use farebox_verifier::redis::Topology;
use farebox_verifier::{
    Answer, Attempt, GrantId, Outcome, PolicyHash, Receipt, Seat, Seats, Selector, SettleError,
    SpendError, SpendStore, Ticket,
};
use tokio::task::JoinSet;

use super::calls;
use super::fleet::Fleet;
use super::server::{Open, Server, Silence};
use crate::limits;
use crate::store::budget::{Hold, Take, TakeError};
use crate::store::desk::LifeError;
use crate::store::event::{Event, OldGrants};
use crate::store::fixed::Unpacker;
use crate::store::lease::{Lease, LeaseError};
use crate::store::registration::{RegisterError, Registration};
use crate::store::view::{Cursor, Filter, Listed, Page};
use crate::store::{
    AdminError, GrantStore, Journal, JournalError, Lapsed, LifeId, Reach, Revocation,
};

impl SpendStore for Fleet {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        self.spender.spend(ticket, attempt)
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        self.spender.settle(ticket, attempt, outcome)
    }
}

/// Registers on one server, in the life that is open there.
async fn register_on(
    server: &Server,
    open: &Open,
    registration: &Registration,
) -> Result<Seat, (RegisterError, u8, Vec<u8>)> {
    let plain = |error| (error, 0, Vec::new());
    let mut after = Vec::new();
    for seats in &registration.after {
        let sequence = server.sequence_of(&open.id, seats.seats());
        after.push(sequence.ok_or(plain(RegisterError::PredecessorElsewhere))?);
    }
    let (letter, rest) = match server.ask(&open.id, calls::register(registration, &after)).await {
        Ok(answer) => answer,
        Err(Silence::Down) => return Err(plain(RegisterError::Down)),
        Err(Silence::InDoubt) => return Err(plain(RegisterError::InDoubt)),
    };
    let LifeId { store, shard, generation } = open.id.clone();
    let error = match letter {
        b'K' => {
            let sequence = Unpacker::new(&rest).six().ok_or(plain(RegisterError::InDoubt))?;
            return Ok(Seat { store, shard, generation, sequence });
        }
        b'p' => RegisterError::Policy,
        b'b' => RegisterError::Blocked,
        b'a' => RegisterError::Abandoned,
        b'e' => RegisterError::End,
        b'l' => RegisterError::Lagging,
        b'f' => RegisterError::Full,
        b'g' => RegisterError::AgentFull,
        b't' => RegisterError::TooManyPredecessors,
        b'w' => RegisterError::PredecessorFailed,
        b'y' => RegisterError::PredecessorElsewhere,
        b'F' | b'J' => RegisterError::Down,
        _ => RegisterError::InDoubt,
    };
    Err((error, letter, rest))
}

impl Fleet {
    /// Keeps that something is minted under this life, and until when it lives.
    async fn promise(&self, open: &Open, registration: &Registration) -> Result<(), RegisterError> {
        let promised = self.lives.promise(&open.id, registration.ticket.grant_end).await;
        promised.map_err(|error| match error {
            LifeError::Until => RegisterError::End,
            _ => RegisterError::Down,
        })
    }

    async fn register_one(
        &self,
        server: &Server,
        registration: &Registration,
    ) -> Result<Seat, RegisterError> {
        let open = server.life().ok_or(RegisterError::Down)?;
        // Before it is asked: a revocation must find the life on the list.
        self.promise(&open, registration).await?;
        register_on(server, &open, registration).await.map_err(|(error, letter, rest)| {
            self.heard(server, &open, letter, &rest);
            error
        })
    }

    /// On the first server that answers, beginning with the one that has the workflow's other grants.
    async fn register_somewhere(
        &self,
        registration: &Registration,
    ) -> Result<Seats, RegisterError> {
        if registration.after.iter().any(|seats| seats.seats().len() != 1) {
            return Err(RegisterError::PredecessorElsewhere);
        }
        let after = registration.after.first().and_then(|seats| seats.seats().first());
        let mut worst = RegisterError::Down;
        for server in self.order(registration.workflow(), after) {
            match self.register_one(server, registration).await {
                Ok(seat) => {
                    self.took(server, registration.workflow());
                    return Seats::new(1, vec![seat]).map_err(|_seats| RegisterError::Down);
                }
                // Surely not registered there, so that another may have it.
                Err(
                    error @ (RegisterError::Down | RegisterError::Lagging | RegisterError::Full),
                ) => {
                    self.is_slow(server);
                    worst = error;
                }
                Err(error) => {
                    if error == RegisterError::InDoubt {
                        self.is_slow(server);
                    }
                    return Err(error);
                }
            }
        }
        Err(worst)
    }

    /// On all at once; a majority of the configured servers must have it.
    async fn register_everywhere(
        self: &Fleet,
        registration: &Registration,
    ) -> Result<Seats, RegisterError> {
        let (mut seats, mut worst) = (Vec::new(), RegisterError::Down);
        let mut asked = JoinSet::new();
        for server in &self.servers {
            let Some(open) = server.life() else { continue };
            if let Err(error) = self.promise(&open, registration).await {
                worst = error;
                continue;
            }
            let (server, registration) = (Arc::clone(server), registration.clone());
            asked.spawn(async move {
                let answer = register_on(&server, &open, &registration).await;
                (server, open, answer)
            });
        }
        while let Some(Ok((server, open, answer))) = asked.join_next().await {
            match answer {
                Ok(seat) => seats.push(seat),
                Err((error, letter, rest)) => {
                    self.heard(&server, &open, letter, &rest);
                    if error != RegisterError::Down {
                        worst = error;
                    }
                }
            }
        }
        let needed = self.topology.needed(self.servers.len());
        if seats.len() >= needed {
            seats.sort_by(|a, b| a.store.cmp(&b.store));
            let needed = u8::try_from(needed).map_err(|_many| RegisterError::Down)?;
            return Seats::new(needed, seats).map_err(|_seats| RegisterError::Down);
        }
        // Some have it and too few: whoever asks again takes another id.
        Err(if seats.is_empty() { worst } else { RegisterError::InDoubt })
    }
}

impl GrantStore for Fleet {
    fn trouble(&self) -> Option<String> {
        let needed = self.topology.needed(self.servers.len());
        let serving = self.servers.iter().filter(|server| server.serves()).count();
        let all = self.servers.len();
        (serving < needed).then(|| format!("{serving} of {all} servers serve, {needed} must"))
    }

    fn register<'a>(
        &'a self,
        registration: &'a Registration,
    ) -> Answer<'a, Result<Seats, RegisterError>> {
        Box::pin(async move {
            match self.topology {
                Topology::Single | Topology::Spread => self.register_somewhere(registration).await,
                Topology::Quorum => self.register_everywhere(registration).await,
            }
        })
    }

    fn abandon(&self, grant: GrantId) -> Answer<'_, Result<(), AdminError>> {
        Box::pin(self.abandon_grant(grant))
    }

    fn revoke<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Revocation, AdminError>> {
        Box::pin(self.revoke_selector(selector))
    }

    fn block<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.block_selector(selector))
    }

    fn unblock<'a>(&'a self, selector: &'a Selector) -> Answer<'a, Result<Reach, AdminError>> {
        Box::pin(self.lift(selector))
    }

    fn set_policy(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Answer<'_, Result<Reach, AdminError>> {
        Box::pin(self.put_in_force(policy, old))
    }

    fn take<'a>(&'a self, take: &'a Take) -> Answer<'a, Result<Hold, TakeError>> {
        Box::pin(self.take_hold(take))
    }

    fn give_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(self.give(hold))
    }

    fn open_budgets<'a>(&'a self, held: &'a [Hold]) -> Answer<'a, Result<(), AdminError>> {
        Box::pin(self.restore(held))
    }

    fn lease<'a>(
        &'a self,
        life: &'a LifeId,
        name: &'a str,
        holder: &'a str,
        seconds: u64,
    ) -> Answer<'a, Result<Lease, LeaseError>> {
        Box::pin(self.give_lease(life, name, holder, seconds))
    }

    fn journals(&self) -> Answer<'_, Result<Vec<Journal>, JournalError>> {
        Box::pin(self.list_journals())
    }

    fn events<'a>(
        &'a self,
        life: &'a LifeId,
        after: u64,
    ) -> Answer<'a, Result<Vec<Event>, JournalError>> {
        Box::pin(self.journal_events(life, after))
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
        Box::pin(async move {
            self.see_all().await;
            self.with_view(|view| view.list(filter, cursor, count_max))
        })
    }

    fn count<'a>(&'a self, filter: &'a Filter) -> Answer<'a, u64> {
        Box::pin(async move {
            self.see_all().await;
            let (mut total, mut from) = (0_u64, None);
            loop {
                let (some, next) = self.with_view(|view| view.count_some(filter, from));
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
        Box::pin(async move {
            self.see_all().await;
            self.with_view(|view| view.read(grant))
        })
    }

    fn at<'a>(&'a self, life: &'a LifeId, sequence: u64) -> Answer<'a, Option<Listed>> {
        Box::pin(async move {
            self.see(life).await;
            self.with_view(|view| view.at(life, sequence))
        })
    }

    fn unspent<'a>(&'a self, life: &'a LifeId, grant: GrantId) -> Answer<'a, bool> {
        Box::pin(async move {
            self.see(life).await;
            // Where events were missed, another registration of it may be among them.
            let whole = self.lives.get(life).is_some_and(|life| !life.missed);
            whole && self.with_view(|view| view.unspent(life, grant))
        })
    }

    fn closed<'a>(&'a self, life: &'a LifeId) -> Answer<'a, bool> {
        Box::pin(async move {
            self.see(life).await;
            self.lives.get(life).is_some_and(|life| life.closed)
        })
    }

    fn forget<'a>(&'a self, life: &'a LifeId) -> Answer<'a, ()> {
        Box::pin(async move {
            if !self.is_open(life) {
                self.lives.finished(life);
                let now = self.clock.now();
                self.with_view(|view| {
                    view.over(life, now);
                    view.drained(life);
                });
            }
            self.lives.forget_over(self.clock.now()).await;
        })
    }

    fn due<'a>(&'a self, life: &'a LifeId) -> Answer<'a, Vec<u64>> {
        Box::pin(async move {
            self.see_all().await;
            let now = self.clock.now();
            self.with_view(|view| view.due(life, now, limits::LIST_MAX))
        })
    }
}
