//! Pages of the queue: all that was asked for, once, in order, at the cost of what is shown.

use super::*;
use crate::limits;

/// A queue of this many requests: every tenth for finance and every seventh of agent b, each other one
/// refused, and the first two thousand of workflow w.
fn queue(count: u64) -> Desk {
    let mut desk = Desk::new(START);
    for order in 1..=count {
        let mut request = request(order);
        let name = if order % 10 == 0 { "finance" } else { "audit" };
        let needs = vec![Need { group: group(name), count: 1 }];
        request.proposal.needs = Needs::new(needs).unwrap();
        request.proposal.agent = agent(if order % 7 == 0 { "b" } else { "a" });
        request.proposal.workflow = (order <= 2_000).then(|| Workflow::parse("w").unwrap());
        if order % 2 == 0 {
            request.state = RequestState::Refused;
        }
        desk.queue.insert(request);
    }
    desk
}

fn orders(page: &RequestPage) -> Vec<u64> {
    page.items.iter().map(|request| request.order).collect()
}

/// All pages, one after another.
fn all(desk: &Desk, filter: &RequestFilter, count_max: usize) -> Vec<u64> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = desk.requests(filter, after, count_max);
        assert!(page.items.len() <= count_max);
        found.extend(orders(&page));
        match page.next {
            Some(next) => {
                assert!(next > after);
                after = next;
            }
            None => return found,
        }
    }
}

#[test]
fn pages_show_everything_once_and_in_order() {
    let desk = queue(1_000);
    assert_eq!(all(&desk, &RequestFilter::default(), 7), (1..=1_000).collect::<Vec<_>>());
    assert_eq!(all(&desk, &RequestFilter::default(), 500).len(), 1_000);
    let last = desk.requests(&RequestFilter::default(), 990, 10);
    assert_eq!((orders(&last).len(), last.next), (10, None));
    assert_eq!(desk.requests(&RequestFilter::default(), 1_000, 10), RequestPage::default());
    let capped = desk.requests(&RequestFilter::default(), 0, usize::MAX);
    assert_eq!(capped.items.len(), limits::LIST_MAX);
}

#[test]
fn each_filter_takes_what_it_names_and_all_together_what_all_name() {
    let desk = queue(2_100);
    let some = RequestFilter::default();
    let expect = |filter: &RequestFilter, takes: &dyn Fn(u64) -> bool| {
        let expected: Vec<u64> = (1..=2_100).filter(|order| takes(*order)).collect();
        assert_eq!(all(&desk, filter, 100), expected, "{filter:?}");
    };
    let finance = vec![group("finance")];
    expect(&RequestFilter { groups: finance.clone(), ..some.clone() }, &|n| n % 10 == 0);
    let each = vec![group("finance"), group("audit")];
    expect(&RequestFilter { groups: each, ..some.clone() }, &|_| true);
    expect(&RequestFilter { agent: Some(agent("b")), ..some.clone() }, &|n| n % 7 == 0);
    let workflow = Some(Workflow::parse("w").unwrap());
    expect(&RequestFilter { workflow: workflow.clone(), ..some.clone() }, &|n| n <= 2_000);
    let pending = Some(RequestState::Pending);
    expect(&RequestFilter { state: pending, ..some.clone() }, &|n| n % 2 == 1);
    let refused = Some(RequestState::Refused);
    expect(&RequestFilter { state: refused, ..some.clone() }, &|n| n % 2 == 0);
    expect(&RequestFilter { audience: Some(audience("erp")), ..some.clone() }, &|_| true);
    expect(&RequestFilter { audience: Some(audience("crm")), ..some.clone() }, &|_| false);
    let action = Some(proposal(1).action);
    expect(&RequestFilter { action: action.clone(), ..some.clone() }, &|_| true);
    let requester = Some(proposal(1).requester);
    expect(&RequestFilter { requester, ..some.clone() }, &|_| true);
    expect(&RequestFilter { requester: Some(caller("key:x")), ..some.clone() }, &|_| false);
    let agent = Some(agent("b"));
    let both = RequestFilter { groups: finance, agent, workflow, action, state: refused, ..some };
    expect(&both, &|n| n % 70 == 0 && n <= 2_000);
}

