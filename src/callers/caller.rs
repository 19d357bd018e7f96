//! A caller: who asks, as farebox itself found out. Nothing in it is the caller's own word.

use std::fmt;

use farebox_verifier::{Agent, Audience, NameError, PublicKey, ThirdParty, UnixSeconds, Workflow};

use super::roles::Roles;
use super::secret::KeyId;
use crate::limits;
use crate::store::desk::{Group, Owner};

/// Who is calling, for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its name, which starts with what vouched for it: `key:billing`, `oidc:github:repo:acme/shop`, or
    /// `spiffe://acme/agents/billing` of a SPIFFE source and of nothing else.
    pub name: Agent,
    /// What it may do.
    pub roles: Roles,
    /// The audiences that it may spend for.
    pub spends_for: Vec<Audience>,
    /// Whose workflows it sees.
    pub tenant: Option<Tenant>,
    /// The person behind it, where one is known.
    pub owner: Option<Owner>,
    /// The groups of approvers that it belongs to.
    pub groups: Vec<Group>,
    /// What was found out about it: these become facts of policies.
    pub attributes: Vec<Attribute>,
    /// The key that it signs decisions with; without one, the issuer signs on its word.
    pub decision_key: Option<PublicKey>,
    /// When it showed who it is: now for an API key, when the token was made for a JWT.
    pub authenticated: UnixSeconds,
    /// By what.
    pub credential: CredentialKind,
}

/// A name and its value.
pub type Attribute = (String, String);

/// By what a caller showed who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// An API key.
    ApiKey {
        /// Which of the caller's.
        id: KeyId,
    },
    /// A token of an OpenID Connect provider.
    Oidc {
        /// Which provider.
        source: SourceName,
    },
    /// A JWT-SVID of a SPIFFE trust domain.
    Spiffe {
        /// Which source.
        source: SourceName,
    },
}

impl CredentialKind {
    /// The word that policies and the record have for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            CredentialKind::ApiKey { .. } => "api-key",
            CredentialKind::Oidc { .. } => "oidc",
            CredentialKind::Spiffe { .. } => "spiffe",
        }
    }
}

/// A workflow that this caller cannot name: it would be somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotItsWorkflow {
    /// It is spelt as a tenant's workflow is.
    #[error("a workflow starts with @ only where farebox itself puts a tenant before it")]
    Qualified,
    /// With the tenant before it, it is too long.
    #[error("workflow does not fit behind its tenant")]
    Long(#[from] NameError),
}

impl Caller {
    /// Whether it may spend for this audience. The role alone says for none.
    #[must_use]
    pub fn may_spend_for(&self, audience: &Audience) -> bool {
        self.roles.holds(super::Role::Spend) && self.spends_for.contains(audience)
    }

    /// The workflow as everybody knows it: `@acme/run-81` for `run-81` of a caller of the tenant acme, so that no
    /// tenant joins, reads or continues the workflow of another.
    ///
    /// # Errors
    /// [`NotItsWorkflow`] where there is no such workflow.
    pub fn workflow(&self, own: &Workflow) -> Result<Workflow, NotItsWorkflow> {
        if own.as_str().starts_with('@') {
            return Err(NotItsWorkflow::Qualified);
        }
        match &self.tenant {
            None => Ok(own.clone()),
            Some(tenant) => Ok(Workflow::parse(&format!("@{tenant}/{own}"))?),
        }
    }
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $may:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads it.
            ///
            /// # Errors
            /// [`WordError`] where it is empty, too long, or holds what it may not.
            pub fn parse(text: &str) -> Result<$name, WordError> {
                let fits = (1..=farebox_verifier::limits::WORD_BYTES_MAX).contains(&text.len());
                let plain = |byte: u8| byte.is_ascii_alphanumeric();
                let may: fn(u8) -> bool = $may;
                let starts = text.bytes().next().is_some_and(|b| plain(b) && may(b));
                if fits && starts && text.bytes().all(may) {
                    Ok($name(text.into()))
                } else {
                    Err(WordError { what: $what })
                }
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

/// A text is no such word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} has 1 to {} letters, digits, dots, dashes and underscores, and starts with a letter or a digit; \
         names of callers and sources are in lower case",
    farebox_verifier::limits::WORD_BYTES_MAX
)]
pub struct WordError {
    /// Which.
    pub what: &'static str,
}

