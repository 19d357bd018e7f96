//! What the desk's file holds: first all that an earlier file came to, then one entry after another.
//!
//! ```text
//! Numbers  Keys…  Request…  Block…  Boot…  Life…  Holds…  │  Entry  Entry  Entry …
//! └──────────── what was carried over ────────────────┘
//! ```
//! Nothing carried over is an event: it was one in the file before.

use farebox_verifier::UnixSeconds;

use super::Desk;
use super::blocks::Block;
use super::boots::CarriedBoot;
use super::event::{DeskEntry, DeskEvent};
use super::holds::BegunHold;
use super::keys::KnownKey;
use super::lives::KnownLife;
use super::request::Request;
use crate::limits;
use crate::store::packed::{self, Packed, PackedError, Writer, choices};

/// One piece of what was carried over.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Carried {
    /// What the desk has counted up to. It comes first.
    Numbers {
        /// The number of the last event.
        appended: u64,
        /// The highest clock seen.
        latest: UnixSeconds,
        /// The last place in the queue.
        order: u64,
        /// The last number that was given for a local store.
        sequence: u64,
    },
    /// Some keys.
    Keys(Vec<KnownKey>),
    /// A request.
    Request(Box<Request>),
    /// A block.
    Block(Box<Block>),
    /// A local store.
    Boot(Box<CarriedBoot>),
    /// A life.
    Life(Box<KnownLife>),
    /// Some holds.
    Holds(Vec<BegunHold>),
}

choices!(Carried {
    0_u8 = Numbers { appended, latest, order, sequence },
    1_u8 = Keys(keys),
    2_u8 = Request(request),
    3_u8 = Block(block),
    4_u8 = Boot(boot),
    5_u8 = Life(life),
    6_u8 = Holds(holds),
});

/// One payload of the file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DeskLine {
    /// What was carried over from an earlier file.
    Carried(Carried),
    /// What happened since.
    Entry(DeskEntry),
}

choices!(DeskLine { 0_u8 = Carried(carried), 1_u8 = Entry(entry) });

impl DeskEntry {
    /// The payload that keeps it.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, PackedError> {
        line(1, self)
    }
}

impl Carried {
    /// The payload that keeps it.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, PackedError> {
        line(0, self)
    }
}

/// The bytes of a line, from what it holds.
fn line(tag: u8, held: &impl Packed) -> Result<Vec<u8>, PackedError> {
    let mut writer = Writer::default();
    tag.pack(&mut writer);
    held.pack(&mut writer);
    writer.finish()
}

/// Why a file does not make a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReplayError {
    /// A payload is none of the desk's.
    #[error("a payload after event {after} cannot be read")]
    Unreadable {
        /// The last event before it.
        after: u64,
        /// Why.
        source: PackedError,
    },
    /// An event is missing, or there twice.
    #[error("event {found} follows event {after}")]
    Gap {
        /// The last event before it.
        after: u64,
        /// The number that follows.
        found: u64,
    },
    /// What is carried over stands after an event, or before its numbers.
    #[error("what was carried over stands out of place after event {after}")]
    Misplaced {
        /// The last event before it.
        after: u64,
    },
}

/// A desk that is being read back.
pub(crate) struct Replay {
    desk: Desk,
    stage: Stage,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    CarriedOver,
    Entries,
}

impl Replay {
    /// A desk of which nothing is read.
    pub(crate) fn begin() -> Replay {
        Replay { desk: Desk::new(UnixSeconds(0)), stage: Stage::Nothing }
    }

    /// Takes the next payload in, and says what had happened, if it tells that.
    pub(crate) fn take(&mut self, payload: &[u8]) -> Result<Option<DeskEvent>, ReplayError> {
        let after = self.desk.appended;
        match packed::read(payload).map_err(|source| ReplayError::Unreadable { after, source })? {
            DeskLine::Carried(carried) => {
                let numbers = matches!(carried, Carried::Numbers { .. });
                match self.stage {
                    Stage::Nothing if numbers => self.stage = Stage::CarriedOver,
                    Stage::CarriedOver if !numbers => {}
                    _ => return Err(ReplayError::Misplaced { after }),
                }
                self.desk.carry(carried);
                Ok(None)
            }
            DeskLine::Entry(entry) => {
                let found = entry.event.number;
                if Some(found) != after.checked_add(1) {
                    return Err(ReplayError::Gap { after, found });
                }
                self.stage = Stage::Entries;
                self.desk.apply(&entry);
                Ok(Some(entry.event))
            }
        }
    }

    /// The desk as it was when the last payload was written.
    pub(crate) fn finish(self) -> Desk {
        self.desk
    }
}

impl Desk {
    /// Everything that must be carried over into a new file for it to come to the same.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Carried> + '_ {
        let numbers = Carried::Numbers {
            appended: self.appended,
            latest: self.latest,
            order: self.queue.last(),
            sequence: self.boots.last(),
        };
        std::iter::once(numbers)
            .chain(pieces(self.keys.iter()).map(Carried::Keys))
            .chain(self.queue.iter().map(|request| Carried::Request(Box::new(request.clone()))))
            .chain(self.blocks.iter().map(|block| Carried::Block(Box::new(block.clone()))))
            .chain(self.boots.iter().map(|boot| Carried::Boot(Box::new(boot.clone()))))
            .chain(self.lives.iter().map(|life| Carried::Life(Box::new(life.clone()))))
            .chain(pieces(self.holds.iter().copied()).map(Carried::Holds))
    }

    fn carry(&mut self, carried: Carried) {
        match carried {
            Carried::Numbers { appended, latest, order, sequence } => {
                self.appended = appended;
                self.latest = latest;
                self.queue.go_on(order);
                self.boots.go_on(sequence);
            }
            Carried::Keys(keys) => keys.into_iter().for_each(|key| self.keys.claimed(key)),
            Carried::Request(request) => self.queue.insert(*request),
            Carried::Block(block) => self.blocks.insert(*block),
            Carried::Boot(boot) => self.boots.insert(*boot),
            Carried::Life(life) => self.lives.insert(*life),
            Carried::Holds(holds) => holds.into_iter().for_each(|hold| self.holds.insert(hold)),
        }
    }
}

/// Many small things, so many at a time.
fn pieces<T>(mut things: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let piece: Vec<T> = things.by_ref().take(limits::CARRIED_MAX).collect();
        (!piece.is_empty()).then_some(piece)
    })
}
