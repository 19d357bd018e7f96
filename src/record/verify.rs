//! Verifying records, with public keys alone.
//!
//! ```text
//! folders, exports ─→ lines ─→ each chain: order, hashes, signatures, journals without a hole ─┐
//!                                                                                              ├─→ Report
//! checkpoints that were kept elsewhere ─→ nothing before them was changed or cut ──────────────┤
//!                                         all chains: no grant was spent twice ────────────────┘
//! ```
//! What is wrong is named, chain by chain and entry by entry, and reading goes on behind it: one fault hides no other.
//! A gap that a chain admits is no fault; it is said, unless another chain fills it.
//!
//! A retired key counts for what it signed while it was trusted. When that was no key can say, so something
//! that is trusted must have signed since: a later checkpoint of the same chain, or one that was kept elsewhere.

mod chain;
mod fault;
mod spends;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use farebox_verifier::KeyRing;

use super::checkpoint::Checkpoint;
use super::error::{FileError, RecordError};
use super::folder;
use crate::limits;
use crate::log::Look;
use chain::Checked;
use spends::Spends;

pub use fault::{Fault, Flaw};

/// An end of line, and the names around the members.
const LINE_BYTES_MAX: usize = limits::RECORD_ENTRY_BYTES_MAX + 1_024;

/// Where a chain, or a part of one, is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder of a record, also one that is in use.
    Folder(PathBuf),
    /// An export: one line for each entry.
    Export(PathBuf),
}

impl Source {
    /// What lies there.
    #[must_use]
    pub fn at(path: &Path) -> Source {
        if path.is_dir() { Source::Folder(path.into()) } else { Source::Export(path.into()) }
    }
}

/// What is known of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Its name.
    pub chain: Box<str>,
    /// The first entry that was read.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The last entry that a trusted key has signed for.
    pub signed: u64,
    /// How many checkpoints it has.
    pub checkpoints: u64,
    /// The last entry that a checkpoint covers which was kept beside the record or elsewhere: nothing but such a
    /// one shows that the end was not cut off. Zero where there is none.
    pub witnessed: u64,
    /// Requests that were begun and not closed.
    pub open: u64,
}

/// Something that a chain admits not to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The chain.
    pub chain: Box<str>,
    /// The entry that says so.
    pub n: u64,
    /// Whose journal, where it is one.
    pub life: Box<str>,
    /// What kind of gap.
    pub code: Box<str>,
    /// The events that are missing, where that is known.
    pub missing: Option<(u64, u64)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The chains, by name.
    pub chains: Vec<ChainReport>,
    /// What is wrong, in the order in which it was found.
    pub faults: Vec<Fault>,
    /// There is more wrong than is named.
    pub more_faults: bool,
    /// What they admit not to know.
    pub gaps: Vec<Gap>,
    /// Grants that were spent.
    pub spent: u64,
    /// Spends of which the grant is not known.
    pub unnamed_spends: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, chain: &str, n: u64, flaw: Flaw) {
        if self.faults.len() < limits::RECORD_FAULTS_MAX {
            self.faults.push(Fault { chain: chain.into(), n, flaw });
        } else {
            self.more_faults = true;
        }
    }
}

/// Why nothing was verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A source is not there, or cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// A folder holds no record.
    #[error("{} holds no record", path.display())]
    NoRecord {
        /// Which.
        path: PathBuf,
    },
}

/// Verifies all of these together. `known` are checkpoints that were kept where nobody could change them: they
/// are believed, if a key of the ring signed them, whatever became of that key.
///
/// # Errors
/// [`VerifyError`] where a source cannot be read at all: what is wrong with one that can is a fault.
pub fn verify(
    sources: &[Source],
    keys: &KeyRing,
    known: &[Checkpoint],
) -> Result<Report, VerifyError> {
    let mut check = Check {
        keys,
        known,
        report: Report::default(),
        chains: BTreeMap::new(),
        names: Vec::new(),
        spends: Spends::default(),
    };
    for source in sources {
        match source {
            Source::Folder(path) => check.folder(path)?,
            Source::Export(path) => check.export(path)?,
        }
    }
    Ok(check.finish())
}

/// What is being verified.
struct Check<'a> {
    keys: &'a KeyRing,
    known: &'a [Checkpoint],
    report: Report,
    chains: BTreeMap<Box<str>, Checked>,
    /// Chains in the order in which they were met.
    names: Vec<Box<str>>,
    spends: Spends,
}

