//! One chain, line after line: whether each follows from the one before, and who signed for them.

use farebox_verifier::{Issuer, KeyRing};
use serde_json::Value;

use super::super::checkpoint::Checkpoint;
use super::super::entry::Entry;
use super::super::kind::Kind;
use super::super::known::Known;
use super::super::line::{Chain, Hash, Parts, Recorded};
use super::fault::Flaw;
use super::{ChainReport, Report};
use crate::limits;

/// A checkpoint that was kept beside the chain, or elsewhere.
struct Kept {
    checkpoint: Checkpoint,
    /// It was kept where nobody could change it.
    elsewhere: bool,
    met: bool,
}

/// What was seen of a chain.
pub(super) struct Checked {
    name: Box<str>,
    first: Option<u64>,
    last: u64,
    hash: Hash,
    /// The last entry that a trusted key signed for.
    signed: u64,
    /// The last one that a retired key signed for, and which.
    retired: Option<(u64, u32)>,
    checkpoints: u64,
    witnessed: u64,
    kept: Vec<Kept>,
    /// The hashes around the end of what was read, for checkpoints that are told of later.
    hashes: Vec<(u64, Hash)>,
    known: Known,
}

impl Checked {
    pub(super) fn new(name: &str, known: Vec<Checkpoint>) -> Checked {
        let kept = known.into_iter();
        let kept = kept.map(|checkpoint| Kept { checkpoint, elsewhere: true, met: false });
        Checked {
            name: name.into(),
            first: None,
            last: 0,
            hash: Hash::NONE,
            signed: 0,
            retired: None,
            checkpoints: 0,
            witnessed: 0,
            kept: kept.collect(),
            hashes: Vec::new(),
            known: Known::default(),
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The checkpoint that lies beside the chain. It is told of when the chain was read.
    pub(super) fn side(&mut self, checkpoint: Checkpoint) {
        self.kept.push(Kept { checkpoint, elsewhere: false, met: false });
    }

    /// Takes the next line, and gives its entry where it can be believed.
    pub(super) fn line(
        &mut self,
        parts: &Parts<'_>,
        keys: &KeyRing,
        report: &mut Report,
    ) -> Option<Recorded> {
        let n = parts.n;
        let whole = parts.is_whole();
        let entry = parts.entry();
        match (whole, &entry) {
            (false, _) => report.fault(&self.name, n, Flaw::Altered),
            (true, None) => report.fault(&self.name, n, Flaw::Malformed),
            (true, Some(_)) => {}
        }
        if !self.follows(parts, report) {
            return None;
        }
        let chain = Chain::parse(parts.chain).ok()?;
        let (prev, hash) = (parts.prev, parts.hash);
        let recorded = Recorded { chain, n, prev, entry: entry?, hash };
        if !whole {
            return None;
        }
        if recorded.entry.kind == Kind::Checkpoint {
            self.signed_by(Checkpoint::of(&recorded), n, keys, report);
        }
        self.journal(&recorded.entry, n, report);
        Some(recorded)
    }

    /// Whether a line stands where it should, behind the one that it was written behind.
    fn follows(&mut self, parts: &Parts<'_>, report: &mut Report) -> bool {
        let (n, expected) = (parts.n, self.last.saturating_add(1));
        if n < expected {
            report.fault(&self.name, n, Flaw::OutOfOrder { behind: self.last });
            return false;
        }
        if n > expected && !self.begins_behind(parts) {
            report.fault(&self.name, n, Flaw::Missing { from: expected, to: n - 1 });
        } else if n == expected && parts.prev != self.hash {
            report.fault(&self.name, n, Flaw::Spliced { from: self.last });
        }
        self.first.get_or_insert(n);
        (self.last, self.hash) = (n, parts.hash);
        for kept in self.kept.iter_mut().filter(|kept| kept.checkpoint.n == n) {
            kept.met = true;
            if kept.checkpoint.hash != parts.hash {
                report.fault(&self.name, n, Flaw::Replaced);
            }
        }
        // A checkpoint beside the record is told of later, and is never far behind.
        let remembered = 2 * usize::try_from(limits::RECORD_CHECKPOINT_ENTRIES_MAX).unwrap_or(0);
        if self.hashes.len() >= 2 * remembered {
            self.hashes.drain(..remembered);
        }
        self.hashes.push((n, parts.hash));
        true
    }

    /// A chain whose beginning was archived begins behind a checkpoint that was kept elsewhere.
    fn begins_behind(&mut self, parts: &Parts<'_>) -> bool {
        if self.first.is_some() {
            return false;
        }
        let kept = self.kept.iter_mut().find(|kept| {
            kept.elsewhere
                && kept.checkpoint.n.saturating_add(1) == parts.n
                && kept.checkpoint.hash == parts.prev
        });
        if let Some(kept) = kept {
            kept.met = true;
            return true;
        }
        false
    }

    fn signed_by(
        &mut self,
        checkpoint: Option<Checkpoint>,
        n: u64,
        keys: &KeyRing,
        report: &mut Report,
    ) {
        let Some(checkpoint) = checkpoint else {
            return report.fault(&self.name, n, Flaw::NoCheckpoint);
        };
        self.checkpoints += 1;
        let key = checkpoint.key;
        match keys.issuer(key) {
            None => report.fault(&self.name, n, Flaw::UnknownKey { key }),
            Some(issuer) if !checkpoint.is_signed_by(issuer.key()) => {
                report.fault(&self.name, n, Flaw::BadSignature { key });
            }
            Some(Issuer::Trusted(_)) => (self.signed, self.retired) = (checkpoint.n, None),
            Some(Issuer::Retired(_)) => self.retired = Some((checkpoint.n, key)),
        }
    }

    /// Whether an entry goes on where its journal was left.
    fn journal(&mut self, entry: &Entry, n: u64, report: &mut Report) {
        if let (Some(life), Some(number)) = (&entry.life, entry.number)
            && entry.kind != Kind::Gap
        {
            let cursor = self.known.lives.get(life).map_or(0, |drained| drained.cursor);
            let detail = entry.detail.as_ref().filter(|_| entry.kind == Kind::Cursor);
            let from = detail.and_then(|detail| detail.get("from")).and_then(Value::as_u64);
            let first = from.unwrap_or(number);
            let life = life.clone();
            if first <= cursor {
                report.fault(&self.name, n, Flaw::EventAgain { life, number: first });
            } else if first > cursor.saturating_add(1) {
                let (from, to) = (cursor.saturating_add(1), first - 1);
                report.fault(&self.name, n, Flaw::EventsMissing { life, from, to });
            }
        }
        if self.known.follow(entry, n).is_none() {
            report.fault(&self.name, n, Flaw::Malformed);
        }
    }

    pub(super) fn finish(mut self, keys: &KeyRing, report: &mut Report) -> ChainReport {
        for kept in std::mem::take(&mut self.kept) {
            self.holds(&kept, keys, report);
        }
        let vouched = self.retired.filter(|(n, _)| *n > self.signed);
        if let Some((n, key)) = vouched {
            report.fault(&self.name, n, Flaw::RetiredKey { key });
        } else if self.signed == 0 {
            report.fault(&self.name, self.last, Flaw::Unsigned);
        }
        let from = self.signed.saturating_add(1);
        if self.signed > 0
            && self.last.saturating_sub(self.signed) > 2 * limits::RECORD_CHECKPOINT_ENTRIES_MAX
        {
            report.fault(&self.name, from, Flaw::UnsignedTail { from, to: self.last });
        }
        ChainReport {
            chain: self.name,
            first: self.first.unwrap_or(0),
            last: self.last,
            signed: self.signed,
            checkpoints: self.checkpoints,
            witnessed: self.witnessed,
            open: u64::try_from(self.known.open.len()).unwrap_or(u64::MAX),
        }
    }

    /// Whether the chain still holds what a checkpoint covers that was kept.
    fn holds(&mut self, kept: &Kept, keys: &KeyRing, report: &mut Report) {
        let Kept { checkpoint, elsewhere, met } = kept;
        let (n, key) = (checkpoint.n, checkpoint.key);
        match keys.issuer(key) {
            None => return report.fault(&self.name, n, Flaw::UnknownKey { key }),
            Some(issuer) if !checkpoint.is_signed_by(issuer.key()) => {
                return report.fault(&self.name, n, Flaw::BadSignature { key });
            }
            Some(_) => {}
        }
        if n > self.last {
            return report.fault(&self.name, self.last, Flaw::Truncated { known: n });
        }
        let there = self.hashes.iter().rev().find(|(at, _)| *at == n).map(|(_, hash)| *hash);
        if !met && there.is_some_and(|hash| hash != checkpoint.hash) {
            return report.fault(&self.name, n, Flaw::Replaced);
        }
        if *met || there.is_some() {
            self.witnessed = self.witnessed.max(n);
        }
        // Nobody could have put it where it was kept, whatever became of its key since.
        if *elsewhere && *met {
            self.signed = self.signed.max(n);
        }
    }
}
