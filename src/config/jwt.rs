//! Sources of JWTs, as the file describes them.

use std::collections::HashSet;

use farebox_verifier::Audience;

use super::error::{ConfigError, Place, ValueError};
use super::jwt_setting::JWT_SETTINGS;
use super::scope::{Said, Scope};
use crate::callers::jwt::{
    Algorithm, ClaimPath, ClaimText, JwksUrl, KeysAt, Rule, Source, SourceKind, Tenancy,
    TrustDomain,
};
use crate::callers::{Role, Roles, SourceName, Tenant, attribute};
use crate::limits;

/// Every source of the file.
pub(super) fn sources(file: &Scope<'_>) -> Result<Vec<Source>, ConfigError> {
    let (mut sources, mut names) = (Vec::new(), HashSet::new());
    for (table, place) in file.tables("callers.jwt", (&JWT_SETTINGS, ""))? {
        table.refuse_unknown()?;
        if sources.len() == limits::JWT_SOURCES_MAX {
            let source = ValueError::TooMany { max: limits::JWT_SOURCES_MAX };
            return Err(ConfigError::Wrong { key: "callers.jwt".to_owned(), place, source });
        }
        let source = OneSource { table, place }.read()?;
        if !names.insert(source.name.clone()) {
            return Err(table.wrong("name", ValueError::Twice));
        }
        sources.push(source);
    }
    Ok(sources)
}

/// One of them, and where it begins.
struct OneSource<'a> {
    table: Scope<'a>,
    place: Place,
}

impl OneSource<'_> {
    fn read(&self) -> Result<Source, ConfigError> {
        let table = &self.table;
        Ok(Source {
            name: self.must("name", SourceName::parse)?,
            kind: self.kind()?,
            audiences: self.some("audiences", text)?,
            algorithms: self.some("algorithms", Algorithm::parse)?,
            keys: self.keys()?,
            refresh_seconds: table.whole("refresh_seconds")?,
            keep_seconds: table.whole("keep_seconds")?,
            leeway_seconds: table.whole("leeway_seconds")?,
            max_age_seconds: table.maybe_whole("max_age_seconds")?,
            tenant: self.tenant()?,
            owner: table.maybe("owner_claim", ClaimPath::parse)?,
            groups: table.maybe("groups_claim", ClaimPath::parse)?,
            attributes: self.attributes()?,
            rules: self.rules()?,
        })
    }

    fn kind(&self) -> Result<SourceKind, ConfigError> {
        let oidc = self.table.word("kind")? == "oidc";
        let (mine, other) =
            if oidc { ("issuer", "trust_domain") } else { ("trust_domain", "issuer") };
        if self.table.is_said(other)?.is_some() {
            return Err(self.table.wrong(other, ValueError::Instead { key: mine }));
        }
        if oidc {
            return Ok(SourceKind::Oidc {
                issuer: self.must("issuer", text)?,
                subject: self.table.one("subject", ClaimPath::parse)?,
            });
        }
        Ok(SourceKind::Spiffe { trust_domain: self.must("trust_domain", TrustDomain::parse)? })
    }

    fn keys(&self) -> Result<KeysAt, ConfigError> {
        let table = &self.table;
        let (url, file) = (table.maybe("jwks_url", JwksUrl::parse)?, table.path("jwks_file")?);
        let ca = table.path("jwks_ca")?;
        match (url, file) {
            (Some(url), None) => Ok(KeysAt::Url { url, ca }),
            (None, Some(_)) if ca.is_some() => {
                Err(table.wrong("jwks_ca", ValueError::Without { key: "jwks_url" }))
            }
            (None, Some(file)) => Ok(KeysAt::File(file)),
            (None, None) => Err(self.lacks("jwks_url or jwks_file")),
            (Some(_), Some(_)) => {
                Err(table.wrong("jwks_file", ValueError::Instead { key: "jwks_url" }))
            }
        }
    }

    fn tenant(&self) -> Result<Tenancy, ConfigError> {
        let table = &self.table;
        match (
            table.maybe("tenant", Tenant::parse)?,
            table.maybe("tenant_claim", ClaimPath::parse)?,
        ) {
            (None, None) => Ok(Tenancy::None),
            (Some(tenant), None) => Ok(Tenancy::Fixed(tenant)),
            (None, Some(claim)) => Ok(Tenancy::Claim(claim)),
            (Some(_), Some(_)) => {
                Err(table.wrong("tenant_claim", ValueError::Instead { key: "tenant" }))
            }
        }
    }

    fn attributes(&self) -> Result<Vec<(String, ClaimPath)>, ConfigError> {
        let names = self.table.names("attributes")?;
        if names.len() > limits::CALLER_ATTRIBUTES_MAX {
            let max = limits::CALLER_ATTRIBUTES_MAX;
            return Err(self.table.wrong("attributes", ValueError::TooMany { max }));
        }
        let one = |said: &Said| {
            attribute(&said.key, "").map_err(|why| said.wrong(why))?;
            Ok((said.key.clone(), said.read(&ClaimPath::parse)?))
        };
        names.iter().map(one).collect()
    }

    fn rules(&self) -> Result<Vec<Rule>, ConfigError> {
        let mut rules = Vec::new();
        for (table, place) in self.table.tables("rules", (&JWT_SETTINGS, "rules."))? {
            let rule = OneSource { table, place };
            let roles: Roles = rule.some("rules.roles", Role::parse)?.into_iter().collect();
            let spends_for = table.texts("rules.spends_for", Audience::parse)?;
            let (spends, named) = (roles.holds(Role::Spend), !spends_for.is_empty());
            if spends && !named {
                return Err(table.wrong("rules.roles", ValueError::Beside { key: "spends_for" }));
            }
            if named && !spends {
                let why = ValueError::Without { key: "the role spend" };
                return Err(table.wrong("rules.spends_for", why));
            }
            let when = table.names("rules.when")?;
            // A rule for everybody whom a public provider knows is for everybody.
            if when.is_empty() {
                return Err(rule.lacks("when"));
            }
            let one = |said: &Said| {
                let path = ClaimPath::parse(&said.key).map_err(|why| said.wrong(why))?;
                Ok((path, said.texts(&ClaimText::parse)?))
            };
            let when = when.iter().map(one).collect::<Result<_, ConfigError>>()?;
            rules.push(Rule { when, roles, spends_for });
        }
        if rules.is_empty() { Err(self.lacks("rules")) } else { Ok(rules) }
    }

    fn must<T, E: Into<ValueError>>(
        &self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        self.table.maybe(key, read)?.ok_or_else(|| self.lacks(key))
    }

    fn some<T, E: Into<ValueError>>(
        &self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        let found = self.table.texts(key, read)?;
        if found.is_empty() { Err(self.lacks(key)) } else { Ok(found) }
    }

    fn lacks(&self, key: &'static str) -> ConfigError {
        ConfigError::Wrong {
            key: "callers.jwt".to_owned(),
            place: self.place.clone(),
            source: ValueError::Beside { key },
        }
    }
}

fn text(text: &str) -> Result<String, ValueError> {
    if text.is_empty() { Err(ValueError::Empty) } else { Ok(text.to_owned()) }
}
