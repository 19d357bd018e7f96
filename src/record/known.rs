//! What a record knows of itself: how far it has come, which journals it has drained up to where, and which
//! requests are begun and not closed.
//!
//! It follows from the entries alone. Each file of a record begins by saying it, so that a start reads one file.

use std::collections::BTreeMap;

use farebox_verifier::UnixSeconds;
use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::error::Broken;
use super::kind::Kind;
use super::line::{self, Chain, Hash, LineError, Recorded};
use crate::limits;

/// The name of the desk's journal among those of lives.
pub(super) const DESK: &str = "desk";
/// Lives, or requests, in one entry that carries them over.
const CARRIED_MAX: usize = 500;

/// Up to where a journal was drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drained {
    /// The number of the last event that is recorded.
    pub(super) cursor: u64,
    /// The file in which its first one stands.
    pub(super) segment: u32,
    /// When the last of them happened.
    pub(super) at: u64,
    /// It has said that nothing more comes, or somebody has said so for it.
    pub(super) ended: bool,
}

/// What follows from the entries so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) n: u64,
    pub(super) hash: Option<Hash>,
    pub(super) segment: u32,
    pub(super) lives: BTreeMap<Box<str>, Drained>,
    pub(super) open: BTreeMap<Box<str>, u64>,
    /// The last checkpoint: what it covers, and when it was signed.
    pub(super) signed: (u64, UnixSeconds),
}

impl Default for Known {
    /// A chain without any entry.
    fn default() -> Known {
        let signed = (0, UnixSeconds(0));
        let (lives, open) = (BTreeMap::new(), BTreeMap::new());
        Known { n: 0, hash: None, segment: 0, lives, open, signed }
    }
}

impl Default for Drained {
    fn default() -> Drained {
        Drained { cursor: 0, segment: 1, at: 0, ended: false }
    }
}

impl Known {
    /// The hash that the next entry follows from.
    pub(super) fn head(&self) -> Hash {
        self.hash.unwrap_or(Hash::NONE)
    }

    /// Reads the next line of a file, and proves that it follows.
    pub(super) fn read(&mut self, chain: &Chain, bytes: &[u8]) -> Result<Recorded, Broken> {
        let wrong = |source| Broken::Line { after: self.n, source };
        let recorded = Recorded::read(bytes).map_err(wrong)?;
        let (n, entry) = (recorded.n, &recorded.entry);
        if recorded.chain != *chain {
            return Err(Broken::Chain { n, found: recorded.chain.as_str().into() });
        }
        match self.hash {
            // The first line of what is read: where it stands is its own word.
            None if entry.kind != Kind::Segment => return Err(Broken::Beginning),
            None => {}
            Some(_) if n != self.n.saturating_add(1) => {
                return Err(Broken::Number { expected: self.n.saturating_add(1), found: n });
            }
            Some(hash) if hash != recorded.prev => return Err(Broken::Link { n }),
            Some(_) => {}
        }
        self.follow(entry, n)
            .ok_or(Broken::Line { after: self.n, source: LineError::Malformed })?;
        (self.n, self.hash) = (n, Some(recorded.hash));
        Ok(recorded)
    }

    /// Takes in what an entry says. `None` where the record's own words are not as it writes them.
    pub(super) fn follow(&mut self, entry: &Entry, n: u64) -> Option<()> {
        match entry.kind {
            Kind::Segment => {
                self.segment = number(entry.detail.as_ref()?, "segment")?.try_into().ok()?
            }
            Kind::Carried => self.take_over(entry.detail.as_ref()?)?,
            Kind::Checkpoint => self.signed = (n, entry.at?),
            Kind::Requested => {
                self.open.extend(entry.grant.clone().map(|grant| (grant, n)));
            }
            kind if kind.closes() => {
                entry.grant.as_ref().and_then(|grant| self.open.remove(grant));
            }
            _ => {}
        }
        let Some(life) = &entry.life else { return Some(()) };
        let ends = entry.kind == Kind::LifeClosed || is_ending(entry);
        if entry.number.is_none() && !ends {
            return Some(());
        }
        let segment = self.segment;
        let drained =
            self.lives.entry(life.clone()).or_insert(Drained { segment, ..Drained::default() });
        // A desk that began anew counts from one again, and says so.
        let anew = entry.kind == Kind::Gap && **life == *DESK;
        match entry.number {
            Some(number) if anew => drained.cursor = number,
            Some(number) => drained.cursor = drained.cursor.max(number),
            None => {}
        }
        drained.at = drained.at.max(entry.at.map_or(0, |at| at.0));
        drained.ended |= ends && **life != *DESK;
        Some(())
    }

