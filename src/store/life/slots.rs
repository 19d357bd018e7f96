//! What a life remembers of each of its grants, by number.

use farebox_verifier::{Mark, Outcome, Scope, UnixSeconds};

use crate::store::shelves::Shelves;

/// Where a grant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Registered, and nothing else.
    Issued,
    /// Its use is taken.
    Spent,
    /// Its use was taken, and it was revoked: it may be settled, and gives no repeat.
    SpentRevoked,
    /// What came of it is known, or known to be unknown.
    Settled(Outcome),
    /// Revoked before it was spent.
    Revoked,
    /// Ended before it was spent.
    Expired,
}

/// What is remembered of one grant.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) state: State,
    /// The content's mark while it is issued, the claimant's once it is spent.
    pub(crate) mark: Mark,
    /// When it was spent.
    pub(crate) spent_at: UnixSeconds,
    /// The first second in which it is worth nothing.
    pub(crate) end: UnixSeconds,
    /// The first second in which nothing is asked of it any more: it may not be settled, and no grant that
    /// comes after it is left.
    pub(crate) kept: UnixSeconds,
    pub(crate) agent: Scope,
    /// Whether the journal knows that somebody asked for it who may not have it.
    pub(crate) contested: bool,
    /// How often its use was told again.
    pub(crate) repeats: u8,
    /// The grants that must succeed first.
    pub(crate) after: Box<[u64]>,
}

/// The grants of one life, in order; the first are forgotten as they end.
#[derive(Clone, Default)]
pub(crate) struct Slots {
    /// The last number that was forgotten.
    cut: u64,
    slots: Shelves<Slot>,
}

/// What a number stands for.
pub(crate) enum Found<'a> {
    /// It was never given.
    Never,
    /// It was, and is forgotten: its grant has ended, and its settling is too late.
    Forgotten,
    /// This grant.
    Slot(&'a Slot),
}

impl Slots {
    pub(crate) fn last(&self) -> u64 {
        self.cut.saturating_add(self.len())
    }

    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.slots.len()).unwrap_or(u64::MAX)
    }

    /// The last number that was forgotten: what was revoked up to it is forgotten too.
    pub(crate) fn cut(&self) -> u64 {
        self.cut
    }

    pub(crate) fn find(&self, sequence: u64) -> Found<'_> {
        if sequence == 0 || sequence > self.last() {
            return Found::Never;
        }
        match self.place(sequence).and_then(|place| self.slots.get(place)) {
            None => Found::Forgotten,
            Some(slot) => Found::Slot(slot),
        }
    }

    pub(crate) fn get_mut(&mut self, sequence: u64) -> Option<&mut Slot> {
        let place = self.place(sequence)?;
        self.slots.get_mut(place)
    }

    fn place(&self, sequence: u64) -> Option<usize> {
        let place = sequence.checked_sub(self.cut)?.checked_sub(1)?;
        usize::try_from(place).ok()
    }

    pub(crate) fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// Every one that is remembered, in order, so many at a time at most.
    pub(crate) fn into_pieces(self, most: usize) -> impl Iterator<Item = Vec<Slot>> {
        self.slots.into_pieces(most)
    }

    /// Goes on after this number, of which nothing is remembered.
    pub(crate) fn go_on(&mut self, cut: u64) {
        self.cut = cut;
    }

    /// Forgets the first grants as long as nothing can be asked of them, and says whose they were.
    pub(crate) fn prune(&mut self, now: UnixSeconds, mut forget: impl FnMut(Scope)) {
        while let Some(slot) = self.slots.front()
            && slot.kept <= now
        {
            forget(slot.agent);
            self.slots.drop_front();
            self.cut = self.cut.saturating_add(1);
        }
    }
}
