//! A disk that is full: nothing is recorded, so nothing may be done; nothing acknowledged is lost, and room makes it
//! good again.

use std::path::Path;
use std::process::Command;

use farebox::record::verify::{Source, verify};
use farebox::record::{Entry, Kind, NotTaken, Record};

use super::child::{self, open};
use super::scene::{Scene, append, ring, wait};

/// The part of a process on a disk with little room.
pub(super) fn full_disk(folder: &Path) {
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![1; 300_000]).unwrap();
    let (record, _) = open(folder, 64 << 10).unwrap();
    let acknowledged = fill(&record);
    assert!(acknowledged > 100, "{acknowledged}");
    // The process lives, and says why it takes nothing; where only the next file had no room, each append tries again.
    assert!(record.trouble().is_some());
    match record.append(Entry::of(Kind::Requested)) {
        Ok(pending) => assert!(wait(pending).is_err()),
        Err(refused) => assert!(matches!(refused, NotTaken::Trouble(_)), "{refused:?}"),
    }
    drop(record);

    std::fs::remove_file(&filler).unwrap();
    let (record, opened) = open(folder, 64 << 10).unwrap();
    assert!(opened.n >= acknowledged, "{} of {acknowledged}", opened.n);
    append(&record, Entry::of(Kind::Started));
    wait(record.close()).unwrap();
    drop(record);
    let report = verify(&[Source::Folder(folder.into())], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!(report.faults, []);
}

/// Appends until the disk is full, and gives the last entry that is acknowledged.
fn fill(record: &Record) -> u64 {
    let mut last = 0;
    loop {
        let entry = Entry::of(Kind::Alarm).reason(&"x".repeat(1_000));
        let Ok(pending) = record.append(entry) else { return last };
        let Ok(kept) = wait(pending) else { return last };
        last = kept.n;
        assert!(last < 100_000, "the disk is not full");
    }
}

#[test]
fn a_full_file_system_stops_the_record_and_room_mends_it() {
    let scene = Scene::new();
    std::fs::create_dir(scene.folder()).unwrap();
    let arguments = ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let tried = Command::new("unshare").args(arguments).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        println!("no mounts are allowed here");
        return;
    }
    let mount = r#"mount -t tmpfs -o size=1500k tmpfs "$FAREBOX_TEST_FOLDER" && exec "$@""#;
    let played = child::command("full disk", &scene.folder());
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", mount, "sh"]).arg(played.get_program());
    command.args(played.get_args());
    command.envs(played.get_envs().filter_map(|(name, value)| Some((name, value?))));
    child::succeeds(&mut command);
}

#[test]
fn a_checkpoint_that_cannot_be_kept_stops_the_record_until_it_can() {
    let scene = Scene::new();
    let record = scene.open();
    // A folder stands where the new checkpoint would be made.
    // The one of the start may be under way there.
    while std::fs::create_dir(scene.folder().join("checkpoint.json.new")).is_err() {
        std::thread::yield_now();
    }
    // The one that a start signs may be the first to find it: then these are refused already.
    drop(record.append(Entry::of(Kind::Alarm)));
    drop(record.checkpoint());
    // The thread that keeps it says so soon.
    while record.trouble().is_none() {
        std::thread::yield_now();
    }
    let refused = record.append(Entry::of(Kind::Alarm)).map(drop).unwrap_err();
    assert!(matches!(refused, NotTaken::Trouble(_)), "{refused:?}");

    // Nothing is appended, so nothing newer comes: it is tried again without.
    drop(std::fs::remove_file(scene.folder().join("checkpoint.json")));
    std::fs::remove_dir(scene.folder().join("checkpoint.json.new")).unwrap();
    while record.trouble().is_some() {
        std::thread::yield_now();
    }
    assert!(scene.folder().join("checkpoint.json").exists());
    append(&record, Entry::of(Kind::Alarm));
}
