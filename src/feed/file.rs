//! The file of the feed: which number and digest each word has, durable before anybody is told.
//!
//! ```text
//! {"epoch":…,"number":N,"digest":…,"standing":[…]}      what stood before the events below
//! {"upto":ENTRY,"policy":…,"events":["7 … revoked …"]}  one line for each turn that had something to say
//! ```
//! A last line that was cut short was told to nobody: it is read from the record again. At each opening the file is
//! written anew, with the last events alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use farebox_verifier::feed::{Epoch, Event, FeedDigest};
use farebox_verifier::{Generation, PolicyHash, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::book::Book;

/// Why the feed's file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedFileError {
    /// It cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is damaged: without it a new epoch begins, and followers take a snapshot", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The record was set back, or is another one.
    #[error("{} has seen entry {upto} of the record, which ends at {last}: restore the record, or take the file away, and a new epoch begins", path.display())]
    Ahead {
        /// The file.
        path: PathBuf,
        /// The entry it has seen.
        upto: u64,
        /// The record's last one.
        last: u64,
    },
    /// There is nothing to name a new epoch by.
    #[error("the system gave no random bytes")]
    NoRandom,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    epoch: String,
    number: u64,
    digest: String,
    standing: Vec<String>,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) upto: u64,
    pub(super) policy: Option<String>,
    pub(super) events: Vec<String>,
}

/// The open file.
pub(super) struct FeedFile {
    path: PathBuf,
    file: File,
    /// A write may have left part of a line: nothing can be put behind it, and all of it is written anew.
    torn: bool,
}

impl FeedFile {
    /// Opens the file, or begins one, and an epoch.
    pub(super) fn open(
        path: &Path,
        now: UnixSeconds,
        policy: PolicyHash,
    ) -> Result<(FeedFile, Book), FeedFileError> {
        let mut book = match fs::read_to_string(path) {
            Ok(text) => {
                read(&text).ok_or_else(|| FeedFileError::Damaged { path: path.to_owned() })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let fresh = Generation::fresh().map_err(|_none| FeedFileError::NoRandom)?;
                Book::at(Epoch::from_bytes(*fresh.as_bytes()), (0, FeedDigest::NONE))
            }
            Err(source) => return Err(FeedFileError::File { path: path.to_owned(), source }),
        };
        book.standing.forget(now);
        book.policy.get_or_insert_with(|| policy.to_string());
        let file = write(path, &book);
        let file = file.map_err(|source| FeedFileError::File { path: path.to_owned(), source })?;
        Ok((FeedFile { path: path.to_owned(), file, torn: false }, book))
    }

    /// Appends a line to what stood before, durably.
    pub(super) fn append(&mut self, before: &Book, line: &Line) -> Result<(), FeedFileError> {
        let appended = self.try_append(before, line);
        self.torn = appended.is_err();
        appended.map_err(|source| FeedFileError::File { path: self.path.clone(), source })
    }

