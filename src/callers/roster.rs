//! The roster: every key that is known, in memory, exchanged whole when the folder changes.

use std::collections::HashMap;
use std::sync::Arc;

use farebox_verifier::{PublicKey, UnixSeconds};

use super::account::{Account, State, StoredKey};
use super::caller::Caller;
use super::error::{CallersError, Reason};
use super::roles::Role;
use super::secret::{KeyId, SecretHash, key_id};
use crate::store::desk::Group;

/// Whose key is whose.
#[derive(Default)]
pub(super) struct Roster {
    keys: HashMap<KeyId, (Arc<Account>, StoredKey)>,
    /// The accounts, by the name that everybody knows them by.
    accounts: HashMap<String, Arc<Account>>,
}

impl Roster {
    /// The roster of these accounts. Where two have a key of one number, neither has it: nobody can tell whose it
    /// is.
    pub(super) fn of(accounts: Vec<Account>) -> (Roster, Vec<CallersError>) {
        let mut keys: HashMap<KeyId, (Arc<Account>, StoredKey)> = HashMap::new();
        let (mut twice, mut by_name) = (Vec::new(), HashMap::new());
        for account in accounts {
            let account = Arc::new(account);
            by_name.insert(format!("key:{}", account.name), Arc::clone(&account));
            for key in &account.keys {
                let entry = (Arc::clone(&account), key.clone());
                if let Some((other, _)) = keys.insert(key.id, entry) {
                    let (first, second) = (other.name.clone(), account.name.clone());
                    twice.push(CallersError::KeyTwice { id: key.id, first, second });
                }
            }
        }
        for error in &twice {
            if let CallersError::KeyTwice { id, .. } = error {
                keys.remove(id);
            }
        }
        (Roster { keys, accounts: by_name }, twice)
    }

    /// Whether a caller with an account is an approver of this group now.
    pub(super) fn approves(&self, name: &str, group: &Group) -> bool {
        self.accounts.get(name).is_some_and(|account| {
            account.state == State::Active
                && account.rights.roles.holds(Role::Approve)
                && account.rights.groups.contains(group)
        })
    }

    /// The key that a caller with an account signs decisions with.
    pub(super) fn decision_key(&self, name: &str) -> Option<PublicKey> {
        self.accounts.get(name)?.rights.decision_key
    }

    /// Who has this key.
    pub(super) fn who(&self, text: &str, now: UnixSeconds) -> Result<Caller, Reason> {
        let id = key_id(text).ok_or(Reason::NoSuchKey)?;
        let hash = SecretHash::of(text);
        let Some((account, key)) = self.keys.get(&id) else {
            // As long as for a number that is known: which numbers are is nobody's business.
            let _unequal = hash.is(&SecretHash::from_bytes([0; 32]));
            return Err(Reason::NoSuchKey);
        };
        // Before anything is said of the key: only whoever has the secret hears, in the log, whose it was.
        if !key.hash.is(&hash) {
            return Err(Reason::NoSuchKey);
        }
        if account.state == State::Retired {
            return Err(Reason::CallerRetired { id, name: account.name.clone() });
        }
        if !key.lives(now) {
            return Err(Reason::KeyEnded { id, name: account.name.clone() });
        }
        account.caller(id, now).or(Err(Reason::Name))
    }
}
