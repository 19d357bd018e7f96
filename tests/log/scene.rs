//! The fixture: a folder with a log in it, and payloads that say which they are.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use farebox::log::{AppendError, Durable, Log, OpenError, Options, Pending, Recovered};
use tempfile::TempDir;

/// What opening gave.
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) recovered: Recovered,
    pub(super) payloads: Vec<Vec<u8>>,
}

/// A folder that goes with the test.
pub(super) struct Scene(TempDir);

impl Scene {
    /// On the disk.
    pub(super) fn new() -> Scene {
        Scene(tempfile::tempdir().unwrap())
    }

    /// In memory where the system has such a folder: for contents that matter and syncs that do not.
    pub(super) fn quick() -> Scene {
        let shm = Path::new("/dev/shm");
        Scene(if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap())
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.beside("")
    }

    /// The log's path with this ending.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        self.0.path().join(format!("log{ending}"))
    }

    pub(super) fn open(&self) -> Opened {
        open(&self.path()).unwrap()
    }

    /// What the log holds, and whether it is sealed. It is left unsealed.
    pub(super) fn read(&self) -> (Vec<Vec<u8>>, Recovered) {
        let opened = self.open();
        (opened.payloads, opened.recovered)
    }

    pub(super) fn refusal(&self) -> OpenError {
        refusal(&self.path())
    }

    /// A log of so many numbered payloads, closed with a seal.
    pub(super) fn sealed(count: u32) -> Scene {
        Scene::new().filled(count)
    }

    /// Fills a new log with so many numbers, and seals it.
    pub(super) fn filled(self, count: u32) -> Scene {
        let scene = self;
        let opened = scene.open();
        append_numbers(&opened.log, 0..count);
        wait(opened.log.seal()).unwrap();
        scene
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

/// Opens and collects.
pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    open_with(path, Options::default())
}

pub(super) fn open_with(path: &Path, options: Options) -> Result<Opened, OpenError> {
    let mut payloads = Vec::new();
    let (log, recovered) = Log::open(path, options, |payload| {
        payloads.push(payload.to_vec());
        Ok::<(), Infallible>(())
    })?;
    assert_eq!(recovered.payloads, payloads.len() as u64);
    Ok(Opened { log, recovered, payloads })
}

/// Why it does not open.
pub(super) fn refusal(path: &Path) -> OpenError {
    open(path).map(|_| ()).unwrap_err()
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Appends one payload and waits until it is durable.
pub(super) fn append(log: &Log, payload: &[u8]) -> Result<Durable, AppendError> {
    wait(log.append(&[payload])?)
}

pub(super) fn append_numbers(log: &Log, numbers: std::ops::Range<u32>) {
    let pending: Vec<Pending> =
        numbers.map(|number| log.append(&[numbered(number)]).unwrap()).collect();
    durable(pending);
}

/// Waits until all of them are durable.
pub(super) fn durable(pending: impl IntoIterator<Item = Pending>) {
    for pending in pending {
        wait(pending).unwrap();
    }
}

/// A payload that says its number, with a length that depends on it: within a sector, over one, over many.
pub(super) fn numbered(number: u32) -> Vec<u8> {
    let length = match number % 9 {
        4 => 700,
        7 => 1_900,
        rest => 7 * rest,
    };
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend((0..length).map(|at| u8::try_from((number + at) % 251).unwrap()));
    bytes
}

/// A payload that stands for all numbers below.
pub(super) fn all_below(number: u32) -> Vec<u8> {
    [b"all below ".as_slice(), &number.to_le_bytes()].concat()
}

/// How many numbers the payloads hold, from 0 and without a gap, each as it was made.
pub(super) fn count(payloads: &[Vec<u8>]) -> u32 {
    let mut count = 0;
    for payload in payloads {
        if payload.starts_with(b"all below ") {
            assert_eq!(count, 0, "numbers before those that stand for all");
            count = u32::from_le_bytes(*payload.last_chunk().unwrap());
        } else {
            assert_eq!(*payload, numbered(count), "payload {count}");
            count += 1;
        }
    }
    count
}

/// Numbers that look random and are the same each time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }
}
