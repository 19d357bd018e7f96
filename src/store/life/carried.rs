//! A life in pieces, as a file that is rewritten begins with it.
//!
//! What follows from the rest is not carried: the counts of agents from the grants, those of budgets from
//! their holds.

use farebox_verifier::{GrantId, PolicyHash, Scope, UnixSeconds};

use super::Life;
use super::slots::{Slot, State};
use crate::limits;
use crate::store::budget::Hold;
use crate::store::lease::Lease;
use crate::store::packed::{choices, fields};
use crate::store::pieces::pieces;

/// A piece of a life.
pub(crate) enum LifePiece {
    /// What it has counted up to, and what is one in it. It comes first.
    Numbers {
        /// The highest clock seen.
        latest: UnixSeconds,
        /// The number of the last event.
        appended: u64,
        /// The number of the last one that was drained.
        drained: u64,
        /// The last number of a grant that is forgotten.
        cut: u64,
        /// The last number that was registered when all were revoked.
        all: u64,
        /// The set of policies in force.
        policy: PolicyHash,
        /// Whether budgets are counted.
        budgets_open: bool,
        /// From when on.
        budgets_from: UnixSeconds,
    },
    /// Some grants, in order.
    Slots(Vec<Slot>),
    /// Some revocations of many, with the last number of each.
    Watermarks(Vec<(Scope, u64)>),
    /// Some of what is blocked.
    Blocked(Vec<Scope>),
    /// Some ids that are refused, and until when.
    Abandoned(Vec<(GrantId, UnixSeconds)>),
    /// Some holds, and whether they were given back.
    Holds(Vec<(Hold, bool)>),
    /// Some leases.
    Leases(Vec<Leased>),
}

/// A lease.
pub(crate) struct Leased {
    name: Box<str>,
    holder: Box<str>,
    number: u64,
    end: UnixSeconds,
}

// The bytes are for good: a variant keeps its number, and a number that is given up is not given again.
choices!(LifePiece {
    0_u8 = Numbers { latest, appended, drained, cut, all, policy, budgets_open, budgets_from },
    1_u8 = Slots(slots),
    2_u8 = Watermarks(watermarks),
    3_u8 = Blocked(scopes),
    4_u8 = Abandoned(grants),
    5_u8 = Holds(holds),
    6_u8 = Leases(leases),
});
choices!(State {
    0_u8 = Issued,
    1_u8 = Spent,
    2_u8 = SpentRevoked,
    3_u8 = Settled(outcome),
    4_u8 = Revoked,
    5_u8 = Expired,
});
fields!(Slot { state, mark, spent_at, end, kept, agent, contested, repeats, after });
fields!(Leased { name, holder, number, end });

impl Life {
    /// Everything that a file must begin with to come to the same life.
    pub(crate) fn into_pieces(self) -> impl Iterator<Item = LifePiece> {
        let numbers = LifePiece::Numbers {
            latest: self.latest,
            appended: self.appended,
            drained: self.drained,
            cut: self.slots.cut(),
            all: self.all,
            policy: self.policy,
            budgets_open: self.budgets.is_open(),
            budgets_from: self.budgets.floor(),
        };
        let holds: Vec<(Hold, bool)> = self.budgets.holds().collect();
        let leases: Vec<Leased> = self.leases.iter().map(Leased::from).collect();
        std::iter::once(numbers)
            .chain(self.slots.into_pieces(limits::CARRIED_MAX).map(LifePiece::Slots))
            .chain(pieces(self.watermarks.into_iter()).map(LifePiece::Watermarks))
            .chain(pieces(self.blocked.into_iter()).map(LifePiece::Blocked))
            .chain(pieces(self.abandoned.into_iter()).map(LifePiece::Abandoned))
            .chain(pieces(holds.into_iter()).map(LifePiece::Holds))
            .chain(pieces(leases.into_iter()).map(LifePiece::Leases))
    }

    /// Takes a piece in.
    pub(crate) fn carry(&mut self, piece: LifePiece) {
        match piece {
            LifePiece::Numbers {
                latest,
                appended,
                drained,
                cut,
                all,
                policy,
                budgets_open,
                budgets_from,
            } => {
                self.budgets.raise(budgets_from);
                self.latest = latest;
                (self.appended, self.drained) = (appended, drained);
                self.slots.go_on(cut);
                (self.all, self.policy) = (all, policy);
                if budgets_open {
                    self.budgets.open();
                }
            }
            LifePiece::Slots(slots) => slots.into_iter().for_each(|slot| {
                *self.agents.entry(slot.agent).or_default() += 1;
                self.slots.push(slot);
            }),
            LifePiece::Watermarks(watermarks) => self.watermarks.extend(watermarks),
            LifePiece::Blocked(scopes) => self.blocked.extend(scopes),
            LifePiece::Abandoned(grants) => self.abandoned.extend(grants),
            LifePiece::Holds(holds) => holds.into_iter().for_each(|(hold, given_back)| {
                self.budgets.take(hold);
                if given_back {
                    self.budgets.give_back(hold);
                }
            }),
            LifePiece::Leases(leases) => leases.into_iter().for_each(|leased| {
                let Leased { name, holder, number, end } = leased;
                self.leases.give(&name, &holder, Lease { number, end });
            }),
        }
    }
}

impl From<(&str, &str, Lease)> for Leased {
    fn from((name, holder, Lease { number, end }): (&str, &str, Lease)) -> Leased {
        Leased { name: name.into(), holder: holder.into(), number, end }
    }
}