    fn try_append(&mut self, before: &Book, line: &Line) -> io::Result<()> {
        if self.torn {
            self.file = write(&self.path, before)?;
        }
        let text = format!("{}\n", serde_json::to_string(line)?);
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

fn read(text: &str) -> Option<Book> {
    let mut lines = text.split_inclusive('\n');
    let base: Base = serde_json::from_str(lines.next()?).ok()?;
    let epoch = Epoch::from_hex(&base.epoch)?;
    let mut book = Book::at(epoch, (base.number, FeedDigest::from_hex(&base.digest)?));
    for event in &base.standing {
        book.standing.apply(Event::parse(event)?);
    }
    for line in lines.filter(|line| line.ends_with('\n')) {
        let Line { upto, policy, events } = serde_json::from_str(line).ok()?;
        for event in &events {
            let event = Event::parse(event)?;
            (event.number == book.number.checked_add(1)?).then(|| book.take(event))?;
        }
        (book.upto, book.policy) = (upto, policy);
    }
    Some(book)
}

/// Writes all of it beside the file, and puts it in its place.
fn write(path: &Path, book: &Book) -> io::Result<File> {
    let (number, digest) = book.before;
    let base = Base {
        epoch: book.epoch.to_string(),
        number,
        digest: digest.to_string(),
        // What stands after all events stands also where the last of them are taken in once more.
        standing: book.standing.events().iter().map(Event::to_string).collect(),
    };
    let (base, line) = (serde_json::to_string(&base)?, book.line(book.tail.iter()));
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(format!("{base}\n{}\n", serde_json::to_string(&line)?).as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use farebox_verifier::Selector;
    use farebox_verifier::feed::Word;

    use super::*;
    use crate::limits;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn open(path: &Path) -> Result<(FeedFile, Book), FeedFileError> {
        FeedFile::open(path, NOW, PolicyHash::from_bytes([1; 32]))
    }

    /// Takes so many revocations, each in a line of its own.
    fn revoke(file: &mut FeedFile, book: &mut Book, keys: std::ops::Range<u32>) {
        for key in keys {
            let before = book.clone();
            let events = book.add(vec![(Word::Revoked, NOW, Selector::Key(key))], NOW);
            book.upto += 1;
            file.append(&before, &book.since(&before, &events).unwrap()).unwrap();
        }
    }

    #[test]
    fn what_was_kept_goes_on_and_what_was_torn_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        let (mut file, mut book) = open(&path).unwrap();
        revoke(&mut file, &mut book, 0..3);
        let whole = fs::read_to_string(&path).unwrap();
        let (_, again) = open(&path).unwrap();
        assert_eq!(
            (again.epoch, again.number, again.digest, again.upto),
            (book.epoch, 3, book.digest, 3)
        );
        assert_eq!((&again.standing, &again.tail), (&book.standing, &book.tail));
        for cut in 1..40 {
            fs::write(&path, &whole.as_bytes()[..whole.len() - cut]).unwrap();
            let (mut file, mut torn) = open(&path).unwrap();
            assert_eq!((torn.number, torn.upto), (2, 2), "{cut}");
            revoke(&mut file, &mut torn, 2..3);
            assert_eq!(torn.digest, book.digest);
        }
        let damaged = whole.replacen("2 1800000000 revoked", "3 1800000000 revoked", 1);
        fs::write(&path, damaged).unwrap();
        assert!(matches!(open(&path), Err(FeedFileError::Damaged { .. })));
    }

    #[test]
    fn a_write_that_failed_half_way_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        let (mut file, mut book) = open(&path).unwrap();
        revoke(&mut file, &mut book, 0..2);
        // A file that takes nothing stands for a disk that took half of it.
        let mut words = fs::read_to_string(&path).unwrap();
        words.push_str("{\"upto\":3,\"pol");
        fs::write(&path, words).unwrap();
        file.file = File::open(&path).unwrap();
        let mut next = book.clone();
        let events = next.add(vec![(Word::Revoked, NOW, Selector::All)], NOW);
        assert!(file.append(&book, &next.since(&book, &events).unwrap()).is_err());
        revoke(&mut file, &mut book, 2..4);
        let (_, again) = open(&path).unwrap();
        assert_eq!((again.number, again.digest, again.upto), (4, book.digest, 4));
    }

    #[test]
    fn followers_may_ask_for_the_last_events_and_the_chain_stays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        let (_, mut book) = open(&path).unwrap();
        for key in 0..2_500 {
            book.add(vec![(Word::Revoked, NOW, Selector::Key(key))], NOW);
        }
        // What stands already is no event.
        assert!(book.add(vec![(Word::Revoked, NOW, Selector::Key(7))], NOW).is_empty());
        drop(write(&path, &book).unwrap());
        let (_, again) = open(&path).unwrap();
        assert_eq!((again.number, again.digest), (2_500, book.digest));
        assert_eq!((again.before.0, again.tail.len()), (1_500, limits::FEED_EVENTS_MAX));
        assert_eq!(again.standing, book.standing);
    }
}
