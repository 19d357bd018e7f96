//! A durable log: payloads are appended, and read again in their order when it is next opened.
//!
//! ```text
//! append ─→ Pending                                          Durable
//!              │                                                ↑
//!            queue ─→ writer: one frame, one write, one fdatasync
//! ```
//!
//! **Durable before it answers.** [`Log::append`] gives a [`Pending`]; only its [`Durable`] says that the
//! payloads outlive a power cut. All that waits while one sync runs shares the next one.
//!
//! **The order is the caller's.** `append` never waits, so it can be called under the lock of whatever state
//! the payloads describe: check, append, change the state, unlock, await. Appends before changes, because an
//! append may be refused ([`AppendError::Full`]), and nothing that can fail should follow a change.
//!
//! **Failure is final.** A sync that failed is never tried again as if it could be made good: everything
//! after it is refused until the log is opened again.
//!
//! **Nothing acknowledged is lost in silence.** A torn end is cut off; damage before the end is an error
//! ([`OpenError::Damaged`]).
//!
//! **A clean stop is known.** [`Log::seal`] leaves a seal that holds for this very file and is broken when
//! the log is opened: [`Recovered::sealed`].
//!
//! What is assumed of the disk: that `fdatasync` means it, and that writing over bytes with the same bytes
//! does not change them, whenever the power goes.

mod error;
mod file;
mod frame;
mod look;
mod place;
mod queue;
mod recover;
mod rewrite;
mod seal;
mod writer;

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::{self, JoinHandle, Thread};

use tokio::sync::oneshot;

use file::LogFile;
use frame::FileId;
use place::{Found, Held, Place, remove};
use queue::Queue;
use recover::{Read, Replay};
use seal::{Seal, Verdict};
use writer::Writer;

pub use error::{AppendError, DiskError, OpenError, RewriteError, SealError};
pub use look::Look;

/// The longest payload.
pub const PAYLOAD_BYTES_MAX: usize = frame::PAYLOAD_BYTES_MAX;

/// How much may wait for the disk.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many appends.
    pub queue_callers_max: usize,
    /// How many bytes, with four for each payload.
    pub queue_bytes_max: usize,
}

impl Default for Options {
    /// What a slow disk takes in about a second.
    fn default() -> Options {
        Options { queue_callers_max: 16_384, queue_bytes_max: 16 << 20 }
    }
}

/// What was found when a log was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// There was none: this one is new.
    pub created: bool,
    /// It is exactly what was closed last, by [`Log::seal`], and nobody went on from there before.
    pub sealed: bool,
    /// How many payloads it holds.
    pub payloads: u64,
    /// How many bytes of a write that was cut short were cut off. Nobody was told that they were durable.
    pub cut_bytes: u64,
}

/// An open log. Dropping it writes what was appended, and leaves it unsealed.
pub struct Log {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// An append that is not durable yet. It becomes so, or fails, whether or not this is awaited.
#[must_use = "nothing may be answered before it is durable"]
pub struct Pending(oneshot::Receiver<Result<(), AppendError>>);

/// The proof that an append, and all before it, outlives a power cut.
#[derive(Debug)]
pub struct Durable(());

/// A rewrite that is under way. It goes on, or fails, whether or not this is awaited.
#[must_use = "a rewrite may fail, and the log is then as long as it was"]
pub struct Rewriting(oneshot::Receiver<Result<(), RewriteError>>);

impl Log {
    /// Opens the log of this name, or makes one, and hands its payloads over in their order. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; each says how it is mended. If `replay` refuses a payload, the log is left as it was.
    pub fn open<R>(
        path: &Path,
        options: Options,
        mut replay: impl FnMut(&[u8]) -> Result<(), R>,
    ) -> Result<(Log, Recovered), OpenError>
    where
        R: Into<Box<dyn Error + Send + Sync>>,
    {
        let place = Place::find(path)?;
        let mut replay = |payload: &[u8]| replay(payload).map_err(Into::into);
        let (log, recovered) = match place.hold()? {
            Found::File(file) => found(&place, file, &mut replay)?,
            Found::Nothing(file) => fresh(&place, file)?,
        };
        let queue = Arc::new(Queue::new(options, log.end));
        let writer =
            Writer { queue: Arc::clone(&queue), place, log, copy: None, ended: false }.start()?;
        Ok((Log { queue, writer: Mutex::new(Some(writer)) }, recovered))
    }

    /// Appends payloads, all or none, behind all that was appended before. Never waits.
    ///
    /// Without any payload, what is returned is durable when all before it is.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was taken.
    pub fn append<P: AsRef<[u8]>>(&self, payloads: &[P]) -> Result<Pending, AppendError> {
        let payloads: Vec<&[u8]> = payloads.iter().map(AsRef::as_ref).collect();
        self.queue.append(&payloads, None).map(Pending)
    }

