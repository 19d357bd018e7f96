//! The fixture: a folder with a record in it, a clock that is moved by hand, and a key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use farebox::record::{
    Chain, Entry, Kind, NumberedKey, Opened, Options, Reader, Record, RecordError, Recorded,
};
use farebox::signer::PrivateKey;
use farebox_verifier::{
    Action, Agent, Audience, GrantId, Issuer, KeyRing, ManualClock, Resource, UnixSeconds, Workflow,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// When every scene begins.
pub(super) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A folder that goes with the test.
pub(super) struct Scene {
    folder: TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) options: Options,
    /// The number and the seed of its key.
    pub(super) key: (u32, u8),
}

impl Scene {
    /// In memory where the system has such a folder: for contents that matter and syncs that do not.
    pub(super) fn new() -> Scene {
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
        Scene::in_folder(folder.unwrap())
    }

    /// On the disk.
    pub(super) fn on_disk() -> Scene {
        Scene::in_folder(tempfile::tempdir().unwrap())
    }

    fn in_folder(folder: TempDir) -> Scene {
        let options = Options { checkpoint_entries: 20, ..Options::of(chain("issuer-1")) };
        let clock = Arc::new(ManualClock::at(NOW));
        Scene { folder, clock, options, key: (1, 1) }
    }

    /// Another issuer's.
    pub(super) fn of_chain(name: &str) -> Scene {
        let mut scene = Scene::new();
        scene.options.chain = chain(name);
        scene
    }

    /// With files that are full after a hundred entries or so.
    pub(super) fn short_files(mut self) -> Scene {
        self.options.segment_bytes = 32 << 10;
        self
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn file(&self, number: u32) -> PathBuf {
        self.folder().join(format!("record-{number:06}"))
    }

    pub(super) fn try_open(&self) -> Result<(Record, Opened), RecordError> {
        let clock = Arc::clone(&self.clock) as _;
        Record::open(&self.folder(), self.options.clone(), Box::new(key(self.key)), clock)
    }

    pub(super) fn open(&self) -> Record {
        self.try_open().unwrap().0
    }

    pub(super) fn refusal(&self) -> RecordError {
        self.try_open().map(|_| ()).unwrap_err()
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::new(&self.folder())
    }

    pub(super) fn read(&self) -> Vec<Recorded> {
        read(&self.reader())
    }

    /// A record of so many grants, closed in good order.
    pub(super) fn filled(self, grants: u64) -> Scene {
        let record = self.open();
        for number in 0..grants {
            for entry in life_of(number) {
                drop(record.append(entry).unwrap());
            }
        }
        wait(record.close()).unwrap();
        self
    }
}

pub(super) fn chain(name: &str) -> Chain {
    Chain::parse(name).unwrap()
}

pub(super) fn key((id, seed): (u32, u8)) -> NumberedKey {
    NumberedKey::new(id, private(seed))
}

fn private(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(Zeroizing::new([seed; 32])).unwrap()
}

/// A ring that trusts these keys, by number and seed.
pub(super) fn ring(trusted: &[(u32, u8)], retired: &[(u32, u8)]) -> KeyRing {
    let mut ring = KeyRing::default();
    for (id, seed) in trusted {
        ring.add_issuer(*id, Issuer::Trusted(private(*seed).public())).unwrap();
    }
    for (id, seed) in retired {
        ring.add_issuer(*id, Issuer::Retired(private(*seed).public())).unwrap();
    }
    ring
}

/// Every entry that stands there.
pub(super) fn read(reader: &Reader) -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut lines = reader.lines(0).unwrap();
    while lines.next(|_, line| found.push(Recorded::read(line).unwrap())).unwrap() {}
    found
}

pub(super) fn grant(number: u64) -> GrantId {
    GrantId::from_bytes((u128::from(number) + 1).to_be_bytes())
}

/// What a grant's life leaves in a record: three entries.
pub(super) fn life_of(number: u64) -> [Entry; 3] {
    let requested = described(Kind::Requested, number);
    let issued = described(Kind::Issued, number);
    let spent = described(Kind::Spent, number);
    [requested, issued, spent]
}

pub(super) fn described(kind: Kind, number: u64) -> Entry {
    let entry = Entry::of(kind).grant(grant(number));
    let entry = entry.agent(&Agent::parse(&format!("key:agent-{}", number % 7)).unwrap());
    let entry = entry.workflow(&Workflow::parse(&format!("run-{}", number % 50)).unwrap());
    let entry = entry.audience(&Audience::parse("payments-api").unwrap());
    let entry = entry.action(&Action::parse("payments.transfer").unwrap());
    entry.resource(&Resource::parse(&format!("account/{number}")).unwrap())
}

/// Appends one entry and waits until it is durable.
pub(super) fn append(record: &Record, entry: Entry) -> u64 {
    wait(record.append(entry).unwrap()).unwrap().n
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Whether the entries stand in one chain, from its first to its last.
pub(super) fn is_chain(entries: &[Recorded]) -> bool {
    let first = entries.first().unwrap();
    let numbered = entries.iter().zip(first.n..).all(|(entry, n)| entry.n == n);
    numbered && entries.windows(2).all(|pair| pair[1].prev == pair[0].hash)
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
