//! The store in a file beside a bare file that takes the same bytes in as many writes and syncs.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use farebox::store::Embedded;
use farebox_verifier::{StoreName, SystemClock};

use super::Size;
use super::deeds;
use super::scene::{POLICY, drain};
use super::steps::{CALLERS, Figure};

/// By so much the file of the store grows ahead, in zeros.
const GROWTH_BYTES: usize = 256 << 10;

pub struct Filed {
    pub figures: Vec<Figure>,
    /// Registering and spending at 64 callers, over the bare file's rate in equal groups.
    pub register: Vec<f64>,
    pub spend: Vec<f64>,
}

pub async fn measure(size: &Size) -> Filed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let name = StoreName::parse("bench").unwrap();
    let (store, _) = Embedded::open(&path, name, Arc::new(SystemClock), POLICY).unwrap();
    let store = Arc::new(store);
    let mut filed = Filed { figures: Vec::new(), register: Vec::new(), spend: Vec::new() };
    for callers in CALLERS {
        let count = if callers == 1 { size.grants / 8 } else { size.grants };
        let mut of =
            ["register", "spend", "settle"].map(|step| Figure { step, callers, loads: Vec::new() });
        for _ in 0..size.rounds {
            let grants = deeds::registrations(count);
            let before = groups(&path);
            let (register, tickets) = deeds::register(&store, callers, grants).await;
            let between = groups(&path);
            let (spend, spent) = deeds::spend(&store, callers, tickets).await;
            let after = groups(&path);
            if callers == 64 {
                let ratio =
                    |rate: u64, from, to| rate as f64 / bare(folder.path(), from, to, count);
                filed.register.push(ratio(register.per_second(), before, between));
                filed.spend.push(ratio(spend.per_second(), between, after));
            }
            let settle = deeds::settle(&store, callers, spent).await;
            drain(Arc::clone(&store) as _).await;
            of.iter_mut()
                .zip([register, spend, settle])
                .for_each(|(figure, load)| figure.loads.push(load));
        }
        filed.figures.extend(of);
        // A file that has grown is rewritten: not in the middle of a figure.
        store.compact().await.unwrap();
    }
    filed
}

/// How many groups of appends a file holds, and how many bytes.
fn groups(path: &Path) -> (usize, usize) {
    let bytes = fs::read(path).unwrap();
    // Each group begins with the first half of the file's id.
    let groups = bytes.windows(8).filter(|window| *window == &bytes[16..24]).count() - 1;
    (groups, bytes.iter().rposition(|byte| *byte != 0).unwrap())
}

/// How many a second, where so many groups of so many bytes are each written and synced before the next.
fn bare(folder: &Path, from: (usize, usize), to: (usize, usize), count: usize) -> f64 {
    let (groups, bytes) = (to.0 - from.0, to.1 - from.1);
    let path = folder.join("bare");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
    let group = vec![7; bytes / groups];
    let (mut at, mut grown) = (0, 0);
    let begun = Instant::now();
    for _ in 0..groups {
        // It is given zeros to write over, as the store's file is.
        while at + group.len() > grown {
            file.write_all_at(&vec![0; GROWTH_BYTES], grown as u64).unwrap();
            grown += GROWTH_BYTES;
        }
        file.write_all_at(&group, at as u64).unwrap();
        file.sync_data().unwrap();
        at += group.len();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}
