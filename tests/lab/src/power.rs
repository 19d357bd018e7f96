//! A power cut: a killed process, and every file cut back to what was synced.
//!
//! SIGKILL alone loses nothing that was written, for the system still has it. This is the worst case
//! instead: no byte is on disk before somebody has waited for it. Names are taken to be safe.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shim::Shim;

/// The disk of one process, and of its children.
#[derive(Debug)]
pub struct Power {
    shim: Shim,
}

/// What a power cut took from one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The file.
    pub path: PathBuf,
    /// How many bytes of its end.
    pub bytes: u64,
}

impl Power {
    /// A disk whose record is kept in this folder; what is cut must lie in another.
    #[must_use]
    pub fn new(folder: &Path) -> Power {
        let text = include_str!("../shims/power.c");
        Power { shim: Shim::compile(("power", text), ("FAREBOX_LAB_POWER", b""), folder) }
    }

    /// This command, once it runs, has this disk.
    pub fn stand_before(&self, command: &mut Command) {
        self.shim.stand_before(command);
    }

    /// How many bytes of each file would survive.
    ///
    /// # Panics
    /// Where the record is not one of ours.
    #[must_use]
    pub fn synced(&self) -> BTreeMap<PathBuf, u64> {
        let mut synced = BTreeMap::new();
        let mut moved = None;
        let record = fs::read_to_string(&self.shim.file).unwrap();
        for line in record.lines() {
            let mut words = line.splitn(3, ' ');
            let event = words.next().unwrap();
            let length: u64 = words.next().unwrap().parse().unwrap();
            let path = PathBuf::from(words.next().unwrap());
            match event {
                "sync" => drop(synced.insert(path, length)),
                "cut" => {
                    let safe = synced.entry(path).or_default();
                    *safe = length.min(*safe);
                }
                "gone" => drop(synced.remove(&path)),
                "move" => moved = synced.remove(&path),
                "to" => drop(synced.insert(path, moved.take().unwrap_or(0))),
                other => panic!("{other} is no event"),
            }
        }
        synced
    }

    /// Cuts every file below this folder back to what was synced, and says what that took. The process
    /// must be dead.
    ///
    /// # Panics
    /// Where the folder cannot be changed.
    #[expect(clippy::must_use_candidate, reason = "the files are what changes")]
    pub fn cut(&self, folder: &Path) -> Vec<Lost> {
        let synced = self.synced();
        let mut lost = Vec::new();
        let mut record = String::new();
        for path in files_below(&folder.canonicalize().unwrap()) {
            let length = path.metadata().unwrap().len();
            let safe = synced.get(&path).copied().unwrap_or(0).min(length);
            if safe < length {
                File::options().write(true).open(&path).unwrap().set_len(safe).unwrap();
                lost.push(Lost { path: path.clone(), bytes: length - safe });
            }
            // What is there when the power is back has been read from the disk.
            record += &format!("sync {safe} {}\n", path.display());
        }
        fs::write(&self.shim.file, record).unwrap();
        lost
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}