    /// Whether an entry says what was recorded before: journals are read again after a crash.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        let Some(drained) = entry.life.as_ref().and_then(|life| self.lives.get(life)) else {
            return false;
        };
        match entry.number {
            Some(_) if entry.kind == Kind::Gap && entry.life.as_deref() == Some(DESK) => false,
            Some(number) => number <= drained.cursor,
            None => is_ending(entry) && drained.ended,
        }
    }

    /// Forgets journals that will not be read again, and the oldest of too many. One that is read again after all
    /// shows as a gap.
    pub(super) fn forget(&mut self, now: UnixSeconds) {
        self.lives.retain(|life, drained| {
            let seconds = match drained.ended {
                true => limits::RECORD_ENDED_LIFE_SECONDS,
                false => limits::RECORD_LIFE_SECONDS,
            };
            **life == *DESK || now.0 < drained.at.saturating_add(seconds)
        });
        let more = self.lives.len().saturating_sub(limits::RECORD_LIVES_MAX);
        if more > 0 {
            let others = self.lives.iter().filter(|(life, _)| ***life != *DESK);
            let mut oldest: Vec<(bool, u64, Box<str>)> =
                others.map(|(life, drained)| (!drained.ended, drained.at, life.clone())).collect();
            oldest.sort_unstable();
            for (_, _, life) in oldest.into_iter().take(more) {
                self.lives.remove(&life);
            }
        }
    }

    /// The entries that the next file begins with.
    pub(super) fn carried(&self, segment: u32, now: UnixSeconds) -> Vec<Entry> {
        let begins = Entry::of(Kind::Segment).at(now).detail("segment", segment);
        let lives = self.lives.iter().map(|(life, drained)| {
            let Drained { cursor, segment, at, ended } = drained;
            json!([life, cursor, segment, at, ended])
        });
        let open = self.open.iter().map(|(grant, n)| json!([grant, n]));
        let carried = pages("lives", lives).chain(pages("open", open));
        let carried = carried
            .map(|(name, page)| Entry::of(Kind::Carried).at(now).detail(name, Value::Array(page)));
        std::iter::once(begins).chain(carried).collect()
    }

    fn take_over(&mut self, detail: &Map<String, Value>) -> Option<()> {
        for life in detail.get("lives").and_then(Value::as_array).into_iter().flatten() {
            let [name, cursor, segment, at, ended] = life.as_array()?.as_slice() else {
                return None;
            };
            let drained = Drained {
                cursor: cursor.as_u64()?,
                segment: segment.as_u64()?.try_into().ok()?,
                at: at.as_u64()?,
                ended: ended.as_bool()?,
            };
            self.lives.insert(name.as_str()?.into(), drained);
        }
        for open in detail.get("open").and_then(Value::as_array).into_iter().flatten() {
            let [grant, n] = open.as_array()?.as_slice() else { return None };
            self.open.insert(grant.as_str()?.into(), n.as_u64()?);
        }
        Some(())
    }
}

/// Whether an entry says that a life ended without a last word.
fn is_ending(entry: &Entry) -> bool {
    entry.kind == Kind::Gap && entry.number.is_none()
}

fn number(detail: &Map<String, Value>, name: &str) -> Option<u64> {
    detail.get(name)?.as_u64()
}

fn pages(
    name: &'static str,
    items: impl Iterator<Item = Value>,
) -> impl Iterator<Item = (&'static str, Vec<Value>)> {
    let mut items = items.peekable();
    std::iter::from_fn(move || {
        items.peek()?;
        Some((name, items.by_ref().take(CARRIED_MAX).collect()))
    })
}