impl Check<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), VerifyError> {
        // The checkpoint first: a record that is in use may go on meanwhile, and must not seem cut.
        let side = folder::read_checkpoint(path);
        let segments = folder::segments(path)?;
        if segments.is_empty() && matches!(side, Ok(None)) {
            return Err(VerifyError::NoRecord { path: path.to_owned() });
        }
        let mut chain = None;
        for segment in segments {
            let file = folder::segment_path(path, segment);
            let seen = self.file(&file, &mut chain);
            if let Err(error) = seen {
                let name = chain.clone().unwrap_or_else(|| file.display().to_string().into());
                let n = self.last_of(&name);
                self.report.fault(&name, n, Flaw::File { what: error.to_string().into() });
            }
        }
        match side {
            Ok(None) => {}
            Ok(Some(side)) => {
                let name = side.chain.as_str();
                self.names_chain(name);
                if let Some(checked) = self.chains.get_mut(name) {
                    checked.side(side.clone());
                }
            }
            Err(RecordError::File(error)) => return Err(error.into()),
            Err(error) => {
                let name = chain.unwrap_or_default();
                let n = self.last_of(&name);
                self.report.fault(&name, n, Flaw::File { what: error.to_string().into() });
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        file: &Path,
        chain: &mut Option<Box<str>>,
    ) -> Result<(), crate::log::OpenError> {
        let mut look = Look::open(file)?;
        while look.frame(|line| self.line(line, chain))? {}
        Ok(())
    }

    fn export(&mut self, path: &Path) -> Result<(), VerifyError> {
        let failed = |e| FileError::new("read", path, e);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let (mut line, mut chain) = (Vec::new(), None);
        loop {
            line.clear();
            let bytes_max = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let read =
                file.by_ref().take(bytes_max).read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            self.line(text, &mut chain);
        }
    }

    /// Takes a line of a source, whose first line says which chain it is of.
    fn line(&mut self, line: &[u8], chain: &mut Option<Box<str>>) {
        let Some(parts) = super::line::parts(line) else {
            let name = chain.clone().unwrap_or_default();
            let n = self.last_of(&name);
            return self.report.fault(&name, n, Flaw::Malformed);
        };
        let among = chain.get_or_insert_with(|| parts.chain.into()).clone();
        if parts.chain != &*among {
            return self.report.fault(parts.chain, parts.n, Flaw::OtherChain { among });
        }
        let index = self.names_chain(&among);
        let Some(checked) = self.chains.get_mut(&among) else { return };
        let Some(recorded) = checked.line(&parts, self.keys, &mut self.report) else { return };
        if let Some(first) = self.spends.take(index, recorded.n, &recorded.entry) {
            let grant = recorded.entry.grant.clone().unwrap_or_default();
            let other = self.names.get(first.chain).cloned().unwrap_or_default();
            let flaw = Flaw::SpentTwice { grant, chain: other, n: first.n };
            self.report.fault(&among, recorded.n, flaw);
        }
    }

    /// The chain's number among those that were met.
    fn names_chain(&mut self, name: &str) -> usize {
        if let Some(index) = self.names.iter().position(|known| **known == *name) {
            return index;
        }
        self.names.push(name.into());
        let known = self.known.iter().filter(|known| known.chain.as_str() == name);
        self.chains.insert(name.into(), Checked::new(name, known.cloned().collect()));
        self.names.len() - 1
    }

    fn last_of(&self, name: &str) -> u64 {
        self.chains.get(name).map_or(0, Checked::last)
    }

    fn finish(mut self) -> Report {
        // A chain that somebody kept a checkpoint of, and that is nowhere.
        for known in self.known {
            self.names_chain(known.chain.as_str());
        }
        for checked in self.chains.into_values() {
            let report = checked.finish(self.keys, &mut self.report);
            self.report.chains.push(report);
        }
        self.report.spent = self.spends.grants();
        self.report.unnamed_spends = self.spends.unnamed;
        for gap in &self.spends.gaps {
            if !self.spends.is_filled(gap) {
                let chain = self.names.get(gap.chain).cloned().unwrap_or_default();
                let (life, code) = (gap.life.clone(), gap.code.clone());
                let gap = Gap { chain, n: gap.n, life, code, missing: gap.missing };
                self.report.gaps.push(gap);
            }
        }
        self.report
    }
}
