//! An issuer: what it has in its own durable record. It loses nothing in a crash; its calls may be lost.

use crate::data::Gen;
use crate::set::Set;

/// How many share the work.
pub(crate) const ISSUERS: u8 = 2;

/// An issuer's record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Issuer {
    /// The list of lives that a revocation must reach.
    pub(crate) lives: Set,
    /// The life in which it takes holds.
    pub(crate) home: Gen,
    /// The lives in which it takes none any more, where that is asked for.
    pub(crate) left: Set,
    /// The highest rank of a life that it has heard of.
    pub(crate) highest: u8,
    /// The grants whose hold it began and has not given back.
    pub(crate) begun: Set,
    /// The grants whose hold is to be given back.
    pub(crate) freed: Set,
    /// The grants that it knows to have succeeded, by the journal.
    pub(crate) succeeded: Set,
}

impl Issuer {
    /// One that knows the first life.
    pub(crate) fn start(life: Gen) -> Issuer {
        Issuer {
            lives: Set::of(life),
            home: life,
            left: Set::EMPTY,
            highest: 0,
            begun: Set::EMPTY,
            freed: Set::EMPTY,
            succeeded: Set::EMPTY,
        }
    }

    /// Puts a life on the list.
    pub(crate) fn learn(&mut self, life: Gen, rank: u8) {
        self.lives = self.lives.with(life);
        self.highest = self.highest.max(rank);
    }

    /// Its record from now on says that nothing is needed of a grant's hold.
    pub(crate) fn free(&mut self, grant: u8) {
        if self.begun.has(grant) {
            self.begun = self.begun.without(grant);
            self.freed = self.freed.with(grant);
        }
    }
}
