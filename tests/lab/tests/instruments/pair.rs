//! Two servers of which one takes over.

use farebox_lab::{Load, Options, Pair, Side, until};

use super::memory::{remember, remembered};

fn keys(pair: &Pair, side: Side) -> i64 {
    pair.server(side).command(&["DBSIZE"]).integer().unwrap()
}

#[test]
fn a_follower_that_lags_takes_over_without_what_it_did_not_hear() {
    let pair = Pair::start();
    pair.server(Side::A).command(&["SET", "early", "1"]);
    pair.in_step(Side::B);
    pair.lag();
    pair.server(Side::A).command(&["SET", "late", "1"]);
    pair.promote(Side::B);
    assert_eq!((keys(&pair, Side::A), keys(&pair, Side::B)), (2, 1));
    // Both serve, until the one that is late follows.
    pair.server(Side::B).command(&["SET", "other", "1"]);
    pair.demote(Side::A);
    assert_eq!(pair.server(Side::A).command(&["EXISTS", "late", "other"]).integer(), Some(1));
}

#[test]
fn a_follower_that_lagged_catches_up() {
    let pair = Pair::start();
    pair.lag();
    pair.server(Side::A).command(&["SET", "key", "1"]);
    assert_eq!(keys(&pair, Side::B), 0);
    pair.catch_up(Side::B);
    assert_eq!(keys(&pair, Side::B), 1);
    assert!(pair.link(Side::A).counts().of("PSYNC") == 1);
}

#[test]
fn there_and_back_the_first_master_has_forgotten_and_is_the_same_process() {
    let pair = Pair::start();
    let run_id = pair.server(Side::A).run_id();
    remember(pair.server(Side::A));
    pair.in_step(Side::B);
    pair.lag();
    pair.server(Side::A).command(&["SET", "late", "1"]);
    pair.promote(Side::B);
    pair.demote(Side::A);
    pair.promote(Side::A);
    pair.demote(Side::B);
    assert_eq!((pair.server(Side::A).run_id(), keys(&pair, Side::A)), (run_id, 0));
    assert_eq!(remembered(pair.server(Side::A)), 0);
}

#[test]
fn a_full_resync_takes_the_memory_of_functions_and_a_partial_one_does_not() {
    for load in [Load::Disk, Load::DisklessSwapdb, Load::DisklessOnEmptyDb] {
        let pair = Pair::start_with(&Options::plain(), load);
        // Remembered while nobody is followed, and kept in step by hand.
        pair.promote(Side::B);
        remember(pair.server(Side::B));
        assert_eq!(remembered(pair.server(Side::B)), 1);
        pair.demote(Side::B);
        let library = pair.server(Side::A).command(&["FUNCTION", "LIST"]);
        assert!(library.parts().is_empty(), "{load:?}: what A does not have B has not either");

        remember(pair.server(Side::A));
        pair.in_step(Side::B);
        let syncs = || pair.link(Side::A).counts().of("PSYNC");
        let before = syncs();
        pair.partial_resync(Side::B);
        assert!(syncs() > before);
        assert_eq!((remembered(pair.server(Side::A)), remembered(pair.server(Side::B))), (1, 0));
        pair.full_resync(Side::B);
        assert_eq!((remembered(pair.server(Side::A)), remembered(pair.server(Side::B))), (1, 0));
        pair.promote(Side::B);
        pair.server(Side::B).command(&["FCALL", "lab_add", "0"]);
        pair.full_resync(Side::B);
        assert_eq!(remembered(pair.server(Side::B)), 0, "{load:?}");
    }
}

#[test]
fn a_master_that_dies_is_seen_to_be_gone() {
    let pair = Pair::start();
    pair.server(Side::A).kill();
    until("the follower to see it", || pair.server(Side::B).info("master_link_status") == "down");
    pair.promote(Side::B);
    pair.server(Side::B).command(&["SET", "key", "1"]);
}
