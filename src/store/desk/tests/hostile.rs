//! Bytes that no desk has written: read as nothing, or as what they say and no other bytes say.

use super::random::Random;
use super::*;
use crate::store::desk::snapshot::DeskLine;

fn reads(bytes: &[u8]) {
    if let Ok(line) = packed::read::<DeskLine>(bytes) {
        assert!(packed::write(&line).unwrap() == bytes, "{bytes:02x?} is spelled in two ways");
    }
    // Whatever was read may also be applied, and shown again.
    let mut replay = Replay::begin();
    if replay.take(bytes).is_ok() {
        let mut desk = replay.finish();
        desk.pass(START);
        let again: Vec<_> = desk.snapshot().map(|carried| carried.encode()).collect();
        assert!(again.iter().all(Result::is_ok));
    }
}

/// One line of every kind.
fn lines() -> Vec<Vec<u8>> {
    let mut office = Office::open();
    let claim = KeyClaim {
        key: KeyDigest([1; 32]),
        caller: Scope::from_bytes([1; 8]),
        request: RequestHash([1; 32]),
        grant: grant(1),
        until: START.plus(60),
    };
    office.does(|desk| desk.claim_key(&claim)).unwrap();
    office.does(|desk| desk.renew_key(&claim.key, grant(1), grant(2))).unwrap();
    approved(&mut office, 1);
    approved(&mut office, 2);
    approved(&mut office, 3);
    office.does(|desk| desk.collect(grant(1), grant(7))).unwrap();
    office.does(|desk| desk.collect_again(grant(1), grant(7), grant(8))).unwrap();
    office.does(|desk| desk.withdraw(grant(2), &caller("key:orchestrator"))).unwrap();
    let one = Selector::Grant(grant(3));
    office.tries(|desk| desk.cancel(&one, &caller("sue"), &reason()));
    office.does(|desk| desk.block(&one, &caller("sue"), &reason())).unwrap();
    office.does(|desk| desk.announce(&store("l"), &audience("erp"), generation(1))).unwrap();
    office.does(|desk| desk.next_seat(&store("l"), &description(4))).unwrap();
    office.does(|desk| desk.open_life(&life_id(1), &secret())).unwrap();
    office.does(|desk| desk.extend_life(generation(1), START.plus(60))).unwrap();
    office.does(|desk| desk.advance(generation(1), 4)).unwrap();
    office.does(|desk| desk.end_life(generation(1), LifeEnd::Gap { from: 5 })).unwrap();
    office.does(|desk| desk.begin_hold(grant(1), hold(1))).unwrap();
    let mut lines = picture(&office.desk);
    office.does(|desk| desk.end_hold(grant(1), hold(1).id, HoldEnd::Kept)).unwrap();
    office.does(|desk| desk.lift(&one, &caller("sue"))).unwrap();
    office.does(|desk| desk.dismiss(&store("l"))).unwrap();
    office.does(|desk| desk.propose(&proposal(4))).unwrap();
    office.passes(3_600);
    office.tries(|desk| desk.expire());
    lines.append(&mut office.file.clone());
    lines
}

#[test]
fn no_bytes_make_the_reader_panic_and_none_are_read_in_two_ways() {
    let lines = lines();
    let mut random = Random(0x686f_7374_696c_6521);
    for line in &lines {
        reads(line);
        for length in 0..line.len() {
            assert!(packed::read::<DeskLine>(&line[..length]).is_err(), "cut at {length}");
        }
        for place in 0..line.len() {
            for _ in 0..4 {
                let mut bytes = line.clone();
                bytes[place] = random.below(255);
                reads(&bytes);
            }
        }
        for _ in 0..200 {
            let mut bytes = line.clone();
            for _ in 0..=random.below(4) {
                let place =
                    usize::try_from(random.next() % u64::try_from(bytes.len()).unwrap()).unwrap();
                match random.below(4) {
                    0 => bytes[place] = 0xff,
                    1 => drop(bytes.remove(place)),
                    2 => bytes.insert(place, random.below(8)),
                    _ => bytes[place] ^= 1 << random.below(8),
                }
            }
            reads(&bytes);
        }
    }
    for _ in 0..20_000 {
        let count = random.below(120);
        // Small bytes are choices and lengths more often than others.
        let bytes: Vec<u8> = (0..count).map(|_| random.below(24)).collect();
        reads(&bytes);
    }
}
