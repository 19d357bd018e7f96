//! What the staff says to every life: revocations, blocks, policies.

use std::collections::BTreeSet;

use farebox_verifier::{GrantId, Outcome, PolicyHash, Selector};

use super::calls::{self, Ask};
use super::fleet::Fleet;
use super::lives::Life;
use super::server::Silence;
use super::together::together;
use crate::store::event::OldGrants;
use crate::store::{AdminError, Found, Reach, Revocation, Unreached};

/// What came of telling one life.
enum Told {
    /// It knows, and says this.
    Yes(Vec<u8>),
    /// Its own process says that it is over: nothing is let through any more.
    Over,
    /// It has no room for the word.
    Full,
    /// Nobody knows.
    No,
}

impl Fleet {
    async fn tell(&self, life: &Life, ask: Ask) -> Told {
        let Some(server) = self.server(&life.open.id.store) else { return Told::No };
        match server.ask(&life.open.id, ask).await {
            Ok((b'K', rest)) => Told::Yes(rest),
            Ok((b'f', _)) => Told::Full,
            Ok((letter, rest)) => {
                self.heard(server, &life.open, letter, &rest);
                let over = self.lives.get(&life.open.id).is_some_and(|life| life.over);
                if over { Told::Over } else { Told::No }
            }
            Err(Silence::Down | Silence::InDoubt) => Told::No,
        }
    }

    /// Tells every life that may still let something through.
    async fn tell_all(&self, ask: impl Fn() -> Ask) -> Result<Reach, AdminError> {
        let mut reach = Reach::default();
        let lives = self.lives_to_reach(self.clock.now());
        let mut full = false;
        let mut heard = false;
        let told = together(lives.iter().map(|life| self.tell(life, ask()))).await;
        for (life, told) in lives.into_iter().zip(told) {
            match told {
                Told::Yes(_) | Told::Over => heard = true,
                Told::Full => full = true,
                Told::No => {
                    let until = self.last_end(&life);
                    reach.unreached.push(Unreached { life: life.open.id.clone(), until });
                }
            }
        }
        let stores: BTreeSet<_> = reach.unreached.iter().map(|one| &one.life.store).collect();
        // What needs more servers than have not heard cannot happen any more.
        if stores.len() < self.topology.needed(self.servers.len()) {
            reach.unreached.clear();
        }
        match (full, heard, reach.unreached.is_empty()) {
            (true, ..) => Err(AdminError::Full),
            (_, false, false) => Err(AdminError::InDoubt),
            _ => Ok(reach),
        }
    }

    /// The end of what a life may have let in while it was being told.
    fn last_end(&self, life: &Life) -> farebox_verifier::UnixSeconds {
        self.lives.get(&life.open.id).map_or(life.until, |life| life.until)
    }

    pub(super) async fn revoke_selector(
        &self,
        selector: &Selector,
    ) -> Result<Revocation, AdminError> {
        match selector {
            Selector::Grant(grant) => self.revoke_grant(*grant).await,
            _ => {
                let reach = self.tell_all(|| calls::revoke_all(selector)).await?;
                Ok(Revocation { found: None, reach })
            }
        }
    }

    /// Revokes one grant wherever it is registered. In a quorum a majority that knows is enough, for every
    /// majority that could spend it has one of them in it.
    async fn revoke_grant(&self, grant: GrantId) -> Result<Revocation, AdminError> {
        self.see_all().await;
        let places = self.with_view(|view| view.places(grant));
        if places.is_empty() {
            let reach = Reach::default();
            return Ok(Revocation { found: Some(Found::Unknown), reach });
        }
        let needed = self.topology.needed(self.servers.len());
        let enough = places.len().saturating_sub(needed).saturating_add(1);
        let (mut found, mut unreached, mut told) = (Vec::new(), Vec::new(), 0);
        let known = |(id, sequence)| self.lives.get(&id).map(|life| (life, sequence));
        let lives: Vec<(Life, u64)> = places.into_iter().filter_map(known).collect();
        let tell = |(life, sequence): &(Life, u64)| (life.clone(), calls::revoke(*sequence));
        let asks: Vec<_> = lives.iter().map(tell).collect();
        let answers =
            together(asks.into_iter().map(async |(life, ask)| self.tell(&life, ask).await));
        for ((life, _), answer) in lives.into_iter().zip(answers.await) {
            match answer {
                Told::Yes(rest) => {
                    found.extend(read_found(&rest));
                    told += 1;
                }
                Told::Over => told += 1,
                Told::Full | Told::No => {
                    unreached.push(Unreached { life: life.open.id, until: life.until });
                }
            }
        }
        if told >= enough {
            unreached.clear();
        } else if told == 0 {
            return Err(AdminError::InDoubt);
        }
        let found = most_telling(&found);
        Ok(Revocation { found: Some(found), reach: Reach { unreached } })
    }

    pub(super) async fn abandon_grant(&self, grant: GrantId) -> Result<(), AdminError> {
        let refused = self.tell_all(|| calls::abandon(grant)).await?;
        // It may have been registered before: then the journal says so by now, and it is revoked.
        let revoked = self.revoke_grant(grant).await?;
        match refused.everywhere() && revoked.reach.everywhere() {
            true => Ok(()),
            false => Err(AdminError::InDoubt),
        }
    }

    pub(super) async fn block_selector(&self, selector: &Selector) -> Result<Reach, AdminError> {
        self.change_staff(|staff| {
            if !staff.blocked.contains(selector) {
                staff.blocked.push(selector.clone());
            }
        });
        self.tell_all(|| calls::block(selector)).await
    }

    pub(super) async fn lift(&self, selector: &Selector) -> Result<Reach, AdminError> {
        self.change_staff(|staff| staff.blocked.retain(|blocked| blocked != selector));
        self.tell_all(|| calls::unblock(selector)).await
    }

    pub(super) async fn put_in_force(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Result<Reach, AdminError> {
        self.change_staff(|staff| staff.policy = policy);
        self.tell_all(|| calls::policy(policy, old)).await
    }
}

fn read_found(rest: &[u8]) -> Option<Found> {
    Some(match *rest {
        [b'u'] => Found::Unspent,
        [b's'] => Found::Spent,
        [b'e'] => Found::Expired,
        [b'n'] => Found::Unknown,
        [b't', outcome] => {
            let settled = farebox_verifier::redis::question::outcome(outcome);
            Found::Settled(settled.unwrap_or(Outcome::Unknown))
        }
        _ => return None,
    })
}

/// Of several servers' words, that it was spent tells more than that it was not.
fn most_telling(found: &[Found]) -> Found {
    let rank = |found: &Found| match found {
        Found::Settled(_) => 4,
        Found::Spent => 3,
        Found::Unspent => 2,
        Found::Expired => 1,
        Found::Unknown => 0,
    };
    found.iter().copied().max_by_key(rank).unwrap_or(Found::Unknown)
}
