//! What the staff says to every life: revocations, blocks, policies.

use std::collections::BTreeSet;

use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::{GrantId, Outcome, PolicyHash, Selector, UnixSeconds};

use super::calls::{self, Ask};
use super::fleet::Fleet;
use super::lives::Life;
use super::server::Silence;
use super::together::together;
use crate::store::event::OldGrants;
use crate::store::fixed::Unpacker;
use crate::store::{AdminError, Found, Reach, Revocation, Unreached};

/// How often a word is said again, above one that was heard before: each time somebody else must have spoken.
const SAYINGS_MAX: usize = 4;

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

/// What came of asking one life to revoke a grant.
enum Asked {
    /// It is revoked there, and was this before.
    Told(Found),
    /// It is not registered there and will not be, or the life is over.
    NotThere,
    /// It is registered there, and that was not heard.
    Unheard,
    /// Nobody knows.
    Unknown,
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

    /// Says a word of the staff above all that the lives have heard: one that a life holds to be late is not
    /// taken there, whether it was another issuer's that came before or this one's by a clock that was ahead.
    async fn say(&self, mut word: u64, ask: impl Fn(u64) -> Ask) -> Result<Reach, AdminError> {
        for _ in 0..SAYINGS_MAX {
            let (reach, later) = self.tell_all(|| ask(word)).await?;
            if later <= self.staff().word {
                return Ok(reach);
            }
            word = self.speak_above(later);
        }
        Err(AdminError::InDoubt)
    }

    /// Tells every life that may still let something through. With it comes the greatest number that was answered.
    async fn tell_all(&self, ask: impl Fn() -> Ask) -> Result<(Reach, u64), AdminError> {
        let told = self.tell_once(&ask).await?;
        if self.issuers == 1 {
            return Ok(told);
        }
        // A life that turned out to be over has another in its place, which another issuer may have opened.
        let met = self.has_met_all().await;
        let told = self.tell_once(&ask).await?;
        if met { Ok(told) } else { Err(AdminError::InDoubt) }
    }

    async fn tell_once(&self, ask: impl Fn() -> Ask) -> Result<(Reach, u64), AdminError> {
        let (mut reach, mut number) = (Reach::default(), 0);
        let lives = self.lives_to_reach();
        let (mut full, mut heard) = (false, false);
        let told = together(lives.iter().map(|life| self.tell(life, ask()))).await;
        for (life, told) in lives.iter().zip(told) {
            match told {
                Told::Yes(rest) => {
                    heard = true;
                    number = number.max(Unpacker::new(&rest).six().unwrap_or(0));
                }
                Told::Over => heard = true,
                Told::Full => full = true,
                Told::No => reach.unreached.push(self.unreached(life)),
            }
        }
        // What needs more servers than have not heard cannot happen any more.
        if self.are_too_few(&reach.unreached) {
            reach.unreached.clear();
        }
        match (full, heard, reach.unreached.is_empty()) {
            (true, ..) => Err(AdminError::Full),
            (_, false, false) => Err(AdminError::InDoubt),
            _ => Ok((reach, number)),
        }
    }

    fn unreached(&self, life: &Life) -> Unreached {
        Unreached { life: life.open.id.clone(), until: self.last_end(life) }
    }

    /// The end of what a life may have let in while it was being told, by the slowest clock. What other issuers
    /// minted under it is on their lists, so that nothing is known of it but that it was minted by now.
    fn last_end(&self, life: &Life) -> UnixSeconds {
        let mut life = self.lives.get(&life.open.id).unwrap_or(life.clone());
        if self.issuers > 1 {
            life.until = life.until.max(self.clock.now().plus(TTL_SECONDS_MAX));
        }
        life.last_end()
    }

    pub(super) async fn revoke_selector(
        &self,
        selector: &Selector,
    ) -> Result<Revocation, AdminError> {
        match selector {
            Selector::Grant(grant) => self.revoke_grant(*grant).await,
            _ => {
                let (reach, _upto) = self.tell_all(|| calls::revoke_all(selector)).await?;
                Ok(Revocation { found: None, reach })
            }
        }
    }

    /// Revokes one grant wherever it is registered, or may be.
    async fn revoke_grant(&self, grant: GrantId) -> Result<Revocation, AdminError> {
        if !self.has_met_all().await {
            return Err(AdminError::InDoubt);
        }
        let lives = self.lives_to_reach();
        let asked = together(lives.iter().map(|life| self.revoke_in(life, grant))).await;
        let (mut found, mut unreached) = (Vec::new(), Vec::new());
        let (mut known, mut unheard) = (false, false);
        for (life, asked) in lives.iter().zip(asked) {
            match asked {
                Asked::Told(word) => {
                    known = true;
                    found.push(word);
                }
                Asked::NotThere => {}
                Asked::Unheard => {
                    unheard = true;
                    unreached.push(self.unreached(life));
                }
                Asked::Unknown => unreached.push(self.unreached(life)),
            }
        }
        if self.is_enough(known, &found, &unreached) {
            unreached.clear();
        } else if unheard && !known {
            return Err(AdminError::InDoubt);
        }
        let found = most_telling(&found);
        Ok(Revocation { found: Some(found), reach: Reach { unreached } })
    }

