//! What a ledger shows. It may be ahead of what is kept by what nobody was answered yet.

use farebox_verifier::{Generation, GrantId, StoreName, UnixSeconds};

use super::Ledger;
use crate::store::desk::{
    BegunHold, Block, Boot, KeyDigest, KeyError, KnownLife, Request, RequestFilter, RequestHash,
    RequestPage, RequestState,
};

impl Ledger {
    /// The requests after this place that the filter takes, so many at most.
    #[must_use]
    pub fn requests(&self, filter: &RequestFilter, after: u64, count_max: usize) -> RequestPage {
        self.look(|desk| desk.requests(filter, after, count_max))
    }

    /// The grant that a key stands for, and until when.
    ///
    /// # Errors
    /// [`KeyError::Conflict`] where it was claimed for another request.
    pub fn key(
        &self,
        key: &KeyDigest,
        request: &RequestHash,
    ) -> Result<Option<(GrantId, UnixSeconds)>, KeyError> {
        self.look(|desk| desk.key(key, request))
    }

    /// One request, by its own id.
    #[must_use]
    pub fn request(&self, grant: GrantId) -> Option<Request> {
        self.look(|desk| desk.request(grant).cloned())
    }

    /// Where one request stands.
    #[must_use]
    pub fn request_state(&self, grant: GrantId) -> Option<RequestState> {
        self.look(|desk| desk.request(grant).map(|request| request.state))
    }

    /// The request whose approval paid for this grant.
    #[must_use]
    pub fn request_behind(&self, grant: GrantId) -> Option<Request> {
        self.look(|desk| desk.request_behind(grant).cloned())
    }

    /// How many requests stand where.
    #[must_use]
    pub fn request_counts(&self) -> [(RequestState, usize); RequestState::ALL.len()] {
        self.look(|desk| desk.request_counts())
    }

    /// Every block, by kind and name.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        self.look(|desk| desk.blocks().cloned().collect())
    }

    /// The living boot of a local store.
    #[must_use]
    pub fn boot(&self, store: &StoreName) -> Option<Boot> {
        self.look(|desk| desk.boot(store).cloned())
    }

    /// The living boot of every local store, by name.
    #[must_use]
    pub fn boots(&self) -> Vec<Boot> {
        self.look(|desk| desk.boots().cloned().collect())
    }

    /// One life.
    #[must_use]
    pub fn life(&self, generation: Generation) -> Option<KnownLife> {
        self.look(|desk| desk.life(generation).cloned())
    }

    /// Every life on the list.
    #[must_use]
    pub fn lives(&self) -> Vec<KnownLife> {
        self.look(|desk| desk.lives().cloned().collect())
    }

    /// What a life that begins anew must count.
    #[must_use]
    pub fn holds(&self) -> Vec<BegunHold> {
        self.look(|desk| desk.holds().copied().collect())
    }

    /// What was begun for this grant, given back or not.
    #[must_use]
    pub fn holds_of(&self, grant: GrantId) -> Vec<BegunHold> {
        self.look(|desk| desk.holds_of(grant).copied().collect())
    }
}
