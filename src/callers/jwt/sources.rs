//! All sources of JWTs together: from a token to the caller that it is.
//!
//! ```text
//! text ─read→ claims, not believed ─whose?→ source ─aud→ ─signature→ ─times→ claims ─rules→ Caller
//! ```
//! Nothing of a token is believed before its signature holds; what is compared before that only chooses the source.

use std::sync::Arc;

use farebox_verifier::params::json::Json;
use farebox_verifier::{Agent, Clock, UnixSeconds};

use super::cache::Cache;
use super::fetch::{AuthoritiesError, JwksError};
use super::source::{ClaimPath, Source, SourceKind, Tenancy, texts_of};
use super::token::Token;
use crate::callers::{
    Attribute, Caller, CredentialKind, Reason, Roles, SourceName, Tenant, attribute,
};
use crate::limits;
use crate::store::desk::{Group, Owner};

/// The sources of JWTs, each with its keys.
pub(in crate::callers) struct Sources(Vec<Live>);

struct Live {
    source: Source,
    cache: Cache,
}

/// How a source stands.
#[derive(Clone, Debug)]
pub struct SourceState {
    /// Which.
    pub name: SourceName,
    /// How many of its keys are in use.
    pub keys: usize,
    /// When they were last read well.
    pub read: Option<UnixSeconds>,
    /// Why the last reading failed, if it did.
    pub failure: Option<JwksError>,
}

impl Sources {
    pub(in crate::callers) fn of(
        sources: Vec<Source>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Sources, (SourceName, AuthoritiesError)> {
        let live = sources.into_iter().map(|source| {
            let cache = Cache::of(&source, Arc::clone(clock));
            let cache = cache.map_err(|why| (source.name.clone(), why))?;
            Ok(Live { source, cache })
        });
        live.collect::<Result<_, _>>().map(Sources)
    }

    pub(in crate::callers) fn tend(&self) {
        self.0.iter().for_each(|live| live.cache.tend());
    }

    pub(in crate::callers) fn states(&self) -> Vec<SourceState> {
        let state = |live: &Live| {
            let known = live.cache.known();
            let keys = live.cache.keys().map_or(0, |keys| keys.len());
            let name = live.source.name.clone();
            SourceState { name, keys, read: known.read, failure: known.failure }
        };
        self.0.iter().map(state).collect()
    }

    /// Who has this token.
    pub(in crate::callers) async fn who(
        &self,
        text: &str,
        clock: &dyn Clock,
    ) -> Result<Caller, Reason> {
        let token = Token::read(text)?;
        let live = self.source_of(&token)?;
        live.verify(&token).await?;
        // The clock is asked after whatever had to be waited for.
        live.source.caller(&token, clock.now())
    }

    fn source_of(&self, token: &Token<'_>) -> Result<&Live, Reason> {
        let mut whose = self.0.iter().filter(|live| live.source.claims_to_be_of(token)).peekable();
        if whose.peek().is_none() {
            return Err(Reason::UnknownIssuer);
        }
        let audiences = token.claim("aud").map(texts_of).unwrap_or_default();
        let ours = |live: &&Live| live.source.audiences.iter().any(|a| audiences.contains(a));
        whose.find(ours).ok_or(Reason::Audience)
    }
}

impl Live {
    async fn verify(&self, token: &Token<'_>) -> Result<(), Reason> {
        if !self.source.algorithms.contains(&token.algorithm) {
            return Err(Reason::Algorithm);
        }
        match self.verify_now(token) {
            Err(Reason::UnknownKey | Reason::NoKeys) => {}
            verdict => return verdict,
        }
        self.cache.reread().await;
        self.verify_now(token)
    }

    fn verify_now(&self, token: &Token<'_>) -> Result<(), Reason> {
        self.cache.keys().ok_or(Reason::NoKeys)?.verify(token)
    }
}

impl Source {
    fn claims_to_be_of(&self, token: &Token<'_>) -> bool {
        match &self.kind {
            SourceKind::Oidc { issuer, .. } => token.text("iss") == Some(issuer),
            SourceKind::Spiffe { trust_domain } => {
                token.text("sub").is_some_and(|id| trust_domain.has(id))
            }
        }
    }

    /// The caller that a token makes whose signature holds.
    fn caller(&self, token: &Token<'_>, now: UnixSeconds) -> Result<Caller, Reason> {
        let made = self.times(token, now)?;
        let name = self.name(token)?;
        let fitting: Vec<_> = self.rules.iter().filter(|rule| rule.fits(&token.claims)).collect();
        if fitting.is_empty() {
            return Err(Reason::NoRule { from: self.name.clone() });
        }
        let roles = fitting.iter().fold(Roles::default(), |roles, rule| roles.and(rule.roles));
        let mut spends_for: Vec<_> =
            fitting.iter().flat_map(|rule| rule.spends_for.iter().cloned()).collect();
        spends_for.sort();
        spends_for.dedup();
        let source = self.name.clone();
        Ok(Caller {
            name,
            roles,
            spends_for,
            tenant: self.tenant(token)?,
            owner: self.owner(token)?,
            groups: self.groups(token)?,
            attributes: self.attributes(token)?,
            decision_key: None,
            authenticated: made,
            credential: match self.kind {
                SourceKind::Oidc { .. } => CredentialKind::Oidc { source },
                SourceKind::Spiffe { .. } => CredentialKind::Spiffe { source },
            },
        })
    }

