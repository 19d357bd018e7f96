//! Exporting a record: its lines as they stand, some at a time, so that whoever reads slowly holds up no thread.

use std::sync::Arc;

use super::Record;
use super::follow::FollowError;
use super::line::Recorded;
use super::read::{At, ReadAt};
use crate::limits;

/// One who reads the lines of a record to their end. Dropping it is all that it takes to stop.
pub struct Export {
    record: Arc<Record>,
    at: Option<At>,
    after: u64,
    tenant: Option<Box<str>>,
}

/// What one look found.
struct Looked {
    at: At,
    after: u64,
    lines: Vec<u8>,
    more: bool,
}

impl Record {
    /// The lines behind this entry; those of one tenant alone, where one is named.
    #[must_use]
    pub fn export(self: &Arc<Record>, after: u64, tenant: Option<Box<str>>) -> Export {
        Export { record: Arc::clone(self), at: None, after, tenant }
    }
}

impl Export {
    /// The next lines, each with its end; nothing where there are no more. A thread works on them for as long as it
    /// takes to read so much, and nobody waits on one.
    ///
    /// # Errors
    /// [`FollowError`] where nothing more can be read.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, FollowError> {
        loop {
            let (record, at, after) = (Arc::clone(&self.record), self.at.take(), self.after);
            let tenant = self.tenant.clone();
            let look = move || look(&record, at, after, tenant.as_deref());
            let looked = tokio::task::spawn_blocking(look).await.or(Err(FollowError::Gone))??;
            let Looked { at, after, lines, more } = looked;
            (self.at, self.after) = (Some(at), after);
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if !more {
                return Ok(None);
            }
        }
    }
}

fn look(
    record: &Record,
    at: Option<At>,
    after: u64,
    tenant: Option<&str>,
) -> Result<Looked, FollowError> {
    let mut lines = record.reader.lines_from(ReadAt { at, after })?;
    let (mut taken, mut last, mut bytes, mut more) = (Vec::new(), after, 0, true);
    while more && bytes < limits::RECORD_EXPORT_BYTES_AT_ONCE {
        more = lines.next(|n, line| {
            (last, bytes) = (n, bytes + line.len());
            let wanted = |tenant| Recorded::read(line).is_ok_and(|line| line.entry.is_of(tenant));
            if tenant.is_none_or(wanted) {
                taken.extend_from_slice(line);
                taken.push(b'\n');
            }
        })?;
    }
    Ok(Looked { at: lines.leave(), after: last, lines: taken, more })
}
