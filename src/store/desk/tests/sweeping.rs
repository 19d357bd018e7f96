//! What a revocation takes, and what nobody answered in time.

use super::*;
use crate::limits;

fn cancels(office: &mut Office, selector: &Selector) -> Swept {
    office.does(|desk| desk.cancel(selector, &caller("sue"), &reason())).unwrap()
}

fn state(office: &Office, n: u8) -> RequestState {
    office.desk.request(grant(n)).unwrap().state
}

#[test]
fn every_selector_takes_what_it_names_whether_pending_approved_or_collected() {
    let other = Proposal {
        agent: agent("b"),
        workflow: None,
        audience: audience("b"),
        action: Action::parse("b").unwrap(),
        policy: PolicyHash::from_bytes([2; 32]),
        ..proposal(4)
    };
    let Proposal { agent, workflow, audience, action, policy, .. } = proposal(1);
    for selector in [
        Selector::Agent(agent),
        Selector::Workflow(workflow.unwrap()),
        Selector::Audience(audience),
        Selector::Action(action),
        Selector::Policy(policy),
        Selector::All,
    ] {
        let mut office = Office::open();
        office.does(|desk| desk.propose(&proposal(1))).unwrap();
        approved(&mut office, 2);
        approved(&mut office, 3);
        office.does(|desk| desk.collect(grant(3), grant(7))).unwrap();
        office.does(|desk| desk.propose(&other)).unwrap();
        let all = selector == Selector::All;
        let taken = if all { 4 } else { 3 };
        assert_eq!(cancels(&mut office, &selector), Swept { taken, left: 0 }, "{selector}");
        assert_eq!(cancels(&mut office, &selector), Swept { taken: 0, left: 0 }, "{selector}");
        assert!((1..=3).all(|n| state(&office, n) == RequestState::Cancelled));
        assert_eq!(state(&office, 4) == RequestState::Cancelled, all);
        // A used approval does not pass to another grant after a revocation.
        let again = office.does(|desk| desk.collect_again(grant(3), grant(7), grant(8)));
        assert_eq!(again, Err(CollectError::NotApproved { state: RequestState::Cancelled }));
        let collected = office.does(|desk| desk.collect(grant(2), grant(8)));
        assert_eq!(collected, Err(CollectError::NotApproved { state: RequestState::Cancelled }));
    }
}

#[test]
fn one_request_is_taken_by_its_id_and_by_the_grant_that_it_paid_for() {
    let mut office = Office::open();
    for n in 1..=3 {
        approved(&mut office, n);
    }
    office.does(|desk| desk.collect(grant(2), grant(7))).unwrap();
    assert_eq!(cancels(&mut office, &Selector::Grant(grant(1))).taken, 1);
    assert_eq!(cancels(&mut office, &Selector::Grant(grant(7))).taken, 1);
    assert_eq!(cancels(&mut office, &Selector::Grant(grant(9))).taken, 0);
    let states = [1, 2, 3].map(|n| state(&office, n));
    assert_eq!(states, [RequestState::Cancelled, RequestState::Cancelled, RequestState::Approved]);
}

#[test]
fn what_has_no_signature_has_no_key() {
    let mut office = Office::open();
    approved(&mut office, 1);
    assert_eq!(cancels(&mut office, &Selector::Key(17)), Swept { taken: 0, left: 0 });
}

#[test]
fn a_sweep_goes_in_steps_and_says_what_is_left() {
    let mut office = Office::open();
    let count = 2 * limits::SWEEP_MAX + 1;
    for n in 0..count {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let proposal = Proposal {
            grant: GrantId::from_bytes(id),
            until: START.plus(60 + u64::from(n % 2 == 0)),
            ..proposal(1)
        };
        office.does(|desk| desk.propose(&proposal)).unwrap();
    }
    let selector = Selector::Agent(proposal(1).agent);
    let taken = limits::SWEEP_MAX;
    assert_eq!(cancels(&mut office, &selector), Swept { taken, left: count - taken });
    office.passes(60);
    let expires = |office: &mut Office| office.does(|desk| desk.expire()).unwrap();
    assert_eq!(expires(&mut office), Swept { taken: (count - taken) / 2, left: 0 });
    assert_eq!(expires(&mut office), Swept { taken: 0, left: 0 });
    office.passes(1);
    assert_eq!(expires(&mut office), Swept { taken: taken / 2 + 1, left: 0 });
    let counts = office.desk.request_counts();
    assert_eq!(counts[3], (RequestState::Expired, count - taken));
    assert_eq!(counts[5], (RequestState::Cancelled, taken));
}

#[test]
fn more_than_one_step_of_overdue_requests_expires_in_several() {
    let mut office = Office::open();
    for n in 0..=limits::SWEEP_MAX {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let proposal = Proposal { grant: GrantId::from_bytes(id), ..proposal(1) };
        office.does(|desk| desk.propose(&proposal)).unwrap();
    }
    office.passes(3_600);
    let first = office.does(|desk| desk.expire()).unwrap();
    assert_eq!(first, Swept { taken: limits::SWEEP_MAX, left: 1 });
    assert_eq!(office.does(|desk| desk.expire()).unwrap(), Swept { taken: 1, left: 0 });
}

#[test]
fn an_approved_request_expires_and_a_collected_one_does_not() {
    let mut office = Office::open();
    approved(&mut office, 1);
    approved(&mut office, 2);
    office.does(|desk| desk.collect(grant(2), grant(7))).unwrap();
    office.passes(3_600);
    assert_eq!(office.does(|desk| desk.expire()).unwrap(), Swept { taken: 1, left: 0 });
    assert_eq!(state(&office, 1), RequestState::Expired);
    assert_eq!(state(&office, 2), RequestState::Collected);
}
