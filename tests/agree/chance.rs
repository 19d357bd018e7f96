//! Chance that repeats itself: the same seed draws the same.

/// A generator of numbers, xorshift64*.
pub(crate) struct Chance {
    state: u64,
    /// One draw in so many goes wrong on purpose.
    slips: usize,
}

impl Chance {
    pub(crate) fn of(seed: u64) -> Chance {
        let mut chance = Chance { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, slips: 16 };
        // Small seeds begin alike.
        for _ in 0..8 {
            chance.next();
        }
        chance
    }

    /// Lets one draw in `slips` go wrong.
    pub(crate) fn with_slips(self, slips: usize) -> Chance {
        Chance { slips, ..self }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number from 0 to just before `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end
    }

    /// True once in `odds`.
    pub(crate) fn once_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    /// Whether this draw goes wrong.
    pub(crate) fn slip(&mut self) -> bool {
        self.once_in(self.slips)
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(crate) fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }
}
