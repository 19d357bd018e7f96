//! What other processes do: this test binary, started again to play one part.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::scene::{all_below, append, append_numbers, count, numbered, open, wait};
use super::{failing, full, killed, parts, refusals};

pub(super) use super::parts::succeeds;

const TEST: &str = "log::child::plays_a_part";

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
        "rewriting flood" => killed::rewriting_flood(folder),
        "three appends" => failing::three_appends(folder),
        "refused rewrite" => failing::refused_rewrite(folder),
        "doubtful rewrite" => failing::doubtful_rewrite(folder),
        "failed beside a rewrite" => failing::failed_beside_a_rewrite(folder),
        "reopen" => failing::reopen(folder),
        "full disk" => full::full_disk(folder),
        "locked out" => refusals::locked_out(folder),
        "read-only mount" => refusals::read_only_mount(folder),
        "sync count" => failing::a_thousand_at_once(folder),
        other => panic!("no part {other}"),
    });
}

/// A file in the watched folder that says what this process was told by then.
pub(super) struct Marks(File);

impl Marks {
    pub(super) const NAME: &str = "marks";

    pub(super) fn new(folder: &Path) -> Marks {
        let path = folder.join(Marks::NAME);
        Marks(fs::OpenOptions::new().append(true).create(true).open(path).unwrap())
    }

    /// So many numbers are acknowledged.
    pub(super) fn acknowledged(&mut self, count: u32) {
        self.say(&format!("acknowledged {count}"));
    }

    pub(super) fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }
}

/// Everything a log does in its life, with a mark for each thing it said.
fn history(folder: &Path) {
    let (path, mut marks) = (folder.join("log"), Marks::new(folder));
    let log = open(&path).unwrap().log;
    for number in 0..9 {
        append(&log, &numbered(number)).unwrap();
        marks.acknowledged(number + 1);
    }
    append_numbers(&log, 9..14);
    marks.acknowledged(14);
    drop(log);

    let opened = open(&path).unwrap();
    assert_eq!((count(&opened.payloads), opened.recovered.sealed), (14, false));
    append_numbers(&opened.log, 14..16);
    marks.acknowledged(16);
    marks.say("sealing");
    wait(opened.log.seal()).unwrap();
    drop(opened);

    let opened = open(&path).unwrap();
    marks.say("open");
    assert_eq!((count(&opened.payloads), opened.recovered.sealed), (16, true));
    append(&opened.log, &numbered(16)).unwrap();
    marks.acknowledged(17);

    // Numbers 17 to 20 come after the line, while the new file is written.
    let rewriting = opened.log.rewrite([all_below(17)].into_iter()).unwrap();
    append_numbers(&opened.log, 17..20);
    marks.acknowledged(20);
    wait(rewriting).unwrap();
    append(&opened.log, &numbered(20)).unwrap();
    marks.acknowledged(21);
    let many = (0..21).map(numbered).collect::<Vec<_>>();
    wait(opened.log.rewrite(many.into_iter()).unwrap()).unwrap();
    append(&opened.log, &numbered(21)).unwrap();
    marks.acknowledged(22);
    marks.say("sealing");
    wait(opened.log.seal()).unwrap();
}
