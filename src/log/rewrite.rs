//! A rewrite: a new file that says the same in fewer bytes, and takes the old one's name.
//!
//! ```text
//! writer   … commit │ commit  commit  commit │ adopt: what came after the line, sync, rename, sync the folder
//! copier            │ payloads → NAME.rewrite, sync ──┘
//! ```
//!
//! Appends go on in the old file while the copier writes, and wait only while the writer adopts. A crash at
//! any point leaves one of the two under the name, whole, with all that was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::error::{AppendError, DiskError, RewriteError};
use super::file::LogFile;
use super::frame::{FileId, Frame, Kind, PAYLOAD_BYTES_MAX};
use super::place::{Place, remove};
use super::queue::{Payloads, Queue, Rewriter, answer};
use super::recover;
use super::writer::Writer;

/// A frame of the copy is written when it has as many bytes: enough that frames cost nothing, few enough that
/// they take no memory.
const COPY_BYTES: usize = 256 << 10;

/// A copy under way.
pub(super) struct Copying {
    thread: JoinHandle<Result<LogFile, RewriteError>>,
    rewriter: Rewriter,
    /// Where in the old file the appends begin that are not in the payloads.
    from: u64,
    stop: Arc<AtomicBool>,
}

/// Tells the writer that the copier has ended, however it did.
struct TellsWriter(Arc<Queue>);

impl Drop for TellsWriter {
    fn drop(&mut self) {
        self.0.copied();
    }
}

impl Writer {
    pub(super) fn begin_copy(&mut self, payloads: Payloads, rewriter: Rewriter) {
        let stop = Arc::new(AtomicBool::new(false));
        let (tells, place) = (TellsWriter(Arc::clone(&self.queue)), self.place.clone());
        let stopped = Arc::clone(&stop);
        let started = thread::Builder::new().name("log-rewrite".to_owned()).spawn(move || {
            let _tells = tells;
            copy(&place, payloads, &stopped)
        });
        match started {
            Ok(thread) => {
                let from = self.log.end;
                self.copy = Some(Copying { thread, rewriter, from, stop });
            }
            Err(error) => {
                self.queue.rewritten();
                let error = DiskError::new("start a copier for", &self.place.path, error);
                answer(rewriter, Err(RewriteError::Disk(error)));
            }
        }
    }

    /// Makes the copy the log, if it is good. An error is one of the log, and the queue has ended: that of a
    /// copy is answered.
    pub(super) fn adopt(&mut self) -> Result<(), AppendError> {
        let Some(copy) = self.copy.take() else { return Ok(()) };
        let copied = copy.thread.join().unwrap_or(Err(RewriteError::Panicked));
        let caught_up = copied.and_then(|new| self.catch_up(new, copy.from));
        let adopted = match caught_up {
            Ok(new) => self.replace(new).map_err(|error| self.end(error)),
            Err(error) => {
                self.discard();
                answer(copy.rewriter, Err(error));
                return Ok(());
            }
        };
        answer(copy.rewriter, adopted.clone().map_err(RewriteError::Log));
        adopted
    }

    /// Writes into the new file what was appended since the payloads were given.
    fn catch_up(&self, mut new: LogFile, from: u64) -> Result<LogFile, RewriteError> {
        let (old, mut frame) = (&self.log, Frame::new());
        let caught_up =
            recover::read_bodies((&old.file, &old.path), old.id, (from, old.end), |body| {
                frame.replace(body);
                new.write(&mut frame, Kind::Payloads)
            });
        caught_up.and_then(|()| new.sync()).map_err(RewriteError::Disk)?;
        // Another file may have been put there by hand: it is not ours to replace.
        if !self.place.leads_to(&old.file).map_err(RewriteError::Disk)? {
            let path = old.path.clone();
            return Err(RewriteError::Disk(DiskError::Removed { path }));
        }
        Ok(new)
    }

    /// From here on nobody knows which file a crash would leave under the name, so a failure is the log's:
    /// neither file takes an append until the folder is synced.
    fn replace(&mut self, mut new: LogFile) -> Result<(), DiskError> {
        self.place.settle_rewrite()?;
        self.place.sync_folder()?;
        new.path.clone_from(&self.log.path);
        // The old file's lock goes with it; the new one's was taken before it had the name.
        self.log = new;
        self.queue.rewritten();
        self.queue.set_length_bytes(self.log.end);
        Ok(())
    }

    /// Ends a rewrite because the log ends.
    pub(super) fn abandon_copy(&mut self, why: &AppendError) {
        let Some(copy) = self.copy.take() else { return };
        copy.stop.store(true, Ordering::Relaxed);
        // Whatever it came to, nobody uses it.
        drop(copy.thread.join());
        self.discard();
        answer(copy.rewriter, Err(RewriteError::Log(why.clone())));
    }

    fn discard(&self) {
        // What cannot be removed now is when the log is next opened or rewritten.
        drop(remove(&self.place.rewrite()));
        self.queue.rewritten();
    }
}

/// Writes the payloads into a new file, and syncs it.
fn copy(place: &Place, payloads: Payloads, stop: &AtomicBool) -> Result<LogFile, RewriteError> {
    let file = place.begin_rewrite().map_err(RewriteError::Disk)?;
    let id = FileId::generate().ok_or(RewriteError::NoRandom)?;
    let mut new = LogFile::begin(file, place.rewrite(), id).map_err(RewriteError::Disk)?;
    let mut frame = Frame::new();
    for payload in payloads {
        if stop.load(Ordering::Relaxed) {
            return Err(RewriteError::Log(AppendError::Closed));
        }
        let (bytes, max) = (payload.len(), PAYLOAD_BYTES_MAX);
        frame.push(&payload).or(Err(RewriteError::TooLarge { bytes, max }))?;
        if frame.body_bytes() >= COPY_BYTES {
            new.write(&mut frame, Kind::Payloads).map_err(RewriteError::Disk)?;
            frame.clear();
        }
    }
    if frame.body_bytes() > 0 {
        new.write(&mut frame, Kind::Payloads).map_err(RewriteError::Disk)?;
    }
    new.sync().map_err(RewriteError::Disk)?;
    Ok(new)
}
