//! The writer: the one thread that writes a log.
//!
//! It takes all that was queued, writes it as one frame, syncs once, and only then answers. What queues up
//! meanwhile is the next frame, so the busier the log, the more callers share a sync.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::error::{AppendError, DiskError};
use super::file::LogFile;
use super::frame::{Frame, Kind};
use super::place::Place;
use super::queue::{Batch, Queue, Sealer, Work, answer};
use super::rewrite::Copying;
use super::seal;

/// What the writer thread owns.
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) place: Place,
    pub(super) log: LogFile,
    /// A rewrite that is under way.
    pub(super) copy: Option<Copying>,
    /// Nothing more is written to this file: the next one is still to be begun.
    pub(super) ended: bool,
}

/// Ends the queue however the thread ends, so that nobody waits for a writer that is gone.
struct EndsQueue(Arc<Queue>);

impl Drop for EndsQueue {
    fn drop(&mut self) {
        self.0.end(AppendError::Closed);
    }
}

impl Writer {
    /// Starts the thread; whoever has the handle joins it.
    pub(super) fn start(self) -> Result<JoinHandle<()>, DiskError> {
        let path = self.place.path.clone();
        let thread = thread::Builder::new().name("log".to_owned());
        let started = thread.spawn(move || {
            let _ends = EndsQueue(Arc::clone(&self.queue));
            self.run();
        });
        started.map_err(|e| DiskError::new("start a writer for", &path, e))
    }

    fn run(mut self) {
        loop {
            let done = match self.queue.next() {
                Work::Commit(batch) => self.commit(batch),
                Work::Adopt => self.adopt(),
                Work::Close(sealer) => return self.close(sealer),
            };
            // A sync that failed may have dropped the pages it was to write, and the next would not tell: so
            // the first failure is the last thing this file is used for.
            if let Err(why) = done {
                return self.abandon_copy(&why);
            }
        }
    }

    /// Writes a batch, syncs and answers. After an error the queue has ended.
    fn commit(&mut self, mut batch: Batch) -> Result<(), AppendError> {
        if batch.frame.body_bytes() > 0 {
            let written = self.log.write(&mut batch.frame, Kind::Payloads);
            let synced = written.and_then(|()| self.log.grow()).and_then(|()| self.log.sync());
            if let Err(error) = synced {
                let why = self.end(error);
                batch.refuse(&why);
                return Err(why);
            }
        }
        self.queue.set_length_bytes(self.log.end);
        let many = batch.callers.len() > 1;
        for caller in batch.callers {
            answer(caller, Ok(()));
        }
        self.queue.recycle(batch.frame);
        if let Some((payloads, rewriter)) = batch.rewrite {
            self.begin_copy(payloads, rewriter);
        }
        if let Some(path) = batch.onward {
            self.go_on_in(&path)?;
        }
        if many {
            // Those who were just told may come back at once. A frame begun before they do would leave them
            // to the next, and every group would be cut in two: of 64 callers 38 shared a sync, now 62.
            thread::yield_now();
        }
        Ok(())
    }

    /// Ends this file for good, and goes on in a new one. Whatever stands in the old file is durable before
    /// the new one has its name, so that no crash leaves a hole between the two.
    fn go_on_in(&mut self, path: &Path) -> Result<(), AppendError> {
        if !self.ended {
            self.abandon_copy(&AppendError::Closed);
            let ended = self.log.write(&mut Frame::new(), Kind::Seal).and_then(|()| self.log.cut());
            ended.map_err(|error| self.end(error))?;
            self.ended = true;
        }
        match super::begin(path) {
            Ok((place, log)) => {
                (self.place, self.log, self.ended) = (place, log, false);
                self.queue.set_length_bytes(self.log.end);
            }
            // A disk that was full for a moment: what is durable is not touched, so it may be tried again.
            Err(error) => self.queue.pause(AppendError::Onward(Arc::new(error))),
        }
        Ok(())
    }

    /// Ends the queue. This comes before anybody is told: who asks again because of the error must find that
    /// nothing is taken any more.
    pub(super) fn end(&self, error: DiskError) -> AppendError {
        let why = AppendError::Disk(error);
        self.queue.end(why.clone());
        why
    }

    fn close(mut self, sealer: Option<Sealer>) {
        self.abandon_copy(&AppendError::Closed);
        let Some(sealer) = sealer else { return };
        // The lock is let go before the answer: who is told may open the log again at once.
        let sealed = seal::seal(self.log, &self.place);
        answer(sealer, sealed);
    }
}
