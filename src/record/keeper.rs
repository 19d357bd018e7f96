//! The keeper of the checkpoint beside the record: one thread, so that nobody else waits for that file.
//!
//! A checkpoint is put there once its entry is durable, and not before: a record that a power cut made a little
//! shorter than its checkpoint would be taken for one that somebody cut.
//!
//! What could not be put there is tried again until it can, or a newer one takes its place. A process that had no
//! file left for a moment is in trouble for that moment.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::checkpoint::Checkpoint;
use super::error::FileError;
use super::folder;
use crate::log::{AppendError, Pending};

/// A checkpoint, and what it waits for.
type Told = (Pending, Checkpoint);

/// How long after a failure it is tried again, where nothing newer comes before that.
const AGAIN: Duration = Duration::from_secs(1);

/// The thread, and what it could not do.
pub(super) struct Keeper {
    tell: Option<Sender<Told>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Failed>,
}

/// Why the last attempt failed, where it did.
#[derive(Default)]
struct Failed(Mutex<Option<FileError>>);

impl Failed {
    fn set(&self, error: Option<FileError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn get(&self) -> Option<FileError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Keeper {
    pub(super) fn start(folder: PathBuf) -> Result<Keeper, FileError> {
        let (tell, told) = channel();
        let failed = Arc::new(Failed::default());
        let says = Arc::clone(&failed);
        let path = folder.clone();
        let thread = thread::Builder::new().name("record".to_owned());
        let started = thread.spawn(move || run(&folder, &told, &says));
        let thread = started.map_err(|e| FileError::new("start a thread for", &path, e))?;
        Ok(Keeper { tell: Some(tell), thread: Some(thread), failed })
    }

    /// Keeps a checkpoint as soon as it is durable.
    pub(super) fn keep(&self, pending: Pending, checkpoint: Checkpoint) {
        if let Some(tell) = &self.tell {
            // A thread that has ended has said why.
            drop(tell.send((pending, checkpoint)));
        }
    }

    /// Why the newest checkpoint is not there, where the last attempt to put it there failed.
    pub(super) fn failed(&self) -> Option<FileError> {
        self.failed.get()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.tell.take());
        // What it was told is kept before it ends; one that panicked keeps nothing more.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn run(folder: &Path, told: &Receiver<Told>, failed: &Failed) {
    // What is still to be put there.
    let mut owed = None;
    loop {
        let next = match owed {
            None => told.recv().or(Err(RecvTimeoutError::Disconnected)),
            Some(_) => told.recv_timeout(AGAIN),
        };
        match next {
            Ok(mut last) => {
                // Only the last one counts, and all before it are durable when it is.
                while let Ok(later) = told.try_recv() {
                    last = later;
                }
                let (pending, checkpoint) = last;
                match pending.block() {
                    Ok(_durable) => owed = Some(checkpoint),
                    // It is nowhere: another one is signed when the record goes on.
                    Err(AppendError::Onward(_)) => {}
                    // A log that failed has told everybody.
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        owed = owed.filter(|checkpoint| !put(folder, checkpoint, failed));
    }
    // Nobody asks any more. What is there is older, which a start can tell from a record that was cut.
    if let Some(checkpoint) = owed {
        put(folder, &checkpoint, failed);
    }
}

/// Whether it is there now.
fn put(folder: &Path, checkpoint: &Checkpoint, failed: &Failed) -> bool {
    let error = folder::write_checkpoint(folder, checkpoint).err();
    let there = error.is_none();
    failed.set(error);
    there
}
