//! The file of a log while it is written: frame after frame, and zeros before the frames that will come.

use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

use super::error::{DiskError, lacks_space};
use super::frame::{self, FileId, Frame, HEADER_BYTES, Kind};
use super::place::Held;

/// A run of zeros.
pub(super) static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
/// The file grows by this much, in zeros that are written. Where a frame falls on zeros the disk need write
/// no more than the frame: 145 µs against 225 for ten kilobytes, where it was measured. Blocks that are
/// reserved and not written (`set_len`, `fallocate`) were no faster than none, and larger steps than this one.
const GROWTH_BYTES: u64 = 256 << 10;

/// A file that ends with a whole frame, or with its header.
pub(super) struct LogFile {
    pub(super) file: Held,
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// The number it gets.
    pub(super) next: u64,
    /// Up to where the file is zeros after the end.
    pub(super) grown: u64,
}

impl LogFile {
    /// Writes the header of an empty file, unsynced.
    pub(super) fn begin(file: Held, path: PathBuf, id: FileId) -> Result<LogFile, DiskError> {
        let bytes = frame::header(id);
        file.write_all_at(&bytes, 0)
            .map_err(|e| DiskError::writing("write", &path, to_u64(HEADER_BYTES), e))?;
        let end = to_u64(HEADER_BYTES);
        Ok(LogFile { file, path, id, end, next: 1, grown: end })
    }

    /// Writes a frame, unsynced. After an error the file may end in a part of it.
    pub(super) fn write(&mut self, frame: &mut Frame, kind: Kind) -> Result<(), DiskError> {
        let bytes = frame.finish(self.id, self.next, kind);
        let length = to_u64(bytes.len());
        let written = self.file.write_all_at(bytes, self.end);
        written.map_err(|e| DiskError::writing("write", &self.path, length, e))?;
        self.end += length;
        self.next += 1;
        Ok(())
    }

    /// Writes zeros where the next frames will go, if the last one came to the end of them.
    pub(super) fn grow(&mut self) -> Result<(), DiskError> {
        if self.end <= self.grown {
            return Ok(());
        }
        self.grown = self.end;
        let until = (self.end + 1).next_multiple_of(GROWTH_BYTES);
        while self.grown < until {
            let length = (until - self.grown).min(to_u64(ZEROS.len()));
            let zeros = ZEROS.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(&ZEROS);
            match self.file.write_at(zeros, self.grown) {
                Ok(0) => break,
                Ok(written) => self.grown += to_u64(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Less than a step still fits: frames may.
                Err(error) if lacks_space(error.kind()) => break,
                Err(error) => return Err(DiskError::new("write", &self.path, error)),
            }
        }
        Ok(())
    }

    /// Makes durable what was written.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(|e| DiskError::writing("sync", &self.path, 0, e))?;
        let metadata = self.file.metadata().map_err(|e| DiskError::new("read", &self.path, e))?;
        // Synced into a file without a name is synced into nothing.
        if metadata.nlink() == 0 {
            return Err(DiskError::Removed { path: self.path.clone() });
        }
        Ok(())
    }

    /// Cuts off whatever stands after the last frame, and makes all of it durable, its times too.
    pub(super) fn cut(&mut self) -> Result<(), DiskError> {
        let cut = self.file.set_len(self.end);
        cut.map_err(|e| DiskError::new("cut", &self.path, e))?;
        self.grown = self.end;
        self.file.sync_all().map_err(|e| DiskError::new("sync", &self.path, e))
    }

    /// Writes bytes again that are there already.
    ///
    /// A sync that failed leaves pages that read well, count as written and are not on the disk: what was read
    /// from them must go there before anybody builds on it.
    pub(super) fn write_again(&self, offset: u64) -> Result<(), DiskError> {
        let length = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(0);
        let mut bytes = vec![0; length];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|e| DiskError::new("read", &self.path, e))?;
        let written = self.file.write_all_at(&bytes, offset);
        written.map_err(|e| DiskError::writing("write", &self.path, to_u64(length), e))
    }
}

/// A length in memory as one in a file: never cut short on any machine that Rust runs on.
pub(super) fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
