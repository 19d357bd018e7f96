//! A process is killed under load, wherever it stands: what it was told is there, and the chain goes on.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use farebox::record::verify::{Source, verify};
use farebox::record::{Kind, Record};
use tokio::task::JoinSet;

use super::child::{self, open};
use super::scene::{Dice, Scene, described, ring};

const TASKS: usize = 16;
const ROUNDS: usize = 30;
const ACKNOWLEDGED: &str = "acknowledged ";
/// So short that another file is begun all the time.
const SEGMENT_BYTES: u64 = 48 << 10;

/// The part that appends until it is killed.
pub(super) fn flood(folder: &Path) {
    let (record, _) = open(folder, SEGMENT_BYTES).unwrap();
    let record = Arc::new(record);
    let first = record.head().n;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in (0_u64..).take(TASKS) {
            let first = first * 1_000_000 + task;
            tasks.spawn(mint_for_ever(Arc::clone(&record), first));
        }
        tasks.join_next().await
    });
    panic!("a task came to an end");
}

async fn mint_for_ever(record: Arc<Record>, first: u64) {
    for number in (first..).step_by(TASKS) {
        for kind in [Kind::Requested, Kind::Issued] {
            let kept = record.append(described(kind, number)).unwrap().await.unwrap();
            say(kept.n);
        }
    }
}

#[expect(clippy::print_stdout, reason = "how a child tells its parent")]
fn say(n: u64) {
    println!("{ACKNOWLEDGED}{n}");
}

/// Starts the part, kills it after so many lines, and gives the highest number that it was told of.
fn kill_after(folder: &Path, lines: usize) -> Option<u64> {
    let mut process = child::command("flood", folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut highest = None;
    let mut hear = |line: String| {
        // The test harness says something too, at times on the same line.
        if let Some((_, number)) = line.split_once(ACKNOWLEDGED) {
            highest = highest.max(Some(number.parse::<u64>().unwrap()));
        }
    };
    said.by_ref().take(lines).for_each(|line| hear(line.unwrap()));
    process.kill().unwrap();
    said.for_each(|line| hear(line.unwrap()));
    assert!(!process.wait().unwrap().success());
    highest
}

#[test]
fn a_process_that_is_killed_under_load_has_kept_what_it_acknowledged() {
    let (scene, mut dice) = (Scene::on_disk(), Dice(0xdead));
    let folder = scene.folder();
    let (mut told, mut found, mut begun) = (0, 0, 0);
    for round in 0..ROUNDS {
        // Some are killed as they start, and most somewhere in a sync.
        let lines = if round % 8 == 0 { dice.below(4) } else { dice.below(400) };
        let highest = kill_after(&folder, lines);
        let (record, opened) = open(&folder, SEGMENT_BYTES).unwrap();
        assert!(!opened.sealed && opened.n >= found);
        assert!(highest.is_none_or(|highest| highest <= opened.n), "{highest:?} {opened:?}");
        // One for each task at most, of this round: those of earlier ones are closed here.
        assert!(opened.begun.len() <= TASKS, "{:?}", opened.begun);
        begun += opened.begun.len();
        let numbers: Vec<u64> = opened.begun.iter().map(|begun| begun.n).collect();
        for entry in record.reader().entries(&numbers).unwrap() {
            let mut closed = entry.entry;
            (closed.kind, closed.code) = (Kind::Refused, Some("internal".into()));
            drop(record.append(closed).unwrap());
        }
        found = record.head().n;
        drop(record);
        told += u32::from(highest.is_some());
    }
    let report = verify(&[Source::Folder(folder)], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!(report.faults, []);
    assert!(scene.file(5).exists(), "no file was full");
    assert!(told > 15 && found > 1_000 && begun > 10, "{told} rounds, {found} entries, {begun}");
}
