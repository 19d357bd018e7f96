//! One step of anybody.

use std::fmt;

use crate::budget::Budget;
use crate::claim::Claim;
use crate::fault::Fault;
use crate::life::Grant;
use crate::mint::Mint;
use crate::revocation::Revoke;

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// An issuer mints.
    Mint(Mint),
    /// An issuer counts.
    Budget(Budget),
    /// A claimant spends or settles.
    Claim(Claim),
    /// Staff revokes.
    Revoke(Revoke),
    /// Time passes the end of a grant, for everybody.
    End(Grant),
    /// By the clock of the issuers it has passed already.
    Early(Grant),
    /// Something goes wrong.
    Fault(Fault),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Mint(step) => step.fmt(f),
            Step::Budget(step) => step.fmt(f),
            Step::Claim(step) => step.fmt(f),
            Step::Revoke(step) => step.fmt(f),
            Step::End(grant) => write!(f, "grant {} ends", grant + 1),
            Step::Early(grant) => write!(f, "grant {} ends by the issuers' clock", grant + 1),
            Step::Fault(step) => step.fmt(f),
        }
    }
}
