//! What is blocked is not granted, until it is lifted.

use super::*;
use crate::limits;
use crate::store::AdminError;

#[test]
fn a_block_is_kept_with_its_reason_until_it_is_lifted() {
    let mut office = Office::open();
    let selector = Selector::Agent(agent("spiffe://acme/agents/billing"));
    let (by, other) = (caller("oidc:corp:sue"), caller("oidc:corp:tom"));
    office.passes(5);
    office.does(|desk| desk.block(&selector, &by, &reason())).unwrap();
    office.passes(5);
    let second = Reason::parse("something else").unwrap();
    office.does(|desk| desk.block(&selector, &other, &second)).unwrap();
    let block =
        Block { selector: selector.clone(), by: by.clone(), reason: reason(), at: START.plus(5) };
    assert_eq!(office.desk.blocks().collect::<Vec<_>>(), [&block]);

    office.does(|desk| desk.lift(&selector, &by)).unwrap();
    office.does(|desk| desk.lift(&selector, &by)).unwrap();
    assert_eq!(office.desk.blocks().count(), 0);
    assert_eq!(office.events.len(), 2);
}

#[test]
fn nothing_that_a_block_names_is_proposed_or_collected() {
    let Proposal { agent, workflow, audience, action, policy, .. } = proposal(1);
    for selector in [
        Selector::All,
        Selector::Grant(grant(1)),
        Selector::Agent(agent),
        Selector::Workflow(workflow.unwrap()),
        Selector::Audience(audience),
        Selector::Action(action),
        Selector::Policy(policy),
    ] {
        let mut office = Office::open();
        approved(&mut office, 1);
        office.does(|desk| desk.block(&selector, &caller("sue"), &reason())).unwrap();
        let collected = office.does(|desk| desk.collect(grant(1), grant(7)));
        assert_eq!(collected, Err(CollectError::Blocked), "{selector}");
        let proposed = office.does(|desk| desk.propose(&proposal(2)));
        let named_itself = matches!(selector, Selector::Grant(_));
        assert_eq!(proposed.is_ok(), named_itself, "{selector}");

        // A block uses no approval up.
        office.does(|desk| desk.lift(&selector, &caller("sue"))).unwrap();
        assert!(office.does(|desk| desk.collect(grant(1), grant(7))).is_ok(), "{selector}");
    }
}

#[test]
fn a_block_of_another_blocks_nothing() {
    let mut office = Office::open();
    for selector in [Selector::Agent(agent("a")), Selector::Key(17), Selector::Grant(grant(2))] {
        office.does(|desk| desk.block(&selector, &caller("sue"), &reason())).unwrap();
    }
    assert_eq!(office.does(|desk| desk.propose(&proposal(1))), Ok(()));
}

#[test]
fn there_are_only_so_many_blocks() {
    let mut office = Office::open();
    let by = caller("sue");
    for key in 0..u32::try_from(limits::BLOCKS_MAX).unwrap() {
        office.does(|desk| desk.block(&Selector::Key(key), &by, &reason())).unwrap();
    }
    let one_more = office.does(|desk| desk.block(&Selector::All, &by, &reason()));
    assert_eq!(one_more, Err(AdminError::Full));
    assert_eq!(office.does(|desk| desk.block(&Selector::Key(0), &by, &reason())), Ok(()));
}