word! {
    /// The name of an API key's caller: `billing`. It is a file's name too, also where case means nothing.
    CallerName, "a caller's name", |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)
}
word! {
    /// The name of a source of JWTs: `github`. It holds no colon, so that `oidc:a:b` has one meaning.
    SourceName, "a source's name", |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)
}
word! {
    /// A tenant: `acme`. It holds no slash, so that a workflow behind it has one meaning.
    Tenant, "a tenant", |b| b.is_ascii_alphanumeric() || b"._-".contains(&b)
}

/// An attribute is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an attribute is a word, and a text of up to {} bytes without what misleads",
    limits::ATTRIBUTE_BYTES_MAX
)]
pub struct AttributeError;

/// Reads an attribute. Its value ends in records and terminals, and in the facts of policies.
///
/// # Errors
/// [`AttributeError`] where either side does not fit.
pub fn attribute(name: &str, value: &str) -> Result<Attribute, AttributeError> {
    ThirdParty::parse(name).or(Err(AttributeError))?;
    if value.len() > limits::ATTRIBUTE_BYTES_MAX {
        return Err(AttributeError);
    }
    farebox_verifier::CaveatText::parse(value).or(Err(AttributeError))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(tenant: Option<&str>) -> Caller {
        Caller {
            name: Agent::parse("key:billing").unwrap(),
            roles: [super::super::Role::Spend].into_iter().collect(),
            spends_for: vec![Audience::parse("payments-api").unwrap()],
            tenant: tenant.map(|text| Tenant::parse(text).unwrap()),
            owner: None,
            groups: Vec::new(),
            attributes: Vec::new(),
            decision_key: None,
            authenticated: UnixSeconds(0),
            credential: CredentialKind::ApiKey { id: KeyId::from_bytes([0; 8]) },
        }
    }

    #[test]
    fn no_caller_names_the_workflow_of_another_tenant() {
        let name = |text: &str| Workflow::parse(text).unwrap();
        let (acme, other, none) = (caller(Some("acme")), caller(Some("other")), caller(None));
        assert_eq!(acme.workflow(&name("run-81")).unwrap().as_str(), "@acme/run-81");
        assert_eq!(none.workflow(&name("acme/run-81")).unwrap().as_str(), "acme/run-81");
        for thief in [&other, &none, &acme] {
            assert_eq!(thief.workflow(&name("@acme/run-81")), Err(NotItsWorkflow::Qualified));
        }
        let long = name(&"a".repeat(128));
        assert!(matches!(acme.workflow(&long), Err(NotItsWorkflow::Long(_))));
    }

    #[test]
    fn the_role_and_the_audience_are_both_needed_to_spend() {
        let payments = Audience::parse("payments-api").unwrap();
        let mut caller = caller(None);
        assert!(caller.may_spend_for(&payments));
        assert!(!caller.may_spend_for(&Audience::parse("payments-api2").unwrap()));
        caller.roles = [super::super::Role::Admin].into_iter().collect();
        assert!(!caller.may_spend_for(&payments));
    }

    #[test]
    fn a_name_that_could_be_a_path_or_another_s_is_refused() {
        for text in ["", ".", "..", "../x", "a/b", "a:b", "-a", ".a", "a b", "é", "A\u{202e}b"] {
            assert!(CallerName::parse(text).is_err(), "{text:?}");
            assert!(SourceName::parse(text).is_err(), "{text:?}");
            assert!(Tenant::parse(text).is_err(), "{text:?}");
        }
        assert!(CallerName::parse("Billing").is_err() && Tenant::parse("Acme").is_ok());
        assert!(CallerName::parse(&"a".repeat(65)).is_err());
    }

    #[test]
    fn an_attribute_holds_nothing_that_misleads() {
        assert!(attribute("team", "billing, eu").is_ok());
        assert!(attribute("team", "").is_ok());
        for (name, value) in [("", "x"), ("a b", "x"), ("team", "a\nb"), ("team", "a\u{202e}b")] {
            assert_eq!(attribute(name, value), Err(AttributeError), "{name:?} {value:?}");
        }
        assert_eq!(attribute("team", &"a".repeat(513)), Err(AttributeError));
    }
}
