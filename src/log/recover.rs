//! Reading a log from its beginning, to the last frame that can be believed.
//!
//! A frame is written only when the one before it is synced. So where reading stops, one of three things
//! is true, and what follows tells which:
//!
//! ```text
//! frames │ zeros or nothing          the end
//! frames │ part of a frame           a write that the crash cut short: nobody was told of it, it is cut off
//! frames │ ?? │ a later frame        what stands at ?? had been synced, and maybe acknowledged: damage
//! ```
//!
//! Damage to the very last frame looks like a write cut short, and nothing in the file can tell the two
//! apart. After a clean stop the seal can.

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::error::{DiskError, OpenError};
use super::file::{ZEROS, to_u64};
use super::frame::{
    self, BODY_BYTES_MAX, FileId, HEAD_BYTES, HEADER_BYTES, Head, HeaderFlaw, Kind,
};

/// How much is read at once in search of later frames.
const SEARCH_BYTES: usize = 1 << 20;

/// What takes the payloads, one after the other.
pub(super) type Replay<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Box<dyn Error + Send + Sync>>;

/// A file that was read.
pub(super) struct Read {
    pub(super) id: FileId,
    /// Where its last frame ends.
    pub(super) end: u64,
    /// The number that the next frame gets.
    pub(super) next: u64,
    pub(super) payloads: u64,
    /// Where the last frame begins.
    pub(super) last: Option<(u64, Kind)>,
    /// How many bytes after the end are part of a frame, and no zeros.
    pub(super) torn_bytes: u64,
}

/// Reads a log whole.
pub(super) fn read(file: &File, path: &Path, replay: Replay<'_>) -> Result<Read, OpenError> {
    let mut reader = Reader::new(file, path)?;
    let id = reader.header()?;
    let end = to_u64(HEADER_BYTES);
    let mut read = Read { id, end, next: 1, payloads: 0, last: None, torn_bytes: 0 };
    let mut body = Vec::new();
    while let Some(head) = reader.frame(read.end, id, &mut body)? {
        if head.number != read.next {
            return Err(reader.damaged(read.end));
        }
        read.payloads += reader.replay(read.end, &body, replay)?;
        read.last = Some((read.end, head.kind));
        read.end += to_u64(HEAD_BYTES + body.len());
        read.next += 1;
    }
    read.torn_bytes = reader.torn_bytes(&read)?;
    Ok(read)
}

/// Reads every frame from here to the end of what was written, which nothing may have damaged.
pub(super) fn read_bodies(
    (file, path): (&File, &Path),
    id: FileId,
    (mut from, end): (u64, u64),
    mut take: impl FnMut(&[u8]) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let mut reader = Reader::new(file, path)?;
    let mut body = Vec::new();
    while from < end {
        let head = reader.frame(from, id, &mut body)?;
        head.ok_or_else(|| DiskError::new("read", path, broken()))?;
        take(&body)?;
        from += to_u64(HEAD_BYTES + body.len());
    }
    Ok(())
}

pub(super) struct Reader<'a> {
    file: &'a File,
    path: &'a Path,
    length: u64,
}

