//! Who may approve what, and what an approval pays for.

use farebox_verifier::Sending;

use super::*;
use crate::limits;

fn decides(office: &mut Office, decision: Decision) -> Result<RequestState, DecideError> {
    office.does(|desk| desk.decide(grant(1), decision))
}

fn proposed() -> Office {
    let mut office = Office::open();
    office.does(|desk| desk.propose(&proposal(1))).unwrap();
    office
}

#[test]
fn a_request_is_approved_when_every_group_has_its_count_of_persons() {
    let mut office = proposed();
    assert_eq!(decides(&mut office, yes("ann", "finance")), Ok(RequestState::Pending));
    assert_eq!(decides(&mut office, yes("cyd", "audit")), Ok(RequestState::Pending));
    let missing = office.desk.request(grant(1)).unwrap().missing();
    assert_eq!(missing, [Need { group: group("finance"), count: 1 }]);
    assert_eq!(decides(&mut office, yes("bob", "finance")), Ok(RequestState::Approved));
    let request = office.desk.request(grant(1)).unwrap();
    assert_eq!(request.approvals().count(), 3);
    assert!(request.missing().is_empty());
}

#[test]
fn one_refusal_ends_it_for_everybody() {
    let mut office = proposed();
    decides(&mut office, yes("ann", "finance")).unwrap();
    decides(&mut office, yes("cyd", "audit")).unwrap();
    // Audit misses nobody, and may say no all the same.
    assert_eq!(decides(&mut office, no("dan", "audit")), Ok(RequestState::Refused));
    let late = decides(&mut office, yes("bob", "finance"));
    assert_eq!(late, Err(DecideError::Decided { state: RequestState::Refused }));
    let collected = office.does(|desk| desk.collect(grant(1), grant(7)));
    assert_eq!(collected, Err(CollectError::NotApproved { state: RequestState::Refused }));
}

#[test]
fn nobody_approves_what_is_its_own() {
    let mut office = proposed();
    let requester = Decision { approver: caller("key:orchestrator"), ..yes("ann", "finance") };
    let agent =
        Decision { approver: caller("spiffe://acme/agents/billing"), ..yes("ann", "finance") };
    let same_person = yes("olivia", "finance");
    for own in [requester, agent, same_person] {
        assert_eq!(decides(&mut office, own.clone()), Err(DecideError::Own), "{own:?}");
        let refusal = Decision { verdict: Verdict::Refuse, ..own };
        assert_eq!(decides(&mut office, refusal), Err(DecideError::Own));
    }
}

#[test]
fn a_person_decides_once_and_for_one_group() {
    let mut office = proposed();
    decides(&mut office, yes("ann", "finance")).unwrap();
    let second_identity = Decision { approver: caller("key:ann-laptop"), ..yes("ann", "finance") };
    let changed_owner = Decision { owner: owner("ann-too"), ..yes("ann", "finance") };
    let other_group = yes("ann", "audit");
    let other_verdict = no("ann", "finance");
    for again in [second_identity, changed_owner, other_group, other_verdict] {
        assert_eq!(decides(&mut office, again.clone()), Err(DecideError::Again), "{again:?}");
    }
}

#[test]
fn a_decision_sent_again_is_the_same_answer_and_counts_once() {
    let mut office = proposed();
    for _ in 0..2 {
        assert_eq!(decides(&mut office, yes("ann", "finance")), Ok(RequestState::Pending));
    }
    assert_eq!(office.desk.request(grant(1)).unwrap().decisions.len(), 1);
    decides(&mut office, yes("bob", "finance")).unwrap();
    for _ in 0..2 {
        assert_eq!(decides(&mut office, yes("cyd", "audit")), Ok(RequestState::Approved));
    }
    assert_eq!(office.events.len(), 4);
}

#[test]
fn a_yes_that_no_group_misses_is_not_taken() {
    let mut office = proposed();
    decides(&mut office, yes("cyd", "audit")).unwrap();
    assert_eq!(decides(&mut office, yes("dan", "audit")), Err(DecideError::NotNeeded));
    assert_eq!(decides(&mut office, yes("dan", "sre")), Err(DecideError::NotNeeded));
    assert_eq!(decides(&mut office, no("dan", "sre")), Err(DecideError::NotNeeded));
    // And is not lost to the group that does.
    assert_eq!(decides(&mut office, yes("dan", "finance")), Ok(RequestState::Pending));
}

