//! A source of JWTs, as the configuration describes it: whose tokens, which of them, and what they say to us.

use std::fmt;
use std::path::PathBuf;

use farebox_verifier::Audience;
use farebox_verifier::params::json::Json;
use farebox_verifier::{Pointer, PointerError};

use super::algorithm::Algorithm;
use super::url::JwksUrl;
use crate::callers::{Roles, SourceName, Tenant};

/// A source of JWTs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name: it stands in the ids of agents, so it never changes its meaning.
    pub name: SourceName,
    /// Whose tokens these are.
    pub kind: SourceKind,
    /// One of these must stand in a token: it was made for us, and not for somebody who passes it on.
    pub audiences: Vec<String>,
    /// The algorithms that are taken. A token chooses among them, and never another.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are.
    pub keys: KeysAt,
    /// How often keys are read again, so that a withdrawn one is no longer taken.
    pub refresh_seconds: u64,
    /// How long the last good keys are used while none can be read.
    pub keep_seconds: u64,
    /// How far its clock may be from ours.
    pub leeway_seconds: u64,
    /// How old a token may be, whatever it says of its end.
    pub max_age_seconds: Option<u64>,
    /// Whose workflows its callers see.
    pub tenant: Tenancy,
    /// The claim that names the person behind a caller.
    pub owner: Option<ClaimPath>,
    /// The claim that names the groups of approvers.
    pub groups: Option<ClaimPath>,
    /// The claims that policies are told, by the attribute's name.
    pub attributes: Vec<(String, ClaimPath)>,
    /// Who may do what. A token that fits no rule is nobody's here.
    pub rules: Vec<Rule>,
}

/// Whose tokens a source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// An OpenID Connect provider: agents are `oidc:NAME:subject`.
    Oidc {
        /// What stands in `iss`, to the letter.
        issuer: String,
        /// The claim that names the caller.
        subject: ClaimPath,
    },
    /// A SPIFFE trust domain: agents are the SPIFFE ids themselves.
    Spiffe {
        /// The trust domain, without `spiffe://`.
        trust_domain: TrustDomain,
    },
}

/// Where a source's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAt {
    /// At a URL.
    Url {
        /// Which.
        url: JwksUrl,
        /// The authorities that may vouch for its server, instead of the machine's.
        ca: Option<PathBuf>,
    },
    /// In a file.
    File(PathBuf),
}

/// Whose workflows the callers of a source see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Those of nobody in particular.
    None,
    /// Those of one tenant.
    Fixed(Tenant),
    /// Those of the tenant that a claim names.
    Claim(ClaimPath),
}

/// Who may do what: the roles of a token whose claims are as they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What each of these claims must be: all of them, each one of the texts.
    pub when: Vec<(ClaimPath, Vec<ClaimText>)>,
    /// What the caller may then do.
    pub roles: Roles,
    /// The audiences that it may spend for.
    pub spends_for: Vec<Audience>,
}

/// Which claim: a name, or a JSON Pointer to one that lies deeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Pointer);

impl ClaimPath {
    /// Reads `sub`, or `/realm_access/roles`.
    ///
    /// # Errors
    /// [`PointerError`] where it is neither.
    pub fn parse(text: &str) -> Result<ClaimPath, PointerError> {
        if text.starts_with('/') {
            return Pointer::parse(text).map(ClaimPath);
        }
        // A name as it stands in the token: https://example.com/team is one.
        let escaped = text.replace('~', "~0").replace('/', "~1");
        Pointer::parse(&format!("/{escaped}")).map(ClaimPath)
    }

    /// What the claims say there.
    pub(super) fn of<'a>(&self, claims: &'a Json) -> Option<&'a Json> {
        claims.at(&self.0).filter(|found| !matches!(found, Json::Null))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// What a claim must be: a text, or with a `*` after the last `/` or `:` whatever lies below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimText(String);

/// A `*` where none may stand: `repo:acme*` would fit `repo:acme-evil` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a * stands at the end, and a / or a : before it; what is to be matched is not empty")]
pub struct ClaimTextError;

impl ClaimText {
    /// Reads it.
    ///
    /// # Errors
    /// [`ClaimTextError`] where a `*` stands where it must not.
    pub fn parse(text: &str) -> Result<ClaimText, ClaimTextError> {
        let below = text.strip_suffix("/*").or_else(|| text.strip_suffix(":*"));
        let rest = below.unwrap_or(text);
        if rest.contains('*') || rest.is_empty() {
            return Err(ClaimTextError);
        }
        Ok(ClaimText(text.to_owned()))
    }

    fn fits(&self, said: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => said.strip_prefix(start).is_some_and(|rest| !rest.is_empty()),
            None => self.0 == said,
        }
    }
}

