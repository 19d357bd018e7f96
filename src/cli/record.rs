//! The record: verified, searched and exported, from an issuer's data or from what was exported of it.
//!
//! Nothing here takes the record's lock: an issuer may go on writing, and what is shown goes up to the last entry
//! that is whole.

mod export;
mod search;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answer::Answer;
use super::failure::Failure;
use crate::record::{self, Reader};

#[derive(Subcommand)]
pub(super) enum RecordCommand {
    /// Prove order, completeness and single use, of one record or of several together, with public keys alone
    Verify(verify::Verify),
    /// Find entries: everything that was done by one agent, in one workflow, for one grant
    Search(search::Search),
    /// Write entries to a file, one line for each: what is hashed is these bytes
    Export(export::Export),
}

impl RecordCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            RecordCommand::Verify(verify) => verify.run(),
            RecordCommand::Search(search) => search.run(),
            RecordCommand::Export(export) => export.run(),
        }
    }
}

/// An issuer's data.
#[derive(Args)]
struct Data {
    /// The data folder of an issuer
    #[arg(long, value_name = "DIR", default_value = "farebox-data", env = "FAREBOX_DATA")]
    data: PathBuf,
}

impl Data {
    /// Where its record lies: in the data folder, or it was named itself.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let inner = self.data.join(record::FOLDER);
        [inner, self.data.clone()]
            .into_iter()
            .find(|folder| record::is_record(folder))
            .ok_or_else(|| Failure::NoRecord { path: self.data.clone() })
    }

    fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::new(&self.folder()?))
    }
}
