//! Asked again: a key stands for one grant, and gives its token again or says what became of it.
//!
//! A token was issued for the key's grant, or none was. If one was, no other ever is; if none was, the id is refused for
//! good in every store before the key passes to another.

use farebox_verifier::{GrantId, Outcome, Seat, Selector, UnixSeconds, Uses};

use super::asked::fresh;
use super::issued::IssuedGrant;
use super::mint::{Issued, Minted};
use super::{Issuer, Refused, Wanted};
use crate::callers::Caller;
use crate::limits;
use crate::signer::Signer;
use crate::store::LifeId;
use crate::store::desk::{Claimed, KeyClaim, KeyDigest, KeyError};
use crate::store::view::Standing;

impl Issuer {
    /// The grant's id: that of the key, where the key stands for one that came to nothing.
    pub(super) async fn claim(&self, caller: &Caller, wanted: &Wanted) -> Result<GrantId, Refused> {
        let grant = fresh()?;
        let Some((_, key)) = &wanted.key else { return Ok(grant) };
        match self.claim_key(caller, *key, wanted, grant).await? {
            Claimed::Fresh => Ok(grant),
            Claimed::Same { grant: before, until } => {
                self.may_pass(wanted, before, until)?;
                // No token was given out for it: it is given up for good before another takes its place. Where surely
                // nothing is registered under it, there is nothing to give up.
                if !self.unregistered.take(before) {
                    self.given_up.count(&caller.name, self.clock.now())?;
                    self.store.abandon(before).await.or(Err(Refused::StoreDown))?;
                }
                let renewed = self.ledger.renew_key(key, before, grant).await;
                renewed.map(|()| grant).or(Err(Refused::StoreDown))
            }
        }
    }

    /// A key that came to nothing passes to another grant while the issuer surely knows what it has issued.
    fn may_pass(&self, wanted: &Wanted, grant: GrantId, until: UnixSeconds) -> Result<(), Refused> {
        let claimed = until.minus(kept_seconds(wanted));
        if self.clock.now() > claimed.plus(limits::KEY_PASSES_SECONDS) {
            return Err(Refused::KeyOver { grant });
        }
        Ok(())
    }

    async fn claim_key(
        &self,
        caller: &Caller,
        key: KeyDigest,
        wanted: &Wanted,
        grant: GrantId,
    ) -> Result<Claimed, Refused> {
        let until = self.clock.now().plus(kept_seconds(wanted));
        let caller = Selector::Agent(caller.name.clone()).scope();
        let claim = KeyClaim { key, caller, request: wanted.hash, grant, until };
        self.ledger.claim_key(&claim).await.map_err(|error| match error {
            KeyError::Conflict => Refused::KeyConflict,
            KeyError::CallerFull | KeyError::Full => Refused::KeysFull,
            _ => Refused::StoreDown,
        })
    }

    /// What was answered to this key before, if a token was.
    pub(super) async fn again(
        &self,
        key: KeyDigest,
        wanted: &Wanted,
    ) -> Result<Option<Minted>, Refused> {
        let known = self.ledger.key(&key, &wanted.hash).or(Err(Refused::KeyConflict))?;
        let Some((grant, until)) = known else { return Ok(None) };
        if let Some(request) = self.ledger.request(grant) {
            return self.asked_again(request).await.map(Some);
        }
        let Some(issued) = self.issued.find(grant).await? else {
            return self.may_pass(wanted, grant, until).map(|()| None);
        };
        self.come_to(&issued).await.map(Some)
    }

    /// What a grant that was issued comes to, asked for again.
    pub(super) async fn come_to(&self, issued: &IssuedGrant) -> Result<Minted, Refused> {
        let grant = issued.grant.id;
        let end = issued.grant.window.end();
        let over = self.clock.now() >= end;
        if issued.grant.uses == Uses::Fresh {
            return match over {
                true => Ok(Minted::Over { grant, standing: Standing::Expired, end }),
                false => self.sign(issued).map(Minted::Again),
            };
        }
        let listed = match self.store.read(grant).await {
            Some(listed) => listed,
            None if over => return Err(Refused::KeyOver { grant }),
            None => return Err(self.lost(issued)),
        };
        // Of a life that is over, nothing but what was reported before is known.
        let unknown = [Standing::Issued, Standing::Settled(Outcome::Unknown)];
        if !over && unknown.contains(&listed.standing) && !self.lives(issued).await? {
            return Err(self.lost(issued));
        }
        match listed.standing {
            Standing::Issued if over => {
                Ok(Minted::Over { grant, standing: Standing::Expired, end })
            }
            Standing::Issued => self.sign(issued).map(Minted::Again),
            standing => Ok(Minted::Over { grant, standing, end }),
        }
    }

    /// Why a grant that was issued is not to be had now: too many of its lives are over, or a store is away for a
    /// moment.
    fn lost(&self, issued: &IssuedGrant) -> Refused {
        let goes_on = |seat: &&Seat| {
            self.ledger.life(seat.generation).is_some_and(|known| known.end.is_none())
        };
        match enough(issued, goes_on) {
            true => Refused::StoreDown,
            false => Refused::Fenced { grant: issued.grant.id },
        }
    }

    /// Signs again what was signed before, with the same key.
    fn sign(&self, issued: &IssuedGrant) -> Result<Issued, Refused> {
        let signers = self.signers();
        let signer = signers.iter().find(|signer| signer.id() == issued.key_id);
        // A key that was retired took its tokens with it.
        signed(issued, signer.ok_or(Refused::KeyOver { grant: issued.grant.id })?)
    }

    /// Whether as many of its stores live as must agree on its use.
    async fn lives(&self, issued: &IssuedGrant) -> Result<bool, Refused> {
        let journals = self.store.journals().await.or(Err(Refused::StoreDown))?;
        let living = |seat: &&Seat| {
            let of = |life: &LifeId| life.store == seat.store && life.generation == seat.generation;
            journals.iter().any(|journal| journal.living && of(&journal.life))
        };
        Ok(enough(issued, living))
    }
}

pub(super) fn signed(issued: &IssuedGrant, signer: &Signer) -> Result<Issued, Refused> {
    let grant = &issued.grant;
    let token = signer.mint(grant).map_err(|error| Refused::bad_request(error.to_string()))?;
    Ok(Issued { grant: grant.id, token, end: grant.window.end(), rule: issued.rule.clone() })
}

/// Whether so many of its seats are so as must agree on its use.
fn enough(issued: &IssuedGrant, so: impl FnMut(&&Seat) -> bool) -> bool {
    let Some(stores) = &issued.grant.stores else { return false };
    stores.seats().iter().filter(so).count() >= usize::from(stores.needed())
}

/// How long the key of a request is remembered: evidence that names it counts once, for as long as it may last.
fn kept_seconds(wanted: &Wanted) -> u64 {
    if wanted.evidence.is_empty() { limits::KEY_KEPT_SECONDS } else { limits::KEY_SECONDS_MAX }
}
