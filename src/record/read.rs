//! Reading a record, also while an issuer writes it: line after line, from any entry on, up to the last that is
//! whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::ReadError;
use super::folder;
use super::line::{self, LineError, Recorded};
use crate::log::Look;

/// The record in a folder.
pub struct Reader {
    folder: PathBuf,
    /// The first entry of each file that was looked into.
    firsts: Mutex<BTreeMap<u32, u64>>,
}

/// Lines of a record, one frame of the log at a time.
pub struct Lines<'a> {
    reader: &'a Reader,
    at: At,
    /// Entries up to this one are passed over.
    after: u64,
}

/// A place in a record.
pub(super) struct At {
    segment: u32,
    look: Option<Look>,
}

/// Where to go on: in which file, if any was begun, and behind which entry.
pub(super) struct ReadAt {
    pub(super) at: Option<At>,
    pub(super) after: u64,
}

impl Reader {
    /// The record in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Reader {
        Reader { folder: folder.to_owned(), firsts: Mutex::default() }
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lines behind this entry.
    ///
    /// # Errors
    /// [`ReadError`] where the folder or a file of it cannot be read.
    pub fn lines(&self, after: u64) -> Result<Lines<'_>, ReadError> {
        let segments = self.segments()?;
        let segment = self.segment_of(&segments, after.saturating_add(1))?;
        Ok(self.lines_in(segment, after))
    }

    /// The lines of this file and later ones, behind this entry.
    pub(super) fn lines_in(&self, segment: u32, after: u64) -> Lines<'_> {
        Lines { reader: self, at: At { segment, look: None }, after }
    }

    /// Goes on where lines were left.
    pub(super) fn lines_at(&self, at: At, after: u64) -> Lines<'_> {
        Lines { reader: self, at, after }
    }

    /// Goes on where lines were left, or begins.
    pub(super) fn lines_from(&self, from: ReadAt) -> Result<Lines<'_>, ReadError> {
        match from.at {
            Some(at) => Ok(self.lines_at(at, from.after)),
            None => self.lines(from.after),
        }
    }

    /// The entries of these numbers, as far as they are there, in order.
    ///
    /// # Errors
    /// [`ReadError`] where a file cannot be read, or what stands there cannot be believed.
    pub fn entries(&self, numbers: &[u64]) -> Result<Vec<Recorded>, ReadError> {
        let mut wanted: Vec<u64> = numbers.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = Vec::new();
        let segments = self.segments()?;
        let mut rest = wanted.as_slice();
        while let Some(first) = rest.first().copied() {
            let segment = self.segment_of(&segments, first)?;
            let mut lines = self.lines_in(segment, first.saturating_sub(1));
            let (path, mut flaw) = (folder::segment_path(&self.folder, segment), None);
            // As many as stand in this file, or one: the next file is looked for by its number.
            let mut last = first;
            while lines.at.segment == segment
                && lines.next(|n, bytes| {
                    last = last.max(n);
                    if rest.binary_search(&n).is_ok() {
                        match Recorded::read(bytes) {
                            Ok(recorded) => found.push(recorded),
                            Err(source) => flaw = Some(source),
                        }
                    }
                })?
            {}
            if let Some(source) = flaw {
                return Err(ReadError::Line { path, source });
            }
            let left = rest.partition_point(|n| *n <= last);
            rest = rest.get(left..).unwrap_or_default();
        }
        Ok(found)
    }

    /// The numbers of its files.
    pub(super) fn segments(&self) -> Result<Vec<u32>, ReadError> {
        Ok(folder::segments(&self.folder)?)
    }

    /// The file in which this entry stands, if it is there at all.
    pub(super) fn segment_of(&self, segments: &[u32], n: u64) -> Result<u32, ReadError> {
        let (mut low, mut high) = (0, segments.len());
        // The last file that begins at this entry or before it.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let Some(segment) = segments.get(middle) else { break };
            match self.first(*segment)? {
                Some(first) if first <= n => low = middle,
                _ => high = middle,
            }
        }
        Ok(segments.get(low).copied().unwrap_or(1))
    }

    /// The first entry of a file; nothing where it has none yet.
    pub(super) fn first(&self, segment: u32) -> Result<Option<u64>, ReadError> {
        let known = |firsts: &BTreeMap<u32, u64>| firsts.get(&segment).copied();
        if let Some(first) = known(&self.firsts()) {
            return Ok(Some(first));
        }
        let mut look = Look::open(&folder::segment_path(&self.folder, segment))?;
        let mut first = None;
        while first.is_none() && look.frame(|bytes| first = first.or(numbered(bytes)))? {}
        if let Some(first) = first {
            self.firsts().insert(segment, first);
        }
        Ok(first)
    }

    fn firsts(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, u64>> {
        self.firsts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a line's entry.
fn numbered(line: &[u8]) -> Option<u64> {
    line::parts(line).map(|parts| parts.n)
}

impl Lines<'_> {
    /// Hands over the lines of the next frame with their numbers, and says whether there was one. At the end of
    /// what is written, asked again later, it goes on.
    ///
    /// # Errors
    /// [`ReadError`] where a file is damaged, or a line is none.
    pub fn next(&mut self, mut take: impl FnMut(u64, &[u8])) -> Result<bool, ReadError> {
        let mut flawed = false;
        let after = &mut self.after;
        let found = self.at.frame(&self.reader.folder, |bytes| match line::parts(bytes) {
            Some(parts) if parts.n > *after => {
                *after = parts.n;
                take(parts.n, bytes);
            }
            Some(_) => {}
            None => flawed = true,
        })?;
        if flawed {
            let path = folder::segment_path(&self.reader.folder, self.at.segment);
            return Err(ReadError::Line { path, source: LineError::Malformed });
        }
        Ok(found)
    }

    /// The file that is being read.
    pub(super) fn segment(&self) -> u32 {
        self.at.segment
    }

    /// Where it was left.
    pub(super) fn leave(self) -> At {
        self.at
    }
}

impl At {
    /// Hands over the payloads of the next frame of a file and those behind it.
    pub(super) fn frame(
        &mut self,
        folder: &Path,
        mut take: impl FnMut(&[u8]),
    ) -> Result<bool, ReadError> {
        loop {
            let look = match &mut self.look {
                Some(look) => look,
                none => none.insert(Look::open(&folder::segment_path(folder, self.segment))?),
            };
            if look.frame(&mut take)? {
                return Ok(true);
            }
            // The next file is begun once this one is whole. So where there is a next one, what was written
            // here between the look above and now is read before it.
            let next = self.segment.saturating_add(1);
            if !folder::segment_path(folder, next).exists() {
                return Ok(false);
            }
            if look.frame(&mut take)? {
                return Ok(true);
            }
            (self.segment, self.look) = (next, None);
        }
    }
}
