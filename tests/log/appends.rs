//! What is appended is read again: all of it, in its order, and nothing else.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::thread;

use farebox::log::{AppendError, Log, Options, PAYLOAD_BYTES_MAX};

use super::scene::{
    Dice, Scene, append, append_numbers, count, durable, numbered, open, open_with, wait,
};

#[test]
fn a_new_log_is_empty_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let opened = scene.open();
    assert!(opened.recovered.created && !opened.recovered.sealed && opened.payloads.is_empty());
    let mode = scene.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(opened);
    assert!(!scene.read().1.created);
}

#[test]
fn what_was_appended_is_read_again_in_its_order() {
    let scene = Scene::new();
    append_numbers(&scene.open().log, 0..100);
    let opened = scene.open();
    assert_eq!(count(&opened.payloads), 100);
    append_numbers(&opened.log, 100..200);
    drop(opened);
    assert_eq!(count(&scene.read().0), 200);
}

#[test]
fn a_log_that_is_dropped_has_written_what_it_took() {
    let scene = Scene::new();
    let log = scene.open().log;
    let pending: Vec<_> = (0..50).map(|n| log.append(&[numbered(n)]).unwrap()).collect();
    drop(log);
    durable(pending);
    assert_eq!(count(&scene.read().0), 50);
}

#[test]
fn an_append_of_nothing_is_durable_when_all_before_it_is() {
    let scene = Scene::new();
    let log = scene.open().log;
    wait(log.append::<&[u8]>(&[]).unwrap()).unwrap();
    let before = log.length_bytes();
    drop(log.append(&[numbered(0)]).unwrap());
    wait(log.append::<&[u8]>(&[]).unwrap()).unwrap();
    assert!(log.length_bytes() > before);
    assert_eq!(scene.bytes().iter().rposition(|byte| *byte != 0).map(|at| at > 48), Some(true));
    wait(log.append::<&[u8]>(&[]).unwrap()).unwrap();
    drop(log);
    assert_eq!(count(&scene.read().0), 1);
}

#[test]
fn appends_lie_in_the_order_in_which_they_were_handed_over() {
    let scene = Scene::new();
    let next = Mutex::new((scene.open().log, 0_u32));
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..100 {
                    let pending = {
                        // As a store does it: the state, then the log, under one lock.
                        let mut next = next.lock().unwrap();
                        let pending = next.0.append(&[numbered(next.1)]).unwrap();
                        next.1 += 1;
                        pending
                    };
                    wait(pending).unwrap();
                }
            });
        }
    });
    drop(next);
    assert_eq!(count(&scene.read().0), 800);
}

#[test]
fn payloads_of_any_length_come_back_as_they_were() {
    let scene = Scene::quick();
    let (mut dice, mut expected) = (Dice(0xd1ce), Vec::<Vec<u8>>::new());
    let edges = [0, 0, 1, 4, PAYLOAD_BYTES_MAX - 1, PAYLOAD_BYTES_MAX];
    for round in 0..40 {
        let opened = scene.open();
        assert_eq!(opened.payloads, expected, "round {round}");
        let mut pending = Vec::new();
        for _ in 0..dice.below(12) {
            let group: Vec<Vec<u8>> = (0..1 + dice.below(3))
                .map(|_| {
                    let length = match dice.below(8) {
                        0 => edges[dice.below(edges.len())],
                        1 => dice.below(100_000),
                        _ => dice.below(300),
                    };
                    (0..length).map(|at| u8::try_from(at % 256).unwrap()).collect()
                })
                .collect();
            pending.push(opened.log.append(&group).unwrap());
            expected.extend(group);
            if dice.below(3) == 0 {
                durable(pending.drain(..));
            }
        }
        if dice.below(2) == 0 {
            wait(opened.log.seal()).unwrap();
        }
        drop(opened);
    }
    assert!(expected.iter().any(|payload| payload.len() == PAYLOAD_BYTES_MAX));
    assert!(expected.iter().any(Vec::is_empty));
}

#[test]
fn an_append_that_is_too_large_is_refused_whole() {
    let scene = Scene::new();
    let log = scene.open().log;
    let long = vec![0; PAYLOAD_BYTES_MAX + 1];
    let refused = log.append(&[vec![1], long]).map(|_| ()).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { max: PAYLOAD_BYTES_MAX, .. }));
    let many = vec![vec![0; PAYLOAD_BYTES_MAX]; 4];
    let refused = log.append(&many).map(|_| ()).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { max: 0x40_0000, .. }), "{refused}");
    append(&log, &numbered(0)).unwrap();
    drop(log);
    assert_eq!(count(&scene.read().0), 1);
}

#[test]
fn a_full_queue_refuses_at_once_and_takes_again_later() {
    let scene = Scene::new();
    for options in [
        Options { queue_callers_max: 4, ..Options::default() },
        Options { queue_bytes_max: 8_000, ..Options::default() },
    ] {
        let opened = open_with(&scene.path(), options).unwrap();
        let (mut next, mut refused, mut pending) = (count(&opened.payloads), 0, Vec::new());
        // Far more than a disk syncs in the time.
        for _ in 0..20_000 {
            match opened.log.append(&[numbered(next)]) {
                Ok(taken) => {
                    next += 1;
                    pending.push(taken);
                }
                Err(AppendError::Full { callers, bytes }) => {
                    assert!(callers <= 4 || bytes <= 8_000, "{callers} {bytes}");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 0, "nothing was refused");
        durable(pending);
        append(&opened.log, &numbered(next)).unwrap();
        drop(opened);
        assert_eq!(count(&scene.read().0), next + 1);
    }
}

#[test]
fn a_sealed_log_takes_nothing_more() {
    let scene = Scene::new();
    let log = Arc::new(scene.open().log);
    let last = log.append(&[numbered(0)]).unwrap();
    wait(log.seal()).unwrap();
    wait(last).unwrap();
    assert!(matches!(log.append(&[numbered(1)]).map(|_| ()), Err(AppendError::Closed)));
    assert!(wait(log.seal()).is_err());
    // It is free already, while the first still has its handle.
    assert!(scene.open().recovered.sealed);
}

#[test]
fn a_payload_that_is_refused_leaves_the_log_and_its_seal_as_they_were() {
    let scene = Scene::sealed(3);
    let refused = Log::open(&scene.path(), Options::default(), |payload| {
        if payload == numbered(1) { Err("no such event") } else { Ok(()) }
    });
    let error = refused.map(|_| ()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "no such event");
    assert!(scene.open().recovered.sealed);
    assert!(open(&scene.path()).is_ok());
    let infallible = |_: &[u8]| Ok::<(), Infallible>(());
    assert!(Log::open(&scene.path(), Options::default(), infallible).is_ok());
}
