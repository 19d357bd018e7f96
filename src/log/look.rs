//! A look at a log, also while another process writes it: no lock is taken, and nothing is changed.
//!
//! What is shown is whole frames, up to the last. A frame that is being written shows in a later look, and the
//! very last ones may not be synced yet: whoever must know that they last asks whoever writes them.

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{DiskError, OpenError};
use super::file::to_u64;
use super::frame::{FileId, HEAD_BYTES, HEADER_BYTES, Head};
use super::recover::{Read, Reader};

/// A log that is read from its beginning, frame by frame.
pub struct Look {
    file: File,
    path: PathBuf,
    id: FileId,
    /// Where the next frame begins, and its number.
    end: u64,
    next: u64,
    body: Vec<u8>,
}

impl Look {
    /// Opens a log to look at it.
    ///
    /// # Errors
    /// [`OpenError`] where it is no log, or may not be read.
    pub fn open(path: &Path) -> Result<Look, OpenError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OpenError::Folder { path: path.to_owned(), source },
            _ => OpenError::Unreadable { path: path.to_owned(), source },
        })?;
        let metadata = file.metadata().map_err(|e| DiskError::new("read", path, e))?;
        if !metadata.is_file() {
            return Err(OpenError::NotAFile { path: path.to_owned() });
        }
        let id = Reader::new(&file, path)?.header()?;
        let (path, end) = (path.to_owned(), to_u64(HEADER_BYTES));
        Ok(Look { file, path, id, end, next: 1, body: Vec::new() })
    }

    /// Hands over the payloads of the next frame, and says whether there was one. Asked again at the end, it
    /// goes on with what was written meanwhile.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] where there are later frames behind one that cannot be read.
    pub fn frame(&mut self, mut take: impl FnMut(&[u8])) -> Result<bool, OpenError> {
        let mut reader = Reader::new(&self.file, &self.path)?;
        let mut body = std::mem::take(&mut self.body);
        let found = self.head(&mut reader, &mut body)?;
        let Some(head) = found else { return Ok(false) };
        if head.number != self.next {
            return Err(OpenError::Damaged { path: self.path.clone(), offset: self.end });
        }
        let mut take = |payload: &[u8]| -> Result<(), Box<dyn Error + Send + Sync>> {
            take(payload);
            Ok(())
        };
        reader.replay(self.end, &body, &mut take)?;
        self.end += to_u64(HEAD_BYTES + body.len());
        self.next += 1;
        // Its memory is used again.
        self.body = body;
        Ok(true)
    }

    /// What stands where the next frame begins: a frame, the end, or damage.
    fn head(&self, reader: &mut Reader<'_>, body: &mut Vec<u8>) -> Result<Option<Head>, OpenError> {
        let (id, end, next) = (self.id, self.end, self.next);
        if let Some(head) = reader.frame(end, id, body)? {
            return Ok(Some(head));
        }
        let read = Read { id, end, next, payloads: 0, last: None, torn_bytes: 0 };
        match reader.torn_bytes(&read) {
            Ok(_torn) => Ok(None),
            // A later frame is written only when this one is whole: it may have become so just now.
            Err(damage) => reader.frame(end, id, body)?.map(Some).ok_or(damage),
        }
    }
}