    /// Whether the token is of now, and when it was made.
    fn times(&self, token: &Token<'_>, now: UnixSeconds) -> Result<UnixSeconds, Reason> {
        let from = || self.name.clone();
        let date = |name| match token.claim(name) {
            None => Ok(None),
            Some(claim) => seconds(claim).map(Some).ok_or(Reason::Malformed),
        };
        let end = date("exp")?.ok_or(Reason::Endless { from: from() })?;
        if now.0 >= end.saturating_add(self.leeway_seconds) {
            return Err(Reason::Expired { from: from(), end: UnixSeconds(end) });
        }
        let soonest = now.0.saturating_add(self.leeway_seconds);
        let made = date("iat")?;
        for start in [date("nbf")?, made].into_iter().flatten() {
            if start > soonest {
                return Err(Reason::NotYet { from: from() });
            }
        }
        if let Some(age_max) = self.max_age_seconds {
            let oldest = now.0.saturating_sub(age_max.saturating_add(self.leeway_seconds));
            if made.is_none_or(|made| made < oldest) {
                return Err(Reason::TooOld { from: from() });
            }
        }
        Ok(made.map_or(now, |made| UnixSeconds(made.min(now.0))))
    }

    fn name(&self, token: &Token<'_>) -> Result<Agent, Reason> {
        match &self.kind {
            SourceKind::Spiffe { trust_domain } => {
                let id = token.text("sub").filter(|id| trust_domain.has(id));
                Agent::parse(id.ok_or(Reason::Name)?).or(Err(Reason::Name))
            }
            SourceKind::Oidc { subject, .. } => {
                let subject = single(subject, &token.claims).ok_or(Reason::Name)?;
                if subject.is_empty() {
                    return Err(Reason::Name);
                }
                Agent::parse(&format!("oidc:{}:{subject}", self.name)).or(Err(Reason::Name))
            }
        }
    }

    fn tenant(&self, token: &Token<'_>) -> Result<Option<Tenant>, Reason> {
        match &self.tenant {
            Tenancy::None => Ok(None),
            Tenancy::Fixed(tenant) => Ok(Some(tenant.clone())),
            // Without one it would see, and be seen by, whoever has none either.
            Tenancy::Claim(path) => self.needed(path, token, |text| Tenant::parse(text).ok()),
        }
    }

    fn owner(&self, token: &Token<'_>) -> Result<Option<Owner>, Reason> {
        match &self.owner {
            None => Ok(None),
            // Without one it would be a person of its own, who approves what the same person asked for.
            Some(path) => self.needed(path, token, |text| Owner::parse(text).ok()),
        }
    }

    fn groups(&self, token: &Token<'_>) -> Result<Vec<Group>, Reason> {
        let Some(path) = &self.groups else { return Ok(Vec::new()) };
        let texts = path.of(&token.claims).map(texts_of).unwrap_or_default();
        if texts.len() > limits::CALLER_GROUPS_MAX {
            return Err(self.unfit(path));
        }
        // A group that farebox could not name has no approvals to give; it takes none from the others.
        Ok(texts.iter().filter_map(|text| Group::parse(text).ok()).collect())
    }

    /// A claim that is there and does not fit refuses the token: left out, a rule that denies by it would not.
    fn attributes(&self, token: &Token<'_>) -> Result<Vec<Attribute>, Reason> {
        let mut found = Vec::new();
        for (name, path) in &self.attributes {
            let Some(claim) = path.of(&token.claims) else { continue };
            let texts = texts_of(claim);
            let empty_list = matches!(claim, Json::List(list) if list.is_empty());
            let whole = match claim {
                Json::List(list) => texts.len() == list.len(),
                _ => texts.len() == 1,
            };
            if !whole && !empty_list {
                return Err(self.unfit(path));
            }
            for text in texts {
                found.push(attribute(name, &text).map_err(|_unfit| self.unfit(path))?);
            }
        }
        if found.len() > limits::CALLER_ATTRIBUTES_MAX {
            return Err(Reason::TooMuch { from: self.name.clone() });
        }
        Ok(found)
    }

    fn needed<T>(
        &self,
        path: &ClaimPath,
        token: &Token<'_>,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Reason> {
        let text = single(path, &token.claims);
        text.and_then(|text| read(&text)).map(Some).ok_or_else(|| self.unfit(path))
    }

    fn unfit(&self, path: &ClaimPath) -> Reason {
        Reason::Claim { from: self.name.clone(), claim: path.to_string() }
    }
}

/// The one text that a claim is.
fn single(path: &ClaimPath, claims: &Json) -> Option<String> {
    match path.of(claims)? {
        Json::List(_) => None,
        claim => texts_of(claim).into_iter().next(),
    }
}

/// Whole seconds since 1970; of a part of a second, nothing is left.
fn seconds(claim: &Json) -> Option<u64> {
    match claim {
        Json::Int { 0: seconds, .. } => u64::try_from(*seconds).ok(),
        Json::Decimal { 0: text, .. } => {
            let (whole, part) = text.split_once('.')?;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { whole.parse().ok() } else { None }
        }
        _ => None,
    }
}
