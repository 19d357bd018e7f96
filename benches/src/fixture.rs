//! One world for all measurements: an issuer, a holder, a third party, a request and its tokens.

use std::sync::Arc;

use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::token::{self, Statement};
use farebox_verifier::*;
use zeroize::Zeroizing;

pub const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(Zeroizing::new([seed; 32])).unwrap()
}

pub struct World {
    pub signer: Signer,
    pub holder: PrivateKey,
    pub verifier: Verifier,
    pub params: Params,
}

pub fn world() -> World {
    let signer = Signer::new(17, key(1));
    let mut ring = KeyRing::default();
    ring.add_issuer(17, Issuer::Trusted(signer.public())).unwrap();
    let verifier =
        Verifier::new(Arc::new(Keys::new(ring)), Registered::In(std::num::NonZeroUsize::MIN))
            .with_clock(Arc::new(ManualClock::at(NOW)));
    let params = Params::parse(br#"{"amount":4000,"to":"acme","memo":"invoice inv-7"}"#).unwrap();
    World { signer, holder: key(2), verifier, params }
}

impl World {
    /// A grant as an issuer mints it: registered in one store, for a step of a workflow.
    pub fn grant(&self) -> Grant {
        let seat = Seat {
            store: StoreName::parse("r1").unwrap(),
            shard: Shard::parse("00").unwrap(),
            generation: Generation::from_bytes([9; 16]),
            sequence: 17,
        };
        Grant {
            id: GrantId::from_bytes([7; 16]),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            params: self.params.digest(),
            audience: Audience::parse("payments-api").unwrap(),
            window: Window::minted(NOW, 60).unwrap(),
            agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
            policy: PolicyHash::from_bytes([5; 32]),
            varies: Vec::new(),
            approval: None,
            stores: Some(Seats::new(1, vec![seat]).unwrap()),
            workflow: Some((Workflow::parse("run-81").unwrap(), Step::parse("3").unwrap())),
            purpose: Some(Purpose::parse("invoice inv-7").unwrap()),
            holder: None,
            uses: Uses::Once,
            caveats: Vec::new(),
        }
    }

    pub fn bound_to_holder(&self) -> Grant {
        Grant { holder: Some(self.holder.public()), ..self.grant() }
    }

    pub fn with_bounds(&self) -> Grant {
        let amount = Pointer::parse("/amount").unwrap();
        let to = Pointer::parse("/to").unwrap();
        let texts = ["acme", "globex", "initech"].map(|t| CaveatText::parse(t).unwrap());
        let caveats = vec![
            Caveat::IntAtLeast(amount.clone(), 1),
            Caveat::IntAtMost(amount.clone(), 5000),
            Caveat::TextOneOf(to.clone(), OneOf::new(texts).unwrap()),
        ];
        let varies = vec![amount, to];
        let params = self.params.digest_without(&varies).unwrap();
        Grant { params, varies, caveats, ..self.grant() }
    }

    pub fn mint(&self, grant: &Grant) -> String {
        self.signer.mint(grant).unwrap().expose().to_owned()
    }

    pub fn narrowed(&self) -> String {
        let token = self.signer.mint(&self.grant()).unwrap();
        token::narrow(&token, &narrowing()).unwrap().expose().to_owned()
    }

    /// With a holder's block that joins five predicates over two dozen facts.
    pub fn with_deep_join(&self) -> String {
        use biscuit_auth::builder::{Algorithm, BlockBuilder};
        let facts: String = (0..24).map(|i| format!("x({i});")).collect();
        let code = format!("{facts} check if x($a), x($b), x($c), x($d), x($e), $a < 0");
        let key = self.signer.public();
        let key = biscuit_auth::PublicKey::from_bytes(key.as_bytes(), Algorithm::Ed25519).unwrap();
        let token = biscuit_auth::Biscuit::from_base64(self.mint(&self.grant()), key).unwrap();
        let token = token.append(BlockBuilder::new().code(code).unwrap()).unwrap();
        token.to_base64().unwrap().trim_end_matches('=').to_owned()
    }

    pub fn with_statement(&self) -> String {
        let third = key(3);
        let name = StatementName::parse("change_approved").unwrap();
        let value = CaveatText::parse("CHG-17").unwrap();
        let signed = Caveat::Signed(name.clone(), value.clone(), third.public());
        let token = self.signer.mint(&Grant { caveats: vec![signed], ..self.grant() }).unwrap();
        let payload = token::unverified_statement_payload(&token, &name, &value).unwrap();
        let (key, signature) = (third.public(), third.sign(&payload));
        let statement = Statement { name, value, key, signature };
        token::append_statement(&token, &statement).unwrap().expose().to_owned()
    }

    pub fn proof(&self, token: &str) -> Proof {
        let grant = self.grant();
        let digest = request(self, &grant, &[]).digest();
        let text = TokenText::unread(token);
        let by = (self.holder.public(), NOW);
        Proof::make(&text, &grant.audience, &digest, by, |m| self.holder.sign(m)).unwrap()
    }
}

pub fn narrowing() -> Vec<Caveat> {
    vec![Caveat::Before(NOW.plus(20)), Caveat::IntAtMost(Pointer::parse("/amount").unwrap(), 4000)]
}

pub fn request<'a>(world: &'a World, grant: &'a Grant, proofs: &'a [Proof]) -> Request<'a> {
    Request {
        audience: &grant.audience,
        action: &grant.action,
        resource: &grant.resource,
        sent: Sent::Params(&world.params),
        proofs,
        outputs: Outputs::Enforced,
    }
}