impl Reader<'_> {
    pub(super) fn new<'a>(file: &'a File, path: &'a Path) -> Result<Reader<'a>, DiskError> {
        let metadata = file.metadata().map_err(|e| DiskError::new("read", path, e))?;
        Ok(Reader { file, path, length: metadata.len() })
    }

    pub(super) fn header(&mut self) -> Result<FileId, OpenError> {
        let mut bytes = vec![0; HEADER_BYTES];
        let found = self.fill(0, &mut bytes)?;
        bytes.truncate(found);
        let path = self.path.to_owned();
        frame::read_header(&bytes).map_err(|flaw| match flaw {
            HeaderFlaw::Foreign => OpenError::Foreign { path },
            HeaderFlaw::Newer(version) => OpenError::Newer { path, version },
            HeaderFlaw::Short => OpenError::Truncated { path, bytes: self.length },
            HeaderFlaw::Damaged => OpenError::Header { path },
        })
    }

    /// The frame at this place, where there is a whole one.
    pub(super) fn frame(
        &mut self,
        offset: u64,
        id: FileId,
        body: &mut Vec<u8>,
    ) -> Result<Option<Head>, DiskError> {
        let mut bytes = [0; HEAD_BYTES];
        if self.fill(offset, &mut bytes)? < HEAD_BYTES {
            return Ok(None);
        }
        let Some(head) = Head::read(&bytes, id) else { return Ok(None) };
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        if length > BODY_BYTES_MAX {
            return Ok(None);
        }
        body.resize(length, 0);
        let whole = self.fill(offset + to_u64(HEAD_BYTES), body)? == length;
        Ok((whole && head.fits(body)).then_some(head))
    }

    /// Hands the payloads of a body over, and counts them.
    pub(super) fn replay(
        &self,
        offset: u64,
        mut body: &[u8],
        replay: Replay<'_>,
    ) -> Result<u64, OpenError> {
        let mut count = 0;
        while !body.is_empty() {
            let payload = frame::take_payload(&mut body).ok_or_else(|| self.damaged(offset))?;
            let refused =
                |source| OpenError::Refused { path: self.path.to_owned(), offset, source };
            replay(payload).map_err(refused)?;
            count += 1;
        }
        Ok(count)
    }

    /// How much of what follows the last frame is no zeros; damage where it holds a later frame.
    pub(super) fn torn_bytes(&mut self, read: &Read) -> Result<u64, OpenError> {
        let torn_end = self.zeros_from(read.end)?;
        let mut offset = read.end;
        let mut bytes = Vec::new();
        while offset < torn_end {
            // A head may stand across two windows, and its last bytes may be zeros.
            let left = usize::try_from(torn_end - offset).unwrap_or(usize::MAX);
            bytes.resize(left.min(SEARCH_BYTES) + HEAD_BYTES, 0);
            let found = self.fill(offset, &mut bytes)?;
            let window = bytes.get(..found).unwrap_or(&bytes);
            if heads(window, read.id).any(|(at, head)| {
                // The one at the very end is that of the frame which is cut short itself.
                (offset + to_u64(at), head.number) != (read.end, read.next)
            }) {
                return Err(self.damaged(read.end));
            }
            offset += to_u64(SEARCH_BYTES);
        }
        Ok(torn_end - read.end)
    }

    /// From where on the file is zeros to its end.
    fn zeros_from(&mut self, from: u64) -> Result<u64, OpenError> {
        let (mut bytes, mut zeros_from, mut offset) = ([0; 4096], from, from);
        loop {
            let found = self.fill(offset, &mut bytes)?;
            if found == 0 {
                return Ok(zeros_from);
            }
            let window = bytes.get(..found).unwrap_or(&bytes);
            // Nearly all of it is zeros, and comparing whole pages is quick.
            if Some(window) != ZEROS.get(..found)
                && let Some(last) = window.iter().rposition(|byte| *byte != 0)
            {
                zeros_from = offset + to_u64(last) + 1;
            }
            offset += to_u64(found);
        }
    }

    /// Reads until the bytes are full or the file ends, and says how many there were.
    fn fill(&self, offset: u64, bytes: &mut [u8]) -> Result<usize, DiskError> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + to_u64(filled)) {
                Ok(0) => break,
                Ok(found) => filled += found,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DiskError::new("read", self.path, error)),
            }
        }
        Ok(filled)
    }

    fn damaged(&self, offset: u64) -> OpenError {
        OpenError::Damaged { path: self.path.to_owned(), offset }
    }
}

/// The heads of frames in these bytes. A head is proof enough that there is a later frame: nothing of one is
/// written before the sync of those ahead of it.
fn heads(window: &[u8], id: FileId) -> impl Iterator<Item = (usize, Head)> {
    let tag = id.tag();
    let tagged = window.windows(tag.len()).enumerate().filter(move |(_, bytes)| **bytes == tag);
    tagged.filter_map(move |(at, _)| {
        let head = window.get(at..).and_then(<[u8]>::first_chunk)?;
        Some((at, Head::read(head, id)?))
    })
}
