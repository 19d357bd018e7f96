//! A file comes to the desk that wrote it, or to an error.

use super::*;
use crate::limits;
use crate::store::packed::PackedError;

/// A desk on which there is something of everything.
fn busy() -> Office {
    let mut office = Office::open();
    let claim = KeyClaim {
        key: KeyDigest([1; 32]),
        caller: Scope::from_bytes([1; 8]),
        request: RequestHash([1; 32]),
        grant: grant(1),
        until: START.plus(86_400),
    };
    office.does(|desk| desk.claim_key(&claim)).unwrap();
    approved(&mut office, 1);
    office.does(|desk| desk.propose(&proposal(2))).unwrap();
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    office.does(|desk| desk.block(&Selector::Key(3), &caller("sue"), &reason())).unwrap();
    office.does(|desk| desk.announce(&store("local"), &audience("erp"), generation(1))).unwrap();
    office.does(|desk| desk.next_seat(&store("local"), &description(3))).unwrap();
    office.does(|desk| desk.open_life(&life_id(1), &secret())).unwrap();
    office.does(|desk| desk.advance(generation(1), 5)).unwrap();
    office.does(|desk| desk.begin_hold(grant(1), hold(1))).unwrap();
    office
}

fn replayed(file: &[Vec<u8>]) -> Result<Desk, ReplayError> {
    let mut replay = Replay::begin();
    for line in file {
        replay.take(line)?;
    }
    Ok(replay.finish())
}

#[test]
fn a_file_tells_again_what_happened() {
    let office = busy();
    let mut replay = Replay::begin();
    let told: Vec<_> = office.file.iter().filter_map(|line| replay.take(line).unwrap()).collect();
    assert_eq!(told, office.events);
    assert_eq!(told.last().unwrap().number, office.desk.appended());
}

#[test]
fn a_rewritten_file_tells_nothing_again_and_goes_on_where_the_old_one_stopped() {
    let mut office = busy();
    let appended = office.desk.appended();
    office.rewrites();
    let mut replay = Replay::begin();
    assert!(office.file.iter().all(|line| replay.take(line).unwrap().is_none()));
    assert_eq!(replay.finish().appended(), appended);
    office.does(|desk| desk.propose(&proposal(3))).unwrap();
    assert_eq!(office.events.last().unwrap().number, appended + 1);
    // Every number that must not be given twice was carried over, even where what bore it is forgotten.
    office.passes(limits::REQUEST_SECONDS_MAX);
    office.tries(|desk| desk.expire());
    office.does(|desk| desk.dismiss(&store("local"))).unwrap();
    office.passes(limits::REQUEST_REMEMBERED_SECONDS + 60);
    office.rewrites();
    let desk = replayed(&office.file).unwrap();
    assert_eq!(desk.requests(&RequestFilter::default(), 0, 10).items, []);
    assert_eq!((desk.queue.last(), desk.boots.last()), (3, 1));
}

#[test]
fn a_missing_or_doubled_event_is_a_gap() {
    let mut office = busy();
    let file = office.file.clone();
    for n in 1..file.len() {
        let mut missing = file.clone();
        missing.remove(n - 1);
        let gap = ReplayError::Gap {
            after: u64::try_from(n).unwrap() - 1,
            found: u64::try_from(n).unwrap() + 1,
        };
        assert_eq!(replayed(&missing).err(), Some(gap));
        let mut doubled = file.clone();
        doubled.insert(n, file[n - 1].clone());
        assert!(matches!(replayed(&doubled).err(), Some(ReplayError::Gap { .. })));
    }
    office.rewrites();
    office.does(|desk| desk.propose(&proposal(3))).unwrap();
    office.does(|desk| desk.propose(&proposal(4))).unwrap();
    let place = office.file.len() - 2;
    let mut missing = office.file.clone();
    missing.remove(place);
    assert!(matches!(replayed(&missing).err(), Some(ReplayError::Gap { .. })));
}

#[test]
fn what_was_carried_over_stands_first_and_after_its_numbers() {
    let office = busy();
    let carried = picture(&office.desk);
    let without_numbers = carried[1..].to_vec();
    assert_eq!(replayed(&without_numbers).err(), Some(ReplayError::Misplaced { after: 0 }));
    let twice = [carried.clone(), carried.clone()].concat();
    assert!(matches!(replayed(&twice).err(), Some(ReplayError::Misplaced { .. })));
    let late = [office.file.clone(), carried].concat();
    assert!(matches!(replayed(&late).err(), Some(ReplayError::Misplaced { .. })));
}

#[test]
fn what_cannot_be_read_is_no_desk() {
    let office = busy();
    for line in office.file.iter().chain(&picture(&office.desk)) {
        let mut longer = line.clone();
        longer.push(0);
        for (bytes, source) in [
            (longer.as_slice(), PackedError::Trailing),
            (&line[..line.len() - 1], PackedError::Short),
            (&[2], PackedError::Value),
            (&[], PackedError::Short),
        ] {
            let error = Replay::begin().take(bytes).err();
            assert_eq!(error, Some(ReplayError::Unreadable { after: 0, source }));
        }
    }
}

#[test]
fn a_life_is_not_read_without_its_secret_nor_a_secret_without_its_life() {
    let entry = |what, secret| {
        DeskEntry { event: DeskEvent { number: 1, at: START, what }, secret }.encode().unwrap()
    };
    let opened = DeskWhat::LifeOpened { life: life_id(1) };
    let dropped = DeskWhat::LifeDropped { generation: generation(1) };
    let takes = |line: Vec<u8>| Replay::begin().take(&line).is_ok();
    assert!(takes(entry(opened.clone(), Some(secret()))));
    assert!(!takes(entry(opened, None)));
    assert!(takes(entry(dropped.clone(), None)));
    assert!(!takes(entry(dropped, Some(secret()))));
}

#[test]
fn the_largest_request_that_there_can_be_is_carried_over() {
    let long = |prefix: &str, bytes: usize| format!("{prefix:x<bytes$}");
    let needs = (0..limits::NEEDS_MAX)
        .map(|n| Need { group: group(&long(&format!("{n}-"), 64)), count: limits::APPROVERS_MAX });
    let needs = Needs::new(needs.collect()).unwrap();
    let mut decisions = Vec::new();
    for need in needs.each() {
        for n in 0..need.count {
            let decision = Decision {
                approver: caller(&long(&format!("{n}-"), 512)),
                owner: owner(&long(&format!("{n}-"), 512)),
                group: need.group.clone(),
                verdict: Verdict::Approve,
                reason: Reason::parse(&long("", 512)).unwrap(),
                signature: DecisionSignature::new(&[0; limits::DECISION_SIGNATURE_BYTES_MAX])
                    .unwrap(),
            };
            decisions.push(Decided { decision, at: START });
        }
    }
    let request = Request {
        order: 1,
        proposal: Proposal {
            needs,
            agent: agent(&long("", 512)),
            resource: Resource::parse(&long("", 512)).unwrap(),
            body: Body::new(&vec![0; limits::REQUEST_BODY_BYTES_MAX]).unwrap(),
            ..proposal(1)
        },
        proposed_at: START,
        decisions,
        state: RequestState::Approved,
        changed_at: START,
        collected: None,
    };
    let mut desk = Desk::new(START);
    desk.queue.insert(request);
    assert!(picture(&replayed(&picture(&desk)).unwrap()) == picture(&desk));
}
