//! A disk that fails: once is for good, and nobody is told that anything is durable.

use std::path::Path;
use std::sync::mpsc;

use farebox::log::{AppendError, DiskError, RewriteError, SealError};

use super::child::Marks;
use super::scene::{Scene, all_below, append, append_numbers, count, numbered, open, wait};
use super::trace::{Call, watch};

/// What a child says that found the append whose sync had failed.
pub(super) const FOUND_THREE: &str = "acknowledged 3";

/// The part of a process whose third append fails at the disk.
pub(super) fn three_appends(folder: &Path) {
    let (log, mut marks) = (open(&folder.join("log")).unwrap().log, Marks::new(folder));
    for number in 0..2 {
        append(&log, &numbered(number)).unwrap();
        marks.acknowledged(number + 1);
    }
    let failed = append(&log, &numbered(2)).unwrap_err();
    assert!(matches!(failed, AppendError::Disk(DiskError::Io { .. })), "{failed:?}");
    // At once, and again and again: there is nothing to wait for.
    for _ in 0..3 {
        let refused = log.append(&[numbered(3)]).map(|_| ()).unwrap_err();
        assert_eq!(format!("{refused:?}"), format!("{failed:?}"));
    }
    let unsealed = wait(log.seal()).unwrap_err();
    assert!(matches!(unsealed, SealError::Log(AppendError::Disk(_))), "{unsealed:?}");
}

/// The part of the process that comes after it. What it found it builds on, as if it were acknowledged.
pub(super) fn reopen(folder: &Path) {
    let opened = open(&folder.join("log")).unwrap();
    Marks::new(folder).acknowledged(count(&opened.payloads));
}

/// The part of a process with a thousand callers.
pub(super) fn a_thousand_at_once(folder: &Path) {
    append_numbers(&open(&folder.join("log")).unwrap().log, 0..1_000);
}

/// The part of a process whose new file cannot be synced.
pub(super) fn refused_rewrite(folder: &Path) {
    let log = open(&folder.join("log")).unwrap().log;
    append(&log, &numbered(0)).unwrap();
    let refused = wait(log.rewrite([all_below(1)].into_iter()).unwrap());
    assert!(matches!(refused, Err(RewriteError::Disk(DiskError::Io { .. }))), "{refused:?}");
    append(&log, &numbered(1)).unwrap();
    wait(log.rewrite([all_below(2)].into_iter()).unwrap()).unwrap();
    append(&log, &numbered(2)).unwrap();
}

/// The part of a process whose folder cannot be synced once the new file has the name.
pub(super) fn doubtful_rewrite(folder: &Path) {
    let (log, mut marks) = (open(&folder.join("log")).unwrap().log, Marks::new(folder));
    append_numbers(&log, 0..3);
    marks.acknowledged(3);
    let failed = wait(log.rewrite([all_below(3)].into_iter()).unwrap());
    let why = AppendError::Disk(failed_disk(failed));
    let refused = log.append(&[numbered(3)]).map(|_| ()).unwrap_err();
    assert_eq!(format!("{refused:?}"), format!("{why:?}"));
    assert!(wait(log.seal()).is_err());
}

/// The part of a process whose append fails while a new file is being written.
pub(super) fn failed_beside_a_rewrite(folder: &Path) {
    let log = open(&folder.join("log")).unwrap().log;
    append(&log, &numbered(0)).unwrap();
    let (go, gone) = mpsc::channel::<()>();
    let slow = std::iter::once_with(move || {
        gone.recv().unwrap();
        all_below(1)
    });
    let rewriting = log.rewrite(slow).unwrap();
    let failed = append(&log, &numbered(1)).unwrap_err();
    go.send(()).unwrap();
    let why = AppendError::Disk(failed_disk(wait(rewriting)));
    assert_eq!(format!("{failed:?}"), format!("{why:?}"));
}

fn failed_disk(failed: Result<(), RewriteError>) -> DiskError {
    match failed {
        Err(RewriteError::Log(AppendError::Disk(why))) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rewrite_whose_file_cannot_be_synced_leaves_the_log_in_use() {
    let scene = Scene::new();
    // The third sync of a file: the header's and an append's come before it.
    watch("refused rewrite", scene.folder(), Some("S 3 5"));
    assert_eq!(count(&scene.read().0), 3);
}

#[test]
fn a_rewrite_that_may_be_undone_ends_the_log() {
    let scene = Scene::new();
    // The second sync of the folder: the first is when the log is made.
    watch("doubtful rewrite", scene.folder(), Some("D 2 5"));
    assert_eq!(count(&scene.read().0), 3);
}

#[test]
fn a_log_that_failed_is_not_replaced_by_a_rewrite_that_was_under_way() {
    let scene = Scene::new();
    // The third sync of a file is the second append's: the new file is synced when it is whole.
    let calls = watch("failed beside a rewrite", scene.folder(), Some("S 3 5"));
    let renames = calls.iter().filter(|call| matches!(call, Call::Renamed { .. })).count();
    assert_eq!(renames, 1, "only when the log was made");
    let names = std::fs::read_dir(scene.folder()).unwrap().count();
    assert_eq!(names, 1, "what there was of the new file is removed");
}

#[test]
fn a_sync_that_fails_is_the_last_thing_a_log_does() {
    let scene = Scene::new();
    watch("three appends", scene.folder(), Some("S 4 5"));
    let (payloads, recovered) = scene.read();
    assert!(count(&payloads) >= 2 && !recovered.sealed);
}

#[test]
fn a_write_that_fails_half_way_is_cut_off_when_the_log_is_next_opened() {
    let scene = Scene::new();
    // The tenth: a header, a frame, four runs of zeros, a mark, a frame and a mark come before it.
    watch("three appends", scene.folder(), Some("W 10 5"));
    let (payloads, recovered) = scene.read();
    assert_eq!(count(&payloads), 2);
    assert!(recovered.cut_bytes > 0);
}

#[test]
fn a_thousand_callers_at_once_share_their_syncs() {
    let scene = Scene::new();
    let calls = watch("sync count", scene.folder(), None);
    let syncs = calls.iter().filter(|call| matches!(call, Call::Synced { .. })).count();
    assert!(syncs < 200, "{syncs} syncs for 1,000 appends");
    assert_eq!(count(&scene.read().0), 1_000);
}
