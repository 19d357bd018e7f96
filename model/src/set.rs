//! A set of small numbers: of grants, of lives, of issuers.

/// Members from 0 to 7.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Set(u8);

impl Set {
    /// Nobody.
    pub(crate) const EMPTY: Set = Set(0);

    /// One member.
    pub(crate) const fn of(member: u8) -> Set {
        Set(1 << member)
    }

    /// All members below a number.
    pub(crate) const fn below(end: u8) -> Set {
        Set((1 << end) - 1)
    }

    /// All sets of members below a number.
    pub(crate) fn all_below(end: u8) -> impl Iterator<Item = Set> {
        (0..1 << end).map(Set)
    }

    /// Whether it is a member.
    pub(crate) const fn has(self, member: u8) -> bool {
        self.0 & (1 << member) != 0
    }

    /// With one more.
    pub(crate) const fn with(self, member: u8) -> Set {
        Set(self.0 | 1 << member)
    }

    /// Without one.
    pub(crate) const fn without(self, member: u8) -> Set {
        Set(self.0 & !(1 << member))
    }

    /// The members of either.
    pub(crate) const fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    /// Whether nobody is in it.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub(crate) const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The members, the smallest first.
    pub(crate) fn members(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |member| self.has(*member))
    }
}
