//! What other processes do: this test binary, started again to play one part.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use farebox::record::{Entry, Kind, Opened, Options, Record, RecordError};
use farebox_verifier::ManualClock;

use super::scene::{NOW, append, chain, described, key, life_of, wait};
use super::{full, killed, parts};

pub(super) use super::parts::succeeds;

const TEST: &str = "record::child::plays_a_part";

/// A process that plays this part in this folder.
pub(super) fn command(part: &str, folder: &Path) -> Command {
    parts::command(TEST, part, folder)
}

/// Does nothing unless it was started to.
#[test]
fn plays_a_part() {
    parts::play(|part, folder| match part {
        "history" => history(folder),
        "flood" => killed::flood(folder),
        "full disk" => full::full_disk(folder),
        "failed sync" => failed_sync(folder),
        other => panic!("no part {other}"),
    });
}

/// Opens the record in this very folder.
pub(super) fn open(folder: &Path, segment_bytes: u64) -> Result<(Record, Opened), RecordError> {
    let options =
        Options { checkpoint_entries: 8, segment_bytes, ..Options::of(chain("issuer-1")) };
    let clock = Arc::new(ManualClock::at(NOW));
    Record::open(folder, options, Box::new(key((1, 1))), clock)
}

/// A file in the watched folder that says what this process was told by then.
pub(super) struct Marks(File);

impl Marks {
    pub(super) const NAME: &str = "marks";

    fn new(folder: &Path) -> Marks {
        let path = folder.join(Marks::NAME);
        Marks(fs::OpenOptions::new().append(true).create(true).open(path).unwrap())
    }

    fn acknowledged(&mut self, n: u64) {
        self.0.write_all(format!("acknowledged {n}").as_bytes()).unwrap();
    }
}

/// Everything that a record does in its life, with a mark for each thing that it acknowledged.
fn history(folder: &Path) {
    let mut marks = Marks::new(folder);
    let (record, opened) = open(folder, 16 << 10).unwrap();
    assert!(opened.created);
    for number in 0..2 {
        let entries = life_of(number).into();
        marks.acknowledged(wait(record.append_all(entries).unwrap()).unwrap().n);
    }
    marks.acknowledged(append(&record, described(Kind::Requested, 9)));
    drop(record);

    // One long entry, so that another file is begun soon.
    let (record, _) = open(folder, 16 << 10).unwrap();
    let long = Entry::of(Kind::Alarm).detail("long", "x".repeat(16 << 10));
    marks.acknowledged(append(&record, long));
    for number in 2..4 {
        marks.acknowledged(append(&record, described(Kind::Denied, number)));
    }
    assert!(folder.join("record-000002").exists());
    wait(record.close()).unwrap();
    drop(record);

    let (record, opened) = open(folder, 16 << 10).unwrap();
    assert!(opened.sealed && opened.begun.len() == 1);
    marks.acknowledged(append(&record, described(Kind::Denied, 9)));
}

/// A disk whose sync fails under an append: nothing is taken any more, and the process lives.
fn failed_sync(folder: &Path) {
    let (record, _) = open(folder, 1 << 20).unwrap();
    let mut taken = 0;
    let lost = loop {
        match record.append(Entry::of(Kind::Alarm)) {
            Ok(pending) => match wait(pending) {
                Ok(_) => taken += 1,
                Err(lost) => break lost,
            },
            Err(refused) => panic!("{refused} before anything was lost"),
        }
        assert!(taken < 100, "the shim failed nothing");
    };
    assert!(lost.to_string().contains("nobody knows"));
    assert!(record.trouble().is_some());
    let refused = record.append(Entry::of(Kind::Alarm)).map(drop).unwrap_err();
    assert!(matches!(refused, farebox::record::NotTaken::Trouble(_)), "{refused:?}");
}
