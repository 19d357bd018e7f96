//! The demonstration: a real issuer on the store in a file, a real API behind the gate, both on loopback ports,
//! and what becomes of tokens there. The clock is the demo's own, so that a minute passes at once.
//!
//! ```text
//! walk ──asks──→ issuer ──token──→ walk ──presents──→ API ──spends──→ the issuer's store
//! ```

mod api;
mod call;
mod place;

use std::io;
use std::sync::atomic::Ordering;

use axum::http::Method;
use farebox_verifier::token::{NarrowError, TokenText, narrow};
use farebox_verifier::{
    Action, Audience, Caveat, Clock as _, NoRandom, Outputs, Params, Pointer, Proof, Request,
    Resource, Sent,
};
use serde_json::{Value, json};

use self::call::{Call, call};
use self::place::Place;
use crate::client::ClientError;
use crate::record::verify::{Source, VerifyError, verify};
use crate::serve::ServeError;
use crate::signer::{PrivateKey, PrivateKeyError};

/// Why the demonstration did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// No port or folder, or no connection to the API.
    #[error("the demo's API cannot be reached")]
    Unreachable(#[from] io::Error),
    /// The issuer does not start.
    #[error("the demo's issuer does not start")]
    Issuer(#[from] ServeError),
    /// The issuer cannot be asked.
    #[error("the demo's issuer cannot be asked")]
    Client(#[from] ClientError),
    /// The record cannot be read.
    #[error("the demo's record cannot be read")]
    Record(#[from] VerifyError),
    /// No key could be made.
    #[error("no key could be made")]
    Key(#[from] PrivateKeyError),
    /// No random bytes.
    #[error("no random bytes")]
    Random(#[from] NoRandom),
    /// A token could not be narrowed.
    #[error("a token could not be narrowed")]
    Narrow(#[from] NarrowError),
    /// A value of the demo's own is not one: a defect of the demo.
    #[error("the demo is wrong about {0}")]
    Wrong(&'static str),
}

/// One step: what was done, what was to come of it, and what did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub what: &'static str,
    /// `issued`, `ran`, or the code of the refusal.
    pub expected: &'static str,
    /// The same, as it came.
    pub came: String,
}

const TRANSFER: &str = r#"{"amount":4000,"to":"acme"}"#;

/// Walks through the life of tokens. Every step is a call over HTTP.
///
/// # Errors
/// [`DemoError`] where it could not be walked to its end; a step that came out otherwise is no error.
pub async fn walk() -> Result<Vec<Step>, DemoError> {
    let mut walk = Walk { place: Place::open().await?, steps: Vec::new() };
    walk.policy().await?;
    walk.exact().await?;
    walk.bounded().await?;
    walk.stolen().await?;
    walk.crowd().await?;
    walk.steps_of_a_workflow().await?;
    walk.revoked().await?;
    walk.over().await?;
    walk.lost().await?.recorded().await
}

struct Walk {
    place: Place,
    steps: Vec<Step>,
}

/// A token that was asked for, or why there is none.
struct Asked {
    came: String,
    grant: String,
    token: TokenText,
}

impl Walk {
    fn told(&mut self, what: &'static str, expected: &'static str, came: impl Into<String>) {
        self.steps.push(Step { what, expected, came: came.into() });
    }

    /// Presents a token to the API.
    async fn step(
        &mut self,
        what: &'static str,
        expected: &'static str,
        request: Call<'_>,
    ) -> Result<(), DemoError> {
        let came = call(self.place.api().address, request).await?;
        self.told(what, expected, came);
        Ok(())
    }

    /// Asks the issuer.
    async fn ask(&self, wanted: &Value) -> Result<Asked, DemoError> {
        let reply =
            self.place.client().ask(Method::POST, "/v1/grants", (Some(wanted), None)).await?;
        let text = |name: &str| reply.json.get(name).and_then(Value::as_str).unwrap_or_default();
        let came = if reply.status == 201 { text("state") } else { text("code") };
        let (grant, token) = (text("grant").to_owned(), TokenText::unread(text("token")));
        Ok(Asked { came: came.to_owned(), grant, token })
    }

    /// A token for the one transfer that most steps are about.
    async fn token(&self) -> Result<Asked, DemoError> {
        self.ask(&transfer()).await
    }

    async fn policy(&mut self) -> Result<(), DemoError> {
        let asked = self.token().await?;
        self.told("a transfer that a policy allows", "issued", asked.came);
        let mut much = transfer();
        put(&mut much, "params", json!({ "amount": 5001, "to": "acme" }));
        let asked = self.ask(&much).await?;
        self.told("one above the policy's limit", "denied", asked.came);
        let mut other = transfer();
        put(&mut other, "action", json!("payments.close-account"));
        let asked = self.ask(&other).await?;
        self.told("an action that no policy names", "denied", asked.came);
        Ok(())
    }

    async fn exact(&mut self) -> Result<(), DemoError> {
        let Asked { token, .. } = self.token().await?;
        let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        let more = r#"{"amount":9000,"to":"acme"}"#;
        self.step("no token", "unauthenticated", Call { token: &api::no_token(), ..good }).await?;
        self.step("another amount", "wrong-params", Call { body: more, ..good }).await?;
        self.step("another account", "wrong-resource", Call { account: "43", ..good }).await?;
        self.step("the transfer that was granted", "ran", good).await?;
        self.step("the same token again", "already-spent", good).await?;
        let mut elsewhere = transfer();
        put(&mut elsewhere, "audience", json!("ledger-api"));
        let Asked { token, .. } = self.ask(&elsewhere).await?;
        self.step("a token for another API", "wrong-audience", Call { token: &token, ..good }).await
    }

    async fn bounded(&mut self) -> Result<(), DemoError> {
        let amount = pointer("/amount")?;
        let mut open = transfer();
        put(&mut open, "params", json!({ "to": "acme" }));
        put(&mut open, "bounds", json!({ "/amount": { "max": 5000 } }));
        let Asked { token, .. } = self.ask(&open).await?;
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
        let mut bound = transfer();
        put(&mut bound, "holder", json!(holder.public().to_string()));
        let Asked { token, .. } = self.ask(&bound).await?;
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
        let params = Params::parse(TRANSFER.as_bytes()).or(Err(DemoError::Wrong("parameters")))?;
        let (action, resource) =
            (Action::parse("payments.transfer"), Resource::parse("account/42"));
        let audience = Audience::parse(api::AUDIENCE).or(Err(DemoError::Wrong("an audience")))?;
        let request = Request {
            audience: &audience,
            action: &action.or(Err(DemoError::Wrong("an action")))?,
            resource: &resource.or(Err(DemoError::Wrong("a resource")))?,
            sent: Sent::Params(&params),
            proofs: &[],
            outputs: Outputs::Enforced,
        };
        let key = (by.public(), self.place.clock().now());
        let proof = Proof::make(token, &audience, &request.digest(), key, |m| by.sign(m));
        Ok(proof.or(Err(DemoError::Wrong("a token")))?.to_string())
    }

    async fn crowd(&mut self) -> Result<(), DemoError> {
        let Asked { token, .. } = self.token().await?;
        let before = self.place.api().ran.load(Ordering::SeqCst);
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (address, token) = (self.place.api().address, token.clone());
            crowd.spawn(async move {
                let good = Call { token: &token, account: "42", body: TRANSFER, proof: None };
                call(address, good).await
            });
        }
        for came in crowd.join_all().await {
            came?;
        }
        let ran = self.place.api().ran.load(Ordering::SeqCst) - before;
        self.told("64 at once with one token", "ran 1 time", format!("ran {ran} time"));
        Ok(())
    }

    async fn steps_of_a_workflow(&mut self) -> Result<(), DemoError> {
        let mut first = transfer();
        put(&mut first, "workflow", json!("run-81"));
        let mut second = first.clone();
        put(&mut first, "step", json!("1"));
        put(&mut second, "step", json!("2"));
        let before = self.ask(&first).await?;
        put(&mut second, "after", json!([before.grant]));
        let after = self.ask(&second).await?;
        let call = |token| Call { token, account: "42", body: TRANSFER, proof: None };
        self.step("step 2 before step 1", "predecessor-unsettled", call(&after.token)).await?;
        self.step("step 1", "ran", call(&before.token)).await?;
        self.step("step 2 after it", "ran", call(&after.token)).await
    }

    async fn revoked(&mut self) -> Result<(), DemoError> {
        let Asked { token, grant, .. } = self.token().await?;
        let body = json!({ "by": "grant", "value": grant, "reason": "it was posted in a chat" });
        let client = self.place.client();
        let reply = client.ask(Method::POST, "/v1/revocations", (Some(&body), None)).await?;
        let found = reply.json.get("found").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.told("revoked before it is used", "unspent", found);
        let call = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        self.step("presented after that", "revoked", call).await
    }

    async fn over(&mut self) -> Result<(), DemoError> {
        let Asked { token, .. } = self.token().await?;
        self.place.clock().advance(60);
        let call = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        self.step("a minute later", "expired", call).await
    }

    /// What was issued before the loss cannot be used after it.
    async fn lost(self) -> Result<Walk, DemoError> {
        let Asked { token, .. } = self.token().await?;
        let Walk { place, steps } = self;
        let mut walk = Walk { place: place.lose_the_store().await?, steps };
        let call = Call { token: &token, account: "42", body: TRANSFER, proof: None };
        walk.step("the machine came back from a copy", "fenced", call).await?;
        let Asked { token, .. } = walk.token().await?;
        walk.step("a fresh token of the next life", "ran", Call { token: &token, ..call }).await?;
        Ok(walk)
    }

    async fn recorded(self) -> Result<Vec<Step>, DemoError> {
        let Walk { place, mut steps } = self;
        let left = place.close().await?;
        let report = verify(&[Source::Folder(left.record.clone())], &left.keys, &[])?;
        let came = if report.is_good() { "good" } else { "not good" };
        let what = "the record, with public keys alone";
        steps.push(Step { what, expected: "good", came: came.to_owned() });
        let unequal = report.spent.abs_diff(u64::from(left.ran));
        let (what, expected) = ("spends in it beyond what ran", "0");
        steps.push(Step { what, expected, came: unequal.to_string() });
        Ok(steps)
    }
}

/// The request that most steps are about.
fn transfer() -> Value {
    json!({
        "action": "payments.transfer",
        "resource": "account/42",
        "audience": api::AUDIENCE,
        "params": { "amount": 4000, "to": "acme" },
    })
}

fn put(wanted: &mut Value, name: &str, value: Value) {
    if let Value::Object(wanted) = wanted {
        wanted.insert(name.to_owned(), value);
    }
}

fn pointer(text: &str) -> Result<Pointer, DemoError> {
    Pointer::parse(text).or(Err(DemoError::Wrong("a pointer")))
}
