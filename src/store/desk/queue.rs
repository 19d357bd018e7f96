//! The requests in the order in which they came, found by what they are about.
//!
//! Each name that a request belongs to has an ordered index of its own, so that a page of a listing costs
//! what it shows, however long the queue is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use farebox_verifier::{GrantId, Scope, Selector, UnixSeconds};

use super::request::{Proposal, Request, RequestState};
use super::wheel::Wheel;
use super::words::{Body, Caller, Group, scope};

/// The requests.
#[derive(Default)]
pub(super) struct Queue {
    /// The last place that was given.
    last: u64,
    requests: BTreeMap<u64, Request>,
    orders: HashMap<GrantId, u64>,
    /// Grants that were paid for, and by which request.
    collected: HashMap<GrantId, u64>,
    live: Places,
    over: Places,
    /// When those end that wait for somebody.
    ends: BTreeSet<(UnixSeconds, u64)>,
    forget: Wheel<u64>,
    body_bytes: usize,
    /// The same for each requester.
    bytes_of: HashMap<Scope, usize>,
}

/// Where in the queue a name stands.
#[derive(Default)]
pub(super) struct Places {
    places: BTreeSet<(Scope, u64)>,
    counts: HashMap<Scope, usize>,
}

impl Places {
    /// How many requests have this name.
    pub(super) fn count(&self, name: Scope) -> usize {
        self.counts.get(&name).copied().unwrap_or(0)
    }

    /// Those that have it and stand after this place.
    pub(super) fn after(&self, name: Scope, after: u64) -> impl Iterator<Item = u64> + '_ {
        let range = (Bound::Excluded((name, after)), Bound::Included((name, u64::MAX)));
        self.places.range(range).map(|(_, order)| *order)
    }

    fn add(&mut self, name: Scope, order: u64) {
        if self.places.insert((name, order)) {
            *self.counts.entry(name).or_default() += 1;
        }
    }

    fn remove(&mut self, name: Scope, order: u64) {
        if self.places.remove(&(name, order))
            && let Some(count) = self.counts.get_mut(&name)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&name);
            }
        }
    }
}

/// The name of what a caller sent.
pub(super) fn by_requester(caller: &Caller) -> Scope {
    scope("requester", caller.as_str())
}

/// The name of what waits for a group, or has waited for it.
pub(super) fn by_group(group: &Group) -> Scope {
    scope("group", group.as_str())
}

/// The name of the steps of a plan.
pub(super) fn by_plan(plan: GrantId) -> Scope {
    scope("plan", &plan.to_string())
}

/// The name of what stands so.
pub(super) fn by_state(state: RequestState) -> Scope {
    scope("state", state.word())
}

/// The names that a request keeps, whatever becomes of it.
fn names(proposal: &Proposal) -> Vec<Scope> {
    let mut names: Vec<Scope> = proposal.selectors().map(|selector| selector.scope()).collect();
    names.extend(proposal.needs.each().iter().map(|need| by_group(&need.group)));
    names.push(by_requester(&proposal.requester));
    names.extend(proposal.plan.map(by_plan));
    names
}

impl Queue {
    /// The last place that was given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Goes on after this place.
    pub(super) fn go_on(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// How many bytes are kept for issuers.
    pub(super) fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// How many bytes the bodies of one requester have.
    pub(super) fn bytes_of(&self, requester: Scope) -> usize {
        self.bytes_of.get(&requester).copied().unwrap_or(0)
    }

    pub(super) fn at(&self, order: u64) -> Option<&Request> {
        self.requests.get(&order)
    }

    /// The request of this id.
    pub(super) fn find(&self, grant: GrantId) -> Option<&Request> {
        self.orders.get(&grant).and_then(|order| self.requests.get(order))
    }

    /// The request that paid for this grant.
    pub(super) fn payer(&self, grant: GrantId) -> Option<&Request> {
        self.collected.get(&grant).and_then(|order| self.requests.get(order))
    }

    /// Those of which a grant may yet come.
    pub(super) fn live(&self) -> &Places {
        &self.live
    }

    /// Those of which none will.
    pub(super) fn over(&self) -> &Places {
        &self.over
    }

    /// How many have this name, whatever became of them.
    pub(super) fn count(&self, name: Scope) -> usize {
        self.live.count(name).saturating_add(self.over.count(name))
    }

    /// How many stand so.
    pub(super) fn count_in(&self, state: RequestState) -> usize {
        self.count(by_state(state))
    }

    /// How many the selector names of which a grant may yet come.
    pub(super) fn count_live(&self, selector: &Selector) -> usize {
        self.live.count(selector.scope())
    }

    /// Those that wait for somebody, and have waited too long.
    pub(super) fn overdue(&self, now: UnixSeconds) -> impl Iterator<Item = &Request> {
        let overdue = self.ends.range(..=(now, u64::MAX));
        overdue.filter_map(|(_, order)| self.requests.get(order))
    }

    /// Every one, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    pub(super) fn insert(&mut self, request: Request) {
        let order = request.order;
        self.go_on(order);
        self.orders.insert(request.proposal.grant, order);
        let names = names(&request.proposal);
        self.put(request, &names);
    }

