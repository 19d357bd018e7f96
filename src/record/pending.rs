//! What an append gives: first where the entry will stand, and once it is awaited that it does.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::{Lost, NotTaken, Trouble};
use super::line::Hash;
use crate::log::{self, AppendError};

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub n: u64,
    /// Its hash.
    pub hash: Hash,
}

/// An entry that is not durable yet. It becomes so, or fails, whether or not this is awaited.
#[must_use = "nothing may be answered before it is durable"]
pub struct Pending {
    pub(super) pending: log::Pending,
    pub(super) receipt: Receipt,
}

impl From<AppendError> for NotTaken {
    fn from(error: AppendError) -> NotTaken {
        match error {
            AppendError::Full { .. } => NotTaken::Full,
            AppendError::TooLarge { bytes, max } => NotTaken::TooLarge { bytes, bytes_max: max },
            AppendError::Closed => NotTaken::Closed,
            AppendError::Disk(_) | AppendError::Onward(_) => NotTaken::Trouble(Trouble::Log(error)),
        }
    }
}

impl Pending {
    /// Where the entry will stand, once it is durable.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.receipt
    }
}

impl Future for Pending {
    type Output = Result<Receipt, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let receipt = self.receipt;
        let pending = Pin::new(&mut self.pending);
        pending.poll(context).map(|durable| durable.map(|_| receipt).map_err(Lost))
    }
}
