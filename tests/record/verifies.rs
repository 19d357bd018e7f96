//! Several chains together: no grant is spent twice over all of them, and what one misses another may have.

use farebox::record::verify::{Flaw, Report, Source, verify};
use farebox::record::{Entry, Kind};

use super::scene::{Scene, append, described, grant, ring, wait};

fn both(one: &Scene, other: &Scene) -> Report {
    let sources = [one, other].map(|scene| Source::Folder(scene.folder()));
    verify(&sources, &ring(&[(1, 1)], &[]), &[]).unwrap()
}

/// A record of these entries.
fn scene(name: &str, entries: Vec<Entry>) -> Scene {
    let scene = Scene::of_chain(name);
    let record = scene.open();
    for entry in entries {
        append(&record, entry);
    }
    wait(record.close()).unwrap();
    drop(record);
    scene
}

fn told(kind: Kind, life: &str, number: u64) -> Entry {
    Entry { life: Some(life.into()), number: Some(number), ..described(kind, number) }
}

const LIFE: &str = "r1/00/0102030405060708090a0b0c0d0e0f10";
const NEXT_LIFE: &str = "r1/00/ffffffffffffffffffffffffffffffff";
const OTHER_STORE: &str = "r2/00/22222222222222222222222222222222";

fn spent(grant_number: u64, life: &str, number: u64) -> Entry {
    told(Kind::Spent, life, number).grant(grant(grant_number))
}

#[test]
fn a_grant_that_was_spent_in_two_lives_is_named_with_both_places() {
    let one = scene("issuer-1", vec![spent(7, LIFE, 1)]);
    let other = scene("issuer-2", vec![spent(7, NEXT_LIFE, 1)]);
    let report = both(&one, &other);
    assert_eq!(report.faults.len(), 1);
    let expected = Flaw::SpentTwice {
        grant: grant(7).to_string().into(),
        chain: "issuer-1".into(),
        n: report.chains[0].last - 1,
    };
    assert_eq!((&*report.faults[0].chain, &report.faults[0].flaw), ("issuer-2", &expected));
    assert_eq!(report.spent, 1);
}

#[test]
fn an_event_that_two_issuers_recorded_counts_once() {
    let one = scene("issuer-1", vec![spent(7, LIFE, 1)]);
    let other = scene("issuer-2", vec![spent(7, LIFE, 1)]);
    assert_eq!(both(&one, &other).faults, []);
}

#[test]
fn votes_of_several_stores_are_one_spend_and_two_of_one_store_are_not() {
    let vote = |life, number| spent(7, life, number).detail("vote_of", 2);
    let quorum = scene("issuer-1", vec![vote(LIFE, 1), vote(OTHER_STORE, 1)]);
    let nothing = scene("issuer-2", vec![]);
    assert_eq!(both(&quorum, &nothing).faults, []);
    let twice = scene("issuer-2", vec![vote(NEXT_LIFE, 1)]);
    assert_eq!(both(&quorum, &twice).faults[0].flaw.code(), "spent-twice");
}

#[test]
fn a_gap_is_said_and_is_no_fault_unless_another_chain_fills_it() {
    let gap = Entry { life: Some(LIFE.into()), number: Some(3), ..Entry::of(Kind::Gap) };
    let gap = gap.code("events-missing").detail("from", 2).detail("to", 3);
    let holed = || vec![told(Kind::Registered, LIFE, 1), gap.clone(), spent(1, LIFE, 4)];
    let one = scene("issuer-1", holed());
    let report = both(&one, &scene("issuer-2", vec![]));
    assert_eq!(report.faults, []);
    assert_eq!((report.gaps.len(), report.gaps[0].missing), (1, Some((2, 3))));
    // The other drained them.
    let first = Entry { number: Some(1), ..gap.clone() }.detail("from", 1).detail("to", 1);
    let drained = vec![first, told(Kind::Registered, LIFE, 2), told(Kind::Registered, LIFE, 3)];
    assert_eq!(both(&one, &scene("issuer-2", drained)).gaps, []);
}

#[test]
fn events_that_are_missing_without_a_gap_or_recorded_again_are_faults() {
    let record = vec![told(Kind::Registered, LIFE, 1), spent(1, LIFE, 3)];
    let report = both(&scene("issuer-1", record), &scene("issuer-2", vec![]));
    let flaw = Flaw::EventsMissing { life: LIFE.into(), from: 2, to: 2 };
    assert_eq!(report.faults[0].flaw, flaw);
}

#[test]
fn a_record_in_use_is_verified_without_its_lock() {
    let scene = Scene::new().short_files();
    let record = scene.open();
    for number in 0..300 {
        drop(record.append(described(Kind::Spent, number)).unwrap());
        if number % 100 == 0 {
            let folder = Source::Folder(scene.folder());
            let report = verify(&[folder], &ring(&[(1, 1)], &[]), &[]).unwrap();
            assert_eq!(report.faults, []);
        }
    }
}
