//! How many grants stand where: kept with every change, so that a count looks at no row.
//!
//! Kept for all grants, for each key, and for the names that few share so little that there are few of them: agents,
//! audiences, actions and policies. A workflow is a name for some grants and there may be a million of them, so they
//! are counted by looking, as are names together.

use std::collections::HashMap;
use std::hash::Hash;

use farebox_verifier::Outcome;

use super::Standing;
use super::names::NameId;
use super::row::{Row, Shared};

/// Every place where a grant can stand.
const STANDINGS: usize = 9;

/// How many stand in each of them.
#[derive(Clone, Copy, Default)]
struct Tally([u32; STANDINGS]);

impl Tally {
    fn of(&self, standing: Option<Standing>) -> u64 {
        match standing {
            Some(standing) => self.0.get(place(standing)).copied().unwrap_or(0).into(),
            None => self.0.iter().copied().map(u64::from).sum(),
        }
    }
}

/// The one thing that a filter asks of names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    /// One of the names that grants share.
    Shared(Shared, NameId),
    /// The key that signed it.
    Key(u32),
}

/// All of the counts.
#[derive(Default)]
pub(super) struct Counts {
    all: Tally,
    named: HashMap<Named, Tally>,
}

impl Counts {
    /// How many stand so; of those alone that have this name, where one is given.
    pub(super) fn of(&self, named: Option<Named>, standing: Option<Standing>) -> u64 {
        match named {
            None => self.all.of(standing),
            Some(named) => self.named.get(&named).map_or(0, |tally| tally.of(standing)),
        }
    }

    /// A row is shown from now on.
    pub(super) fn add(&mut self, row: &Row) {
        self.each(row, |tally| step(tally, row.standing(), u32::saturating_add));
    }

    /// It is not any more.
    pub(super) fn remove(&mut self, row: &Row) {
        self.each(row, |tally| step(tally, row.standing(), u32::saturating_sub));
        for named in names(row) {
            if self.named.get(&named).is_some_and(|tally| tally.of(None) == 0) {
                self.named.remove(&named);
            }
        }
    }

    /// A row that is shown stands elsewhere from now on.
    pub(super) fn moves(&mut self, row: &Row, to: Standing) {
        self.each(row, |tally| {
            step(tally, row.standing(), u32::saturating_sub);
            step(tally, to, u32::saturating_add);
        });
    }

    fn each(&mut self, row: &Row, change: impl Fn(&mut Tally)) {
        change(&mut self.all);
        for named in names(row) {
            change(self.named.entry(named).or_default());
        }
    }
}

fn step(tally: &mut Tally, standing: Standing, by: impl Fn(u32, u32) -> u32) {
    if let Some(count) = tally.0.get_mut(place(standing)) {
        *count = by(*count, 1);
    }
}

/// The names of a row that are counted.
fn names(row: &Row) -> [Named; 5] {
    let [agent, audience, action, policy] =
        [Shared::Agent, Shared::Audience, Shared::Action, Shared::Policy]
            .map(|which| Named::Shared(which, row.name(which)));
    [agent, audience, action, policy, Named::Key(row.key_id())]
}

fn place(standing: Standing) -> usize {
    match standing {
        Standing::Issued => 0,
        Standing::Spent => 1,
        Standing::Revoked => 2,
        Standing::Expired => 3,
        Standing::Settled(Outcome::Succeeded) => 4,
        Standing::Settled(Outcome::Failed) => 5,
        Standing::Settled(Outcome::Void) => 6,
        Standing::Settled(Outcome::OutputRefused) => 7,
        // `unknown`, and whatever may come to be.
        Standing::Settled(_) => 8,
    }
}
