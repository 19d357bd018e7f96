//! The set of policies that is in force, and how another takes its place.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use super::flaw::{PolicyErrors, Warning};
use super::set::PolicySet;
use super::zone::Zone;

/// The set in force. A decision takes it once and keeps it to its end, whatever is loaded meanwhile.
#[derive(Debug)]
pub struct InForce {
    set: RwLock<Arc<PolicySet>>,
}

/// What a reload did.
#[derive(Debug)]
pub enum Reload {
    /// Another set is in force: this one was.
    Swapped {
        /// The one before.
        before: Arc<PolicySet>,
        /// The one now.
        now: Arc<PolicySet>,
        /// What is odd about it.
        warnings: Vec<Warning>,
    },
    /// What decides is the same as before.
    Same,
}

impl InForce {
    /// Begins with this set.
    #[must_use]
    pub fn new(set: PolicySet) -> InForce {
        InForce { set: RwLock::new(Arc::new(set)) }
    }

    /// The set in force.
    #[must_use]
    pub fn get(&self) -> Arc<PolicySet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another set in force, and gives back the one before.
    pub fn swap(&self, set: PolicySet) -> Arc<PolicySet> {
        let mut place = self.set.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, Arc::new(set))
    }

    /// Loads a folder, and puts what it holds in force where that decides otherwise than before.
    ///
    /// # Errors
    /// [`PolicyErrors`] where the folder cannot be used: the set in force stays.
    pub fn reload(&self, folder: &Path, zone: &Zone) -> Result<Reload, PolicyErrors> {
        let (set, warnings) = PolicySet::load(folder, zone)?;
        if set.hash() == self.get().hash() {
            return Ok(Reload::Same);
        }
        let before = self.swap(set);
        Ok(Reload::Swapped { before, now: self.get(), warnings })
    }
}
