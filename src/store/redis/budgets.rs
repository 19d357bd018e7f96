//! Budgets: each counted on one server of the fleet.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use farebox_verifier::UnixSeconds;

use super::calls;
use super::fleet::Fleet;
use super::server::{Server, Silence};
use crate::store::AdminError;
use crate::store::budget::{Hold, Take, TakeError};
use crate::store::event::wire::read_hold;
use crate::store::fixed::Unpacker;

/// Holds brought in by one call: each is an append.
const RESTORE_STEP: usize = 64;

impl Fleet {
    /// The server that counts this budget: the same one for every issuer, in whatever order it names them.
    fn counting(&self, budget: &[u8; 16]) -> Option<&Arc<Server>> {
        let weight = |server: &&Arc<Server>| {
            let parts =
                [b"farebox-counting/1\0", budget.as_slice(), server.name().as_str().as_bytes()];
            let digest = digest(&SHA256, &parts.concat());
            let mut first = [0; 8];
            first.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
            first
        };
        self.servers.iter().max_by_key(weight)
    }

    pub(super) async fn take_hold(&self, take: &Take) -> Result<Hold, TakeError> {
        let server = self.counting(&take.budget.0).ok_or(TakeError::Down)?;
        let open = server.life().ok_or(TakeError::Down)?;
        let (letter, rest) = match server.ask(&open.id, calls::take(take)).await {
            Ok(answer) => answer,
            Err(Silence::Down) => return Err(TakeError::Down),
            Err(Silence::InDoubt) => return Err(TakeError::InDoubt),
        };
        let mut from = Unpacker::new(&rest);
        Err(match letter {
            b'K' => return read_hold(&mut from).ok_or(TakeError::InDoubt),
            b'O' => {
                let (left, until) = (from.seven().unwrap_or(0), from.six().unwrap_or(0));
                TakeError::Over { left, until: UnixSeconds(until) }
            }
            b'B' => TakeError::Amount,
            b'G' => TakeError::GivenBack,
            b'Z' => TakeError::Closed,
            b'f' => TakeError::Full,
            b'F' | b'J' => {
                self.heard(server, &open, letter, &rest);
                TakeError::Down
            }
            _ => TakeError::InDoubt,
        })
    }

    pub(super) async fn give(&self, hold: &Hold) -> Result<(), AdminError> {
        let server = self.counting(&hold.budget.0).ok_or(AdminError::Down)?;
        let open = server.life().ok_or(AdminError::Down)?;
        match server.ask(&open.id, calls::give_back(hold)).await {
            Ok((b'K', _)) => Ok(()),
            Ok((letter, rest)) => {
                self.heard(server, &open, letter, &rest);
                Err(AdminError::Down)
            }
            Err(Silence::Down) => Err(AdminError::Down),
            Err(Silence::InDoubt) => Err(AdminError::InDoubt),
        }
    }

    /// Brings in what the caller knows of, and what the ledger has begun by now: a hold that is begun while
    /// the life is already open is asked for there.
    ///
    /// A server that is away keeps its own budgets closed, and no other's.
    pub(super) async fn restore(&self, held: &[Hold]) -> Result<(), AdminError> {
        let mut answer = Ok(());
        for server in &self.servers {
            answer = self.restore_on(server, held).await.and(answer);
        }
        answer
    }

    async fn restore_on(&self, server: &Server, held: &[Hold]) -> Result<(), AdminError> {
        let open = server.life().ok_or(AdminError::Down)?;
        let begun = self.lives.begun_holds();
        let mine = |hold: &&Hold| {
            let counting = self.counting(&hold.budget.0);
            counting.is_some_and(|counting| counting.name() == server.name())
        };
        let mine: Vec<Hold> = held.iter().chain(&begun).filter(mine).copied().collect();
        let steps = mine.chunks(RESTORE_STEP).map(|step| calls::restore(self.issuer, step, false));
        for ask in steps.chain([calls::restore(self.issuer, &[], true)]) {
            match server.ask(&open.id, ask).await {
                Ok((b'K', _)) => {}
                Ok(_) => return Err(AdminError::Down),
                Err(Silence::Down | Silence::InDoubt) => return Err(AdminError::InDoubt),
            }
        }
        Ok(())
    }
}