    /// Whether a grant is dead though some lives were not reached. Elsewhere than in a quorum it is in one
    /// place. In a quorum too few must be left to spend it, and too few to complete what others agreed to
    /// before.
    fn is_enough(&self, known: bool, found: &[Found], unreached: &[Unreached]) -> bool {
        let needed = self.topology.needed(self.servers.len());
        let votes = found.iter().filter(|found| **found == Found::Spent).count();
        let alone = needed == 1 && known;
        unreached.is_empty() || alone || votes + unreached.len() < needed
    }

    /// Revokes a grant in one life. It is not there only if the life itself says how far it has come, the view
    /// is as far, and a registration that is still on its way is refused. A life that is over lets nothing
    /// through, and does not say what it had.
    async fn revoke_in(&self, life: &Life, grant: GrantId) -> Asked {
        let id = &life.open.id;
        let last = match self.tell(life, calls::state()).await {
            Told::Yes(rest) => Unpacker::new(&rest).six().unwrap_or(u64::MAX),
            Told::Over => return Asked::NotThere,
            Told::Full | Told::No => u64::MAX,
        };
        self.see(id).await;
        let places = self.with_view(|view| view.sequences(id, grant));
        let seen = self.lives.get(id).filter(|life| life.seen >= last);
        match (places.is_empty(), seen) {
            (false, Some(_)) => self.revoke_at(life, &places).await,
            // What is not seen may be the same grant under another number.
            (false, None) => {
                self.revoke_at(life, &places).await;
                Asked::Unheard
            }
            (true, Some(seen)) if !seen.missed => {
                match self.tell(life, calls::abandon(grant)).await {
                    Told::Yes(_) | Told::Over => Asked::NotThere,
                    Told::Full | Told::No => Asked::Unknown,
                }
            }
            (true, _) => Asked::Unknown,
        }
    }

    /// Revokes every number that a grant has in a life.
    async fn revoke_at(&self, life: &Life, places: &[u64]) -> Asked {
        let mut found = Vec::new();
        for sequence in places {
            match self.tell(life, calls::revoke(*sequence)).await {
                Told::Yes(rest) => found.extend(read_found(&rest)),
                Told::Over => return Asked::NotThere,
                Told::Full | Told::No => return Asked::Unheard,
            }
        }
        Asked::Told(most_telling(&found))
    }

    /// Whether these lives stand on fewer servers than it takes to spend anything.
    fn are_too_few(&self, unreached: &[Unreached]) -> bool {
        let stores: BTreeSet<_> = unreached.iter().map(|one| &one.life.store).collect();
        stores.len() < self.topology.needed(self.servers.len())
    }

    pub(super) async fn abandon_grant(&self, grant: GrantId) -> Result<(), AdminError> {
        let (refused, _) = self.tell_all(|| calls::abandon(grant)).await?;
        // It may have been registered before. Nobody has a token for it, for none is signed without the store's
        // answer; it ends by itself, and sooner where this is heard.
        if let Ok(Revocation { found: Some(Found::Spent | Found::Settled(_)), .. }) =
            self.revoke_grant(grant).await
        {
            return Err(AdminError::Used);
        }
        match refused.everywhere() {
            true => Ok(()),
            false => Err(AdminError::InDoubt),
        }
    }

    pub(super) async fn block_selector(&self, selector: &Selector) -> Result<Reach, AdminError> {
        let word = self.change_staff(|staff| {
            if !staff.blocked.contains(selector) {
                staff.blocked.push(selector.clone());
            }
        });
        self.say(word, |word| calls::block(word, selector)).await
    }

    pub(super) async fn lift(&self, selector: &Selector) -> Result<Reach, AdminError> {
        let word = self.change_staff(|staff| staff.blocked.retain(|blocked| blocked != selector));
        self.say(word, |word| calls::unblock(word, selector)).await
    }

    pub(super) async fn put_in_force(
        &self,
        policy: PolicyHash,
        old: OldGrants,
    ) -> Result<Reach, AdminError> {
        let word = self.change_staff(|staff| staff.policy = policy);
        self.say(word, |word| calls::policy(word, policy, old)).await
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
