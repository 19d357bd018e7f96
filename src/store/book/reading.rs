//! Reading a file back: its lines, one after the other, into a memory and a desk.

use farebox_verifier::UnixSeconds;

use super::line::{self, DeskEvents, Head, Line, LineError};
use crate::store::desk::{self, Desk, DeskEvent};
use crate::store::packed;
use crate::store::roll::Roll;
use crate::store::solo::{Memory, MemoryError, MemoryReader, Word};

/// Why a line does not belong where it stands.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// It is no line of this version.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The file is another's.
    #[error("the file belongs to another")]
    Other(Head),
    /// The first line does not say whose file it is, or another one does.
    #[error("the file does not say once whose it is")]
    Headless,
    /// It makes no memory of what came before it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// It makes no desk of what came before it.
    #[error(transparent)]
    Desk(#[from] desk::ReplayError),
    /// An event of the desk is not there that was drained, or should be.
    #[error("the desk's events are not in order")]
    DeskEvents,
}

/// A file that is being read.
pub(crate) struct Reading {
    wanted: Head,
    found: bool,
    memory: MemoryReader,
    desk: desk::Replay,
    desk_journal: Option<Roll>,
    passed: UnixSeconds,
    carried_bytes: u64,
}

/// What a file came to.
pub(crate) struct Found {
    /// Whether it said whose it is: a file that was made and never written does not.
    pub(crate) headed: bool,
    /// The memory of its store, if a life ever began.
    pub(crate) memory: Option<Memory>,
    /// Its desk.
    pub(crate) desk: Desk,
    /// The desk's events that are not drained.
    pub(crate) desk_journal: Roll,
    /// How many bytes of it were carried over from an earlier file.
    pub(crate) carried_bytes: u64,
}

impl Reading {
    /// The reading of a file that should have this head.
    pub(crate) fn of(wanted: Head) -> Reading {
        Reading {
            wanted,
            found: false,
            memory: MemoryReader::default(),
            desk: desk::Replay::begin(),
            desk_journal: None,
            passed: UnixSeconds(0),
            carried_bytes: 0,
        }
    }

    /// What the file should be.
    pub(super) fn wanted(&self) -> &Head {
        &self.wanted
    }

    /// Takes the next line in.
    pub(super) fn take(&mut self, payload: &[u8]) -> Result<(), ReadError> {
        let line = line::read(payload).map_err(|error| match error {
            // Another program's log is not damaged.
            LineError::Unreadable if !self.found => LineError::Foreign,
            error => error,
        })?;
        match line {
            Line::Head(head) if !self.found => self.head(head)?,
            Line::Head(_) => return Err(ReadError::Headless),
            _ if !self.found => return Err(LineError::Foreign.into()),
            Line::Word(word) => {
                if let Word::Passed { at } = word {
                    self.passed = self.passed.max(at);
                }
                self.word(&word)?;
            }
            Line::Piece(piece) => {
                self.carried(payload);
                self.memory.piece(piece)?;
            }
            Line::Desk(payload) => {
                if let Some(event) = self.desk.take(payload)? {
                    self.desk_event(&event)?;
                } else {
                    self.carried(payload);
                }
            }
            Line::DeskDrained(upto) => self.desk_journal().drain(upto),
            Line::DeskEvents(events) => {
                self.carried(payload);
                self.desk_events(events)?;
            }
        }
        Ok(())
    }

    /// All of it.
    pub(crate) fn finish(self) -> Found {
        let mut desk = self.desk.finish();
        desk.pass(self.passed);
        Found {
            headed: self.found,
            memory: self.memory.finish(),
            desk,
            desk_journal: self.desk_journal.unwrap_or_default(),
            carried_bytes: self.carried_bytes,
        }
    }

    fn head(&mut self, head: Head) -> Result<(), ReadError> {
        if head != self.wanted {
            return Err(ReadError::Other(head));
        }
        self.found = true;
        Ok(())
    }

    fn word(&mut self, word: &Word) -> Result<(), ReadError> {
        // A desk alone has no life, and its time passes too.
        match (&self.wanted, word) {
            (Head::Desk, Word::Passed { .. }) => Ok(()),
            (Head::Desk, _) => Err(MemoryError::NoLife.into()),
            (Head::Store(name), Word::Begun { life, .. }) if life.store != *name => {
                Err(MemoryError::NoLife.into())
            }
            (Head::Store(_), word) => Ok(self.memory.word(word)?),
        }
    }

    fn carried(&mut self, payload: &[u8]) {
        let bytes = u64::try_from(payload.len()).unwrap_or(0);
        self.carried_bytes = self.carried_bytes.saturating_add(bytes);
    }

    fn desk_journal(&mut self) -> &mut Roll {
        self.desk_journal.get_or_insert_default()
    }

    fn desk_event(&mut self, event: &DeskEvent) -> Result<(), ReadError> {
        let bytes = packed::write(event).map_err(|_too_long| ReadError::DeskEvents)?;
        let journal = self.desk_journal();
        journal.push(&bytes);
        if journal.last() == event.number { Ok(()) } else { Err(ReadError::DeskEvents) }
    }

    fn desk_events(&mut self, carried: DeskEvents) -> Result<(), ReadError> {
        let DeskEvents { after, events } = carried;
        let journal = self.desk_journal.get_or_insert_with(|| Roll::after(after));
        if journal.last() != after {
            return Err(ReadError::DeskEvents);
        }
        for bytes in events {
            let event = packed::read::<DeskEvent>(&bytes);
            let follows =
                event.is_ok_and(|event| Some(event.number) == journal.last().checked_add(1));
            if !follows {
                return Err(ReadError::DeskEvents);
            }
            journal.push(&bytes);
        }
        Ok(())
    }
}
