//! The power goes: at every call of a log's life, with every state that the disk may then be in.

use std::fs;

use super::child::Marks;
use super::disk::{Disk, Image};
use super::failing;
use super::scene::{Dice, Scene, append, count, numbered, open};
use super::trace::{Call, watch};

/// One look in so many goes on to append, which takes longer.
const GOES_ON: usize = 16;

/// What the process had been told when the power went.
#[derive(Default)]
struct Told {
    acknowledged: u32,
    /// It was told that the log is open, and has not begun to seal it since.
    open: bool,
}

impl Told {
    fn hear(&mut self, mark: &[u8]) {
        let mark = str::from_utf8(mark).unwrap();
        match mark.strip_prefix("acknowledged ") {
            Some(count) => self.acknowledged = count.parse().unwrap(),
            None => self.open = mark == "open",
        }
    }
}

/// Looks at every crash of a traced life.
fn look_at_crashes(calls: &[Call]) -> usize {
    let (mut disk, mut told, mut dice) = (Disk::default(), Told::default(), Dice(0x5eed));
    let mut looks = 0;
    let mut marks_inode = None;
    for (at, call) in calls.iter().enumerate() {
        match call {
            Call::Made { inode, name } if name == Marks::NAME => marks_inode = Some(*inode),
            Call::Wrote { inode, bytes, .. } if Some(*inode) == marks_inode => told.hear(bytes),
            call => disk.apply(call),
        }
        disk.images(&mut dice, |image| {
            let went_on = looks % GOES_ON == 0;
            look(image, &told, went_on).unwrap_or_else(|why| panic!("after call {at}: {why}"));
            looks += 1;
        });
    }
    looks
}

/// Opens what the power cut left.
fn look(image: &Image, told: &Told, goes_on: bool) -> Result<(), String> {
    if told.open && image.get("log.seal").is_some_and(|seal| !seal.is_empty()) {
        return Err("the seal of an open log came back".to_owned());
    }
    let scene = Scene::quick();
    for (name, bytes) in image {
        fs::write(scene.folder().join(name), bytes).unwrap();
    }
    let opened = open(&scene.path()).map_err(|error| error.to_string())?;
    let found = count(&opened.payloads);
    if found < told.acknowledged {
        return Err(format!("{found} found of {} acknowledged", told.acknowledged));
    }
    if opened.recovered.sealed {
        return Err("sealed after a crash".to_owned());
    }
    if goes_on {
        append(&opened.log, &numbered(found)).unwrap();
        drop(opened);
        let (payloads, recovered) = scene.read();
        assert_eq!((count(&payloads), recovered.cut_bytes), (found + 1, 0));
        let names = fs::read_dir(scene.folder()).unwrap().count();
        assert_eq!(names, 1, "what a crash left beside the log stays");
    }
    Ok(())
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_moment() {
    let scene = Scene::new();
    let calls = watch("history", scene.folder(), None);
    let looks = look_at_crashes(&calls);
    // A shim that saw nothing, or a disk that offers nothing, would pass any log.
    let syncs = calls.iter().filter(|call| matches!(call, Call::Synced { .. })).count();
    let renames = calls.iter().filter(|call| matches!(call, Call::Renamed { .. })).count();
    assert!(syncs > 25 && renames == 3 && looks > 5_000, "{syncs} {renames} {looks}");
    println!("{} calls, {syncs} syncs, {looks} power cuts", calls.len());
}

#[test]
fn a_log_that_did_not_sync_would_be_found_out() {
    let scene = Scene::new();
    let mut calls = watch("history", scene.folder(), None);
    calls.retain(|call| !matches!(call, Call::Synced { name, .. } if name == "log"));
    let found_out = std::panic::catch_unwind(|| look_at_crashes(&calls));
    assert!(found_out.is_err(), "the tests above cannot fail");
}

#[test]
fn what_a_failed_sync_left_in_the_cache_is_durable_before_it_is_believed() {
    let scene = Scene::new();
    // The fourth sync: those of the header and of two appends come before it.
    let mut calls = watch("three appends", scene.folder(), Some("S 4 5"));
    let failed = calls.iter().position(|call| matches!(call, Call::Synced { well: false, .. }));
    let failed = failed.unwrap();
    let writes = |calls: &[Call]| {
        calls.iter().any(|call| matches!(call, Call::Wrote { name, .. } if name == "log"))
    };
    assert!(!writes(&calls[failed..]), "a log was written after a sync of it failed");

    let reopened = watch("reopen", scene.folder(), None);
    assert!(reopened.iter().any(|call| {
        matches!(call, Call::Wrote { bytes, .. } if bytes == failing::FOUND_THREE.as_bytes())
    }));
    calls.extend(reopened);
    look_at_crashes(&calls);
}