impl Rule {
    /// Whether these claims are as they must be. Of a list, one member is enough.
    pub(super) fn fits(&self, claims: &Json) -> bool {
        self.when.iter().all(|(path, texts)| {
            let said = path.of(claims).map(texts_of).unwrap_or_default();
            said.iter().any(|said| texts.iter().any(|text| text.fits(said)))
        })
    }
}

/// The texts that a claim is, or a list of which it is. A number and a word of logic are the texts that JSON has
/// for them; an object is none.
pub(super) fn texts_of(claim: &Json) -> Vec<String> {
    match claim {
        Json::Text(text) => vec![text.to_string()],
        Json::Int { 0: number, .. } => vec![number.to_string()],
        Json::Bool(word) => vec![word.to_string()],
        Json::List(list) => {
            let flat = list.iter().filter(|member| !matches!(member, Json::List(_)));
            flat.flat_map(texts_of).collect()
        }
        _ => Vec::new(),
    }
}

/// A SPIFFE trust domain: `acme.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

/// A text is no trust domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a trust domain has 1 to 255 lower-case letters, digits, dots, dashes and underscores, and no spiffe://"
)]
pub struct TrustDomainError;

impl TrustDomain {
    /// Reads it.
    ///
    /// # Errors
    /// [`TrustDomainError`] where it is none.
    pub fn parse(text: &str) -> Result<TrustDomain, TrustDomainError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(TrustDomain(text.to_owned())) } else { Err(TrustDomainError) }
    }

    /// Whether this is the id of a workload in this domain, spelt as the standard has it.
    pub(super) fn has(&self, id: &str) -> bool {
        let path = id.strip_prefix("spiffe://").and_then(|rest| rest.strip_prefix(self.0.as_str()));
        let Some(path) = path.and_then(|path| path.strip_prefix('/')) else { return false };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        path.split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: &[(&str, &[&str])]) -> Rule {
        let when = when.iter().map(|(path, texts)| {
            let texts = texts.iter().map(|text| ClaimText::parse(text).unwrap());
            (ClaimPath::parse(path).unwrap(), texts.collect())
        });
        Rule { when: when.collect(), roles: Roles::default(), spends_for: Vec::new() }
    }

    #[test]
    fn every_claim_of_a_rule_must_be_one_of_its_texts() {
        let claims = br#"{"repository_id":"123","run":7,"fork":false,"https://x/team":"a","nothing":null,
            "realm_access":{"roles":["dev","finance"]},"deep":[["x"]],"sub":"repo:acme/shop:ref:main"}"#;
        let claims = Json::parse(claims).unwrap();
        for fits in [
            &[("repository_id", &["123"][..])][..],
            &[("repository_id", &["9", "123"]), ("run", &["7"]), ("fork", &["false"])],
            &[("/realm_access/roles", &["finance"])],
            &[("https://x/team", &["a"])],
            &[("sub", &["repo:acme/shop:*"])],
            &[("sub", &["repo:acme/*"])],
        ] {
            assert!(rule(fits).fits(&claims), "{fits:?}");
        }
        for not in [
            &[("repository_id", &["12"][..])][..],
            &[("repository_id", &["123"]), ("fork", &["true"])],
            &[("absent", &["x"])],
            &[("nothing", &["null"])],
            &[("deep", &["x"])],
            &[("/realm_access", &["roles"])],
            &[("sub", &["repo:acme/shop:ref:main:*"])],
            &[("sub", &["repo:acm/*"])],
        ] {
            assert!(!rule(not).fits(&claims), "{not:?}");
        }
    }

    #[test]
    fn a_star_that_would_fit_a_neighbour_is_refused() {
        for text in ["repo:acme*", "*", "repo:*/x", "**", "", "/*"] {
            assert_eq!(ClaimText::parse(text), Err(ClaimTextError), "{text:?}");
        }
    }

    #[test]
    fn a_workload_is_of_its_own_trust_domain_alone() {
        let domain = TrustDomain::parse("acme").unwrap();
        assert!(domain.has("spiffe://acme/agents/billing"));
        for id in [
            "spiffe://acme",
            "spiffe://acme/",
            "spiffe://acme//a",
            "spiffe://acme/a/",
            "spiffe://acme/a/../b",
            "spiffe://acme/./a",
            "spiffe://acme.evil/a",
            "spiffe://acme-evil/a",
            "spiffe://acme@evil/a",
            "spiffe://evil/acme/a",
            "spiffe://ACME/a",
            "SPIFFE://acme/a",
            "spiffe://acme/a%2fb",
            "spiffe://acme/a?x",
            "https://acme/a",
        ] {
            assert!(!domain.has(id), "{id}");
        }
        for text in ["", "spiffe://acme", "ACME", "acme/x", "acme:80"] {
            assert!(TrustDomain::parse(text).is_err(), "{text:?}");
        }
    }
}
