//! Blocks: what nothing is granted for, and why, until it is lifted.
//!
//! They stand here so that a life that is opened can be told of them, and so that each issuer refuses by
//! itself. What has been granted is another matter: revoking is.

use std::collections::BTreeMap;

use farebox_verifier::{Selector, UnixSeconds};

use super::event::DeskWhat;
use super::words::{Caller, Reason};
use super::{Desk, Step};
use crate::limits;
use crate::store::AdminError;
use crate::store::packed::fields;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What is blocked.
    pub selector: Selector,
    /// Who blocked it.
    pub by: Caller,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub at: UnixSeconds,
}

fields!(Block { selector, by, reason, at });

/// The blocks, by kind and name: by eight bytes of them, lifting one might lift another.
#[derive(Default)]
pub(super) struct Blocks(BTreeMap<(&'static str, String), Block>);

impl Blocks {
    /// Whether one of these is blocked.
    pub(super) fn cover(&self, selectors: impl IntoIterator<Item = Selector>) -> bool {
        !self.0.is_empty() && selectors.into_iter().any(|selector| self.has(&selector))
    }

    pub(super) fn insert(&mut self, block: Block) {
        self.0.insert(name(&block.selector), block);
    }

    pub(super) fn remove(&mut self, selector: &Selector) {
        self.0.remove(&name(selector));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Block> {
        self.0.values()
    }

    fn has(&self, selector: &Selector) -> bool {
        self.0.contains_key(&name(selector))
    }
}

fn name(selector: &Selector) -> (&'static str, String) {
    (selector.kind(), selector.value())
}

impl Desk {
    /// Blocks what the selector names. What is blocked already stays blocked for its first reason.
    pub(crate) fn block(
        &self,
        selector: &Selector,
        by: &Caller,
        reason: &Reason,
    ) -> Step<(), AdminError> {
        if self.blocks.has(selector) {
            return (None, Ok(()));
        }
        if self.blocks.0.len() >= limits::BLOCKS_MAX {
            return (None, Err(AdminError::Full));
        }
        let (selector, by, reason) = (selector.clone(), by.clone(), reason.clone());
        (Some(DeskWhat::Blocked { selector, by, reason }.into()), Ok(()))
    }

    /// Lifts a block. One that is not there is no error: it was lifted.
    pub(crate) fn lift(&self, selector: &Selector, by: &Caller) -> Step<(), AdminError> {
        let blocked = self.blocks.has(selector);
        let lifted = || DeskWhat::Lifted { selector: selector.clone(), by: by.clone() }.into();
        (blocked.then(lifted), Ok(()))
    }

    /// Every block, by kind and name.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }
}