#[test]
fn nothing_is_decided_or_collected_after_its_time() {
    let mut office = proposed();
    approved(&mut office, 2);
    approved(&mut office, 3);
    office.does(|desk| desk.collect(grant(3), grant(7))).unwrap();
    office.passes(3_599);
    assert_eq!(decides(&mut office, yes("ann", "finance")), Ok(RequestState::Pending));
    office.passes(1);
    let until = START.plus(3_600);
    assert_eq!(decides(&mut office, yes("bob", "finance")), Err(DecideError::Expired { until }));
    let late = office.does(|desk| desk.collect(grant(2), grant(8)));
    assert_eq!(late, Err(CollectError::Expired { until }));
    // What was collected in time stays so, but pays for no other grant.
    assert!(office.does(|desk| desk.collect(grant(3), grant(9))).is_ok());
    let again = office.does(|desk| desk.collect_again(grant(3), grant(7), grant(9)));
    assert_eq!(again, Err(CollectError::Expired { until }));
}

#[test]
fn an_approval_pays_for_one_grant_however_often_it_is_collected() {
    let mut office = Office::open();
    approved(&mut office, 1);
    let first = office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    assert_eq!(first, Collected { fresh: grant(7), sending: Sending::First });
    let again = office.does(|desk| desk.collect(grant(1), grant(8))).unwrap();
    assert_eq!(again, Collected { fresh: grant(7), sending: Sending::Repeat });
    assert_eq!(office.desk.request_behind(grant(7)).unwrap().proposal.grant, grant(1));
    assert!(office.desk.request_behind(grant(8)).is_none());
}

#[test]
fn an_approval_passes_on_only_from_the_grant_that_was_given_up() {
    let mut office = Office::open();
    approved(&mut office, 1);
    let again = |office: &mut Office, abandoned, fresh| {
        office.does(|desk| desk.collect_again(grant(1), grant(abandoned), grant(fresh)))
    };
    let early = again(&mut office, 7, 8);
    assert_eq!(early, Err(CollectError::NotApproved { state: RequestState::Approved }));
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    let passed = Collected { fresh: grant(8), sending: Sending::First };
    assert_eq!(again(&mut office, 7, 8), Ok(passed));
    assert_eq!(again(&mut office, 7, 8), Ok(Collected { sending: Sending::Repeat, ..passed }));
    assert_eq!(again(&mut office, 7, 9), Err(CollectError::Moved { grant: grant(8) }));
    let collected = office.does(|desk| desk.collect(grant(1), grant(9))).unwrap();
    assert_eq!(collected.fresh, grant(8));
    assert!(office.desk.request_behind(grant(7)).is_none());
}

#[test]
fn two_approvals_do_not_pay_for_one_grant() {
    let mut office = Office::open();
    approved(&mut office, 1);
    approved(&mut office, 2);
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    for taken in [grant(7), grant(1)] {
        let second = office.does(|desk| desk.collect(grant(2), taken));
        assert_eq!(second, Err(CollectError::Taken));
    }
    // Its own id is free.
    assert!(office.does(|desk| desk.collect(grant(2), grant(2))).is_ok());
    let stolen = Proposal { grant: grant(7), ..proposal(7) };
    assert_eq!(office.does(|desk| desk.propose(&stolen)), Err(ProposeError::Taken));
}

#[test]
fn what_is_pending_is_not_collected() {
    let mut office = proposed();
    decides(&mut office, yes("ann", "finance")).unwrap();
    let collected = office.does(|desk| desk.collect(grant(1), grant(7)));
    assert_eq!(collected, Err(CollectError::NotApproved { state: RequestState::Pending }));
}

#[test]
fn its_requester_and_whoever_approved_it_may_take_it_back() {
    for by in ["key:orchestrator", "oidc:corp:ann"] {
        let mut office = Office::open();
        approved(&mut office, 1);
        let stranger = office.does(|desk| desk.withdraw(grant(1), &caller("oidc:corp:zoe")));
        assert_eq!(stranger, Err(WithdrawError::NotYours));
        assert_eq!(office.does(|desk| desk.withdraw(grant(1), &caller(by))), Ok(None));
        assert_eq!(office.does(|desk| desk.withdraw(grant(1), &caller(by))), Ok(None));
        let collected = office.does(|desk| desk.collect(grant(1), grant(7)));
        assert_eq!(collected, Err(CollectError::NotApproved { state: RequestState::Withdrawn }));
    }
}

