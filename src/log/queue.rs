//! What waits for the writer: handed over in an order, within limits, and never waited for here.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Options;
use super::error::{AppendError, RewriteError, SealError};
use super::frame::{self, BODY_BYTES_MAX, Frame, PAYLOAD_BYTES_MAX};

/// Where an append is answered.
pub(super) type Caller = oneshot::Sender<Result<(), AppendError>>;
/// Where a rewrite is answered.
pub(super) type Rewriter = oneshot::Sender<Result<(), RewriteError>>;
/// Where a seal is answered.
pub(super) type Sealer = oneshot::Sender<Result<(), SealError>>;
/// What a rewritten log begins with.
pub(super) type Payloads = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// Appends that are written as one frame.
pub(super) struct Batch {
    pub(super) frame: Frame,
    pub(super) callers: Vec<Caller>,
    /// A rewrite that begins after these appends and before any later one.
    pub(super) rewrite: Option<(Payloads, Rewriter)>,
    /// The file that all later appends go into.
    pub(super) onward: Option<PathBuf>,
}

/// What the writer does next.
pub(super) enum Work {
    Commit(Batch),
    /// The copy of a rewrite has ended, well or not.
    Adopt,
    /// Everything is written.
    Close(Option<Sealer>),
}

/// Why nothing more is taken.
enum Over {
    Closing(Option<Sealer>),
    Ended(AppendError),
}

struct State {
    batches: VecDeque<Batch>,
    /// A frame of which the memory can be used again.
    spare: Option<Frame>,
    callers: usize,
    bytes: usize,
    rewriting: bool,
    copied: bool,
    over: Option<Over>,
    /// The last file has ended and the next could not be begun: nothing is taken but to try that again.
    between: Option<AppendError>,
    /// The writer waits for [`Queue::woken`].
    asleep: bool,
}

/// The queue between callers and the writer.
pub(super) struct Queue {
    state: Mutex<State>,
    woken: Condvar,
    options: Options,
    length_bytes: AtomicU64,
}

impl Queue {
    pub(super) fn new(options: Options, length_bytes: u64) -> Queue {
        let state = State {
            batches: VecDeque::new(),
            spare: None,
            callers: 0,
            bytes: 0,
            rewriting: false,
            copied: false,
            over: None,
            between: None,
            asleep: false,
        };
        let (state, woken) = (Mutex::new(state), Condvar::new());
        Queue { state, woken, options, length_bytes: AtomicU64::new(length_bytes) }
    }

