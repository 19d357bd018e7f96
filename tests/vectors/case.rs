//! A case: a token, who presents it with what, and what a verifier must say. As it stands in the file.

use std::sync::Arc;

use farebox::oracle::{Oracle, Verdict};
use farebox_verifier::facts::{Fact, Value as Term, facts};
use farebox_verifier::{
    Action, Audience, FreshTokens, Issuer, KeyRing, Keys, ManualClock, Outputs, Params,
    ParamsDigest, Presented, Proof, PublicKey, Refusal, Registered, Request, RequestDigest,
    Resource, Sent, TokenText, UnixSeconds, Verifier, keys,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::fixture::{self, Key};

/// The file.
#[derive(Serialize, Deserialize)]
pub(super) struct Vectors {
    pub(super) layout: String,
    pub(super) about: String,
    pub(super) keys: Vec<NamedKey>,
    pub(super) cases: Vec<Case>,
}

/// A key pair that everybody may know.
#[derive(Serialize, Deserialize)]
pub(super) struct NamedKey {
    pub(super) name: String,
    pub(super) public: String,
    pub(super) seed: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) why: String,
    pub(super) token: String,
    pub(super) issuer_keys: Vec<IssuerKey>,
    pub(super) verifier: Settings,
    pub(super) now: String,
    pub(super) request: Asked,
    pub(super) result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flaw: Option<String>,
    pub(super) facts: Vec<String>,
    pub(super) needs: Vec<String>,
    pub(super) checks: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct IssuerKey {
    pub(super) id: u32,
    pub(super) hex: String,
    pub(super) state: String,
}

/// How the verifier is set up.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    /// How many stores must agree on a token; null where any number will do.
    pub(super) stores: Option<usize>,
    /// `taken` or `refused`.
    pub(super) fresh: String,
}

/// The request.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) audience: String,
    pub(super) action: String,
    pub(super) resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) params: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) params_sha256: Option<String>,
    pub(super) proofs: Vec<String>,
    /// `enforced` or `unseen`.
    pub(super) outputs: String,
}

/// A token that must be taken, with the request that most tokens are for.
pub(super) fn verified(name: &str, why: &str, token: &str) -> Case {
    Case {
        name: name.to_owned(),
        why: why.to_owned(),
        token: token.to_owned(),
        issuer_keys: vec![issuer_key(1, fixture::ISSUER, "trusted")],
        verifier: Settings { stores: None, fresh: "refused".to_owned() },
        now: fixture::NOW.to_string(),
        request: asked(),
        result: "verified".to_owned(),
        flaw: None,
        facts: Vec::new(),
        needs: Vec::new(),
        checks: Vec::new(),
    }
}

/// A token that must be refused, with this code.
pub(super) fn refused(code: &str, name: &str, why: &str, token: &str) -> Case {
    Case { result: code.to_owned(), ..verified(name, why, token) }
}

/// A token that must be refused as `bad-token`, for this flaw.
pub(super) fn bad(flaw: &str, name: &str, why: &str, token: &str) -> Case {
    Case { flaw: Some(flaw.to_owned()), ..refused("bad-token", name, why, token) }
}

pub(super) fn asked() -> Asked {
    let grant = fixture::grant();
    Asked {
        audience: grant.audience.as_str().to_owned(),
        action: grant.action.as_str().to_owned(),
        resource: grant.resource.as_str().to_owned(),
        params: Some(serde_json::from_str(fixture::PARAMS).unwrap()),
        params_sha256: None,
        proofs: Vec::new(),
        outputs: "unseen".to_owned(),
    }
}

/// The request with other parameters.
pub(super) fn sending(text: &str) -> Asked {
    Asked { params: Some(serde_json::from_str(text).unwrap()), ..asked() }
}

pub(super) fn issuer_key(id: u32, key: Key, state: &str) -> IssuerKey {
    IssuerKey { id, hex: key.public().to_string(), state: state.to_owned() }
}

impl Asked {
    /// The request with a proof, made for it at this time by whoever holds this key.
    pub(super) fn proved(mut self, token: &str, by: Key, at: UnixSeconds) -> Asked {
        self.proofs.push(prove(token, &self, by, at));
        self
    }

    fn sent(&self) -> Result<Params, ParamsDigest> {
        match &self.params {
            Some(params) => Ok(Params::parse(&serde_json::to_vec(params).unwrap()).unwrap()),
            None => Err(ParamsDigest::from_hex(self.params_sha256.as_deref().unwrap()).unwrap()),
        }
    }
}

/// A proof that fits this token and this request.
pub(super) fn prove(token: &str, asked: &Asked, by: Key, at: UnixSeconds) -> String {
    let audience = Audience::parse(&asked.audience).unwrap();
    let action = Action::parse(&asked.action).unwrap();
    let resource = Resource::parse(&asked.resource).unwrap();
    let digest = asked.sent().map_or_else(|digest| digest, |params| params.digest());
    let request = RequestDigest::of(&action, &resource, &audience, digest, None);
    let (token, key) = (TokenText::unread(token), by.private());
    let by = (key.public(), at);
    Proof::make(&token, &audience, &request, by, |m| key.sign(m)).unwrap().to_string()
}

