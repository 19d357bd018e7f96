//! The power goes: at every call of a record's life, with every state that the disk may then be in.

use std::fs;

use farebox::record::verify::{Source, verify};

use super::child::{Marks, open};
use super::disk::{Disk, Image};
use super::scene::{Dice, Scene, append, described, ring};
use super::trace::{Call, watch};
use farebox::record::Kind;

/// Of the states that differ only in where one write was cut, one in so many is looked at.
const LOOKS: usize = 8;

/// Opens what the power cut left, and goes on.
fn look(image: &Image, acknowledged: u64) -> Result<(), String> {
    let scene = Scene::new();
    let folder = scene.folder();
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in image {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let (record, opened) = open(&folder, 16 << 10).map_err(|error| chain(&error))?;
    if opened.n < acknowledged {
        return Err(format!("{} found of {acknowledged} acknowledged", opened.n));
    }
    append(&record, described(Kind::Denied, 9));
    drop(record);
    let report = verify(&[Source::Folder(folder)], &ring(&[(1, 1)], &[]), &[]).unwrap();
    if report.is_good() { Ok(()) } else { Err(format!("{:?}", report.faults)) }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn look_at_crashes(calls: &[Call]) -> usize {
    let (mut disk, mut acknowledged, mut dice) = (Disk::default(), 0, Dice(0x5eed));
    let (mut marks, mut looks, mut states) = (None, 0, 0);
    for (at, call) in calls.iter().enumerate() {
        match call {
            Call::Made { inode, name } if name == Marks::NAME => marks = Some(*inode),
            Call::Wrote { inode, bytes, .. } if Some(*inode) == marks => {
                let mark = str::from_utf8(bytes).unwrap();
                acknowledged = mark.strip_prefix("acknowledged ").unwrap().parse().unwrap();
            }
            call => disk.apply(call),
        }
        let mut first = 0;
        disk.images(&mut dice, |image| {
            (first, states) = (first + 1, states + 1);
            // Those of whole writes come first; of the cut ones there are hundreds.
            if first <= 6 || states % LOOKS == 0 {
                look(image, acknowledged).unwrap_or_else(|why| panic!("after call {at}: {why}"));
                looks += 1;
            }
        });
    }
    looks
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_moment() {
    let scene = Scene::new();
    fs::create_dir(scene.folder()).unwrap();
    let calls = watch("history", &scene.folder(), None);
    let looks = look_at_crashes(&calls);
    let syncs = calls.iter().filter(|call| matches!(call, Call::Synced { .. })).count();
    assert!(syncs > 20 && looks > 1_000, "{syncs} {looks}");
    println!("{} calls, {syncs} syncs, {looks} power cuts", calls.len());
}

#[test]
fn a_record_that_did_not_sync_would_be_found_out() {
    let scene = Scene::new();
    fs::create_dir(scene.folder()).unwrap();
    let mut calls = watch("history", &scene.folder(), None);
    calls.retain(|call| !matches!(call, Call::Synced { name, .. } if name == "record-000001"));
    let found_out = std::panic::catch_unwind(|| look_at_crashes(&calls));
    assert!(found_out.is_err(), "the test above cannot fail");
}

#[test]
fn a_sync_that_fails_is_the_last_thing_a_record_does_and_the_process_lives() {
    let scene = Scene::new();
    fs::create_dir(scene.folder()).unwrap();
    watch("failed sync", &scene.folder(), Some("S 9 5"));
    let (record, _) = open(&scene.folder(), 1 << 20).unwrap();
    append(&record, described(Kind::Denied, 1));
}
