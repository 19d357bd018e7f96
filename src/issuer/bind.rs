//! From what was asked and what the rule demands to the grant: both apply, and the narrower wins.

use farebox_verifier::{Caveat, Grant, GrantId, Pointer, Uses, Window};

use super::decide::Allowed;
use super::{Issuer, Refused, Wanted};
use crate::callers::Caller;
use crate::policy::{Holder, Terms};

impl Issuer {
    /// The grant that a rule's terms leave of a request; registered nowhere yet.
    pub(super) fn bind(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        Allowed { set, rule, terms, .. }: &Allowed,
        id: GrantId,
    ) -> Result<Grant, Refused> {
        let denied = |why: &str| Refused::Denied { rule: Some(rule.clone()), why: why.to_owned() };
        if terms.holder == Holder::Required && wanted.holder.is_none() {
            return Err(denied("the rule asks for a holder's key, and the request names none"));
        }
        // No store counts or waits for what may be used again.
        let counted = !terms.budgets.is_empty() || !wanted.after.is_empty();
        if terms.uses == Uses::Fresh && counted {
            return Err(denied(
                "a token that may be used again takes no budget and waits for no step",
            ));
        }
        let varies: Vec<Pointer> =
            wanted.bounds.iter().flat_map(|bounds| bounds.pointers().cloned()).collect();
        if let Some(fixed) = varies.iter().find(|at| !terms.vary.contains(at)) {
            return Err(denied(&format!("the rule does not let {fixed} vary")));
        }
        let mut caveats = terms.caveats.clone();
        if let Some(bounds) = &wanted.bounds {
            let within = Caveat::of_bounds(bounds);
            caveats.extend(within.map_err(|error| Refused::bad_request(error.to_string()))?);
        }
        let ring = self.trusted.now();
        for demand in &terms.signed {
            let key = ring.third_party(&demand.by);
            let key = key.ok_or_else(|| denied(&format!("nobody has {}'s key", demand.by)))?;
            caveats.push(Caveat::Signed(demand.name.clone(), demand.value.clone(), *key));
        }
        Ok(Grant {
            id,
            action: wanted.action.clone(),
            resource: wanted.resource.clone(),
            params: wanted.params.digest(),
            audience: wanted.audience.clone(),
            window: self
                .window_of(wanted, terms)
                .ok_or_else(|| denied("the rule's time is over"))?,
            agent: caller.name.clone(),
            policy: set.hash(),
            varies,
            approval: None,
            stores: None,
            workflow: wanted.workflow.clone(),
            purpose: wanted.purpose.clone(),
            holder: wanted.holder,
            uses: terms.uses,
            caveats,
        })
    }

    fn window_of(&self, wanted: &Wanted, terms: &Terms) -> Option<Window> {
        let now = self.clock.now();
        let asked = wanted.ttl_seconds.unwrap_or(self.ttl_seconds).min(self.ttl_seconds_max);
        let ttl = terms.ttl_seconds.map_or(asked, |ttl| asked.min(ttl));
        let end = terms.not_after.map_or(now.plus(ttl), |end| end.min(now.plus(ttl)));
        Window::minted(now, end.0.checked_sub(now.0)?).ok()
    }
}