impl Case {
    /// With all that follows from the rest of it.
    pub(super) fn completed(mut self) -> Case {
        let Ok(presented) = Presented::read(&self.token) else { return self };
        let said = presented.unverified();
        let caveats = said.grant().caveats.iter().chain(said.narrowing());
        self.checks = caveats.map(ToString::to_string).collect();
        let facts = self.supplied();
        self.facts = facts.iter().map(ToString::to_string).collect();
        if self.result == "verified" {
            let needed = |fact: &&Fact| {
                let others: Vec<Fact> =
                    facts.iter().filter(|other| other != fact).cloned().collect();
                !self.accepted_by_engine(&others)
            };
            self.needs = facts.iter().filter(needed).map(ToString::to_string).collect();
        }
        self
    }

    /// What the verifier says: `verified` or a code, and the flaw of a bad token.
    pub(super) fn decided(&self) -> (String, Option<String>) {
        let decided = Presented::read(&self.token).and_then(|presented| {
            self.with_request(|request| self.verifier().verify(presented, request))
        });
        match decided {
            Ok(_) => ("verified".to_owned(), None),
            Err(Refusal::BadToken(flaw)) => ("bad-token".to_owned(), Some(kebab(flaw))),
            Err(refusal) => (refusal.code().to_owned(), None),
        }
    }

    /// Whether biscuit-auth's engine accepts the token with these facts; its grant must be the token's.
    pub(super) fn accepted_by_engine(&self, facts: &[Fact]) -> bool {
        let (ring, token) = (self.ring(), Presented::read(&self.token).unwrap());
        let grant = token.unverified().grant().id;
        match Oracle::new(&ring).ask(&token, facts).unwrap() {
            Verdict::Accepted(found) => {
                assert_eq!(found, grant, "{}", self.name);
                true
            }
            Verdict::Refused(_) => false,
        }
    }

    /// The facts that its verifier supplies. One that takes tokens without a store says so by a fact.
    pub(super) fn supplied(&self) -> Vec<Fact> {
        let presented = Presented::read(&self.token).unwrap();
        let mut facts = self.with_request(|request| facts(&presented, request, self.now()));
        if self.verifier.fresh == "taken" {
            let grant = presented.unverified().grant().id.as_bytes().to_vec();
            facts.push(Fact { name: "fresh", terms: vec![Term::Bytes(grant)] });
        }
        facts
    }

    fn with_request<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        let asked = &self.request;
        let audience = &Audience::parse(&asked.audience).unwrap();
        let action = &Action::parse(&asked.action).unwrap();
        let resource = &Resource::parse(&asked.resource).unwrap();
        let params = asked.sent();
        let sent = match &params {
            Ok(params) => Sent::Params(params),
            Err(digest) => Sent::Digest(*digest),
        };
        let proofs: Vec<Proof> = asked.proofs.iter().map(|p| Proof::parse(p).unwrap()).collect();
        let outputs = match asked.outputs.as_str() {
            "enforced" => Outputs::Enforced,
            "unseen" => Outputs::Unseen,
            other => panic!("outputs are neither enforced nor unseen, but {other}"),
        };
        then(&Request { audience, action, resource, sent, proofs: &proofs, outputs })
    }

    fn verifier(&self) -> Verifier {
        let registered = self
            .verifier
            .stores
            .map_or(Registered::Anyhow, |stores| Registered::In(stores.try_into().unwrap()));
        let fresh = match self.verifier.fresh.as_str() {
            "taken" => FreshTokens::Taken,
            "refused" => FreshTokens::Refused,
            other => panic!("fresh tokens are neither taken nor refused, but {other}"),
        };
        Verifier::new(Arc::new(Keys::new(self.ring())), registered)
            .with_clock(Arc::new(ManualClock::at(self.now())))
            .with_fresh_tokens(fresh)
    }

    fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::default();
        for IssuerKey { id, hex, state } in &self.issuer_keys {
            let key: PublicKey = keys::parse(hex, keys::KeyFormat::Hex).unwrap();
            let issuer = match state.as_str() {
                "trusted" => Issuer::Trusted(key),
                "retired" => Issuer::Retired(key),
                other => panic!("key {id} is neither trusted nor retired, but {other}"),
            };
            ring.add_issuer(*id, issuer).unwrap();
        }
        ring
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds::from(OffsetDateTime::parse(&self.now, &Rfc3339).unwrap())
    }
}

/// `SmallOrder` as `small-order`.
fn kebab(flaw: impl std::fmt::Debug) -> String {
    let mut kebab = String::new();
    for letter in format!("{flaw:?}").chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
