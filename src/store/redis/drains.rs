//! Journals: what the view sees of them, and what the drain takes out of them.

use std::sync::PoisonError;

use super::calls;
use super::fleet::Fleet;
use super::lives::Life;
use super::server::Silence;
use super::together::together;
use crate::store::event::{Event, What};
use crate::store::lease::{Lease, LeaseError};
use crate::store::view::View;
use crate::store::{Journal, JournalError, Lapsed, LifeId};
use farebox_verifier::UnixSeconds;

/// Rounds of reading for one question: what comes in meanwhile is seen the next time.
const ROUNDS_MAX: usize = 2_000;

impl Fleet {
    pub(super) fn with_view<T>(&self, look: impl FnOnce(&mut View) -> T) -> T {
        look(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings the view up to what the journals say now. A server that is away shows what it last said.
    pub(super) async fn see_all(&self) {
        let lives = self.lives.all();
        together(lives.iter().map(|life| self.see(&life.open.id))).await;
    }

    /// Brings the view of one life up to what its journal says now.
    pub(super) async fn see(&self, id: &LifeId) {
        for _ in 0..ROUNDS_MAX {
            let Some(life) = self.lives.get(id) else { return };
            let Ok((events, more)) = self.read_events(&life, life.seen).await else { return };
            self.show(id, &events);
            if !more {
                return;
            }
        }
    }

    /// Shows what was drained before this process began, from where it is kept. Without it the view knows
    /// only what is left in the journals, and a revocation of one grant that it does not find is not called
    /// in force. It comes before anything is asked.
    pub fn remember(&self, id: &LifeId, events: &[Event]) {
        self.show(id, events);
    }

    /// Shows events that the view has not seen, each once, whoever reads them.
    fn show(&self, id: &LifeId, events: &[Event]) {
        self.with_view(|view| {
            for event in events {
                let seen = self.lives.get(id).map_or(u64::MAX, |life| life.seen);
                if event.number > seen {
                    view.apply(id, event);
                    let closed = event.what == What::Closed;
                    self.lives.change(id, |life| {
                        life.missed |= event.number != seen.saturating_add(1);
                        life.seen = event.number;
                        life.closed |= closed;
                    });
                }
            }
        });
    }

    async fn read_events(
        &self,
        life: &Life,
        after: u64,
    ) -> Result<(Vec<Event>, bool), JournalError> {
        let server = self.server(&life.open.id.store).ok_or(JournalError::Gone)?;
        let events = server.events(&life.open, after).await;
        events.map_err(|_silence| JournalError::Down)
    }

    pub(super) async fn list_journals(&self) -> Result<Vec<Journal>, JournalError> {
        let mut journals = Vec::new();
        self.lives.forget_over(self.clock.now()).await;
        for life in self.lives.all().into_iter().filter(|life| !life.finished) {
            let living = self.is_open(&life.open.id);
            // Another issuer may drain it.
            let numbers = self.numbers(&life).await;
            let (last, drained) = numbers.unwrap_or((life.seen, life.drained));
            let life = life.open.id;
            journals.push(Journal { life, last, drained, living });
        }
        Ok(journals)
    }

    /// The last event and the last that was drained, as the life says.
    async fn numbers(&self, life: &Life) -> Option<(u64, u64)> {
        let server = self.server(&life.open.id.store)?;
        let (b'K', rest) = server.ask(&life.open.id, calls::state()).await.ok()? else {
            return None;
        };
        let mut from = crate::store::fixed::Unpacker::new(&rest);
        Some((from.six()?, from.six()?))
    }

    pub(super) async fn journal_events(
        &self,
        id: &LifeId,
        after: u64,
    ) -> Result<Vec<Event>, JournalError> {
        let life = self.lives.get(id).ok_or(JournalError::Gone)?;
        self.read_events(&life, after).await.map(|(events, _more)| events)
    }

    pub(super) async fn give_lease(
        &self,
        id: &LifeId,
        name: &str,
        holder: &str,
        seconds: u64,
    ) -> Result<Lease, LeaseError> {
        let (life, server) =
            self.lives.get(id).zip(self.server(&id.store)).ok_or(LeaseError::Down)?;
        let answer = server.ask(id, calls::lease(name, holder, seconds)).await;
        let mut from;
        match answer {
            Ok((b'K', rest)) => {
                from = crate::store::fixed::Unpacker::new(&rest);
                let lease = from.six().zip(from.six());
                let lease = lease.map(|(number, end)| Lease { number, end: UnixSeconds(end) });
                lease.ok_or(LeaseError::Down)
            }
            Ok((b'H', rest)) => {
                from = crate::store::fixed::Unpacker::new(&rest);
                Err(LeaseError::Held { until: UnixSeconds(from.six().unwrap_or(0)) })
            }
            Ok((b'f', _)) => Err(LeaseError::Limit),
            Ok((letter, rest)) => {
                self.heard(server, &life.open, letter, &rest);
                Err(LeaseError::Down)
            }
            Err(Silence::Down | Silence::InDoubt) => Err(LeaseError::Down),
        }
    }

    /// Lets go of drained events, in steps that hold the server for less than a millisecond each.
    pub(super) async fn trim_journal(
        &self,
        id: &LifeId,
        upto: u64,
        lease: Lease,
    ) -> Result<(), JournalError> {
        // What goes must have been seen.
        self.see(id).await;
        if !self.is_open(id) {
            return self.drop_ended(id, upto).await;
        }
        let (life, server) =
            self.lives.get(id).zip(self.server(&id.store)).ok_or(JournalError::Gone)?;
        let upto = upto.min(life.seen);
        loop {
            match server.ask(id, calls::trim(lease, upto)).await {
                Ok((b'K', rest)) if rest == b"1" => {}
                Ok((b'K', _)) => {
                    self.lives.drained(id, upto).await;
                    return Ok(());
                }
                Ok((b'Q', _)) => return Err(JournalError::NotLeased),
                Ok((letter, rest)) => {
                    self.heard(server, &life.open, letter, &rest);
                    return Err(JournalError::Gone);
                }
                Err(Silence::Down | Silence::InDoubt) => return Err(JournalError::Down),
            }
        }
    }

    /// Lets go of what a life left behind. It says nothing more, so that nothing can come after. Before
    /// another life has begun there, what it left does not have the name under which it is let go.
    async fn drop_ended(&self, id: &LifeId, upto: u64) -> Result<(), JournalError> {
        let (life, server) =
            self.lives.get(id).zip(self.server(&id.store)).ok_or(JournalError::Gone)?;
        if life.seen <= upto {
            server.life().ok_or(JournalError::Down)?;
            server.drop_ended(id).await.map_err(|_silence| JournalError::Down)?;
        }
        self.lives.drained(id, upto).await;
        Ok(())
    }

    pub(super) async fn lapse_grants(
        &self,
        id: &LifeId,
        sequences: &[u64],
        lease: Lease,
    ) -> Result<Lapsed, JournalError> {
        let (life, server) =
            self.lives.get(id).zip(self.server(&id.store)).ok_or(JournalError::Gone)?;
        self.see(id).await;
        let ends = self.with_view(|view| view.ends(id, sequences));
        let mut lapsed = Lapsed::default();
        for step in ends.chunks(LAPSE_STEP) {
            let letters = match server.ask(id, calls::lapse(lease, step)).await {
                Ok((b'K', letters)) => letters,
                Ok((b'Q', _)) => return Err(JournalError::NotLeased),
                Ok((letter, rest)) => {
                    self.heard(server, &life.open, letter, &rest);
                    return Err(JournalError::Gone);
                }
                Err(Silence::Down | Silence::InDoubt) => return Err(JournalError::Down),
            };
            let not_yet = step.iter().zip(letters).filter(|(_, letter)| *letter == b'n');
            lapsed.not_yet.extend(not_yet.map(|((sequence, _), _)| *sequence));
        }
        Ok(lapsed)
    }
}

/// Grants ended by one call: each is an append.
const LAPSE_STEP: usize = 64;