    /// Ends the file behind all that was appended before, and appends these payloads as the first of another,
    /// which must not be there yet. Never waits; later appends go there too.
    ///
    /// The old file stays as it is, whole and unsealed; its lock is let go of. A rewrite that is under way is
    /// given up.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was taken, and the log goes on in the file it has. Where the new file
    /// cannot be begun, [`AppendError::Onward`] is what everybody is told whose append is not durable by then, and
    /// after that, until this is called again and the file can be begun.
    pub fn append_onward<P: AsRef<[u8]>>(
        &self,
        path: &Path,
        payloads: &[P],
    ) -> Result<Pending, AppendError> {
        let payloads: Vec<&[u8]> = payloads.iter().map(AsRef::as_ref).collect();
        self.queue.append(&payloads, Some(path.to_owned())).map(Pending)
    }

    /// Whether the file that it was to go on in could not be begun.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.queue.is_paused()
    }

    /// Replaces all that was appended before this call by these payloads. Never waits; appends go on.
    ///
    /// The payloads are drawn later, on another thread, and must say what the state was at this call: make
    /// it under the lock that appends are made under. A log that is closed meanwhile waits for the payload
    /// that is being drawn, and draws no more.
    ///
    /// # Errors
    /// [`RewriteError::Busy`] while another is under way, and [`RewriteError::Log`] after the end.
    pub fn rewrite(
        &self,
        payloads: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Result<Rewriting, RewriteError> {
        self.queue.rewrite(Box::new(payloads)).map(Rewriting)
    }

    /// How long the log is: what tells when to rewrite it.
    #[must_use]
    pub fn length_bytes(&self) -> u64 {
        self.queue.length_bytes()
    }

    /// Writes what was appended, takes nothing more, and seals the log.
    ///
    /// # Errors
    /// [`SealError`]; then it is closed all the same, unsealed.
    pub async fn seal(&self) -> Result<(), SealError> {
        let (sealer, sealed) = oneshot::channel();
        self.queue.close(Some(sealer)).map_err(SealError::Log)?;
        sealed.await.unwrap_or(Err(SealError::Log(AppendError::Closed)))
    }
}

impl Pending {
    /// Blocks this thread until it is durable, or has failed: for threads that nothing else runs on.
    ///
    /// # Errors
    /// [`AppendError`] where it is not known to be durable.
    pub fn block(self) -> Result<Durable, AppendError> {
        let waker = Arc::new(Unpark(thread::current())).into();
        let mut pending = std::pin::pin!(self);
        loop {
            match pending.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }
}

/// Wakes a thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Whoever sealed it has closed it before.
        drop(self.queue.close(None));
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that panicked has told its callers.
        drop(writer.map(JoinHandle::join));
    }
}

impl Future for Pending {
    type Output = Result<Durable, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| match answer {
            Ok(Ok(())) => Ok(Durable(())),
            Ok(Err(error)) => Err(error),
            Err(_gone) => Err(AppendError::Closed),
        })
    }
}

impl Future for Rewriting {
    type Output = Result<(), RewriteError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let closed = RewriteError::Log(AppendError::Closed);
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(closed)))
    }
}

/// A log that nobody made before.
fn fresh(place: &Place, file: Held) -> Result<(LogFile, Recovered), OpenError> {
    let id = FileId::generate().ok_or(OpenError::NoRandom)?;
    // It takes its name when it is whole, so that no crash leaves a log without a header.
    let log = LogFile::begin(file, place.path.clone(), id)?;
    log.sync()?;
    place.settle()?;
    // A seal without its log, if there is one, goes too.
    seal::consume(place)?;
    Ok((log, Recovered { created: true, sealed: false, payloads: 0, cut_bytes: 0 }))
}

/// The file that a log goes on in.
fn begin(path: &Path) -> Result<(Place, LogFile), OpenError> {
    let place = Place::find(path)?;
    match place.hold()? {
        Found::Nothing(file) => {
            let (log, _recovered) = fresh(&place, file)?;
            Ok((place, log))
        }
        // Whatever it is, it is not ours to go on from.
        Found::File(_) => Err(OpenError::Taken { path: place.path }),
    }
}

/// A log that was there: read, then made good, in this order. Until all of it was read nothing is changed.
fn found(place: &Place, file: Held, replay: Replay<'_>) -> Result<(LogFile, Recovered), OpenError> {
    let path = place.path.clone();
    let read = recover::read(&file, &path, replay)?;
    let sealed = is_sealed(place, &file, &read)?;
    // The seal goes first: whatever happens from here on, nobody goes on from it twice.
    let sealed = seal::consume(place)? && sealed;
    remove(&place.rewrite())?;
    let Read { id, end, next, payloads, torn_bytes: cut_bytes, last } = read;
    let mut log = LogFile { file, path, id, end, next, grown: end };
    if !sealed {
        // What was read may not have been synced, and whoever replayed it builds on it.
        if let Some((offset, _)) = last {
            log.write_again(offset)?;
        }
        log.cut()?;
    }
    Ok((log, Recovered { created: false, sealed, payloads, cut_bytes }))
}

fn is_sealed(place: &Place, file: &File, read: &Read) -> Result<bool, OpenError> {
    let Some(seal) = Seal::read(place)? else { return Ok(false) };
    let metadata = file.metadata().map_err(|e| DiskError::new("read", &place.path, e))?;
    match seal.judge(&metadata, read) {
        Verdict::Sealed => Ok(true),
        Verdict::Open => Ok(false),
        Verdict::Rotten => Err(OpenError::Damaged { path: place.path.clone(), offset: read.end }),
    }
}
