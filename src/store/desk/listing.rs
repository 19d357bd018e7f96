//! What waits for people, as people are shown it: in order, by what it is about, a page at a time.

use farebox_verifier::{Action, Agent, Audience, GrantId, Scope, Selector, Workflow};

use super::Desk;
use super::queue::{Places, by_group, by_plan, by_requester, by_state};
use super::request::{Request, RequestState};
use super::words::{Caller, Group};
use crate::limits;

/// Which requests a listing is about: those for which all that is said here is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// It needs, or needed, one of these groups; any, where none is named.
    pub groups: Vec<Group>,
    /// This caller sent it.
    pub requester: Option<Caller>,
    /// This agent would act.
    pub agent: Option<Agent>,
    /// It belongs to this workflow.
    pub workflow: Option<Workflow>,
    /// It is a step of this plan.
    pub plan: Option<GrantId>,
    /// It is for this API.
    pub audience: Option<Audience>,
    /// It is for this action.
    pub action: Option<Action>,
    /// It stands so.
    pub state: Option<RequestState>,
}

impl RequestFilter {
    fn takes(&self, request: &Request) -> bool {
        let RequestFilter { groups, requester, agent, workflow, plan, audience, action, state } =
            self;
        let proposal = &request.proposal;
        let needs = || proposal.needs.each().iter().any(|need| groups.contains(&need.group));
        (groups.is_empty() || needs())
            && requester.as_ref().is_none_or(|wanted| proposal.requester == *wanted)
            && agent.as_ref().is_none_or(|wanted| proposal.agent == *wanted)
            && workflow.as_ref().is_none_or(|wanted| proposal.workflow.as_ref() == Some(wanted))
            && plan.is_none_or(|wanted| proposal.plan == Some(wanted))
            && audience.as_ref().is_none_or(|wanted| proposal.audience == *wanted)
            && action.as_ref().is_none_or(|wanted| proposal.action == *wanted)
            && state.is_none_or(|wanted| request.state == wanted)
    }

    /// The rarest of the names that it asks for.
    fn rarest(&self, places: &Places) -> Scope {
        let RequestFilter { groups, requester, agent, workflow, plan, audience, action, state } =
            self;
        let group = if let [one] = groups.as_slice() { Some(by_group(one)) } else { None };
        let names = [
            group,
            requester.as_ref().map(by_requester),
            agent.clone().map(|agent| Selector::Agent(agent).scope()),
            workflow.clone().map(|workflow| Selector::Workflow(workflow).scope()),
            plan.map(by_plan),
            audience.clone().map(|audience| Selector::Audience(audience).scope()),
            action.clone().map(|action| Selector::Action(action).scope()),
            state.map(by_state),
        ];
        let rarest = names.into_iter().flatten().min_by_key(|name| places.count(*name));
        rarest.unwrap_or_else(|| Selector::All.scope())
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPage {
    /// The requests, in the order in which they came.
    pub items: Vec<Request>,
    /// Where the next page begins, if there may be more.
    pub next: Option<u64>,
    /// How many were looked at: those that share the rarest name, and at most a limit.
    pub looked_at: usize,
}

impl Desk {
    /// The page after this place: at most so many of those that the filter takes. What two names share and
    /// neither shows by itself takes several pages, some of them empty.
    pub(crate) fn requests(
        &self,
        filter: &RequestFilter,
        after: u64,
        count_max: usize,
    ) -> RequestPage {
        let count_max = count_max.min(limits::LIST_MAX);
        let in_state = |live: bool| filter.state.is_none_or(|state| state.is_live() == live);
        let (live, over) = (self.queue.live(), self.queue.over());
        let mut live = in_state(true).then(|| live.after(filter.rarest(live), after));
        let mut over = in_state(false).then(|| over.after(filter.rarest(over), after));
        let (mut from_live, mut from_over) = (next(&mut live), next(&mut over));
        let mut page = RequestPage::default();
        let mut last = after;
        // No request is in both, so the smaller of two is the next.
        while let Some(order) = from_live.into_iter().chain(from_over).min() {
            if page.items.len() >= count_max || page.looked_at >= limits::REQUESTS_LOOKED_AT_MAX {
                page.next = Some(last);
                break;
            }
            if from_live == Some(order) {
                from_live = next(&mut live);
            } else {
                from_over = next(&mut over);
            }
            let found = self.queue.at(order).filter(|request| filter.takes(request));
            page.items.extend(found.cloned());
            page.looked_at = page.looked_at.saturating_add(1);
            last = order;
        }
        page
    }

    /// One request, by its own id.
    pub(crate) fn request(&self, grant: GrantId) -> Option<&Request> {
        self.queue.find(grant)
    }

    /// The request whose approval paid for this grant.
    pub(crate) fn request_behind(&self, grant: GrantId) -> Option<&Request> {
        self.queue.payer(grant)
    }

    /// How many requests stand where.
    pub(crate) fn request_counts(&self) -> [(RequestState, usize); RequestState::ALL.len()] {
        RequestState::ALL.map(|state| (state, self.queue.count_in(state)))
    }
}

fn next(orders: &mut Option<impl Iterator<Item = u64>>) -> Option<u64> {
    orders.as_mut().and_then(Iterator::next)
}
