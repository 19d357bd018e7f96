//! Keys that were retired: every life is told, and told again until it has heard.
//!
//! Verifiers that ask this issuer refuse their tokens at once. Those that embed a store hear of it there, before
//! anybody brings them the folder of keys; so a store that was away, or an issuer that was stopped, must not make it
//! forgotten. What was heard is known for as long as this process lives: the next one says it again.

use std::collections::{BTreeMap, BTreeSet};

use farebox_verifier::{Issuer as Trusted, Selector};

use super::tend::Tending;
use crate::store::LifeId;

/// What was retired, and who has heard.
#[derive(Default)]
pub(super) struct Retired {
    /// Keys that were trusted in this process's time and are not any more, though their file may be gone.
    pub(super) gone: BTreeSet<u32>,
    heard: BTreeMap<u32, BTreeSet<LifeId>>,
}

impl Tending {
    /// Revokes what retired keys have signed, in every living life that has not heard of it.
    ///
    /// # Errors
    /// What is left to say, in words for the operator: it is said again later.
    pub(super) async fn tell_retired(&self) -> Result<(), String> {
        let mut retired = self.retired.lock().await;
        let ring = self.issuer.trusted().issuers();
        let trusted = |id: &u32| matches!(ring.get(id), Some(Trusted::Trusted(_)));
        retired.gone.retain(|id| !trusted(id));
        let of_ring = ring.keys().copied().filter(|id| !trusted(id));
        let keys: BTreeSet<u32> = of_ring.chain(retired.gone.iter().copied()).collect();
        retired.heard.retain(|id, _| keys.contains(id));
        if keys.is_empty() {
            return Ok(());
        }
        let unheard = |keys: &[u32]| {
            let keys = keys.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            format!("tokens of retired keys are not revoked in every store: {keys}")
        };
        let journals = self.place.store.journals().await;
        let journals = journals.map_err(|_away| unheard(&Vec::from_iter(keys.clone())))?;
        let living = journals.into_iter().filter(|journal| journal.living);
        let living: BTreeSet<LifeId> = living.map(|journal| journal.life).collect();
        let mut left = Vec::new();
        for id in keys {
            let heard = retired.heard.entry(id).or_default();
            heard.retain(|life| living.contains(life));
            if living.is_subset(heard) {
                continue;
            }
            if let Ok(revoked) = self.place.store.revoke(&Selector::Key(id)).await {
                let missed = revoked.reach.unreached.into_iter().map(|unreached| unreached.life);
                let missed: BTreeSet<LifeId> = missed.collect();
                heard.extend(living.difference(&missed).cloned());
            }
            if !living.is_subset(heard) {
                left.push(id);
            }
        }
        if left.is_empty() { Ok(()) } else { Err(unheard(&left)) }
    }
}