#[test]
fn taking_back_a_used_approval_names_the_grant_to_revoke_and_stops_the_next() {
    let mut office = Office::open();
    approved(&mut office, 1);
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    let by = caller("oidc:corp:ann");
    assert_eq!(office.does(|desk| desk.withdraw(grant(1), &by)), Ok(Some(grant(7))));
    let again = office.does(|desk| desk.collect_again(grant(1), grant(7), grant(8)));
    assert_eq!(again, Err(CollectError::NotApproved { state: RequestState::Withdrawn }));
    let again = office.does(|desk| desk.collect(grant(1), grant(8)));
    assert_eq!(again, Err(CollectError::NotApproved { state: RequestState::Withdrawn }));
}

#[test]
fn what_is_over_is_not_taken_back() {
    let mut office = proposed();
    decides(&mut office, no("ann", "finance")).unwrap();
    let by = caller("key:orchestrator");
    let over = office.does(|desk| desk.withdraw(grant(1), &by));
    assert_eq!(over, Err(WithdrawError::Over { state: RequestState::Refused }));
    // Who refused has approved nothing.
    let refuser = office.does(|desk| desk.withdraw(grant(1), &caller("oidc:corp:ann")));
    assert_eq!(refuser, Err(WithdrawError::NotYours));
}

#[test]
fn what_nobody_asked_for_is_not_known() {
    let mut office = Office::open();
    assert_eq!(decides(&mut office, yes("ann", "finance")), Err(DecideError::Unknown));
    let withdrawn = office.does(|desk| desk.withdraw(grant(1), &caller("key:orchestrator")));
    assert_eq!(withdrawn, Err(WithdrawError::Unknown));
    let collected = office.does(|desk| desk.collect(grant(1), grant(7)));
    assert_eq!(collected, Err(CollectError::Unknown));
    let again = office.does(|desk| desk.collect_again(grant(1), grant(7), grant(8)));
    assert_eq!(again, Err(CollectError::Unknown));
}

#[test]
fn a_request_proposed_again_is_the_same_and_another_of_its_id_is_refused() {
    let mut office = proposed();
    assert_eq!(office.does(|desk| desk.propose(&proposal(1))), Ok(()));
    let other = Proposal { request: RequestHash([2; 32]), ..proposal(1) };
    assert_eq!(office.does(|desk| desk.propose(&other)), Err(ProposeError::Taken));
    let foreign = Proposal { requester: caller("key:other"), ..proposal(1) };
    assert_eq!(office.does(|desk| desk.propose(&foreign)), Err(ProposeError::Taken));
    assert_eq!(office.events.len(), 1);
}

#[test]
fn a_request_waits_for_a_while_and_not_for_ever() {
    let mut office = Office::open();
    let longest = limits::REQUEST_SECONDS_MAX;
    for (seconds, answer) in
        [(0, Err(ProposeError::Until)), (longest + 1, Err(ProposeError::Until)), (longest, Ok(()))]
    {
        let proposal = Proposal { until: START.plus(seconds), ..proposal(1) };
        assert_eq!(office.does(|desk| desk.propose(&proposal)), answer, "{seconds}");
    }
}

#[test]
fn what_no_grant_can_come_of_has_no_body_and_is_forgotten_after_a_while() {
    let mut office = proposed();
    approved(&mut office, 2);
    office.does(|desk| desk.collect(grant(2), grant(7))).unwrap();
    decides(&mut office, no("ann", "finance")).unwrap();
    let body = |office: &Office, n| office.desk.request(grant(n)).unwrap().proposal.body.clone();
    assert_eq!(body(&office, 1), Body::default());
    assert_eq!(body(&office, 2), proposal(2).body);
    office.passes(limits::REQUEST_REMEMBERED_SECONDS - 60);
    assert!(office.desk.request(grant(1)).is_some());
    office.passes(119);
    assert!(office.desk.request(grant(1)).is_none());
    assert!(office.desk.request_behind(grant(7)).is_none());
    let collected = office.does(|desk| desk.collect(grant(2), grant(8)));
    assert_eq!(collected, Err(CollectError::Unknown));
    assert_eq!(office.desk.queue.body_bytes(), 0);
}

