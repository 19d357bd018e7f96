//! The oracle: asks biscuit-auth's own engine for the verdict that farebox comes to without one.
//!
//! ```text
//! token's text ──┐
//! trusted keys ──┼─ signatures ─ Datalog ─ the one grant fact ─→ Verdict
//! facts ─────────┘
//! ```
//!
//! Nothing of farebox's reader has a say here but in the facts, so that a mistake of one of the two shows.
//! What biscuit-auth has never shows by `Debug`, which would print secrets.

use std::collections::BTreeSet;
use std::time::Duration;

use biscuit_auth::builder::{self, Algorithm, AuthorizerBuilder, Term};
use biscuit_auth::error::{self, RunLimit};
use biscuit_auth::{AuthorizerLimits, Biscuit, PublicKey};
use farebox_verifier::facts::{Fact, Value};
use farebox_verifier::{GrantId, Issuer, KeyRing, Presented, TokenText};

/// Facts beyond those supplied: a token of this layout brings 24 at most.
const FACTS_MAX: u64 = 1000;
/// The layout has no rules, so the first round is the last.
const ITERATIONS_MAX: u64 = 100;
/// The engine's own default, 1 ms of wall time, refuses valid tokens on a busy machine.
const TIME_MAX: Duration = Duration::from_millis(250);

/// What the engine says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It covers the request, and this is its grant.
    Accepted(GrantId),
    /// It does not, in the engine's words.
    Refused(String),
}

/// The engine came to no end in its time, so nobody knows what it would have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine gave no verdict within {} ms", TIME_MAX.as_millis())]
pub struct TimedOut;

/// The engine with the keys that it is to trust.
pub struct Oracle<'k> {
    ring: &'k KeyRing,
}

