//! The grant store in memory: for tests, and for trying things. What it knows is gone with it.

use std::sync::Arc;

use farebox_verifier::{Clock, Generation, NoRandom, PolicyHash, Shard, StoreName};

use super::LifeId;
use super::event::What;
use super::solo::{self, Nowhere, Solo};

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
        let memory = solo::Memory::empty(clock.now());
        let word = What::Opened { previous: None, policy };
        Ok(Solo::begin(id, clock, memory, Nowhere, word))
    }
}
