//! From one file of a record to the next; and back, where the next could not be begun.
//!
//! ```text
//!  entries ─→ file 1 is long ─→ file 2: what is known, a checkpoint, entries …
//!                    └── cannot be begun: whoever waited is told, and it is as it was when file 1 ended
//! ```
//! Nothing that was to stand in a file that was never begun is durable, and nobody was told so. What is appended next
//! takes the same numbers, and tries to begin the same file.

use super::known::{Known, Pen};
use super::{NotTaken, Record, State, folder, line};
use crate::log::{self, AppendError, Log};

/// A record as it was when a file ended.
pub(super) struct Before {
    known: Known,
    bytes: u64,
}

impl Record {
    /// Goes back to how it was before a file that could not be begun; says whether it did.
    pub(super) fn go_back(&self, state: &mut State) -> bool {
        if !self.log.is_between() {
            return false;
        }
        let Some(Before { known, bytes }) = state.before.take() else { return false };
        (state.known, state.bytes) = (known, bytes);
        true
    }

    /// Begins another file where this one is long enough.
    pub(super) fn go_on(&self, state: &mut State) -> Result<(), NotTaken> {
        if state.bytes < self.options.segment_bytes {
            return Ok(());
        }
        let before = Before { known: state.known.clone(), bytes: state.bytes };
        let segment = state.known.segment.saturating_add(1);
        let path = folder::segment_path(self.reader.folder(), segment);
        // Whatever is appended next is durable when this is.
        drop(self.begin(state, segment, |log, lines| log.append_onward(&path, lines))?);
        state.before = Some(before);
        Ok(())
    }

    /// Writes what a file begins with, and signs for it.
    pub(super) fn begin(
        &self,
        state: &mut State,
        segment: u32,
        append: impl FnOnce(&Log, &[Vec<u8>]) -> Result<log::Pending, AppendError>,
    ) -> Result<log::Pending, NotTaken> {
        let now = self.clock.now();
        state.known.forget(now);
        let carried = state.known.carried(segment, now);
        let mut pen = Pen::at(&self.options.chain, &state.known);
        for entry in &carried {
            pen.write(&line::body(entry).unwrap_or_default());
        }
        let Pen { n, hash, lines, bytes, .. } = pen;
        let pending = append(&self.log, &lines).map_err(NotTaken::from)?;
        (state.known.n, state.known.hash, state.known.segment) = (n, Some(hash), segment);
        state.bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        // The checkpoint stands in the new file, so that a start needs no other to prove it.
        drop(self.sign(state));
        Ok(pending)
    }
}
