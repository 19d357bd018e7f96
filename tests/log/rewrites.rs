//! A rewritten log says the same, is shorter, and was never away.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc;

use farebox::log::{AppendError, DiskError, OpenError, PAYLOAD_BYTES_MAX, RewriteError, SealError};

use super::scene::{Scene, all_below, append, append_numbers, count, durable, numbered, wait};

#[test]
fn a_rewritten_log_is_shorter_and_says_the_same() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..500);
    let before = opened.log.length_bytes();
    wait(opened.log.rewrite([all_below(500)].into_iter()).unwrap()).unwrap();
    assert!(opened.log.length_bytes() < 200 && before > 50_000);
    assert_eq!(scene.path().metadata().unwrap().mode() & 0o777, 0o600);
    append_numbers(&opened.log, 500..510);
    wait(opened.log.seal()).unwrap();
    drop(opened);
    let (payloads, recovered) = scene.read();
    assert_eq!((payloads.len(), count(&payloads), recovered.sealed), (11, 510, true));
}

#[test]
fn appends_go_on_during_a_rewrite_and_are_in_what_comes_of_it() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..10);
    let (go, gone) = mpsc::channel::<()>();
    // The source of the payloads waits until these appends are durable: they cannot have waited for it.
    let slow = std::iter::once_with(move || {
        gone.recv().unwrap();
        all_below(10)
    });
    let rewriting = opened.log.rewrite(slow).unwrap();
    append_numbers(&opened.log, 10..200);
    let busy = opened.log.rewrite(std::iter::empty()).map(|_| ()).unwrap_err();
    assert!(matches!(busy, RewriteError::Busy));
    go.send(()).unwrap();
    wait(rewriting).unwrap();
    append_numbers(&opened.log, 200..210);
    drop(opened);
    let (payloads, _) = scene.read();
    assert_eq!((payloads.len(), count(&payloads)), (201, 210));
}

#[test]
fn a_rewrite_replaces_what_was_appended_before_it_and_nothing_after() {
    let scene = Scene::new();
    let opened = scene.open();
    // Without waiting in between: the line is where the call stood.
    let mut pending = Vec::new();
    for number in 0..100 {
        pending.push(opened.log.append(&[numbered(number)]).unwrap());
        if number == 49 {
            drop(opened.log.rewrite([all_below(50)].into_iter()).unwrap());
        }
    }
    durable(pending);
    // It may be under way: whatever became of it, nothing is missing and nothing is there twice.
    drop(opened);
    assert_eq!(count(&scene.read().0), 100);
}

#[test]
fn a_log_of_nothing_but_its_rewrite_holds_many_frames() {
    let scene = Scene::quick();
    let opened = scene.open();
    let many = (0..3_000_u32).map(numbered);
    wait(opened.log.rewrite(many).unwrap()).unwrap();
    append_numbers(&opened.log, 3_000..3_001);
    drop(opened);
    assert_eq!(count(&scene.read().0), 3_001);
}

#[test]
fn the_lock_is_never_let_go() {
    let scene = Scene::new();
    let opened = scene.open();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let why = scene.refusal();
                assert!(matches!(why, OpenError::Locked { .. }), "{why}");
            }
        });
        for round in 0..100 {
            wait(opened.log.rewrite([all_below(round)].into_iter()).unwrap()).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_rewrite_that_fails_leaves_the_log_as_it_was() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..3);
    let long = vec![0; PAYLOAD_BYTES_MAX + 1];
    let refused = wait(opened.log.rewrite([all_below(3), long].into_iter()).unwrap());
    assert!(matches!(refused, Err(RewriteError::TooLarge { .. })));
    let broken = std::iter::once_with(|| -> Vec<u8> { panic!("a broken source") });
    let refused = wait(opened.log.rewrite(broken).unwrap());
    assert!(matches!(refused, Err(RewriteError::Panicked)));
    assert!(!scene.beside(".rewrite").exists());
    append_numbers(&opened.log, 3..5);
    drop(opened);
    assert_eq!(scene.read().0.len(), 5);
}

#[test]
fn a_log_that_closes_ends_its_rewrite_and_is_sealed_as_it_was() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..3);
    let rewriting = opened.log.rewrite(std::iter::repeat_with(|| all_below(3))).unwrap();
    wait(opened.log.seal()).unwrap();
    let ended = wait(rewriting);
    assert!(matches!(ended, Err(RewriteError::Log(AppendError::Closed))));
    drop(opened);
    assert!(!scene.beside(".rewrite").exists());
    let (payloads, recovered) = scene.read();
    assert_eq!((payloads.len(), recovered.sealed), (3, true));
}

#[test]
fn what_a_crash_left_of_a_rewrite_is_removed() {
    let scene = Scene::sealed(2);
    fs::write(scene.beside(".rewrite"), "half of a log").unwrap();
    fs::write(scene.beside(".new"), "half of another").unwrap();
    let (payloads, recovered) = scene.read();
    assert_eq!((payloads.len(), recovered.sealed), (2, true));
    assert!(!scene.beside(".rewrite").exists());
    // That of a log which was never made is no harm to one that is.
    fs::remove_file(scene.path()).unwrap();
    assert!(scene.read().1.created);
    assert!(!scene.beside(".new").exists());
}

#[test]
fn a_file_that_somebody_put_in_its_place_is_not_replaced() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..3);
    fs::rename(scene.path(), scene.beside(".moved")).unwrap();
    fs::write(scene.path(), "somebody else's").unwrap();
    let refused = wait(opened.log.rewrite([all_below(3)].into_iter()).unwrap());
    assert!(matches!(refused, Err(RewriteError::Disk(DiskError::Removed { .. }))));
    let unsealed = wait(opened.log.seal());
    assert!(matches!(unsealed, Err(SealError::Disk(DiskError::Removed { .. }))));
    assert_eq!(scene.bytes(), b"somebody else's");
}

#[test]
fn a_log_that_was_removed_acknowledges_nothing_more() {
    let scene = Scene::new();
    let opened = scene.open();
    append_numbers(&opened.log, 0..3);
    fs::remove_file(scene.path()).unwrap();
    let refused = append(&opened.log, &numbered(3));
    assert!(matches!(refused, Err(AppendError::Disk(DiskError::Removed { .. }))));
}