    /// How long the log is, without what waits here.
    pub(super) fn length_bytes(&self) -> u64 {
        self.length_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn set_length_bytes(&self, length_bytes: u64) {
        self.length_bytes.store(length_bytes, Ordering::Relaxed);
    }

    /// Takes payloads, all or none, behind all that was taken before.
    pub(super) fn append(
        &self,
        payloads: &[&[u8]],
        onward: Option<PathBuf>,
    ) -> Result<oneshot::Receiver<Result<(), AppendError>>, AppendError> {
        let bytes = self.measure(payloads)?;
        let mut state = self.lock();
        state.refuse_over()?;
        if let (Some(why), None) = (&state.between, &onward) {
            return Err(why.clone());
        }
        // An append of nothing takes a place in the queue too.
        if state.callers >= self.options.queue_callers_max
            || bytes > self.options.queue_bytes_max.saturating_sub(state.bytes)
        {
            return Err(AppendError::Full { callers: state.callers, bytes: state.bytes });
        }
        if onward.is_some() {
            // Tried again, if it failed before.
            state.between = None;
            state.batch(0).onward = onward;
        }
        let (caller, answer) = oneshot::channel();
        let batch = state.batch(bytes);
        for payload in payloads {
            // Measured already: nothing is left half done here.
            let too_large = |_| AppendError::TooLarge { bytes, max: BODY_BYTES_MAX };
            batch.frame.push(payload).map_err(too_large)?;
        }
        batch.callers.push(caller);
        state.callers += 1;
        state.bytes += bytes;
        self.wake(state);
        Ok(answer)
    }

    fn measure(&self, payloads: &[&[u8]]) -> Result<usize, AppendError> {
        let mut sum = 0_usize;
        for payload in payloads {
            let bytes = payload.len();
            if bytes > PAYLOAD_BYTES_MAX {
                return Err(AppendError::TooLarge { bytes, max: PAYLOAD_BYTES_MAX });
            }
            sum = sum.saturating_add(frame::cost(payload));
        }
        let max = BODY_BYTES_MAX.min(self.options.queue_bytes_max);
        if sum > max { Err(AppendError::TooLarge { bytes: sum, max }) } else { Ok(sum) }
    }

    /// Takes a rewrite, behind all that was taken before.
    pub(super) fn rewrite(
        &self,
        payloads: Payloads,
    ) -> Result<oneshot::Receiver<Result<(), RewriteError>>, RewriteError> {
        let mut state = self.lock();
        state.refuse_over().map_err(RewriteError::Log)?;
        if let Some(why) = &state.between {
            return Err(RewriteError::Log(why.clone()));
        }
        if state.rewriting {
            return Err(RewriteError::Busy);
        }
        state.rewriting = true;
        let (rewriter, answer) = oneshot::channel();
        state.batch(0).rewrite = Some((payloads, rewriter));
        self.wake(state);
        Ok(answer)
    }

    /// Takes nothing more; what was taken is still written.
    pub(super) fn close(&self, sealer: Option<Sealer>) -> Result<(), AppendError> {
        let mut state = self.lock();
        state.refuse_over()?;
        if let Some(why) = state.between.take() {
            // There is no file to seal.
            state.over = Some(Over::Ended(why.clone()));
            self.wake(state);
            return Err(why);
        }
        state.over = Some(Over::Closing(sealer));
        self.wake(state);
        Ok(())
    }

    /// Waits for something to do.
    pub(super) fn next(&self) -> Work {
        let mut state = self.lock();
        loop {
            if state.copied {
                state.copied = false;
                return Work::Adopt;
            }
            if let Some(batch) = state.batches.pop_front() {
                state.callers -= batch.callers.len();
                state.bytes -= batch.frame.body_bytes();
                return Work::Commit(batch);
            }
            match &mut state.over {
                Some(Over::Closing(sealer)) => return Work::Close(sealer.take()),
                Some(Over::Ended(_)) => return Work::Close(None),
                None => {}
            }
            state.asleep = true;
            state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = false;
        }
    }

    /// The copy of a rewrite has ended.
    pub(super) fn copied(&self) {
        let mut state = self.lock();
        state.copied = true;
        self.wake(state);
    }

    /// The next rewrite may come.
    pub(super) fn rewritten(&self) {
        self.lock().rewriting = false;
    }

    /// Keeps the memory of a frame for the next one.
    pub(super) fn recycle(&self, mut frame: Frame) {
        frame.clear();
        self.lock().spare = Some(frame);
    }

    /// The next file could not be begun: who waits is told why, and nothing is taken until it is tried again. One that
    /// is being closed has nothing to try again for.
    pub(super) fn pause(&self, why: AppendError) {
        let mut state = self.lock();
        if state.over.is_some() {
            drop(state);
            return self.end(why);
        }
        state.between = Some(why.clone());
        let batches = std::mem::take(&mut state.batches);
        (state.callers, state.bytes) = (0, 0);
        drop(state);
        for batch in batches {
            batch.refuse(&why);
        }
    }

    /// Whether the next file could not be begun.
    pub(super) fn is_paused(&self) -> bool {
        self.lock().between.is_some()
    }

    /// Ends the queue for good: nothing more is taken, and who waits is told why. The first reason stays.
    pub(super) fn end(&self, why: AppendError) {
        let mut state = self.lock();
        let sealer = match state.over.take() {
            Some(Over::Ended(first)) => {
                state.over = Some(Over::Ended(first));
                return;
            }
            Some(Over::Closing(sealer)) => sealer,
            None => None,
        };
        state.over = Some(Over::Ended(why.clone()));
        let batches = std::mem::take(&mut state.batches);
        (state.callers, state.bytes) = (0, 0);
        drop(state);
        for batch in batches {
            batch.refuse(&why);
        }
        if let Some(sealer) = sealer {
            answer(sealer, Err(SealError::Log(why)));
        }
    }

    /// Wakes the writer, which then finds the lock free.
    fn wake(&self, state: MutexGuard<'_, State>) {
        let asleep = state.asleep;
        drop(state);
        if asleep {
            self.woken.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything could panic, so a poisoned lock guards good data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse_over(&self) -> Result<(), AppendError> {
        match &self.over {
            None => Ok(()),
            Some(Over::Closing(_)) => Err(AppendError::Closed),
            Some(Over::Ended(why)) => Err(why.clone()),
        }
    }

    /// The batch that takes so many more bytes: the last one, or a new one.
    fn batch(&mut self, bytes: usize) -> &mut Batch {
        let full = self.batches.back().is_none_or(|batch| {
            let closed = batch.rewrite.is_some() || batch.onward.is_some();
            closed || bytes > BODY_BYTES_MAX - batch.frame.body_bytes()
        });
        if full {
            let frame = self.spare.take().unwrap_or_else(Frame::new);
            self.batches.push_back(Batch {
                frame,
                callers: Vec::new(),
                rewrite: None,
                onward: None,
            });
        }
        let last = self.batches.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "one was put there if there was none")]
        &mut self.batches[last]
    }
}

impl Batch {
    /// Tells all of them that nothing of theirs is known to be durable.
    pub(super) fn refuse(self, why: &AppendError) {
        for caller in self.callers {
            answer(caller, Err(why.clone()));
        }
        if let Some((_, rewriter)) = self.rewrite {
            answer(rewriter, Err(RewriteError::Log(why.clone())));
        }
    }
}

/// Answers one who may have gone.
pub(super) fn answer<T>(to: oneshot::Sender<T>, what: T) {
    // Whoever dropped its end does not want to know.
    drop(to.send(what));
}
