//! What is answered where nobody knows whether a change is kept.

use crate::store::AdminError;
use crate::store::desk::{
    BootError, CollectError, DecideError, HoldError, KeyError, LifeError, ProposeError, RenewError,
    SeatError, WithdrawError,
};

/// An answer of the ledger that can be unsure.
pub(super) trait Unsure {
    /// Nothing was taken.
    fn down() -> Self;
    /// It was taken, and nobody knows whether it is kept.
    fn in_doubt() -> Self;
}

impl Unsure for AdminError {
    fn down() -> AdminError {
        AdminError::Down
    }

    fn in_doubt() -> AdminError {
        AdminError::InDoubt
    }
}

macro_rules! unsure {
    ($($error:ident),+) => {$(
        impl Unsure for $error {
            fn down() -> $error {
                $error::Down
            }

            fn in_doubt() -> $error {
                $error::Down
            }
        }
    )+};
}

unsure!(
    BootError,
    CollectError,
    DecideError,
    HoldError,
    KeyError,
    LifeError,
    ProposeError,
    RenewError,
    SeatError,
    WithdrawError
);
