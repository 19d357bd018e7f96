//! A disk that forgets: from the calls of a process, every state that a power cut may leave behind.
//!
//! What is synced stays. Of what is not, any prefix may be there, cut at any byte; or any of its sectors, the
//! others as they were, or full of what the blocks held before; and of names that were changed since their folder
//! was synced, any prefix or any one alone. Syncing a file is not taken to keep its name.

use std::collections::{BTreeMap, HashMap};

use super::scene::Dice;
use super::trace::Call;

const SECTOR_BYTES: usize = 512;
/// More sectors than this are not tried in every combination but in so many, by dice.
const SECTORS_MAX: usize = 5;

/// What a power cut left: names and contents.
pub(super) type Image = BTreeMap<String, Vec<u8>>;
type Names = BTreeMap<String, usize>;

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Clone)]
enum Naming {
    Made(String, usize),
    Renamed(String, String),
    Removed(String),
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    changes: Vec<Change>,
}

/// The disk after some calls.
#[derive(Default)]
pub(super) struct Disk {
    files: Vec<File>,
    inodes: HashMap<u64, usize>,
    names: Names,
    namings: Vec<Naming>,
    /// The file that the last call wrote to.
    touched: Option<usize>,
}

impl Disk {
    pub(super) fn apply(&mut self, call: &Call) {
        self.touched = None;
        match call {
            Call::Made { inode, name } => {
                // An inode may be one that an earlier file had.
                self.inodes.insert(*inode, self.files.len());
                self.namings.push(Naming::Made(name.clone(), self.files.len()));
                self.files.push(File::default());
            }
            Call::Wrote { inode, offset, bytes, .. } => {
                self.change(*inode, Change::Write(*offset, bytes.clone()));
            }
            Call::Cut { inode, length } => self.change(*inode, Change::Cut(*length)),
            Call::Synced { name, well: true, .. } if name.is_empty() => {
                let namings = std::mem::take(&mut self.namings);
                namings.iter().for_each(|naming| naming.apply(&mut self.names));
            }
            Call::Synced { inode, well, .. } => {
                if let Some(file) = self.inodes.get(inode) {
                    let file = &mut self.files[*file];
                    let changed = file.after(file.changes.len());
                    // The system forgets what a failed sync did not write.
                    file.changes.clear();
                    if *well {
                        file.synced = changed;
                    }
                }
            }
            Call::Renamed { from, to } => {
                self.namings.push(Naming::Renamed(from.clone(), to.clone()));
            }
            Call::Removed { name } => self.namings.push(Naming::Removed(name.clone())),
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        let file = self.inodes[&inode];
        self.files[file].changes.push(change);
        self.touched = Some(file);
    }

    /// Hands over every state that the power could leave if it went now.
    pub(super) fn images(&self, dice: &mut Dice, mut look: impl FnMut(&Image)) {
        let none = |file: &File| file.synced.clone();
        let all = |file: &File| file.after(file.changes.len());
        for names in self.namings() {
            let image = |of: &dyn Fn(&File) -> Vec<u8>| -> Image {
                names.iter().map(|(name, file)| (name.clone(), of(&self.files[*file]))).collect()
            };
            look(&image(&none));
            let whole = image(&all);
            look(&whole);
            let touched = names.iter().find(|(_, file)| Some(**file) == self.touched);
            let Some((name, file)) = touched else { continue };
            for content in self.files[*file].torn(dice) {
                let mut torn = whole.clone();
                torn.insert(name.clone(), content);
                look(&torn);
            }
        }
    }

    /// What the folder may list.
    fn namings(&self) -> Vec<Names> {
        let mut prefix = self.names.clone();
        let mut found = vec![prefix.clone()];
        for naming in &self.namings {
            naming.apply(&mut prefix);
            found.push(prefix.clone());
            let mut alone = self.names.clone();
            naming.apply(&mut alone);
            found.push(alone);
        }
        found.dedup();
        found
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Naming::Made(name, file) => {
                names.insert(name.clone(), *file);
            }
            Naming::Renamed(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Naming::Removed(name) => {
                names.remove(name);
            }
        }
    }
}

impl File {
    /// After so many of the changes.
    fn after(&self, changes: usize) -> Vec<u8> {
        let mut content = self.synced.clone();
        for change in &self.changes[..changes] {
            match change {
                Change::Write(offset, bytes) => {
                    let end = offset + bytes.len();
                    content.resize(content.len().max(end), 0);
                    content[*offset..end].copy_from_slice(bytes);
                }
                Change::Cut(length) => content.resize(*length, 0),
            }
        }
        content
    }

    /// What may be left of the last change, and of all that is not synced.
    fn torn(&self, dice: &mut Dice) -> Vec<Vec<u8>> {
        let mut torn = self.scattered(dice);
        let Some(Change::Write(offset, bytes)) = self.changes.last() else { return torn };
        let before = self.after(self.changes.len() - 1);
        // Zeros that are written ahead are cut in a few places, anything else in every one.
        let step = if bytes.iter().all(|byte| *byte == 0) { bytes.len() / 3 + 1 } else { 1 };
        for length in (0..bytes.len()).step_by(step) {
            let mut content = before.clone();
            content.resize(content.len().max(offset + length), 0);
            content[*offset..offset + length].copy_from_slice(&bytes[..length]);
            torn.push(content);
        }
        torn
    }

    /// Some of the sectors that are not synced are there, and others are not.
    fn scattered(&self, dice: &mut Dice) -> Vec<Vec<u8>> {
        let new = self.after(self.changes.len());
        let mut old = self.synced.clone();
        old.resize(new.len(), 0);
        let sectors: Vec<_> = (0..new.len())
            .step_by(SECTOR_BYTES)
            .map(|at| at..new.len().min(at + SECTOR_BYTES))
            .filter(|at| new[at.clone()] != old[at.clone()])
            .collect();
        let combinations = 1_usize << sectors.len().min(SECTORS_MAX);
        let mut found = Vec::new();
        for combination in 1..combinations {
            let (mut kept, mut stale) = (new.clone(), new.clone());
            for (number, at) in sectors.iter().enumerate() {
                let lost = if sectors.len() <= SECTORS_MAX {
                    combination >> number & 1 == 1
                } else {
                    dice.below(2) == 1
                };
                if !lost {
                    continue;
                }
                kept[at.clone()].copy_from_slice(&old[at.clone()]);
                // A block that never held what was synced may hold anything.
                if old[at.clone()].iter().all(|byte| *byte == 0) {
                    stale[at.clone()].fill_with(|| u8::try_from(dice.below(256)).unwrap());
                } else {
                    stale[at.clone()].copy_from_slice(&old[at.clone()]);
                }
            }
            found.extend([kept, stale]);
        }
        found
    }
}