impl<'k> Oracle<'k> {
    /// An engine that trusts what this ring trusts.
    #[must_use]
    pub fn new(ring: &'k KeyRing) -> Oracle<'k> {
        Oracle { ring }
    }

    /// Whether the token holds with these facts.
    ///
    /// It takes tokens that farebox could read: the engine's own limits do not bound what a small hostile
    /// token makes it do.
    ///
    /// # Errors
    /// [`TimedOut`] where the engine took too long to tell.
    pub fn ask(&self, token: &Presented, facts: &[Fact]) -> Result<Verdict, TimedOut> {
        match self.decide(token.text(), facts) {
            Ok(verdict) => Ok(verdict),
            Err(error::Token::RunLimit(RunLimit::Timeout)) => Err(TimedOut),
            // The outer error keeps what is wrong with the format to itself.
            Err(error::Token::Format(why)) => Ok(Verdict::Refused(why.to_string())),
            Err(why) => Ok(Verdict::Refused(why.to_string())),
        }
    }

    fn decide(&self, token: &TokenText, facts: &[Fact]) -> Result<Verdict, error::Token> {
        let biscuit = Biscuit::from_base64(token.expose(), |id| self.root(id))?;
        let mut authorizer = authorizer(facts)?.build(&biscuit)?;
        authorizer.authorize()?;
        let grant = builder::variable("grant");
        let query = builder::rule("grant", &[&grant], &[builder::pred("grant", &[&grant])]);
        // `query` sees the authority's facts and ours; `query_all` would see what holders injected.
        let found: Vec<builder::Fact> = authorizer.query(query)?;
        Ok(match grant_of(&found) {
            Some(grant) => Verdict::Accepted(grant),
            None => Verdict::Refused(format!("{} grant facts, or another form of it", found.len())),
        })
    }

    fn root(&self, id: Option<u32>) -> Result<PublicKey, error::Format> {
        match id.and_then(|id| self.ring.issuer(id)) {
            Some(Issuer::Trusted(key)) => PublicKey::from_bytes(key.as_bytes(), Algorithm::Ed25519),
            Some(Issuer::Retired(_)) | None => Err(error::Format::UnknownPublicKey),
        }
    }
}

fn grant_of(found: &[builder::Fact]) -> Option<GrantId> {
    let [fact] = found else { return None };
    let [Term::Bytes(bytes)] = fact.predicate.terms.as_slice() else { return None };
    Some(GrantId::from_bytes(bytes.as_slice().try_into().ok()?))
}

fn authorizer(facts: &[Fact]) -> Result<AuthorizerBuilder, error::Token> {
    let supplied = u64::try_from(facts.len()).unwrap_or(u64::MAX);
    let limits = AuthorizerLimits {
        max_facts: FACTS_MAX.saturating_add(supplied),
        max_iterations: ITERATIONS_MAX,
        max_time: TIME_MAX,
    };
    let start = AuthorizerBuilder::new().set_limits(limits).policy("allow if true")?;
    facts.iter().try_fold(start, |builder, fact| builder.fact(built(fact)))
}

fn built(fact: &Fact) -> builder::Fact {
    let terms: Vec<Term> = fact.terms.iter().map(term).collect();
    builder::Fact::new(fact.name.to_owned(), terms)
}

fn term(value: &Value) -> Term {
    match value {
        Value::Int(value) => Term::Integer(*value),
        Value::Text(text) => Term::Str(text.clone()),
        Value::Bytes(bytes) => Term::Bytes(bytes.clone()),
        Value::Date(second) => Term::Date(second.0),
        Value::Set(members) => {
            Term::Set(members.iter().cloned().map(Term::Str).collect::<BTreeSet<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use farebox_verifier::facts::facts;
    use farebox_verifier::{
        Action, Agent, Audience, Caveat, CaveatText, Grant, Keys, ManualClock, OneOf, OutputName,
        Outputs, Params, Pointer, PolicyHash, Presented, Proof, Registered, Request, RequestDigest,
        Resource, Sent, UnixSeconds, Uses, Verifier, Window, token,
    };

    use super::*;
    use crate::signer::{PrivateKey, Signer};

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn grant(params: &Params, caveats: Vec<Caveat>) -> Grant {
        Grant {
            id: GrantId::from_bytes([7; 16]),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            params: params.digest(),
            audience: Audience::parse("payments-api").unwrap(),
            window: Window::minted(NOW, 60).unwrap(),
            agent: Agent::parse("key:billing").unwrap(),
            policy: PolicyHash::NONE,
            varies: Vec::new(),
            approval: None,
            stores: None,
            workflow: None,
            purpose: None,
            holder: None,
            uses: Uses::Once,
            caveats,
        }
    }

    fn caveats() -> Vec<Caveat> {
        let text = |text| CaveatText::parse(text).unwrap();
        let at = |text| Pointer::parse(text).unwrap();
        let (acme, globex) = (text("acme"), text("globex"));
        vec![
            Caveat::IntAtMost(at("/amount"), 4000),
            Caveat::TextOneOf(at("/to"), OneOf::new([acme, globex]).unwrap()),
            Caveat::TextPrefix(at("/note"), text("q\"")),
            Caveat::OutputMax(OutputName::parse("rows").unwrap(), 10),
            Caveat::OutputOneOf(
                OutputName::parse("class").unwrap(),
                OneOf::new([text("public")]).unwrap(),
            ),
        ]
    }

    /// Both verdicts, farebox's and the engine's, as whether they accept.
    fn verdicts(
        signer: &Signer,
        token: &TokenText,
        params: &Params,
        with: With<'_>,
    ) -> (bool, bool) {
        let grant = grant(params, Vec::new());
        let (audience, action, resource) = (&grant.audience, &grant.action, &grant.resource);
        let (sent, With { outputs, proofs }) = (Sent::Params(params), with);
        let request = Request { audience, action, resource, sent, proofs, outputs };
        let mut ring = KeyRing::default();
        ring.add_issuer(signer.id(), Issuer::Trusted(signer.public())).unwrap();
        let presented = Presented::read(token.expose()).unwrap();
        let facts = facts(&presented, &request, NOW);
        let engine = Oracle::new(&ring).ask(&presented, &facts).unwrap();
        let verifier = Verifier::new(Arc::new(Keys::new(ring)), Registered::Anyhow)
            .with_clock(Arc::new(ManualClock::at(NOW)));
        let farebox = verifier.verify(presented, &request).is_ok();
        (farebox, engine == Verdict::Accepted(GrantId::from_bytes([7; 16])))
    }

    /// What comes with a request beside its parameters.
    #[derive(Clone, Copy)]
    struct With<'a> {
        outputs: Outputs,
        proofs: &'a [Proof],
    }

    const BARE: With<'static> = With { outputs: Outputs::Unseen, proofs: &[] };

    #[test]
    fn the_engine_agrees_on_which_proofs_count() {
        let signer = Signer::new(3, PrivateKey::generate().unwrap());
        let (holder, params) = (PrivateKey::generate().unwrap(), Params::empty());
        let bound = Grant { holder: Some(holder.public()), ..grant(&params, Vec::new()) };
        let token = signer.mint(&bound).unwrap();
        let digest = |resource: &str| {
            let resource = Resource::parse(resource).unwrap();
            RequestDigest::of(&bound.action, &resource, &bound.audience, params.digest(), None)
        };
        let prove = |resource, at| {
            let by = (holder.public(), at);
            Proof::make(&token, &bound.audience, &digest(resource), by, |m| holder.sign(m)).unwrap()
        };
        let good = prove("account/42", NOW);
        let (other, stale) = (prove("account/43", NOW), prove("account/42", NOW.minus(31)));
        let table = [
            (vec![], false),
            (vec![good.clone()], true),
            (vec![other.clone()], false),
            (vec![stale], false),
            (vec![other.clone(), good.clone()], false),
            (vec![good, other], true),
        ];
        for (proofs, want) in table {
            let with = With { proofs: &proofs, ..BARE };
            assert_eq!(verdicts(&signer, &token, &params, with), (want, want));
        }
    }

    #[test]
    fn the_engine_agrees_on_every_kind_of_caveat() {
        let signer = Signer::new(3, PrivateKey::generate().unwrap());
        let params = |text: &str| Params::parse(text.as_bytes()).unwrap();
        let good = params(r#"{"amount":4000,"to":"acme","note":"q\"\\\n {x}"}"#);
        let table = [
            (good.clone(), Outputs::Enforced, true),
            (good, Outputs::Unseen, false),
            (params(r#"{"amount":4001,"to":"acme","note":"q\""}"#), Outputs::Enforced, false),
            (params(r#"{"amount":1,"to":"initech","note":"q\""}"#), Outputs::Enforced, false),
            (params(r#"{"amount":1,"to":"acme","note":"Q"}"#), Outputs::Enforced, false),
            (params(r#"{"amount":"1","to":"acme","note":"q\""}"#), Outputs::Enforced, false),
        ];
        for (params, outputs, want) in table {
            let token = signer.mint(&grant(&params, caveats())).unwrap();
            assert_eq!(verdicts(&signer, &token, &params, With { outputs, ..BARE }), (want, want));
        }
    }

    #[test]
    fn the_engine_agrees_on_what_a_holder_appended() {
        let signer = Signer::new(3, PrivateKey::generate().unwrap());
        let params = Params::parse(br#"{"amount":5}"#).unwrap();
        let token = signer.mint(&grant(&params, Vec::new())).unwrap();
        for (max, want) in [(5, true), (4, false)] {
            let at = Pointer::parse("/amount").unwrap();
            let narrowed = token::narrow(&token, &[Caveat::IntAtMost(at, max)]).unwrap();
            let both = verdicts(&signer, &narrowed, &params, BARE);
            assert_eq!(both, (want, want), "at most {max}");
        }
    }

    #[test]
    fn a_token_of_another_issuer_is_refused_by_both() {
        let trusted = Signer::new(3, PrivateKey::generate().unwrap());
        let forger = Signer::new(3, PrivateKey::generate().unwrap());
        let token = forger.mint(&grant(&Params::empty(), Vec::new())).unwrap();
        let both = verdicts(&trusted, &token, &Params::empty(), BARE);
        assert_eq!(both, (false, false));
    }

    #[test]
    fn params_beyond_the_reach_of_pointers_and_thousands_of_leaves_change_no_verdict() {
        let signer = Signer::new(3, PrivateKey::generate().unwrap());
        let long = format!(r#"{{"{}":1,"amount":5}}"#, "x".repeat(300));
        let many = format!(r#"{{"amount":5,"list":[{}7]}}"#, "7,".repeat(1500));
        for text in [long, many] {
            let params = Params::parse(text.as_bytes()).unwrap();
            let at = Pointer::parse("/amount").unwrap();
            let grant = grant(&params, vec![Caveat::IntAtLeast(at, 5)]);
            let token = signer.mint(&grant).unwrap();
            let both = verdicts(&signer, &token, &params, BARE);
            assert_eq!(both, (true, true), "{} bytes", text.len());
        }
    }

    #[test]
    fn the_text_of_a_fact_is_read_by_the_engines_own_parser_as_the_same_fact() {
        let set = ["b\"".to_owned(), "a\\n".to_owned()].into();
        let terms = [
            Value::Int(i64::MIN),
            Value::Text("\" \\ \n \t {x} $y ü".to_owned()),
            Value::Text(String::new()),
            Value::Bytes(vec![0, 255]),
            Value::Date(NOW),
            Value::Set(set),
        ];
        for term in terms {
            let fact = Fact { name: "given", terms: vec![term] };
            let read = builder::Fact::try_from(fact.to_string().as_str()).unwrap();
            assert_eq!(read.predicate, built(&fact).predicate, "{fact}");
        }
    }
}
