//! An answer: what a command says, to people and to programs.

use serde_json::Value;

use super::Exit;

/// What a command says once it is done. A token stands in `lines` and `json` only, never in `notes`.
pub(super) struct Answer {
    pub(super) exit: Exit,
    /// For people, on standard output.
    pub(super) lines: Vec<String>,
    /// For people, on standard error: what they should know and no pipe should carry.
    pub(super) notes: Vec<String>,
    /// For programs, instead of both.
    pub(super) json: Value,
}

impl Answer {
    /// An answer that all went well.
    pub(super) fn done(lines: Vec<String>, json: Value) -> Answer {
        Answer { exit: Exit::Done, lines, notes: Vec::new(), json }
    }

    /// The same with one more note.
    pub(super) fn with_note(mut self, note: impl Into<String>) -> Answer {
        self.notes.push(note.into());
        self
    }
}
