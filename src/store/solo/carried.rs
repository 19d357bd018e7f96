//! A memory in pieces, as a file that is rewritten begins with it, and how it is read back.
//!
//! ```text
//! Living  Life…  View…  Events…  (Earlier  Events…)…  │  Word  Word  Word …
//! └───────────── what was carried over ─────────────┘
//! ```

use farebox_verifier::Generation;

use super::memory::{Earlier, Memory, Word};
use crate::store::LifeId;
use crate::store::event::wire;
use crate::store::life::{Life, LifePiece};
use crate::store::packed::choices;
use crate::store::roll::Roll;
use crate::store::view::{ViewCopy, ViewPiece, ViewReader};

/// Events of one piece.
const PIECE_BYTES: usize = 256 << 10;

/// A piece of a memory.
pub(crate) enum MemoryPiece {
    /// The living life, and up to where its journal was drained. It comes first.
    Living {
        /// Which.
        life: LifeId,
        /// The number of its last event that was drained.
        drained: u64,
    },
    /// A piece of what it remembers.
    Life(LifePiece),
    /// A piece of what is shown.
    View(ViewPiece),
    /// A life before it.
    Earlier {
        /// Which.
        life: LifeId,
        /// The number of its last event that was drained.
        drained: u64,
        /// Whether it ended by its own word.
        closed: bool,
    },
    /// Some events of the life that was named last.
    Events(Vec<Box<[u8]>>),
}

// The bytes are for good: a variant keeps its number, and a number that is given up is not given again.
choices!(MemoryPiece {
    0_u8 = Living { life, drained },
    1_u8 = Life(piece),
    2_u8 = View(piece),
    3_u8 = Earlier { life, drained, closed },
    4_u8 = Events(events),
});

/// A memory as it was at one moment.
pub(crate) struct MemoryCopy {
    id: LifeId,
    life: Life,
    view: ViewCopy,
    journal: Roll,
    earlier: Vec<Earlier>,
}

impl Memory {
    /// What it is now. This is made under the lock, and is quick.
    pub(crate) fn copy(&self) -> MemoryCopy {
        MemoryCopy {
            id: self.id.clone(),
            life: self.life.clone(),
            view: self.view.copy(),
            journal: self.journal.clone(),
            earlier: self.earlier.clone(),
        }
    }
}

impl MemoryCopy {
    /// Everything that a file must begin with to come to the same memory.
    pub(crate) fn into_pieces(self) -> impl Iterator<Item = MemoryPiece> {
        let MemoryCopy { id, life, view, journal, earlier } = self;
        let living = MemoryPiece::Living { life: id, drained: journal.drained() };
        let earlier = earlier.into_iter().flat_map(|Earlier { id, journal, closed }| {
            let head = MemoryPiece::Earlier { life: id, drained: journal.drained(), closed };
            std::iter::once(head).chain(events(journal))
        });
        std::iter::once(living)
            .chain(life.into_pieces().map(MemoryPiece::Life))
            .chain(view.into_pieces().map(MemoryPiece::View))
            .chain(events(journal))
            .chain(earlier)
    }
}

fn events(journal: Roll) -> impl Iterator<Item = MemoryPiece> {
    journal.into_pieces(PIECE_BYTES).map(MemoryPiece::Events)
}

/// Why pieces and words make no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MemoryError {
    /// A piece stands where it cannot.
    #[error("what was carried over stands out of place")]
    Misplaced,
    /// A piece names what is not there, or an event cannot be read.
    #[error("what was carried over cannot be read")]
    Unreadable,
    /// A word is said before any life has begun, or a life begins twice.
    #[error("no life was begun, or one was begun twice")]
    NoLife,
    /// An event is missing, or there twice.
    #[error("event {found} follows event {after}")]
    Gap {
        /// The last event before it.
        after: u64,
        /// The number that follows.
        found: u64,
    },
}

/// A memory that is read back.
#[derive(Default)]
pub(crate) enum MemoryReader {
    /// Nothing was read.
    #[default]
    Nothing,
    /// Pieces are read.
    Pieces(Box<Parts>),
    /// Words are read.
    Words(Box<Memory>),
}

