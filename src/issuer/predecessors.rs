//! Steps that must have succeeded before this one is spent.

use farebox_verifier::{Outcome, Seats};

use super::{Issuer, Refused, Wanted};
use crate::callers::Caller;
use crate::policy::Predecessor;
use crate::store::view::Standing;

/// The steps before one: what policies see of them, and which of them a store must wait for.
#[derive(Default)]
pub(super) struct Before {
    pub(super) seen: Vec<Predecessor>,
    pub(super) after: Vec<Seats>,
}

impl Issuer {
    /// The predecessors that are named, each a grant of the same caller and workflow.
    pub(super) async fn before(&self, caller: &Caller, wanted: &Wanted) -> Result<Before, Refused> {
        let mut before = Before::default();
        for grant in &wanted.after {
            let not_yours =
                Refused::Predecessor { why: "no such grant of yours precedes this step" };
            let listed = self.store.read(*grant).await.ok_or(not_yours.clone())?;
            let known = &listed.description;
            let workflow = wanted.workflow.as_ref().map(|(workflow, _)| workflow);
            if known.agent != caller.name
                || known.workflow.as_ref() != workflow
                || workflow.is_none()
            {
                return Err(not_yours);
            }
            match listed.standing {
                // It has: nobody needs to be asked again.
                Standing::Settled(Outcome::Succeeded) => {}
                Standing::Issued | Standing::Spent => {
                    let issued = self.issued.find(*grant).await?.ok_or(not_yours)?;
                    before.after.extend(issued.grant.stores.clone());
                }
                _ => {
                    let why = "a step before this one has not succeeded, and will not";
                    return Err(Refused::Predecessor { why });
                }
            }
            let issued = self.issued.find(*grant).await?;
            let step = issued.and_then(|issued| issued.grant.workflow.clone());
            before.seen.push(Predecessor {
                action: known.action.as_str().to_owned(),
                resource: known.resource.as_str().to_owned(),
                step: step.map_or_else(String::new, |(_, step)| step.as_str().to_owned()),
                state: listed.standing.word().to_owned(),
            });
        }
        Ok(before)
    }
}
