//! An account: what is kept of one caller with API keys, in a file of its own.
//!
//! ```json
//! { "version": 1, "name": "billing", "state": "active", "roles": ["mint"], "spends_for": [],
//!   "tenant": "acme", "owner": "alice", "groups": ["finance"], "attributes": [["team", "billing"]],
//!   "created": "2026-11-21T12:00:00Z",
//!   "keys": [{ "id": "3f9a…", "sha256": "…", "created": "…", "expires": "…" }] }
//! ```
//! A retired account is kept: its name is never another caller's, and a key of it that turns up in a log still
//! says whose it was.

use farebox_verifier::keys::{self, KeyFormat};
use farebox_verifier::{Agent, Audience, NameError, PublicKey, UnixSeconds};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::caller::{
    Attribute, AttributeError, Caller, CallerName, CredentialKind, Tenant, WordError, attribute,
};
use super::roles::{Role, RoleError, Roles};
use super::secret::{KeyId, SecretHash};
use crate::limits;
use crate::store::desk::{Group, Owner};

const VERSION: u32 = 1;

/// A caller with API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, without the `key:` that agents' ids start with.
    pub name: CallerName,
    /// Whether its keys are taken.
    pub state: State,
    /// What it may do, and who it is to policies and approvals.
    pub rights: Rights,
    /// When it was made.
    pub created: UnixSeconds,
    /// Its keys, the oldest first.
    pub keys: Vec<StoredKey>,
}

/// What a caller may do, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// What it may do.
    pub roles: Roles,
    /// The audiences that it may spend for.
    pub spends_for: Vec<Audience>,
    /// Whose workflows it sees.
    pub tenant: Option<Tenant>,
    /// The person behind it.
    pub owner: Option<Owner>,
    /// The groups of approvers that it belongs to.
    pub groups: Vec<Group>,
    /// What policies are told about it.
    pub attributes: Vec<Attribute>,
    /// The key that it signs decisions with; without one, the issuer signs on its word.
    pub decision_key: Option<PublicKey>,
}

/// Whether an account's keys are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They are.
    Active,
    /// They never will be again.
    Retired,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Retired => "retired",
        }
    }
}

/// What is kept of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Which one.
    pub id: KeyId,
    /// The hash of its text.
    pub hash: SecretHash,
    /// When it was made.
    pub created: UnixSeconds,
    /// From when on it is no longer taken.
    pub expires: Option<UnixSeconds>,
}

