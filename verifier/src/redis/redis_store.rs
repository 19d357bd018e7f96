//! The grant store on Redis, as a verifier sees it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::address::Address;
use super::call::Call;
use super::link::{Link, Waits};
use super::question;
use super::topology::{Topology, TopologyError};
use super::unanswered::Unanswered;
use super::votes::{SettleVotes, SpendVotes};
use crate::attempt::Attempt;
use crate::grant::Seat;
use crate::limits;
use crate::store::{Answer, Outcome, Receipt, SettleError, SpendError, SpendStore, Ticket};

/// How long is waited between two reports to a server that did not hear of a settling.
const AGAIN: Duration = Duration::from_secs(1);

/// The grant store on Redis: one server, or several as their [`Topology`] says.
pub struct RedisStore {
    topology: Topology,
    links: Vec<Arc<Link>>,
    /// Reports to servers that were away while the others agreed.
    late: TaskTracker,
}

impl RedisStore {
    /// The store on these servers. Nothing is connected yet.
    ///
    /// # Errors
    /// [`TopologyError`] where they make no such topology.
    pub fn new(
        topology: Topology,
        addresses: Vec<Address>,
        waits: Waits,
    ) -> Result<RedisStore, TopologyError> {
        topology.check(&addresses)?;
        let links = addresses.into_iter().map(|address| Arc::new(Link::new(address, waits)));
        Ok(RedisStore { topology, links: links.collect(), late: TaskTracker::new() })
    }

    /// The seats that a ticket has here, each with its server.
    ///
    /// A token says itself how many servers must agree. It is signed, and yet this store knows better: a
    /// quorum that was asked for less than a majority of its servers is no quorum.
    fn seats(&self, ticket: &Ticket) -> Option<Vec<(Seat, Arc<Link>)>> {
        let seats = ticket.stores.as_ref()?;
        let needed = self.topology.needed(self.links.len());
        let alone = self.topology != Topology::Quorum && seats.seats().len() != 1;
        if alone || usize::from(seats.needed()) != needed {
            return None;
        }
        let found = seats.seats().iter().map(|seat| Some((seat.clone(), self.link(seat)?)));
        found.collect()
    }

    fn link(&self, seat: &Seat) -> Option<Arc<Link>> {
        self.links.iter().find(|link| *link.name() == seat.store).map(Arc::clone)
    }

    async fn spend_all(
        &self,
        seats: Vec<(Seat, Arc<Link>)>,
        ticket: &Ticket,
        attempt: &Attempt,
    ) -> Result<Receipt, SpendError> {
        let needed = ticket.stores.as_ref().map_or(1, |seats| usize::from(seats.needed()));
        let mut votes = SpendVotes::new(needed, seats.len());
        let mut asked = JoinSet::new();
        for (seat, link) in seats {
            let packed = question::spend(ticket, &seat, attempt);
            let echo = *attempt.expose();
            asked.spawn(async move { spend_one(&link, &seat, &packed, &echo).await });
        }
        while let Some(vote) = asked.join_next().await {
            // A task that failed may have asked.
            if let Some(answer) = votes.count(vote.unwrap_or(Err(SpendError::InDoubt))) {
                return answer;
            }
        }
        Err(SpendError::InDoubt)
    }

    async fn settle_all(
        &self,
        seats: Vec<(Seat, Arc<Link>)>,
        ticket: &Ticket,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let needed = ticket.stores.as_ref().map_or(1, |seats| usize::from(seats.needed()));
        let mut votes = SettleVotes::new(needed);
        let mut asked = JoinSet::new();
        for (seat, link) in seats {
            let report = Report::new(ticket, &seat, attempt, outcome, link);
            asked.spawn(async move {
                let vote = report.send().await;
                (vote, report)
            });
        }
        let mut unheard = Vec::new();
        while let Some(Ok((vote, report))) = asked.join_next().await {
            if vote == Err(SettleError::Down) {
                unheard.push(report);
            }
            votes.count(vote);
        }
        // The caller is told; those who were away are told when they are back.
        if votes.settled() && self.late.len() < limits::SETTLINGS_QUEUED_MAX {
            unheard.into_iter().for_each(|report| drop(self.late.spawn(report.until_heard())));
        }
        votes.answer()
    }
}

/// One server's word for a spend.
async fn spend_one(
    link: &Link,
    seat: &Seat,
    packed: &[u8],
    echo: &[u8; 16],
) -> Result<Receipt, SpendError> {
    let key = question::journal_key(&seat.shard, &seat.generation);
    let call = Call { function: question::SPEND, key: key.as_bytes(), packed };
    match link.call(call, echo).await {
        Ok(reply) => question::spent(reply.body()),
        Err(unanswered) => Err(doubt(&unanswered)),
    }
}

fn doubt(unanswered: &Unanswered) -> SpendError {
    match unanswered.surely_not_carried_out() {
        true => SpendError::Down,
        false => SpendError::InDoubt,
    }
}

/// What one server is told of an outcome, as often as it takes.
struct Report {
    link: Arc<Link>,
    key: String,
    packed: Vec<u8>,
    echo: [u8; 16],
}

impl Report {
    fn new(
        ticket: &Ticket,
        seat: &Seat,
        attempt: &Attempt,
        outcome: Outcome,
        link: Arc<Link>,
    ) -> Report {
        let key = question::journal_key(&seat.shard, &seat.generation);
        let packed = question::settle(ticket, seat, attempt, outcome);
        Report { link, key, packed, echo: *attempt.expose() }
    }

    async fn send(&self) -> Result<(), SettleError> {
        let Report { link, key, packed, echo } = self;
        let call = Call { function: question::SETTLE, key: key.as_bytes(), packed };
        match link.call(call, echo).await {
            Ok(reply) => question::settled(reply.body()),
            Err(_) => Err(SettleError::Down),
        }
    }

    async fn until_heard(self) {
        for _ in 0..limits::SETTLE_SECONDS_MAX / AGAIN.as_secs() {
            tokio::time::sleep(AGAIN).await;
            if self.send().await != Err(SettleError::Down) {
                return;
            }
        }
    }
}

impl SpendStore for RedisStore {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move {
            let mut seats = self.seats(ticket).ok_or(SpendError::UnknownGrant)?;
            // One server is asked in this task: the usual case allocates nothing for votes.
            if seats.len() == 1
                && let Some((seat, link)) = seats.pop()
            {
                let packed = question::spend(ticket, &seat, attempt);
                return spend_one(&link, &seat, &packed, attempt.expose()).await;
            }
            self.spend_all(seats, ticket, attempt).await
        })
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        Box::pin(async move {
            let seats = self.seats(ticket).ok_or(SettleError::NotSpent)?;
            self.settle_all(seats, ticket, attempt, outcome).await
        })
    }
}