#[test]
fn what_changes_again_is_remembered_from_then_on() {
    let mut office = Office::open();
    approved(&mut office, 1);
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    office.passes(600);
    office.does(|desk| desk.withdraw(grant(1), &caller("oidc:corp:ann"))).unwrap();
    office.passes(limits::REQUEST_REMEMBERED_SECONDS - 60);
    assert_eq!(office.desk.request(grant(1)).unwrap().state, RequestState::Withdrawn);
    office.passes(120);
    assert!(office.desk.request(grant(1)).is_none());
}

#[test]
fn what_waits_is_not_forgotten_however_long_nobody_sweeps() {
    let mut office = proposed();
    office.passes(365 * 86_400);
    assert_eq!(office.desk.request(grant(1)).unwrap().state, RequestState::Pending);
}

#[test]
fn needs_that_nobody_could_meet_are_none() {
    let need = |name: &str, count| Need { group: group(name), count };
    let many = (0..=limits::NEEDS_MAX).map(|n| need(&format!("g{n}"), 1)).collect();
    for needs in [
        vec![],
        vec![need("finance", 0)],
        vec![need("finance", limits::APPROVERS_MAX + 1)],
        vec![need("finance", 1), need("audit", 1), need("finance", 1)],
        many,
    ] {
        assert_eq!(Needs::new(needs.clone()), Err(NeedsError), "{needs:?}");
    }
}

#[test]
fn what_is_too_long_to_be_kept_is_not() {
    let bytes_max = limits::REQUEST_BODY_BYTES_MAX;
    assert!(Body::new(&vec![0; bytes_max]).is_ok());
    assert_eq!(Body::new(&vec![0; bytes_max + 1]), Err(TooLong { bytes_max }));
    let bytes_max = limits::DECISION_SIGNATURE_BYTES_MAX;
    assert_eq!(DecisionSignature::new(&vec![0; bytes_max + 1]), Err(TooLong { bytes_max }));
}

#[test]
fn neither_parameters_nor_signatures_show() {
    let mut office = Office::open();
    approved(&mut office, 1);
    let shown = format!("{:?} {:?}", office.events, office.desk.request(grant(1)));
    assert!(!shown.contains("480000") && !shown.contains("52, 56"), "{shown}");
    assert!(shown.contains("Body(17 bytes)") && shown.contains("DecisionSignature(64 bytes)"));
}

#[test]
fn no_requester_crowds_out_the_others() {
    let mut desk = Desk::new(START);
    for order in 1..=u64::try_from(limits::REQUESTS_PER_REQUESTER_MAX).unwrap() {
        assert_ne!(desk.propose(&proposal(1)).1, Err(ProposeError::RequesterFull));
        desk.queue.insert(request(order));
    }
    assert_eq!(desk.propose(&proposal(1)).1, Err(ProposeError::RequesterFull));
    let other = Proposal { requester: caller("key:other"), ..proposal(1) };
    assert_eq!(desk.propose(&other).1, Ok(()));
}

#[test]
fn the_bodies_of_one_requester_have_a_limit() {
    let mut desk = Desk::new(START);
    let body = Body::new(&vec![0; limits::REQUEST_BODY_BYTES_MAX]).unwrap();
    let most = limits::REQUEST_BODIES_BYTES_PER_REQUESTER_MAX / limits::REQUEST_BODY_BYTES_MAX;
    for order in 1..=u64::try_from(most).unwrap() {
        let mut request = request(order);
        request.proposal.body = body.clone();
        desk.queue.insert(request);
    }
    let mine = Proposal { body: body.clone(), ..proposal(1) };
    assert_eq!(desk.propose(&mine).1, Err(ProposeError::RequesterFull));
    let other = Proposal { requester: caller("key:other"), ..mine };
    assert_eq!(desk.propose(&other).1, Ok(()));
}

#[test]
fn bodies_together_have_a_limit() {
    let mut desk = Desk::new(START);
    let body = Body::new(&vec![0; limits::REQUEST_BODY_BYTES_MAX]).unwrap();
    let count = limits::REQUEST_BODIES_BYTES_MAX / limits::REQUEST_BODY_BYTES_MAX;
    for order in 1..=u64::try_from(count).unwrap() {
        let mut request = request(order);
        request.proposal.requester = caller(&format!("key:other-{}", order % 16));
        // One body for all: what is counted is not what this test shall take.
        request.proposal.body = body.clone();
        desk.queue.insert(request);
    }
    assert_eq!(desk.propose(&proposal(1)).1, Err(ProposeError::Full));
    let empty = Proposal { body: Body::default(), ..proposal(1) };
    assert_eq!(desk.propose(&empty).1, Ok(()));
}
