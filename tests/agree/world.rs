//! An issuer, holders, third parties and a verifier: all that a token needs to mean something.

use std::sync::Arc;

use biscuit_auth::builder::Algorithm;
use biscuit_auth::{KeyPair, PrivateKey as EnginesKey};
use farebox::oracle::{Oracle, Verdict};
use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::facts::facts;
use farebox_verifier::{
    GrantId, Issuer, KeyRing, Keys, ManualClock, Presented, Refusal, Registered, TokenText,
    UnixSeconds, Verified, Verifier,
};

use super::asked::Asked;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// The issuer's key, by its number.
pub(crate) const KEY: u32 = 7;
/// The seed of it.
pub(crate) const ISSUER: [u8; 32] = [3; 32];

/// Everybody, with fixed keys.
pub(crate) struct World {
    pub(crate) signer: Signer,
    pub(crate) issuer: PrivateKey,
    pub(crate) holders: [PrivateKey; 3],
    pub(crate) parties: [PrivateKey; 2],
    ring: KeyRing,
    clock: Arc<ManualClock>,
    verifier: Verifier,
}

/// What both say of one token: the grant that each accepts, or why not.
pub(crate) struct Verdicts {
    pub(crate) farebox: Result<Verified, Refusal>,
    pub(crate) engine: Verdict,
}

impl World {
    pub(crate) fn new() -> World {
        let signer = Signer::new(KEY, key(ISSUER));
        let mut ring = KeyRing::default();
        ring.add_issuer(KEY, Issuer::Trusted(signer.public())).unwrap();
        // A number of another key's, one of nobody's, and one of a key that is retired.
        ring.add_issuer(6, Issuer::Trusted(key([4; 32]).public())).unwrap();
        ring.add_issuer(5, Issuer::Retired(key([5; 32]).public())).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let verifier = Verifier::new(Arc::new(Keys::new(ring.clone())), Registered::Anyhow)
            .with_clock(clock.clone());
        let holders = [key([10; 32]), key([11; 32]), key([12; 32])];
        let parties = [key([20; 32]), key([21; 32])];
        World { signer, issuer: key(ISSUER), holders, parties, ring, clock, verifier }
    }

    /// farebox's verdict and the engine's, on a token that farebox could read.
    pub(crate) fn both(&self, presented: Presented, asked: &Asked) -> Verdicts {
        let facts = facts(&presented, &asked.request(), asked.now);
        let oracle = Oracle::new(&self.ring);
        // On a busy machine the engine may run out of its wall time; it is asked again.
        let engine = (0..8).find_map(|_| oracle.ask(&presented, &facts).ok()).unwrap();
        Verdicts { farebox: self.verify(presented, asked), engine }
    }

    /// farebox's verdict alone.
    pub(crate) fn verify(&self, presented: Presented, asked: &Asked) -> Result<Verified, Refusal> {
        self.clock.set(asked.now);
        self.verifier.verify(presented, &asked.request())
    }

    /// Both verdicts, which must be one: accepted by its name, or farebox's code.
    pub(crate) fn agreed(&self, token: &TokenText, asked: &Asked) -> &'static str {
        let presented = match Presented::read(token.expose()) {
            Ok(presented) => presented,
            Err(refusal) => return refusal.code(),
        };
        let verdicts = self.both(presented, asked);
        verdicts.assert_one(token, asked);
        match verdicts.farebox {
            Ok(_) => "accepted",
            Err(refusal) => refusal.code(),
        }
    }

    /// The issuer's key as biscuit-auth has it.
    pub(crate) fn engines_key(&self) -> KeyPair {
        engines_key(ISSUER)
    }
}

impl Verdicts {
    fn grants(&self) -> (Option<GrantId>, Option<GrantId>) {
        let farebox = self.farebox.as_ref().ok().map(|verified| verified.grant().id);
        let engine = if let Verdict::Accepted(id) = self.engine { Some(id) } else { None };
        (farebox, engine)
    }

    pub(crate) fn assert_one(&self, token: &TokenText, asked: &Asked) {
        let (farebox, engine) = self.grants();
        let refused = self.farebox.as_ref().err();
        assert_eq!(
            farebox,
            engine,
            "farebox: {refused:?}\nengine: {:?}\nasked: {asked:?}\ntoken: {}",
            self.engine,
            token.expose(),
        );
    }
}

/// The key of a seed.
pub(crate) fn key(seed: [u8; 32]) -> PrivateKey {
    PrivateKey::from_seed(seed.into()).unwrap()
}

/// The same as biscuit-auth has it.
pub(crate) fn engines_key(seed: [u8; 32]) -> KeyPair {
    KeyPair::from(&EnginesKey::from_bytes(&seed, Algorithm::Ed25519).unwrap())
}
