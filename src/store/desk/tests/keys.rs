//! One key stands for one request, and for one grant at a time.

use super::*;
use crate::limits;

fn claim(key: &str, request: u8, n: u8) -> KeyClaim {
    KeyClaim {
        key: KeyDigest::of(&caller("key:ci"), key),
        caller: Scope::from_bytes([1; 8]),
        request: RequestHash([request; 32]),
        grant: grant(n),
        until: START.plus(3_600),
    }
}

#[test]
fn the_same_request_under_its_key_has_the_same_grant() {
    let mut office = Office::open();
    assert_eq!(office.does(|desk| desk.claim_key(&claim("k", 1, 1))), Ok(Claimed::Fresh));
    let again = office.does(|desk| desk.claim_key(&claim("k", 1, 2)));
    assert_eq!(again, Ok(Claimed::Same { grant: grant(1), until: START.plus(3_600) }));
    assert_eq!(office.events.len(), 1);
}

#[test]
fn another_request_under_a_key_is_a_conflict() {
    let mut office = Office::open();
    office.does(|desk| desk.claim_key(&claim("k", 1, 1))).unwrap();
    let other = office.does(|desk| desk.claim_key(&claim("k", 2, 2)));
    assert_eq!(other, Err(KeyError::Conflict));
    assert_eq!(office.does(|desk| desk.claim_key(&claim("l", 2, 2))), Ok(Claimed::Fresh));
}

#[test]
fn one_callers_key_is_not_anothers() {
    let (ci, cd) = (caller("key:ci"), caller("key:cd"));
    assert_ne!(KeyDigest::of(&ci, "k"), KeyDigest::of(&cd, "k"));
    assert_ne!(KeyDigest::of(&caller("a"), "bc"), KeyDigest::of(&caller("ab"), "c"));
}

#[test]
fn keys_that_begin_alike_are_two() {
    let mut office = Office::open();
    let mut bytes = [7; 32];
    let first = KeyClaim { key: KeyDigest(bytes), ..claim("k", 1, 1) };
    bytes[15] = 8;
    let second = KeyClaim { key: KeyDigest(bytes), ..claim("k", 1, 2) };
    assert_eq!(office.does(|desk| desk.claim_key(&first)), Ok(Claimed::Fresh));
    assert_eq!(office.does(|desk| desk.claim_key(&second)), Ok(Claimed::Fresh));
    office.does(|desk| desk.renew_key(&first.key, grant(1), grant(3))).unwrap();
    let Ok(Claimed::Same { grant: found, .. }) = office.does(|desk| desk.claim_key(&second)) else {
        panic!("the second key was not found");
    };
    assert_eq!(found, grant(2));
}

#[test]
fn a_key_passes_on_once_from_a_grant_that_was_given_up() {
    let mut office = Office::open();
    let key = claim("k", 1, 1).key;
    office.does(|desk| desk.claim_key(&claim("k", 1, 1))).unwrap();
    assert_eq!(office.does(|desk| desk.renew_key(&key, grant(1), grant(2))), Ok(()));
    assert_eq!(office.does(|desk| desk.renew_key(&key, grant(1), grant(2))), Ok(()));
    // Another retry of the same moment had given up the same grant, and comes second.
    let late = office.does(|desk| desk.renew_key(&key, grant(1), grant(3)));
    assert_eq!(late, Err(RenewError::Moved { grant: grant(2) }));
    let again = office.does(|desk| desk.claim_key(&claim("k", 1, 9)));
    assert_eq!(again, Ok(Claimed::Same { grant: grant(2), until: START.plus(3_600) }));
    assert_eq!(office.events.len(), 2);
}

#[test]
fn a_key_that_was_never_claimed_does_not_pass_on() {
    let mut office = Office::open();
    let key = claim("k", 1, 1).key;
    let renewed = office.does(|desk| desk.renew_key(&key, grant(1), grant(2)));
    assert_eq!(renewed, Err(RenewError::Unknown));
}

#[test]
fn a_key_is_forgotten_in_its_minute_and_its_place_is_used_again() {
    let mut office = Office::open();
    office.does(|desk| desk.claim_key(&claim("k", 1, 1))).unwrap();
    office.passes(3_599);
    assert!(matches!(
        office.does(|desk| desk.claim_key(&claim("k", 1, 2))),
        Ok(Claimed::Same { .. })
    ));
    office.passes(1);
    let key = claim("k", 1, 1).key;
    let renewed = office.does(|desk| desk.renew_key(&key, grant(1), grant(2)));
    assert_eq!(renewed, Err(RenewError::Unknown));
    let again = KeyClaim { until: START.plus(9_999), ..claim("k", 2, 2) };
    assert_eq!(office.does(|desk| desk.claim_key(&again)), Ok(Claimed::Fresh));
}

#[test]
fn a_key_is_remembered_for_a_while_and_not_for_ever() {
    let mut office = Office::open();
    let longest = limits::KEY_SECONDS_MAX;
    for (seconds, answer) in [
        (0, Err(KeyError::Until)),
        (longest + 1, Err(KeyError::Until)),
        (longest, Ok(Claimed::Fresh)),
    ] {
        let claim = KeyClaim { until: START.plus(seconds), ..claim("k", 1, 1) };
        assert_eq!(office.does(|desk| desk.claim_key(&claim)), answer, "{seconds}");
    }
}
