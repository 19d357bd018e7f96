//! What is shown of grants: a requester's own, and everybody's to staff.

use farebox_verifier::{GrantId, Selector, UnixSeconds};

use super::{Issuer, Refused};
use crate::callers::{Caller, Role};
use crate::store::desk::Block;
use crate::store::event::Description;
use crate::store::view::{Cursor, Filter, Listed, Page, Standing};

/// A grant, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What was registered.
    pub description: Description,
    /// Where it stands.
    pub standing: Standing,
    /// What happened to it.
    pub history: Vec<(UnixSeconds, Standing)>,
}

impl From<Listed> for Shown {
    fn from(listed: Listed) -> Shown {
        let Listed { description, standing, history, .. } = listed;
        Shown { description, standing, history }
    }
}

impl Issuer {
    /// One grant.
    ///
    /// # Errors
    /// [`Refused::Unknown`] where there is none, or it is another's: both are one to who asks.
    pub async fn show(&self, caller: &Caller, grant: GrantId) -> Result<Shown, Refused> {
        let listed = self.store.read(grant).await.ok_or(Refused::Unknown)?;
        if !sees_all(caller) && listed.description.agent != caller.name {
            return Err(Refused::Unknown);
        }
        Ok(listed.into())
    }

    /// A page of grants, and how many there are in all.
    pub async fn list(
        &self,
        caller: &Caller,
        mut filter: Filter,
        cursor: Option<Cursor>,
        count_max: usize,
    ) -> (Page, u64) {
        if !sees_all(caller) {
            filter.selectors.push(Selector::Agent(caller.name.clone()));
        }
        let page = self.store.list(&filter, cursor, count_max).await;
        (page, self.store.count(&filter).await)
    }

    /// How many outstanding grants a selector names.
    pub async fn outstanding(&self, selector: &Selector) -> u64 {
        match selector {
            Selector::Grant(grant) => {
                let listed = self.store.read(*grant).await;
                u64::from(listed.is_some_and(|listed| listed.standing == Standing::Issued))
            }
            selector => {
                let selectors = match selector {
                    Selector::All => Vec::new(),
                    selector => vec![selector.clone()],
                };
                self.store.count(&Filter { selectors, standing: Some(Standing::Issued) }).await
            }
        }
    }

    /// What is blocked.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        self.ledger.blocks()
    }
}

pub(super) fn sees_all(caller: &Caller) -> bool {
    [Role::Read, Role::Revoke, Role::Admin].into_iter().any(|role| caller.roles.holds(role))
}
