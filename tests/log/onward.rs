//! A log that goes on in another file, and a look at one without its lock.

use std::fs;
use std::path::Path;

use farebox::log::{AppendError, Look, OpenError};

use super::scene::{Scene, append, append_numbers, count, numbered, open, wait};

/// What a look shows, to the end of what is written.
fn seen(look: &mut Look) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while look.frame(|payload| payloads.push(payload.to_vec())).unwrap() {}
    payloads
}

fn look(path: &Path) -> Vec<Vec<u8>> {
    seen(&mut Look::open(path).unwrap())
}

#[test]
fn what_comes_after_goes_into_the_next_file_and_what_came_before_stays() {
    let scene = Scene::new();
    let log = scene.open().log;
    append_numbers(&log, 0..10);
    let next = scene.beside("-2");
    // All of them at once: the order is that of the calls.
    let before = log.append(&[numbered(10)]).unwrap();
    let moved = log.append_onward(&next, &[numbered(11), numbered(12)]).unwrap();
    let after = log.append(&[numbered(13)]).unwrap();
    for pending in [before, moved, after] {
        wait(pending).unwrap();
    }
    assert!(log.length_bytes() < fs::metadata(scene.path()).unwrap().len());
    wait(log.seal()).unwrap();
    drop(log);
    assert_eq!(count(&scene.read().0), 11);
    let opened = open(&next).unwrap();
    assert!(opened.recovered.sealed);
    assert_eq!(opened.payloads, [numbered(11), numbered(12), numbered(13)]);
}

#[test]
fn a_file_that_ended_can_be_opened_and_appended_to_again() {
    let scene = Scene::new();
    let log = scene.open().log;
    append(&log, &numbered(0)).unwrap();
    wait(log.append_onward(&scene.beside("-2"), &[numbered(1)]).unwrap()).unwrap();
    drop(log);
    // As after a crash between the two: nobody had begun the next one.
    fs::remove_file(scene.beside("-2")).unwrap();
    append(&scene.open().log, &numbered(1)).unwrap();
    assert_eq!(count(&scene.read().0), 2);
    assert_eq!(count(&look(&scene.path())), 2);
}

#[test]
fn a_next_file_that_is_there_already_ends_the_log_and_is_left_alone() {
    let scene = Scene::new();
    let log = scene.open().log;
    append(&log, &numbered(0)).unwrap();
    let next = scene.beside("-2");
    fs::write(&next, b"mine").unwrap();
    let lost = wait(log.append_onward(&next, &[numbered(1)]).unwrap()).unwrap_err();
    let AppendError::Onward(why) = &lost else { panic!("{lost:?}") };
    assert!(matches!(**why, OpenError::Taken { .. }), "{why:?}");
    let refused = append(&log, &numbered(2)).unwrap_err();
    assert!(matches!(refused, AppendError::Onward(_)), "{refused:?}");
    drop(log);
    assert_eq!(fs::read(&next).unwrap(), b"mine");
    assert_eq!(count(&scene.read().0), 1);
}

#[test]
fn a_next_file_that_could_not_be_begun_is_begun_later_and_nothing_comes_twice() {
    let scene = Scene::new();
    let log = scene.open().log;
    append(&log, &numbered(0)).unwrap();
    let next = scene.beside("-2");
    fs::write(&next, b"mine").unwrap();
    for _ in 0..3 {
        let lost = log.append_onward(&next, &[numbered(1)]).unwrap();
        let behind = log.append(&[numbered(2)]);
        assert!(matches!(wait(lost), Err(AppendError::Onward(_))));
        assert!(behind.map_or(true, |behind| wait(behind).is_err()));
        assert!(log.is_between());
    }
    fs::remove_file(&next).unwrap();
    wait(log.append_onward(&next, &[numbered(1)]).unwrap()).unwrap();
    append(&log, &numbered(2)).unwrap();
    assert!(!log.is_between());
    assert_eq!(look(&scene.path()), [numbered(0)]);
    assert_eq!(look(&next), [numbered(1), numbered(2)]);
}

#[test]
fn a_look_needs_no_lock_and_goes_on_with_what_is_written_meanwhile() {
    let scene = Scene::new();
    let log = scene.open().log;
    append_numbers(&log, 0..10);
    let mut look = Look::open(&scene.path()).unwrap();
    let mut payloads = seen(&mut look);
    assert_eq!(count(&payloads), 10);
    for number in 10..40 {
        append(&log, &numbered(number)).unwrap();
        payloads.extend(seen(&mut look));
        assert_eq!(count(&payloads), number + 1);
    }
}

#[test]
fn a_look_at_a_busy_log_never_takes_it_for_a_damaged_one() {
    let scene = Scene::new();
    let log = scene.open().log;
    let (mut look, mut payloads) = (Look::open(&scene.path()).unwrap(), Vec::new());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| append_numbers(&log, 0..3_000));
        while !writer.is_finished() {
            payloads.extend(seen(&mut look));
        }
    });
    payloads.extend(seen(&mut look));
    assert_eq!(count(&payloads), 3_000);
}

#[test]
fn a_look_says_what_is_damaged_and_ends_before_what_is_torn() {
    let scene = Scene::sealed(20);
    let bytes = scene.bytes();
    let mut damaged = bytes.clone();
    damaged[100] ^= 1;
    fs::write(scene.path(), damaged).unwrap();
    let mut look_at_it = Look::open(&scene.path()).unwrap();
    let found = look_at_it.frame(|_| {});
    // The seal's frame, at least, stands behind it.
    assert!(matches!(found, Err(OpenError::Damaged { .. })), "{found:?}");
    fs::write(scene.path(), &bytes[..bytes.len() / 2]).unwrap();
    assert!(look(&scene.path()).len() < 20);
    let none = Look::open(&scene.beside("-none")).map(drop).unwrap_err();
    assert!(matches!(none, OpenError::Folder { .. }));
}
