//! Entries written to a file as they stand in the record.
//!
//! They go to a file and not through the output, which escapes what would mislead at a terminal: what is hashed is
//! these very bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Data;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    data: Data,
    /// The file, which must not be there yet; a pipe or /dev/stdout may be
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Only what stands behind this entry
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
}

impl Export {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let reader = self.data.reader()?;
        let failed = |source| Failure::File { path: self.to.clone(), source };
        let mut file = BufWriter::new(self.file().map_err(failed)?);
        let mut lines = reader.lines(self.after)?;
        let (mut entries, mut last, mut written) = (0_u64, self.after, Ok(()));
        while written.is_ok()
            && lines.next(|n, line| {
                if written.is_ok() {
                    written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
                    (entries, last) = (entries.saturating_add(1), n);
                }
            })?
        {}
        written.and_then(|()| file.flush()).map_err(failed)?;
        let to = self.to.display().to_string();
        let json = json!({ "entries": entries, "last": last, "file": to });
        let answer = Answer::done(Vec::new(), json);
        Ok(answer.with_note(format!("{entries} entries, up to {last}, in {to}")))
    }

    fn file(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        match options.clone().create_new(true).open(&self.to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = std::fs::metadata(&self.to)?;
                // A record is written over no other file.
                if found.is_file() { Err(error) } else { options.open(&self.to) }
            }
            opened => opened,
        }
    }
}
