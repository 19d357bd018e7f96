//! What is minted under a life never outlasts what the list says of it.

use super::*;
use crate::limits;

fn opened() -> Office {
    let mut office = Office::open();
    office.does(|desk| desk.open_life(&life_id(1), &secret())).unwrap();
    office
}

#[test]
fn a_life_is_on_the_list_from_its_opening() {
    let mut office = opened();
    assert_eq!(office.does(|desk| desk.open_life(&life_id(1), &secret())), Ok(()));
    assert_eq!(office.events.len(), 1);
    let known = office.desk.life(generation(1)).unwrap();
    assert_eq!((known.opened_at, known.until, known.cursor, known.end), (START, START, 0, None));
    assert_eq!(known.secret.expose(), &[0x5e; 16]);

    let other = EventSecret::from_bytes([1; 16]);
    let known = office.does(|desk| desk.open_life(&life_id(1), &other));
    assert_eq!(known, Err(LifeError::Conflict));
    let elsewhere = LifeId { store: store("r2"), ..life_id(1) };
    let known = office.does(|desk| desk.open_life(&elsewhere, &secret()));
    assert_eq!(known, Err(LifeError::Conflict));
}

#[test]
fn a_lifes_secret_is_in_the_file_and_in_nothing_that_people_see() {
    let office = opened();
    let holds = |bytes: &[u8]| bytes.windows(16).any(|window| window == [0x5e; 16]);
    assert!(holds(&office.file[0]));
    let event = &office.events[0];
    assert!(!holds(&packed::write(event).unwrap()));
    let shown = format!("{event:?} {:?}", office.desk.life(generation(1)));
    assert!(!shown.contains("94, 94") && !shown.to_lowercase().contains("5e5e"), "{shown}");
    assert!(shown.contains("EventSecret(secret)"));
}

#[test]
fn no_grant_ends_after_what_was_promised_and_a_promise_is_written_once_in_ten_minutes() {
    let mut office = opened();
    let mut written = 0;
    for second in 0..7_200 {
        let end = office.desk.now().plus(60);
        let events = office.events.len();
        let promised = office.does(|desk| desk.extend_life(generation(1), end)).unwrap();
        assert!(promised >= end && promised <= end.plus(limits::LIFE_STEP_SECONDS), "{second}");
        assert_eq!(office.desk.life(generation(1)).unwrap().until, promised);
        written += office.events.len() - events;
        office.passes(1);
    }
    assert!((12..=13).contains(&written), "{written} writes in two hours");
}

#[test]
fn what_no_grant_could_ask_for_is_not_promised() {
    let mut office = opened();
    let extend =
        |office: &mut Office, n, end| office.does(|desk| desk.extend_life(generation(n), end));
    assert_eq!(extend(&mut office, 1, START), Err(LifeError::Until));
    assert_eq!(extend(&mut office, 1, START.plus(3_601)), Err(LifeError::Until));
    assert_eq!(extend(&mut office, 2, START.plus(60)), Err(LifeError::Unknown));
    office.does(|desk| desk.end_life(generation(1), LifeEnd::Over)).unwrap();
    assert_eq!(extend(&mut office, 1, START.plus(60)), Err(LifeError::Over));
}

#[test]
fn a_cursor_only_goes_forward_and_not_beyond_an_end() {
    let mut office = opened();
    let advance =
        |office: &mut Office, cursor| office.does(|desk| desk.advance(generation(1), cursor));
    assert_eq!(advance(&mut office, 10), Ok(()));
    assert_eq!(advance(&mut office, 7), Ok(()));
    assert_eq!(office.desk.life(generation(1)).unwrap().cursor, 10);
    office.does(|desk| desk.end_life(generation(1), LifeEnd::Over)).unwrap();
    assert_eq!(advance(&mut office, 12), Ok(()));
    office.does(|desk| desk.end_life(generation(1), LifeEnd::Drained)).unwrap();
    assert_eq!(advance(&mut office, 13), Err(LifeError::Over));
    assert_eq!(office.does(|desk| desk.advance(generation(2), 1)), Err(LifeError::Unknown));
}

#[test]
fn how_a_life_ended_is_said_once() {
    let gap = LifeEnd::Gap { from: 11 };
    let cases = [
        (LifeEnd::Over, LifeEnd::Drained, Ok(()), LifeEnd::Drained),
        (LifeEnd::Over, gap, Ok(()), gap),
        (LifeEnd::Drained, LifeEnd::Over, Ok(()), LifeEnd::Drained),
        (LifeEnd::Drained, gap, Err(LifeError::Over), LifeEnd::Drained),
        (gap, LifeEnd::Drained, Err(LifeError::Over), gap),
        (gap, LifeEnd::Gap { from: 12 }, Err(LifeError::Over), gap),
        (gap, gap, Ok(()), gap),
    ];
    for (first, second, answer, end) in cases {
        let mut office = opened();
        office.does(|desk| desk.end_life(generation(1), first)).unwrap();
        let answered = office.does(|desk| desk.end_life(generation(1), second));
        assert_eq!(answered, answer, "{first:?} {second:?}");
        assert_eq!(office.desk.life(generation(1)).unwrap().end, Some(end));
    }
    let mut office = opened();
    let unknown = office.does(|desk| desk.end_life(generation(2), gap));
    assert_eq!(unknown, Err(LifeError::Unknown));
}

#[test]
fn a_life_is_dropped_when_nothing_of_it_can_matter() {
    let ends = [
        (None, false),
        (Some(LifeEnd::Over), false),
        (Some(LifeEnd::Drained), true),
        (Some(LifeEnd::Gap { from: 1 }), true),
    ];
    for (end, dropped) in ends {
        let mut office = opened();
        let until = office.does(|desk| desk.extend_life(generation(1), START.plus(60))).unwrap();
        if let Some(end) = end {
            office.does(|desk| desk.end_life(generation(1), end)).unwrap();
        }
        office.passes(until.0 - START.0 - 1);
        let early = office.does(|desk| desk.drop_life(generation(1)));
        assert_eq!(early, Err(LifeError::Matters), "{end:?}");
        office.passes(1);
        let answer = office.does(|desk| desk.drop_life(generation(1)));
        assert_eq!(answer.is_ok(), dropped, "{end:?}");
        assert_eq!(office.desk.lives().count(), usize::from(!dropped));
    }
    assert_eq!(Office::open().does(|desk| desk.drop_life(generation(1))), Ok(()));
}

#[test]
fn there_are_only_so_many_lives() {
    let mut office = Office::open();
    let id = |n: usize| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        LifeId { generation: Generation::from_bytes(bytes), ..life_id(1) }
    };
    for n in 0..limits::LIVES_MAX {
        office.does(|desk| desk.open_life(&id(n), &secret())).unwrap();
    }
    let more = office.does(|desk| desk.open_life(&id(limits::LIVES_MAX), &secret()));
    assert_eq!(more, Err(LifeError::Full));
}