impl StoredKey {
    /// Whether it is still taken: in its last second it no longer is.
    #[must_use]
    pub fn lives(&self, now: UnixSeconds) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

/// Why a file is no account.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// No JSON, or not of this shape.
    #[error("not the json of a caller")]
    Json(#[from] serde_json::Error),
    /// Of a shape that a later farebox writes.
    #[error("of version {version}, and this farebox reads version {VERSION}")]
    Version {
        /// Which.
        version: u32,
    },
    /// A word that is none.
    #[error(transparent)]
    Word(#[from] WordError),
    /// A role that there is not.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An attribute that is none.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// A date that is none.
    #[error("{text:?} is not a date such as 2026-11-21T12:00:00Z")]
    Date {
        /// What was read.
        text: String,
    },
    /// A key's number or hash that is none.
    #[error("key {number} has no id or hash in hexadecimal")]
    Key {
        /// Which, from one.
        number: usize,
    },
    /// A public key that is none.
    #[error("decision_key is no public key in hexadecimal")]
    DecisionKey,
    /// More of something than one caller may have.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// The file, as it stands there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    name: String,
    state: StateText,
    roles: Vec<String>,
    #[serde(default)]
    spends_for: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    attributes: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision_key: Option<String>,
    created: String,
    keys: Vec<KeyText>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateText {
    Active,
    Retired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: String,
    sha256: String,
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl Rights {
    /// Whether there is no more of anything than one caller may have.
    ///
    /// # Errors
    /// [`AccountError::TooMany`] names it.
    pub fn fit(&self) -> Result<(), AccountError> {
        few("audiences", self.spends_for.len(), limits::CALLER_AUDIENCES_MAX)?;
        few("groups", self.groups.len(), limits::CALLER_GROUPS_MAX)?;
        few("attributes", self.attributes.len(), limits::CALLER_ATTRIBUTES_MAX)
    }
}

fn few(what: &'static str, count: usize, max: usize) -> Result<(), AccountError> {
    if count > max { Err(AccountError::TooMany { what, max }) } else { Ok(()) }
}

impl Account {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`AccountError`] where it is none.
    pub fn read(text: &[u8]) -> Result<Account, AccountError> {
        let text: Text = serde_json::from_slice(text)?;
        if text.version != VERSION {
            return Err(AccountError::Version { version: text.version });
        }
        let rights = Rights {
            roles: all(&text.roles, Role::parse)?.into_iter().collect(),
            spends_for: all(&text.spends_for, Audience::parse)?,
            tenant: text.tenant.as_deref().map(Tenant::parse).transpose()?,
            owner: text.owner.as_deref().map(Owner::parse).transpose()?,
            groups: all(&text.groups, Group::parse)?,
            attributes: text
                .attributes
                .iter()
                .map(|(name, value)| attribute(name, value))
                .collect::<Result<_, _>>()?,
            decision_key: text.decision_key.as_deref().map(public_key).transpose()?,
        };
        rights.fit()?;
        few("keys", text.keys.len(), limits::CALLER_KEYS_MAX)?;
        let keys = text.keys.iter().enumerate().map(|(i, key)| key.read(i + 1));
        Ok(Account {
            name: CallerName::parse(&text.name)?,
            state: match text.state {
                StateText::Active => State::Active,
                StateText::Retired => State::Retired,
            },
            rights,
            created: date(&text.created)?,
            keys: keys.collect::<Result<_, _>>()?,
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`AccountError::Json`], which no account is known to meet.
    pub fn text(&self) -> Result<Vec<u8>, AccountError> {
        let rights = &self.rights;
        let text = Text {
            version: VERSION,
            name: self.name.to_string(),
            state: match self.state {
                State::Active => StateText::Active,
                State::Retired => StateText::Retired,
            },
            roles: rights.roles.iter().map(|role| role.word().to_owned()).collect(),
            spends_for: rights.spends_for.iter().map(ToString::to_string).collect(),
            tenant: rights.tenant.as_ref().map(ToString::to_string),
            owner: rights.owner.as_ref().map(ToString::to_string),
            groups: rights.groups.iter().map(ToString::to_string).collect(),
            attributes: rights.attributes.clone(),
            decision_key: rights.decision_key.map(|key| key.to_string()),
            created: self.created.to_string(),
            keys: self.keys.iter().map(KeyText::of).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&text)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The caller that this account is, by one of its keys.
    ///
    /// # Errors
    /// [`NameError`] where its name makes no agent, which no caller's name is known to do.
    pub fn caller(&self, id: KeyId, now: UnixSeconds) -> Result<Caller, NameError> {
        let rights = self.rights.clone();
        Ok(Caller {
            name: Agent::parse(&format!("key:{}", self.name))?,
            roles: rights.roles,
            spends_for: rights.spends_for,
            tenant: rights.tenant,
            owner: rights.owner,
            groups: rights.groups,
            attributes: rights.attributes,
            decision_key: rights.decision_key,
            authenticated: now,
            credential: CredentialKind::ApiKey { id },
        })
    }
}

impl KeyText {
    fn of(key: &StoredKey) -> KeyText {
        KeyText {
            id: key.id.to_string(),
            sha256: key.hash.to_string(),
            created: key.created.to_string(),
            expires: key.expires.map(|end| end.to_string()),
        }
    }

    fn read(&self, number: usize) -> Result<StoredKey, AccountError> {
        Ok(StoredKey {
            id: KeyId::from_hex(&self.id).ok_or(AccountError::Key { number })?,
            hash: SecretHash::from_hex(&self.sha256).ok_or(AccountError::Key { number })?,
            created: date(&self.created)?,
            expires: self.expires.as_deref().map(date).transpose()?,
        })
    }
}

fn all<T, E>(words: &[String], read: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>, E> {
    words.iter().map(|word| read(word)).collect()
}

fn public_key(text: &str) -> Result<PublicKey, AccountError> {
    keys::parse(text, KeyFormat::Hex).or(Err(AccountError::DecisionKey))
}

fn date(text: &str) -> Result<UnixSeconds, AccountError> {
    let date = OffsetDateTime::parse(text, &Rfc3339);
    date.map(UnixSeconds::from).map_err(|_invalid| AccountError::Date { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            name: CallerName::parse("billing").unwrap(),
            state: State::Active,
            rights: Rights {
                roles: [Role::Mint, Role::Spend].into_iter().collect(),
                spends_for: vec![Audience::parse("payments-api").unwrap()],
                tenant: Some(Tenant::parse("acme").unwrap()),
                owner: Some(Owner::parse("alice").unwrap()),
                groups: vec![Group::parse("finance").unwrap()],
                attributes: vec![attribute("team", "billing").unwrap()],
                decision_key: Some(crate::signer::PrivateKey::generate().unwrap().public()),
            },
            created: UnixSeconds(1_795_000_000),
            keys: vec![StoredKey {
                id: KeyId::from_bytes([7; 8]),
                hash: SecretHash::of("fbk_"),
                created: UnixSeconds(1_795_000_000),
                expires: Some(UnixSeconds(1_795_003_600)),
            }],
        }
    }

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let mut account = account();
        assert_eq!(Account::read(&account.text().unwrap()).unwrap(), account);
        account.state = State::Retired;
        account.rights = Rights::default();
        account.keys.clear();
        assert_eq!(Account::read(&account.text().unwrap()).unwrap(), account);
    }

    #[test]
    fn whoever_misspells_a_right_gives_none() {
        let text = String::from_utf8(account().text().unwrap()).unwrap();
        for (from, to, why) in [
            ("\"roles\"", "\"role\"", "json"),
            ("\"mint\"", "\"root\"", "role"),
            ("\"mint\"", "\"Mint\"", "role"),
            ("\"active\"", "\"Active\"", "json"),
            ("\"version\": 1", "\"version\": 2", "version"),
            ("\"created\": \"2026", "\"created\": \"x2026", "date"),
            ("\"expires\": \"2026", "\"expires\": \"tomorrow 2026", "date"),
            ("\"expires\"", "\"expire\"", "json"),
            ("\"id\": \"07", "\"id\": \"", "hexadecimal"),
            ("payments-api", "payments api", "audience"),
            ("\"billing\",\n  \"state", "\"../billing\",\n  \"state", "caller's name"),
        ] {
            let odd = text.replacen(from, to, 1);
            assert_ne!(odd, text, "{from}");
            let error = Account::read(odd.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{from}: {error}");
        }
    }

    #[test]
    fn a_key_is_dead_in_the_second_in_which_it_expires() {
        let key = account().keys.remove(0);
        assert!(key.lives(UnixSeconds(1_795_003_599)));
        assert!(!key.lives(UnixSeconds(1_795_003_600)));
        assert!(StoredKey { expires: None, ..key }.lives(UnixSeconds::MAX));
    }
}
