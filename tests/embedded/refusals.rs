//! Files that a store is not opened from: each said plainly, with how it is mended, and left as it was.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use farebox::log::{self, Log, Options};
use farebox::store::{Embedded, Ledger, OpenError};
use farebox_verifier::{ManualClock, StoreName};

use super::child;
use super::scene::{NOW, POLICY, Scene, close, issue, open_at, register, registration, spend};

/// The part of a process that finds the store in use.
pub(super) fn locked_out(folder: &Path) {
    let refused = open_at(&folder.join("store"), &Arc::new(ManualClock::at(NOW)));
    let error = refused.map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Log(log::OpenError::Locked { .. })), "{error:?}");
    assert!(error.to_string().contains("is in use: stop the other process"), "{error}");
}

/// A log with these payloads.
async fn log_of(path: &Path, payloads: &[&[u8]]) {
    let (log, _) = Log::open(path, Options::default(), |_| Ok::<(), Infallible>(())).unwrap();
    log.append(payloads).unwrap().await.unwrap();
}

/// A store with some grants in it, closed or not.
async fn some_store(scene: &Scene) {
    let store = scene.open();
    for number in 0..20 {
        issue(scene, &*store, number).await;
    }
    drop(store);
}

#[tokio::test]
async fn two_processes_do_not_share_a_file() {
    let scene = Scene::new();
    let store = scene.open();
    let ticket = issue(&scene, &*store, 1).await;
    child::succeeds(&mut child::command("locked out", scene.folder()));
    let error = scene.refusal();
    assert!(matches!(error, OpenError::Log(log::OpenError::Locked { .. })), "{error:?}");
    // Whoever has it is not disturbed.
    spend(&*store, &ticket, 1).await.unwrap();
}

#[tokio::test]
async fn another_programs_file_is_none() {
    let scene = Scene::new();
    for bytes in [&b"# a text\n"[..], b"SQLite format 3\0", &[0; 4096]] {
        fs::write(scene.path(), bytes).unwrap();
        let error = scene.refusal();
        assert!(matches!(error, OpenError::Log(log::OpenError::Foreign { .. })), "{error:?}");
        assert_eq!(fs::read(scene.path()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn the_log_of_another_program_is_none() {
    for payload in [&b"an event"[..], &[], &[1], &[3, 0, 0], b"\x01farebox\0"] {
        let scene = Scene::new();
        log_of(&scene.path(), &[payload]).await;
        let before = fs::read(scene.path()).unwrap();
        let error = scene.refusal();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert_eq!(fs::read(scene.path()).unwrap(), before);
    }
}

#[tokio::test]
async fn a_newer_file_is_left_to_newer_programs() {
    let scene = Scene::new();
    log_of(&scene.path(), &[b"\x01farebox\0\x02 whatever that will be"]).await;
    let error = scene.refusal();
    assert!(matches!(error, OpenError::Newer { version: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("run the version that wrote it"), "{error}");
}

#[tokio::test]
async fn another_stores_file_is_not_this_ones() {
    let scene = Scene::new();
    some_store(&scene).await;
    let other = StoreName::parse("another").unwrap();
    let refused = Embedded::open(&scene.path(), other, Arc::clone(&scene.clock) as _, POLICY);
    let error = refused.map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::OtherStore { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("file of store embedded, not of another"), "{said}");
    // It was not begun anew by being looked at.
    assert_eq!(scene.open_unsealed().1, 20);
}

#[tokio::test]
async fn a_ledger_is_no_store_and_a_store_is_no_ledger() {
    let scene = Scene::new();
    drop(Ledger::open(&scene.path(), Arc::clone(&scene.clock) as _).unwrap());
    let error = scene.refusal();
    assert!(matches!(error, OpenError::NoStore { .. }), "{error:?}");

    let scene = Scene::new();
    some_store(&scene).await;
    let refused = Ledger::open(&scene.path(), Arc::clone(&scene.clock) as _);
    let error = refused.map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::NoLedger { .. }), "{error:?}");
    assert!(error.to_string().contains("name another file for the ledger"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_damaged_before_its_end_is_not_opened() {
    let scene = Scene::new();
    some_store(&scene).await;
    let whole = fs::read(scene.path()).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for at in [60, end / 3, end / 2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(scene.path(), &damaged).unwrap();
        let error = scene.refusal();
        assert!(matches!(error, OpenError::Log(log::OpenError::Damaged { .. })), "{at}: {error:?}");
        assert!(error.to_string().contains("restore it from a backup"), "{error}");
        assert_eq!(fs::read(scene.path()).unwrap(), damaged, "it is left as it was");
    }
}

#[tokio::test]
async fn a_torn_end_is_cut_off_and_said() {
    let scene = Scene::new();
    some_store(&scene).await;
    let mut torn = fs::read(scene.path()).unwrap();
    let end = torn.iter().rposition(|byte| *byte != 0).unwrap();
    torn.truncate(end - 7);
    fs::write(scene.path(), &torn).unwrap();
    let (store, opened) = scene.try_open().unwrap();
    assert!(opened.cut_bytes > 0, "{opened:?}");
    register(&*store, registration(99, NOW)).await.unwrap();
    close(store).await;
    drop(scene.open_sealed());
}

#[tokio::test]
async fn lines_that_make_no_store_are_not_believed() {
    let head = b"\x01farebox\0\x01\0\0\0\0\x08embedded".as_slice();
    // A second head; a word of no life; an event of none; a piece of nothing; no line at all.
    let mut forgotten = vec![5];
    forgotten.extend([7; 16]);
    let lines: [&[u8]; 4] = [head, &forgotten, b"\x07\x04\0\0", b"\xffwhatever"];
    for line in lines {
        let scene = Scene::new();
        log_of(&scene.path(), &[head, line]).await;
        let error = scene.refusal();
        assert!(matches!(error, OpenError::Unbelievable { .. }), "{line:?}: {error:?}");
    }
    // The head alone is a store that was made and in which no life has begun.
    let scene = Scene::new();
    log_of(&scene.path(), &[head]).await;
    drop(scene.open());
}

#[test]
fn what_has_no_folder_says_so() {
    let scene = Scene::new();
    let clock = Arc::new(ManualClock::at(NOW));
    let refused = open_at(&scene.folder().join("nowhere/store"), &clock);
    let error = refused.map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Log(log::OpenError::Folder { .. })), "{error:?}");
}
