//! A begun hold counts until something alive says otherwise.

use super::*;

#[test]
fn what_was_begun_is_brought_in_unless_it_was_given_back() {
    let mut office = Office::open();
    for n in 1..=3 {
        office.does(|desk| desk.begin_hold(grant(n), hold(n))).unwrap();
        office.does(|desk| desk.begin_hold(grant(n), hold(n))).unwrap();
    }
    office.does(|desk| desk.end_hold(grant(1), hold(1).id, HoldEnd::GivenBack)).unwrap();
    office.does(|desk| desk.end_hold(grant(2), hold(2).id, HoldEnd::Kept)).unwrap();
    assert_eq!(office.events.len(), 5);
    let counted: Vec<_> = office.desk.holds().map(|begun| begun.grant).collect();
    assert_eq!(counted, [grant(2), grant(3)]);
    let of_one: Vec<_> = office.desk.holds_of(grant(1)).map(|begun| begun.end).collect();
    assert_eq!(of_one, [Some(HoldEnd::GivenBack)]);
}

#[test]
fn what_was_given_back_is_not_begun_again() {
    let mut office = Office::open();
    office.does(|desk| desk.begin_hold(grant(1), hold(1))).unwrap();
    office.does(|desk| desk.end_hold(grant(1), hold(1).id, HoldEnd::GivenBack)).unwrap();
    let again = office.does(|desk| desk.begin_hold(grant(1), hold(1)));
    assert_eq!(again, Err(HoldError::GivenBack));
}

#[test]
fn an_end_is_for_good() {
    let mut office = Office::open();
    office.does(|desk| desk.begin_hold(grant(1), hold(1))).unwrap();
    let ends =
        |office: &mut Office, end| office.does(|desk| desk.end_hold(grant(1), hold(1).id, end));
    assert_eq!(ends(&mut office, HoldEnd::Kept), Ok(()));
    assert_eq!(ends(&mut office, HoldEnd::Kept), Ok(()));
    assert_eq!(ends(&mut office, HoldEnd::GivenBack), Err(HoldError::Conflict));
    // Begun again it is the same hold, and still kept.
    assert_eq!(office.does(|desk| desk.begin_hold(grant(1), hold(1))), Ok(()));
    assert_eq!(office.desk.holds().next().unwrap().end, Some(HoldEnd::Kept));
    let unknown = office.does(|desk| desk.end_hold(grant(2), hold(2).id, HoldEnd::Kept));
    assert_eq!(unknown, Err(HoldError::Unknown));
}

#[test]
fn a_hold_moves_to_the_window_that_the_store_found_and_changes_nothing_else() {
    let mut office = Office::open();
    office.does(|desk| desk.begin_hold(grant(1), hold(1))).unwrap();
    let to = hold(1).to;
    let next = Hold { from: to, to: to.plus(86_400), ..hold(1) };
    assert_eq!(office.does(|desk| desk.begin_hold(grant(1), next)), Ok(()));
    let more = Hold { amount: 1, ..next };
    assert_eq!(office.does(|desk| desk.begin_hold(grant(1), more)), Err(HoldError::Conflict));
    office.passes(to.0 - START.0);
    assert_eq!(office.desk.holds().count(), 1);
    office.passes(86_400);
    assert_eq!(office.desk.holds().count(), 0);
    assert_eq!(office.desk.holds_of(grant(1)).count(), 0);
}

#[test]
fn a_hold_of_another_grant_or_of_no_window_is_none() {
    let mut office = Office::open();
    let begin = |office: &mut Office, hold| office.does(|desk| desk.begin_hold(grant(1), hold));
    assert_eq!(begin(&mut office, hold(2)), Err(HoldError::Conflict));
    assert_eq!(begin(&mut office, Hold { to: START, ..hold(1) }), Err(HoldError::Over));
    let backwards = Hold { from: hold(1).to, ..hold(1) };
    assert_eq!(begin(&mut office, backwards), Err(HoldError::Over));
}