#[test]
fn a_page_of_a_hundred_thousand_looks_at_what_it_shows() {
    let desk = queue(100_000);
    for (filter, looked_at_max) in [
        (RequestFilter::default(), 100),
        (RequestFilter { groups: vec![group("finance")], ..RequestFilter::default() }, 100),
        (RequestFilter { state: Some(RequestState::Refused), ..RequestFilter::default() }, 100),
        (RequestFilter { agent: Some(agent("b")), ..RequestFilter::default() }, 100),
        (RequestFilter { agent: Some(agent("nobody")), ..RequestFilter::default() }, 0),
        // The rarer of the two decides: a tenth are for finance, a seventh is agent b's.
        (
            RequestFilter {
                groups: vec![group("finance")],
                agent: Some(agent("b")),
                ..RequestFilter::default()
            },
            700,
        ),
    ] {
        for after in [0, 50_000, 90_000] {
            let page = desk.requests(&filter, after, 100);
            assert!(page.looked_at <= looked_at_max, "{} for {filter:?}", page.looked_at);
        }
    }
}

#[test]
fn what_no_name_shows_by_itself_is_looked_for_in_bounded_pages() {
    let mut desk = Desk::new(START);
    let count = u64::try_from(3 * limits::REQUESTS_LOOKED_AT_MAX).unwrap();
    // Even ones are for a, odd ones at a, and only the last one is both.
    for order in 1..=count {
        let mut request = request(order);
        request.proposal.agent = agent(if order % 2 == 0 || order == count { "a" } else { "b" });
        request.proposal.audience =
            audience(if order % 2 == 1 || order == count { "a" } else { "b" });
        desk.queue.insert(request);
    }
    let filter = RequestFilter {
        agent: Some(agent("a")),
        audience: Some(audience("a")),
        ..RequestFilter::default()
    };
    let page = desk.requests(&filter, 0, 100);
    assert_eq!((page.items.len(), page.looked_at), (0, limits::REQUESTS_LOOKED_AT_MAX));
    assert_eq!(all(&desk, &filter, 100), [count]);
}

#[test]
fn counts_follow_every_change() {
    let mut office = Office::open();
    office.does(|desk| desk.propose(&proposal(1))).unwrap();
    office.does(|desk| desk.propose(&proposal(2))).unwrap();
    approved(&mut office, 3);
    office.does(|desk| desk.decide(grant(2), no("ann", "audit"))).unwrap();
    let counts = office.desk.request_counts().map(|(_, count)| count);
    assert_eq!(counts, [1, 1, 1, 0, 0, 0, 0]);
    office.does(|desk| desk.collect(grant(3), grant(7))).unwrap();
    let counts = office.desk.request_counts().map(|(_, count)| count);
    assert_eq!(counts, [1, 0, 1, 0, 0, 0, 1]);
    let pending = RequestFilter { state: Some(RequestState::Pending), ..RequestFilter::default() };
    assert_eq!(orders(&office.desk.requests(&pending, 0, 10)), [1]);
}

#[test]
fn among_a_hundred_thousand_one_page_and_one_step_cost_what_they_show() {
    let mut desk = queue(100_000);
    let pending = Some(RequestState::Pending);
    let filter =
        RequestFilter { groups: vec![group("audit")], state: pending, ..RequestFilter::default() };
    let page = desk.requests(&filter, 0, 100);
    assert_eq!((page.items.len(), page.looked_at <= 300), (100, true), "{}", page.looked_at);
    let (change, swept) = desk.cancel(&Selector::Agent(agent("b")), &caller("sue"), &reason());
    assert_eq!(swept.unwrap().taken, limits::SWEEP_MAX);
    let entry = desk.entry(change.unwrap());
    desk.apply(&entry);
    let cancelled =
        RequestFilter { state: Some(RequestState::Cancelled), ..RequestFilter::default() };
    let page = desk.requests(&cancelled, 0, limits::LIST_MAX);
    assert_eq!(page.items.len(), limits::SWEEP_MAX.min(limits::LIST_MAX));
    // Who is shown in the last place can be decided on as well as the first.
    let last = desk.queue.at(99_999).unwrap().proposal.grant;
    let (change, becomes) = desk.decide(last, no("ann", "audit"));
    assert_eq!((change.is_some(), becomes), (true, Ok(RequestState::Refused)));
}