/// A pen that writes one line behind the other.
pub(super) struct Pen<'a> {
    pub(super) chain: &'a Chain,
    pub(super) n: u64,
    pub(super) hash: Hash,
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) bytes: usize,
}

impl Pen<'_> {
    pub(super) fn at<'a>(chain: &'a Chain, known: &Known) -> Pen<'a> {
        Pen { chain, n: known.n, hash: known.head(), lines: Vec::new(), bytes: 0 }
    }

    pub(super) fn write(&mut self, body: &str) {
        self.n += 1;
        let (line, hash) = line::write(self.chain, self.n, self.hash, body);
        self.hash = hash;
        self.bytes += line.len();
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn told(life: &str, kind: Kind, number: u64) -> Entry {
        let entry = Entry::of(kind).at(NOW);
        Entry { life: Some(life.into()), number: Some(number), ..entry }
    }

    #[test]
    fn what_is_carried_over_is_what_was_known() {
        let mut known = Known::default();
        for number in 1..=1_200 {
            known.follow(&told(&format!("r/00/{number}"), Kind::Spent, number), number).unwrap();
            let requested =
                Entry { grant: Some(format!("{number}").into()), ..Entry::of(Kind::Requested) };
            known.follow(&requested, number).unwrap();
        }
        known.follow(&told(DESK, Kind::Cursor, 9), 1_300).unwrap();
        let carried = known.carried(2, NOW);
        // One that says which file it is, three of lives, three of requests.
        assert_eq!(carried.len(), 7);
        let mut next = Known::default();
        for entry in &carried {
            next.follow(entry, 1).unwrap();
        }
        assert_eq!((next.lives, next.open, next.segment), (known.lives, known.open, 2));
    }

    #[test]
    fn the_most_that_is_ever_carried_over_fits_into_one_frame() {
        let mut known = Known::default();
        let store = "s".repeat(farebox_verifier::limits::WORD_BYTES_MAX - 8);
        for number in 0..limits::RECORD_LIVES_MAX {
            let life = format!("{store}{number:08}/00/{}", "f".repeat(32));
            known.follow(&told(&life, Kind::Spent, 1 << 52), 1).unwrap();
        }
        for number in 0..limits::RECORD_OPEN_MAX {
            let grant = Some(format!("{number:032}").into());
            known.follow(&Entry { grant, ..Entry::of(Kind::Requested) }, 1 << 52).unwrap();
        }
        let carried = known.carried(u32::MAX, NOW);
        let bytes = carried.iter().map(|entry| line::body(entry).unwrap().len() + 400);
        assert!(bytes.sum::<usize>() < 4 << 20);
    }

    #[test]
    fn journals_that_are_over_are_forgotten_and_never_the_desk() {
        let mut known = Known::default();
        for (life, kind) in
            [("r/00/a", Kind::LifeClosed), ("r/00/b", Kind::Spent), (DESK, Kind::Cursor)]
        {
            known.follow(&told(life, kind, 1), 1).unwrap();
        }
        let lives = |known: &Known| known.lives.keys().map(ToString::to_string).collect::<Vec<_>>();
        known.forget(NOW.plus(limits::RECORD_ENDED_LIFE_SECONDS - 1));
        assert_eq!(lives(&known), ["desk", "r/00/a", "r/00/b"]);
        known.forget(NOW.plus(limits::RECORD_ENDED_LIFE_SECONDS));
        assert_eq!(lives(&known), ["desk", "r/00/b"]);
        known.forget(NOW.plus(limits::RECORD_LIFE_SECONDS));
        assert_eq!(lives(&known), ["desk"]);
    }

    #[test]
    fn of_too_many_journals_those_that_ended_first_go_first() {
        let mut known = Known::default();
        for number in 0..=limits::RECORD_LIVES_MAX {
            let kind = if number == 77 { Kind::LifeClosed } else { Kind::Spent };
            known.follow(&told(&format!("r/00/{number}"), kind, 1), 1).unwrap();
        }
        known.forget(NOW);
        assert_eq!(known.lives.len(), limits::RECORD_LIVES_MAX);
        assert!(!known.lives.contains_key("r/00/77"));
    }
}
