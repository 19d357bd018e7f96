//! One world for the tests: an issuer, a holder, a third party, a request that a grant covers.

use std::sync::Arc;

use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::{
    Action, Agent, Audience, Grant, GrantId, Issuer, KeyRing, Keys, ManualClock, Outputs, Params,
    PolicyHash, Presented, Proof, Purpose, Refusal, Registered, Request, Resource, Sent, Step,
    TokenText, UnixSeconds, Uses, Verified, Verifier, Window, Workflow,
};
use zeroize::Zeroizing;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
pub(crate) const KEY_ID: u32 = 17;

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(Zeroizing::new([seed; 32])).unwrap()
}

pub(crate) struct World {
    pub(crate) signer: Signer,
    pub(crate) holder: PrivateKey,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) verifier: Verifier,
}

pub(crate) fn world() -> World {
    let signer = Signer::new(KEY_ID, key(1));
    let mut ring = KeyRing::default();
    ring.add_issuer(KEY_ID, Issuer::Trusted(signer.public())).unwrap();
    let (clock, keys) = (Arc::new(ManualClock::at(NOW)), Arc::new(Keys::new(ring)));
    let verifier =
        Verifier::new(Arc::clone(&keys), Registered::Anyhow).with_clock(Arc::clone(&clock) as _);
    World { signer, holder: key(2), clock, keys, verifier }
}

/// What the request asks for; a test changes what it is about.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) audience: Audience,
    pub(crate) action: Action,
    pub(crate) resource: Resource,
    pub(crate) params: Params,
    pub(crate) proofs: Vec<Proof>,
    pub(crate) outputs: Outputs,
}

impl Asked {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            audience: &self.audience,
            action: &self.action,
            resource: &self.resource,
            sent: Sent::Params(&self.params),
            proofs: &self.proofs,
            outputs: self.outputs,
        }
    }

    pub(crate) fn params(mut self, json: &str) -> Asked {
        self.params = Params::parse(json.as_bytes()).unwrap();
        self
    }

    /// With a proof by this key that this token's holder sent it now.
    pub(crate) fn proved(mut self, token: &TokenText, by: &PrivateKey, at: UnixSeconds) -> Asked {
        let digest = self.request().digest();
        let made = Proof::make(token, &self.audience, &digest, (by.public(), at), |m| by.sign(m));
        self.proofs.push(made.unwrap());
        self
    }
}

pub(crate) fn asked() -> Asked {
    Asked {
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: Params::parse(br#"{"amount":4000,"to":"acme"}"#).unwrap(),
        proofs: Vec::new(),
        outputs: Outputs::Enforced,
    }
}

/// A grant that covers [`asked`].
pub(crate) fn grant() -> Grant {
    let asked = asked();
    Grant {
        id: GrantId::from_bytes([7; 16]),
        action: asked.action,
        resource: asked.resource,
        params: asked.params.digest(),
        audience: asked.audience,
        window: Window::minted(NOW, 60).unwrap(),
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        policy: PolicyHash::from_bytes([5; 32]),
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: Some((Workflow::parse("run-81").unwrap(), Step::parse("3").unwrap())),
        purpose: Some(Purpose::parse("invoice inv-7").unwrap()),
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    }
}

impl World {
    pub(crate) fn mint(&self, grant: &Grant) -> TokenText {
        self.signer.mint(grant).unwrap()
    }

    pub(crate) fn verify(&self, token: &str, asked: &Asked) -> Result<Verified, Refusal> {
        self.verifier.verify(Presented::read(token)?, &asked.request())
    }

    /// The code of the refusal, or `verified`.
    pub(crate) fn code(&self, token: &str, asked: &Asked) -> &'static str {
        self.verify(token, asked).map_or_else(|refusal| refusal.code(), |_| "verified")
    }
}