/// What was read of a memory.
pub(crate) struct Parts {
    id: LifeId,
    life: Life,
    view: ViewReader,
    journal: Roll,
    earlier: Vec<Earlier>,
}

impl MemoryReader {
    /// Takes the next piece in.
    pub(crate) fn piece(&mut self, piece: MemoryPiece) -> Result<(), MemoryError> {
        match (self, piece) {
            (reader @ MemoryReader::Nothing, MemoryPiece::Living { life, drained }) => {
                *reader = MemoryReader::Pieces(Box::new(Parts::begin(life, drained)));
                Ok(())
            }
            (MemoryReader::Pieces(parts), piece) => parts.take(piece),
            _ => Err(MemoryError::Misplaced),
        }
    }

    /// Takes the next word in.
    pub(crate) fn word(&mut self, word: &Word) -> Result<(), MemoryError> {
        match std::mem::take(self) {
            MemoryReader::Nothing => {
                let Word::Begun { life, at } = word else { return Err(MemoryError::NoLife) };
                let memory = Memory::first(life.clone(), *at);
                *self = MemoryReader::Words(Box::new(memory));
            }
            MemoryReader::Pieces(parts) => {
                *self = MemoryReader::Words(Box::new(parts.finish()));
                return self.word(word);
            }
            MemoryReader::Words(mut memory) => {
                memory.check(word)?;
                memory.apply(word);
                *self = MemoryReader::Words(memory);
            }
        }
        Ok(())
    }

    /// The memory, if there was any.
    pub(crate) fn finish(self) -> Option<Memory> {
        match self {
            MemoryReader::Nothing => None,
            MemoryReader::Pieces(parts) => Some(parts.finish()),
            MemoryReader::Words(memory) => Some(*memory),
        }
    }
}

impl Memory {
    /// Whether a word that was read can come next.
    fn check(&self, word: &Word) -> Result<(), MemoryError> {
        match word {
            Word::Happened(entry) => {
                let (after, found) = (self.life.appended(), entry.event.number);
                let follows = Some(found) == after.checked_add(1);
                if follows { Ok(()) } else { Err(MemoryError::Gap { after, found }) }
            }
            Word::Begun { life, .. } if self.knows(life.generation) => Err(MemoryError::NoLife),
            _ => Ok(()),
        }
    }

    fn knows(&self, generation: Generation) -> bool {
        self.id.generation == generation
            || self.earlier.iter().any(|earlier| earlier.id.generation == generation)
    }
}

impl Parts {
    fn begin(id: LifeId, drained: u64) -> Parts {
        let life = Life::new(farebox_verifier::UnixSeconds(0));
        let (view, journal) = (ViewReader::of(1), Roll::after(drained));
        Parts { id, life, view, journal, earlier: Vec::new() }
    }

    fn take(&mut self, piece: MemoryPiece) -> Result<(), MemoryError> {
        match piece {
            MemoryPiece::Living { .. } => return Err(MemoryError::Misplaced),
            MemoryPiece::Life(piece) => self.life.carry(piece),
            MemoryPiece::View(piece) => {
                self.view.carry(piece).map_err(|_astray| MemoryError::Unreadable)?;
            }
            MemoryPiece::Earlier { life: id, drained, closed } => {
                self.earlier.push(Earlier { id, journal: Roll::after(drained), closed });
            }
            MemoryPiece::Events(events) => {
                let journal = self.earlier.last_mut().map(|earlier| &mut earlier.journal);
                let journal = journal.unwrap_or(&mut self.journal);
                for event in events {
                    let number = journal.last().saturating_add(1);
                    wire::read(number, &event).ok_or(MemoryError::Unreadable)?;
                    journal.push(&event);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Memory {
        let Parts { id, life, view, journal, earlier } = self;
        let mut memory = Memory { id, life, view: view.finish(), journal, earlier };
        memory.count_inherited();
        memory
    }
}
