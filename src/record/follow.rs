//! Following a record: its entries as they become durable, from any of them on.

use std::sync::Arc;

use tokio::sync::watch;

use super::Record;
use super::error::{Lost, ReadError};
use super::kind::Kind;
use super::line::Recorded;
use super::read::{At, ReadAt};

/// One who follows. Dropping it is all that it takes to stop.
pub struct Follow {
    record: Arc<Record>,
    heads: watch::Receiver<u64>,
    /// Where it was left; nothing before the first look, and after one that nobody waited for.
    at: Option<At>,
    after: u64,
}

/// Why nothing more is followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The record is closed, or takes nothing more.
    #[error("record says nothing more")]
    Over(#[source] Lost),
    /// It cannot be read.
    #[error("record cannot be read")]
    Read(#[from] ReadError),
    /// The look ended in a panic, or the runtime is being shut down.
    #[error("record was not looked at")]
    Gone,
}

impl Record {
    /// Follows what is recorded behind this entry.
    #[must_use]
    pub fn follow(self: &Arc<Record>, after: u64) -> Follow {
        Follow { record: Arc::clone(self), heads: self.head.subscribe(), at: None, after }
    }
}

impl Follow {
    /// The next entries, at least one. Waits until there are any. Nothing is lost where this is not waited for.
    ///
    /// # Errors
    /// [`FollowError`] where nothing more will come.
    pub async fn next(&mut self) -> Result<Vec<Recorded>, FollowError> {
        loop {
            let after = self.after;
            let head = self.heads.wait_for(|head| *head > after).await;
            head.map(drop).or(Err(FollowError::Gone))?;
            // What is shown must last: without any payload, this waits for all that was appended.
            let durable = self.record.log.append::<Vec<u8>>(&[]);
            let durable = durable.map_err(|why| FollowError::Over(Lost(why)))?;
            durable.await.map_err(|why| FollowError::Over(Lost(why)))?;
            let (record, at) = (Arc::clone(&self.record), self.at.take());
            // The entry behind `after` is durable now, and so is the frame that it stands in.
            let looked = tokio::task::spawn_blocking(move || look(&record, at, after)).await;
            let (at, entries) = looked.or(Err(FollowError::Gone))??;
            self.at = Some(at);
            if let Some(last) = entries.last() {
                self.after = last.n;
                return Ok(entries);
            }
        }
    }
}

impl Follow {
    /// Hands over once more what stands behind this entry.
    pub fn go_back(&mut self, after: u64) {
        (self.at, self.after) = (None, after);
    }

    /// Those of these kinds among all that was appended by now and not handed over yet, and the entry up to which
    /// that is. All others are passed over unread.
    ///
    /// # Errors
    /// [`FollowError`] where nothing more will come.
    pub async fn so_far(
        &mut self,
        kinds: &'static [Kind],
    ) -> Result<(Vec<Recorded>, u64), FollowError> {
        let durable = self.record.log.append::<Vec<u8>>(&[]);
        let durable = durable.map_err(|why| FollowError::Over(Lost(why)))?;
        durable.await.map_err(|why| FollowError::Over(Lost(why)))?;
        let (record, at, after) = (Arc::clone(&self.record), self.at.take(), self.after);
        let looked = tokio::task::spawn_blocking(move || look_for(&record, at, after, kinds)).await;
        let (at, entries, after) = looked.or(Err(FollowError::Gone))??;
        (self.at, self.after) = (Some(at), after);
        Ok((entries, after))
    }
}

fn look_for(
    record: &Record,
    at: Option<At>,
    mut after: u64,
    kinds: &[Kind],
) -> Result<(At, Vec<Recorded>, u64), ReadError> {
    let texts: Vec<String> =
        kinds.iter().map(|kind| format!(r#""kind":"{}""#, kind.word())).collect();
    let reader = &record.reader;
    let mut lines = reader.lines_from(ReadAt { at, after })?;
    let (mut entries, mut flaw) = (Vec::new(), None);
    while lines.next(|n, line| {
        after = n;
        // The text may stand in a detail too: only the member itself tells.
        let text = std::str::from_utf8(line).unwrap_or_default();
        if !texts.iter().any(|kind| text.contains(kind.as_str())) {
            return;
        }
        match Recorded::read(line) {
            Ok(recorded) if kinds.contains(&recorded.entry.kind) => entries.push(recorded),
            Ok(_) => {}
            Err(source) => flaw = Some(source),
        }
    })? {}
    match flaw {
        Some(source) => {
            let path = super::folder::segment_path(reader.folder(), lines.segment());
            Err(ReadError::Line { path, source })
        }
        None => Ok((lines.leave(), entries, after)),
    }
}

fn look(record: &Record, at: Option<At>, after: u64) -> Result<(At, Vec<Recorded>), ReadError> {
    let reader = &record.reader;
    let mut lines = reader.lines_from(ReadAt { at, after })?;
    let (mut entries, mut flaw) = (Vec::new(), None);
    while entries.is_empty() && flaw.is_none() {
        let more = lines.next(|_, line| match Recorded::read(line) {
            Ok(recorded) => entries.push(recorded),
            Err(source) => flaw = Some(source),
        })?;
        if !more {
            break;
        }
    }
    match flaw {
        Some(source) => {
            let path = super::folder::segment_path(reader.folder(), lines.segment());
            Err(ReadError::Line { path, source })
        }
        None => Ok((lines.leave(), entries)),
    }
}