    /// Changes one, and finds it by what it has become.
    pub(super) fn change(
        &mut self,
        grant: GrantId,
        at: UnixSeconds,
        change: impl FnOnce(&mut Request),
    ) {
        let order = self.orders.get(&grant).copied();
        let Some((mut request, names)) = order.and_then(|order| self.take(order)) else { return };
        change(&mut request);
        request.changed_at = at;
        if !request.state.is_live() {
            request.proposal.body = Body::default();
        }
        self.put(request, &names);
    }

    /// Forgets those of which nobody needs to know any more.
    pub(super) fn forget(&mut self, now: UnixSeconds) {
        for order in self.forget.due(now) {
            let forgotten_at = self.at(order).and_then(Request::forgotten_at);
            // It may have changed since it was put there, and stand in a later place too.
            if forgotten_at.is_some_and(|at| at <= now)
                && let Some((request, _)) = self.take(order)
            {
                self.orders.remove(&request.proposal.grant);
            }
        }
    }

    fn put(&mut self, request: Request, names: &[Scope]) {
        let order = request.order;
        let places = if request.state.is_live() { &mut self.live } else { &mut self.over };
        names.iter().for_each(|name| places.add(*name, order));
        places.add(by_state(request.state), order);
        if request.state.is_open() {
            self.ends.insert((request.proposal.until, order));
        }
        if let Some(at) = request.forgotten_at() {
            self.forget.put(at, order);
        }
        if let Some(grant) = request.collected {
            self.collected.insert(grant, order);
        }
        let bytes = request.proposal.body.as_bytes().len();
        self.body_bytes = self.body_bytes.saturating_add(bytes);
        *self.bytes_of.entry(by_requester(&request.proposal.requester)).or_default() += bytes;
        self.requests.insert(order, request);
    }

    /// Takes one out, with the names that it keeps: they are dear to make.
    fn take(&mut self, order: u64) -> Option<(Request, Vec<Scope>)> {
        let request = self.requests.remove(&order)?;
        let names = names(&request.proposal);
        let places = if request.state.is_live() { &mut self.live } else { &mut self.over };
        names.iter().for_each(|name| places.remove(*name, order));
        places.remove(by_state(request.state), order);
        self.ends.remove(&(request.proposal.until, order));
        if let Some(grant) = request.collected {
            self.collected.remove(&grant);
        }
        let bytes = request.proposal.body.as_bytes().len();
        self.body_bytes = self.body_bytes.saturating_sub(bytes);
        let requester = by_requester(&request.proposal.requester);
        if let Some(of) = self.bytes_of.get_mut(&requester) {
            *of = of.saturating_sub(bytes);
            if *of == 0 {
                self.bytes_of.remove(&requester);
            }
        }
        Some((request, names))
    }
}

#[cfg(test)]
mod tests {
    use crate::limits;
    use crate::store::desk::{Desk, ProposeError};

    #[test]
    fn no_request_is_forgotten_for_another() {
        let request = crate::store::desk::tests::request(1);
        let mut desk = Desk::new(request.proposed_at);
        let most = u64::try_from(limits::REQUESTS_MAX).unwrap();
        desk.queue.requests = (1..=most).map(|order| (order, request.clone())).collect();
        assert_eq!(desk.propose(&request.proposal).1, Err(ProposeError::Full));
        desk.queue.requests.pop_last();
        assert_eq!(desk.propose(&request.proposal).1, Ok(()));
    }
}
