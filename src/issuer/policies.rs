//! The policies in force, which may be others a moment later.

use std::sync::PoisonError;

use farebox_verifier::PolicyHash;

use super::Issuer;
use crate::policy::PolicySet;
use crate::record::{Entry, Kind};
use crate::store::event::OldGrants;
use crate::store::{AdminError, Reach};

/// What putting other policies in force came to.
#[derive(Debug)]
pub struct Swapped {
    /// The set in force.
    pub policy: PolicyHash,
    /// Whom it reached; the old set's grants are dead where it did.
    pub reach: Reach,
}

impl Issuer {
    /// Puts other policies in force. Decisions under the old set that are not registered yet are decided again;
    /// its outstanding grants are revoked: what was allowed a moment ago is asked again.
    ///
    /// # Errors
    /// [`AdminError`] where no store was reached. Then the new set decides all the same, and nothing is
    /// registered before a store has heard of it.
    pub async fn swap_policies(&self, set: PolicySet) -> Result<Swapped, AdminError> {
        let policy = set.hash();
        let old = self.policies.swap(set);
        if old.hash() == policy {
            return Ok(Swapped { policy, reach: self.tell_policies(policy).await? });
        }
        let entry = Entry::of(Kind::PolicyChanged).policy(policy);
        let entry = entry.detail("replaced", old.hash().to_string());
        // What cannot be written down is in force all the same: the old policies would grant what their
        // authors have taken back. Nothing is minted while the record is down.
        self.note_staff(entry).await;
        self.cancel_policy(old.hash()).await;
        Ok(Swapped { policy, reach: self.tell_policies(policy).await? })
    }

    /// Says again what no store has heard: until one has, it registers nothing that the policies in force allow.
    pub async fn say_policies(&self) {
        // Where it is not heard now either, the next round says it.
        drop(self.tell_policies(self.policies.get().hash()).await);
    }

    async fn tell_policies(&self, policy: PolicyHash) -> Result<Reach, AdminError> {
        if *self.heard.lock().unwrap_or_else(PoisonError::into_inner) == policy {
            return Ok(Reach::default());
        }
        let reach = self.store.set_policy(policy, OldGrants::Revoked).await?;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = policy;
        Ok(reach)
    }
}
