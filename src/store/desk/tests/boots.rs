//! Grants for a local store are registered for its last boot, and for no other.

use super::*;
use crate::limits;

fn announces(office: &mut Office, name: &str, api: &str, n: u8) -> Result<(), BootError> {
    office.does(|desk| desk.announce(&store(name), &audience(api), generation(n)))
}

#[test]
fn a_seat_is_one_of_the_last_boot_and_no_number_is_given_twice() {
    let mut office = Office::open();
    announces(&mut office, "local", "erp", 1).unwrap();
    let seat = |office: &mut Office, n| {
        office.does(|desk| desk.next_seat(&store("local"), &description(n)))
    };
    let first = seat(&mut office, 1).unwrap();
    let second = seat(&mut office, 2).unwrap();
    assert_eq!((first.generation, first.sequence), (generation(1), 1));
    assert_eq!((second.generation, second.sequence), (generation(1), 2));

    announces(&mut office, "local", "erp", 2).unwrap();
    assert!(
        matches!(office.last(), DeskWhat::Announced { previous: Some(p), .. } if *p == generation(1))
    );
    let third = seat(&mut office, 3).unwrap();
    assert_eq!((third.generation, third.sequence), (generation(2), 3));

    office.does(|desk| desk.dismiss(&store("local"))).unwrap();
    office.does(|desk| desk.dismiss(&store("local"))).unwrap();
    assert_eq!(seat(&mut office, 4), Err(SeatError::NoBoot));
    announces(&mut office, "local", "erp", 2).unwrap();
    assert_eq!(seat(&mut office, 4).unwrap().sequence, 4);
}

#[test]
fn an_announcement_that_comes_late_does_not_bring_a_boot_back() {
    let mut office = Office::open();
    for n in 0..=u8::try_from(limits::EARLIER_BOOTS_MAX).unwrap() {
        announces(&mut office, "local", "erp", n).unwrap();
    }
    for n in 0..u8::try_from(limits::EARLIER_BOOTS_MAX).unwrap() {
        assert_eq!(announces(&mut office, "local", "erp", n), Err(BootError::Earlier), "{n}");
    }
    let events = office.events.len();
    let last = u8::try_from(limits::EARLIER_BOOTS_MAX).unwrap();
    assert_eq!(announces(&mut office, "local", "erp", last), Ok(()));
    assert_eq!(office.events.len(), events);
}

#[test]
fn whoever_speaks_for_one_audience_does_not_take_anothers_store() {
    let mut office = Office::open();
    announces(&mut office, "local", "erp", 1).unwrap();
    assert_eq!(announces(&mut office, "local", "crm", 2), Err(BootError::OtherAudience));
    let foreign = Description { audience: audience("crm"), ..description(1) };
    let seat = office.does(|desk| desk.next_seat(&store("local"), &foreign));
    assert_eq!(seat, Err(SeatError::OtherAudience));
    assert_eq!(office.desk.boot(&store("local")).unwrap().generation, generation(1));
}

#[test]
fn what_a_local_store_cannot_keep_is_not_registered_for_it() {
    let mut office = Office::open();
    announces(&mut office, "local", "erp", 1).unwrap();
    let cases = [
        (Description { end: START, ..description(1) }, SeatError::End),
        (Description { end: START.plus(3_601), ..description(1) }, SeatError::End),
        (Description { after: vec![3], ..description(1) }, SeatError::Predecessor),
    ];
    for (grant, refusal) in cases {
        assert_eq!(office.does(|desk| desk.next_seat(&store("local"), &grant)), Err(refusal));
    }
    for selector in [Selector::Key(17), Selector::Action(description(1).action)] {
        office.does(|desk| desk.block(&selector, &caller("sue"), &reason())).unwrap();
        let seat = office.does(|desk| desk.next_seat(&store("local"), &description(1)));
        assert_eq!(seat, Err(SeatError::Blocked), "{selector}");
        office.does(|desk| desk.lift(&selector, &caller("sue"))).unwrap();
    }
    assert!(office.does(|desk| desk.next_seat(&store("local"), &description(1))).is_ok());
}

#[test]
fn a_local_store_has_so_many_grants_that_have_not_ended() {
    let mut office = Office::open();
    announces(&mut office, "local", "erp", 1).unwrap();
    for _ in 0..limits::GRANTS_PER_BOOT_MAX {
        office.desk.boots.seated(&store("local"), 1, START.plus(60));
    }
    let seat = |office: &Office, end| {
        let description = Description { end, ..description(1) };
        office.desk.next_seat(&store("local"), &description).1
    };
    assert_eq!(seat(&office, START.plus(60)), Err(SeatError::Full));
    office.passes(59);
    assert_eq!(seat(&office, START.plus(600)), Err(SeatError::Full));
    office.passes(1);
    assert_eq!(office.desk.boot(&store("local")).unwrap().outstanding, 0);
    assert_eq!(seat(&office, START.plus(600)).unwrap().sequence, 2);
    office.rewrites();
}

#[test]
fn no_audience_crowds_out_the_others() {
    let mut office = Office::open();
    for n in 0..limits::BOOTS_PER_AUDIENCE_MAX {
        announces(&mut office, &format!("erp-{n}"), "erp", 1).unwrap();
    }
    assert_eq!(announces(&mut office, "erp-more", "erp", 1), Err(BootError::AudienceFull));
    for api in 1..limits::BOOTS_MAX / limits::BOOTS_PER_AUDIENCE_MAX {
        for n in 0..limits::BOOTS_PER_AUDIENCE_MAX {
            announces(&mut office, &format!("{api}-{n}"), &format!("api-{api}"), 1).unwrap();
        }
    }
    assert_eq!(announces(&mut office, "crm", "crm", 1), Err(BootError::Full));
    assert_eq!(office.desk.boots().count(), limits::BOOTS_MAX);
}
