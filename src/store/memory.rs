//! The grant store in memory: for tests, and for trying things. What it knows is gone with it.

use std::sync::Arc;

use farebox_verifier::{Clock, Generation, NoRandom, PolicyHash, Shard, StoreName};

use super::LifeId;
use super::solo::{self, Nowhere, Solo, Word};

/// The grant store in memory.
pub type Memory = Solo<Nowhere>;

impl Memory {
    /// An empty one under this name, with this set of policies in force.
    ///
    /// # Errors
    /// [`NoRandom`] where the system gives no random bytes.
    pub fn open(
        store: StoreName,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
    ) -> Result<Memory, NoRandom> {
        let generation = Generation::fresh()?;
        let id = LifeId { store, shard: Shard::only(), generation };
        let now = clock.now();
        let mut memory = solo::Memory::first(id, now);
        memory.apply(&Word::opened(None, policy, now));
        Ok(Solo::with(memory, clock, Nowhere))
    }
}
