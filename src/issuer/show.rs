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
        if self.sees(caller, &listed.description) {
            Ok(listed.into())
        } else {
            Err(Refused::Unknown)
        }
    }

    /// Whether a caller may see what was registered: its own; as staff all, or all of its tenant.
    fn sees(&self, caller: &Caller, grant: &Description) -> bool {
        let own = grant.agent == caller.name;
        let theirs = || match &caller.tenant {
            None => true,
            Some(tenant) => self.tenants.owns(tenant, &grant.agent, grant.workflow.as_ref()),
        };
        own || (is_staff(caller) && theirs())
    }

    /// A page of grants, and how many there are in all. For staff of a tenant nobody counts, and a page may have fewer
    /// than were asked for: what is others' is passed over.
    pub async fn list(
        &self,
        caller: &Caller,
        mut filter: Filter,
        cursor: Option<Cursor>,
        count_max: usize,
    ) -> (Page, Option<u64>) {
        if !is_staff(caller) {
            filter.selectors.push(Selector::Agent(caller.name.clone()));
        }
        let mut page = self.store.list(&filter, cursor, count_max).await;
        if is_staff(caller) && caller.tenant.is_some() {
            page.items.retain(|listed| self.sees(caller, &listed.description));
            return (page, None);
        }
        (page, Some(self.store.count(&filter).await))
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

    /// What is blocked, as far as it concerns a caller.
    #[must_use]
    pub fn blocks_for(&self, caller: &Caller) -> Vec<Block> {
        let mut blocks = self.ledger.blocks();
        if let Some(tenant) = &caller.tenant {
            blocks.retain(|block| self.tenants.concerns(tenant, &block.selector));
        }
        blocks
    }
}

pub(super) fn is_staff(caller: &Caller) -> bool {
    [Role::Read, Role::Revoke, Role::Admin].into_iter().any(|role| caller.roles.holds(role))
}
