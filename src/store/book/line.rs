//! The lines of a file, each a payload of its log: one byte says what follows.
//!
//! ```text
//! Head │ carried over: Piece…  Desk…  DeskEvents… │ Word  Desk  Word  Word  DeskDrained …
//! ```
//! Words are the store's, in their order, and desk lines the desk's; neither minds the other.

use farebox_verifier::{StoreName, UnixSeconds};

use crate::store::event::wire;
use crate::store::packed::{self, Packed, PackedError, Reader, Writer, choices, fields};
use crate::store::solo::{MemoryPiece, Word};

/// The first line begins with this, after its own byte.
const MAGIC: [u8; 8] = *b"farebox\0";
/// The layout of all other lines.
const VERSION: u8 = 1;

// The bytes are for good: a line keeps its number, and a number that is given up is not given again.
const HEAD: u8 = 1;
const BEGUN: u8 = 2;
const HAPPENED: u8 = 3;
const DRAINED: u8 = 4;
const FORGOTTEN: u8 = 5;
const PASSED: u8 = 6;
const PIECE: u8 = 7;
const DESK: u8 = 8;
const DESK_DRAINED: u8 = 9;
const DESK_EVENTS: u8 = 10;

/// Whose file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A store's, with its desk.
    Store(StoreName),
    /// A desk's alone.
    Desk,
}

choices!(Head { 0_u8 = Store(name), 1_u8 = Desk });

/// Some events of a desk that are not drained.
pub(crate) struct DeskEvents {
    /// The number of the event before them.
    pub(crate) after: u64,
    /// The events.
    pub(crate) events: Vec<Box<[u8]>>,
}

fields!(DeskEvents { after, events });

/// A line, as it is read.
pub(crate) enum Line<'a> {
    /// Whose file it is.
    Head(Head),
    /// What changes a memory.
    Word(Word),
    /// What was carried over of it.
    Piece(MemoryPiece),
    /// A payload of the desk.
    Desk(&'a [u8]),
    /// The desk's events are durable elsewhere, up to this one.
    DeskDrained(u64),
    /// What was carried over of them.
    DeskEvents(DeskEvents),
}

/// Why bytes are no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    /// No file of farebox begins so.
    #[error("not a file of farebox")]
    Foreign,
    /// A newer version wrote it.
    #[error("layout {version}")]
    Newer {
        /// Its layout.
        version: u8,
    },
    /// It holds what no line can.
    #[error("a line cannot be read")]
    Unreadable,
}

impl From<PackedError> for LineError {
    fn from(_: PackedError) -> LineError {
        LineError::Unreadable
    }
}

/// The first line.
pub(crate) fn head(head: &Head) -> Vec<u8> {
    let start = [&[HEAD], MAGIC.as_slice(), &[VERSION]].concat();
    // A store's name is short.
    [start, packed::write(head).unwrap_or_default()].concat()
}

/// The line of a word.
pub(crate) fn word(word: &Word) -> Vec<u8> {
    let mut line = Writer::default();
    match word {
        Word::Begun { life, at } => {
            line.raw(&[BEGUN]);
            (life.clone(), *at).pack(&mut line);
        }
        Word::Happened(entry) => {
            line.raw(&[HAPPENED]);
            line.raw(&wire::write_entry(entry));
        }
        Word::Drained { generation, upto } => {
            line.raw(&[DRAINED]);
            (*generation, *upto).pack(&mut line);
        }
        Word::Forgotten { generation } => {
            line.raw(&[FORGOTTEN]);
            generation.pack(&mut line);
        }
        Word::Passed { at } => {
            line.raw(&[PASSED]);
            at.pack(&mut line);
        }
    }
    // No word is as long as a line may be.
    line.finish().unwrap_or_default()
}

/// The line of a piece of a memory.
pub(crate) fn piece(piece: &MemoryPiece) -> Result<Vec<u8>, PackedError> {
    packed_line(PIECE, piece)
}

/// The line of a payload of the desk.
pub(crate) fn desk(payload: &[u8]) -> Vec<u8> {
    [&[DESK], payload].concat()
}

/// The line that says up to where the desk's events were drained.
pub(crate) fn desk_drained(upto: u64) -> Vec<u8> {
    [[DESK_DRAINED].as_slice(), &upto.to_be_bytes()].concat()
}

/// The line of some of the desk's events.
pub(crate) fn desk_events(events: &DeskEvents) -> Result<Vec<u8>, PackedError> {
    packed_line(DESK_EVENTS, events)
}

fn packed_line(kind: u8, held: &impl Packed) -> Result<Vec<u8>, PackedError> {
    let mut line = Writer::default();
    line.raw(&[kind]);
    held.pack(&mut line);
    line.finish()
}

/// Reads a line.
pub(crate) fn read(payload: &[u8]) -> Result<Line<'_>, LineError> {
    let (kind, rest) = payload.split_first().ok_or(LineError::Unreadable)?;
    Ok(match *kind {
        HEAD => Line::Head(read_head(rest)?),
        BEGUN => {
            let (life, at) = packed::read(rest)?;
            Line::Word(Word::Begun { life, at })
        }
        HAPPENED => {
            let entry = wire::read_entry(rest).ok_or(LineError::Unreadable)?;
            Line::Word(Word::Happened(entry))
        }
        DRAINED => {
            let (generation, upto) = packed::read(rest)?;
            Line::Word(Word::Drained { generation, upto })
        }
        FORGOTTEN => Line::Word(Word::Forgotten { generation: packed::read(rest)? }),
        PASSED => Line::Word(Word::Passed { at: packed::read::<UnixSeconds>(rest)? }),
        PIECE => Line::Piece(packed::read(rest)?),
        DESK => Line::Desk(rest),
        DESK_DRAINED => Line::DeskDrained(packed::read(rest)?),
        DESK_EVENTS => Line::DeskEvents(packed::read(rest)?),
        _ => return Err(LineError::Unreadable),
    })
}

fn read_head(bytes: &[u8]) -> Result<Head, LineError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(LineError::Foreign)?;
    let mut reader = Reader::over(rest)?;
    match u8::unpack(&mut reader)? {
        VERSION => {}
        version if version > VERSION => return Err(LineError::Newer { version }),
        _ => return Err(LineError::Unreadable),
    }
    let head = Head::unpack(&mut reader)?;
    reader.finish()?;
    Ok(head)
}
