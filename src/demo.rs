//! The demonstration: an issuer's key, a real API behind the gate on a loopback port, and what becomes of
//! a token there. The store is in memory, and the clock is the demo's own, so that a minute passes at once.

mod api;
mod call;

use std::io;
use std::sync::atomic::Ordering;

use farebox_verifier::token::{NarrowError, TokenText, narrow};
use farebox_verifier::{
    Audience, Caveat, Clock as _, Grant, GrantId, Issuer, KeyRing, NoRandom, Outputs, Params,
    Pointer, Proof, Request, Sent,
};

use self::api::Api;
use self::call::{Call, call};
use crate::signer::{PrivateKey, PrivateKeyError};

/// Why the demonstration did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// No port, or no connection to it.
    #[error("the demo's API cannot be reached")]
    Unreachable(#[from] io::Error),
    /// No key could be made.
    #[error("no key could be made")]
    Key(#[from] PrivateKeyError),
    /// No random bytes.
    #[error("no random bytes")]
    Random(#[from] NoRandom),
    /// A token could not be narrowed.
    #[error("a token could not be narrowed")]
    Narrow(#[from] NarrowError),
    /// A value of the demo's own is not one, or a grant has no token: a defect of the demo.
    #[error("the demo is wrong about {0}")]
    Wrong(&'static str),
}

/// One step: what was done, what was to come of it, and what did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub what: &'static str,
    /// `ran`, or the code of the refusal.
    pub expected: &'static str,
    /// The same, as it came.
    pub came: String,
}

const TRANSFER: &str = r#"{"amount":4000,"to":"acme"}"#;

/// Walks through the life of tokens. Every step calls the API over HTTP.
///
/// # Errors
/// [`DemoError`] where it could not be walked to its end; a step that came out otherwise is no error.
pub async fn walk() -> Result<Vec<Step>, DemoError> {
    let mut walk = Walk { api: Api::start().await?, steps: Vec::new() };
    walk.exact().await?;
    walk.bounded().await?;
    walk.stolen().await?;
    walk.crowd().await?;
    walk.over().await?;
    walk.api.stop().await;
    Ok(walk.steps)
}

struct Walk {
    api: Api,
    steps: Vec<Step>,
}

impl Walk {
    async fn step(
        &mut self,
        what: &'static str,
        expected: &'static str,
        request: Call<'_>,
    ) -> Result<(), DemoError> {
        let came = call(self.api.address, request).await?;
        self.steps.push(Step { what, expected, came });
        Ok(())
    }

    fn mint(&self, grant: &Grant) -> Result<TokenText, DemoError> {
        self.api.signer.mint(grant).or(Err(DemoError::Wrong("a grant")))
    }

    /// A fresh grant of one transfer.
    fn grant(&self) -> Result<Grant, DemoError> {
        Ok(Grant { id: GrantId::fresh()?, ..api::grant(self.api.clock.now(), &params(TRANSFER)?)? })
    }

    async fn exact(&mut self) -> Result<(), DemoError> {
        let token = self.mint(&self.grant()?)?;
        let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        let more = r#"{"amount":9000,"to":"acme"}"#;
        self.step("no token", "unauthenticated", Call { token: &api::no_token(), ..good }).await?;
        self.step("another amount", "wrong-params", Call { body: more, ..good }).await?;
        self.step("another account", "wrong-resource", Call { account: "43", ..good }).await?;
        self.step("the transfer that was granted", "ran", good).await?;
        self.step("the same token again", "already-spent", good).await?;
        let audience = Audience::parse("ledger-api").or(Err(DemoError::Wrong("an audience")))?;
        let token = self.mint(&Grant { audience, ..self.grant()? })?;
        self.step("a token for another API", "wrong-audience", Call { token: &token, ..good }).await
    }

    async fn bounded(&mut self) -> Result<(), DemoError> {
        let amount = pointer("/amount")?;
        let varies = vec![amount.clone()];
        let exact =
            params(TRANSFER)?.digest_without(&varies).or(Err(DemoError::Wrong("a member")))?;
        let caveats = vec![Caveat::IntAtMost(amount.clone(), 5000)];
        let bounded = Grant { params: exact, varies, caveats, ..self.grant()? };
        let token = self.mint(&bounded)?;
        let narrowed = narrow(&token, &[Caveat::IntAtMost(amount.clone(), 100)])?;
        let widened = narrow(&narrowed, &[Caveat::IntAtMost(amount, 5000)])?;
        let call = |token, body| Call { token, account: "42", body, proof: None };
        let (much, little) = (r#"{"amount":5001,"to":"acme"}"#, r#"{"amount":7,"to":"acme"}"#);
        self.step("above the bound", "caveat-failed", call(&token, much)).await?;
        self.step("above what its holder left", "caveat-failed", call(&narrowed, TRANSFER)).await?;
        self.step("widened again", "caveat-failed", call(&widened, TRANSFER)).await?;
        self.step("within every bound", "ran", call(&widened, little)).await?;
        self.step("another copy of that grant", "already-spent", call(&token, little)).await
    }

    async fn stolen(&mut self) -> Result<(), DemoError> {
        let (holder, thief) = (PrivateKey::generate()?, PrivateKey::generate()?);
        let token = self.mint(&Grant { holder: Some(holder.public()), ..self.grant()? })?;
        let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        let (by_thief, by_holder) = (self.prove(&token, &thief)?, self.prove(&token, &holder)?);
        self.step("stolen, without a proof", "holder-proof-missing", good).await?;
        let proof = Some(by_thief.as_str());
        self.step("stolen, with another's proof", "holder-proof-missing", Call { proof, ..good })
            .await?;
        let proof = Some(by_holder.as_str());
        self.step("by its holder", "ran", Call { proof, ..good }).await
    }

    fn prove(&self, token: &TokenText, by: &PrivateKey) -> Result<String, DemoError> {
        let (grant, params) = (self.grant()?, params(TRANSFER)?);
        let request = Request {
            audience: &grant.audience,
            action: &grant.action,
            resource: &grant.resource,
            sent: Sent::Params(&params),
            proofs: &[],
            outputs: Outputs::Enforced,
        };
        let key = (by.public(), self.api.clock.now());
        let proof = Proof::make(token, &grant.audience, &request.digest(), key, |m| by.sign(m));
        Ok(proof.or(Err(DemoError::Wrong("a token")))?.to_string())
    }

    async fn crowd(&mut self) -> Result<(), DemoError> {
        let token = self.mint(&self.grant()?)?;
        let before = self.api.ran.load(Ordering::SeqCst);
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (address, token) = (self.api.address, token.clone());
            crowd.spawn(async move {
                let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
                call(address, good).await
            });
        }
        for came in crowd.join_all().await {
            came?;
        }
        let ran = self.api.ran.load(Ordering::SeqCst) - before;
        let (what, expected) = ("64 at once with one token", "ran 1 time");
        self.steps.push(Step { what, expected, came: format!("ran {ran} time") });
        Ok(())
    }

    async fn over(&mut self) -> Result<(), DemoError> {
        let token = self.mint(&self.grant()?)?;
        let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        self.api.clock.advance(60);
        self.step("a minute later", "expired", good).await?;
        let token = self.mint(&self.grant()?)?;
        let mut ring = KeyRing::default();
        let retired = Issuer::Retired(self.api.signer.public());
        ring.add_issuer(self.api.signer.id(), retired).or(Err(DemoError::Wrong("a key")))?;
        self.api.keys.swap(ring);
        self.step("its key retired", "unknown-key", Call { token: &token, ..good }).await
    }
}

fn params(json: &str) -> Result<Params, DemoError> {
    Params::parse(json.as_bytes()).or(Err(DemoError::Wrong("parameters")))
}

fn pointer(text: &str) -> Result<Pointer, DemoError> {
    Pointer::parse(text).or(Err(DemoError::Wrong("a pointer")))
}
