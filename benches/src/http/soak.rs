//! A soak: issuers under load for as long as it is said, with an eye on the memory of all processes.
//!
//! Most grants live their whole life; some are minted and left alone, so that they expire meanwhile.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farebox::bench::{Bench, Keys, Step};

use super::cores::{self, DRIVER};
use super::issuer::Issuer;
use super::process;

const WORKERS: usize = 8;
/// How long a grant lives that nobody uses.
const TTL_SECONDS: u64 = 10;
/// What is done in each second, at each issuer: lives, and then grants that are left alone.
const LIVES: Duration = Duration::from_millis(200);
const LEFT_ALONE: Duration = Duration::from_millis(20);
/// How many samples are written down.
const SAMPLES: u32 = 20;
/// What any process may have grown by in the second half, beside what it remembers on purpose.
const GROWTH_BYTES_MAX: u64 = 16 << 20;
/// What is remembered of a grant: who has it until 16 minutes after its end, where it is recorded for 76 minutes. An
/// issuer with a million outstanding weighs 194 bytes for each (docs/store-benchmarks.md), and as much again may stand
/// empty in a table that has just doubled.
const REMEMBERED_BYTES_MAX: u64 = 400;

/// One who is watched.
struct Watched {
    name: &'static str,
    process_id: u32,
    /// Which of the issuers' grants it remembers.
    issuer: usize,
}

/// What was seen at one time.
struct Sample {
    at: Duration,
    /// Grants minted so far, at each issuer.
    minted: Vec<u64>,
    /// The memory of each that is watched.
    bytes: Vec<u64>,
}

pub fn run(program: &Path, seconds: u64, quick: bool) -> io::Result<()> {
    let issuers = [Issuer::on_redis(program), Issuer::on_file(program)];
    let redis = issuers.iter().find_map(|issuer| issuer.redis.as_ref()?.process_id()).unwrap();
    let of = |name, issuer: usize, process_id| Watched { name, issuer, process_id };
    let watched = [
        of("issuer on Redis", 0, issuers[0].process_id()),
        of("its Redis", 0, redis),
        of("issuer on a file", 1, issuers[1].process_id()),
    ];
    cores::stay_on(DRIVER);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let length = Duration::from_secs(seconds);
    let samples = runtime.block_on(drive(&issuers, &watched, length));
    let expired = issuers.each_ref().map(|issuer| runtime.block_on(issuer.expired()));
    let kept = issuers.each_ref().map(|issuer| folder_bytes(&issuer.folder()));
    drop(issuers);
    let page = page(&watched, &samples, (expired, kept));
    print!("{page}");
    assert!(seconds < 2 * TTL_SECONDS || expired.iter().all(|expired| *expired > 0), "{expired:?}");
    if !quick {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        fs::write(docs.join("benchmarks-soak.md"), page)?;
    }
    let grown: Vec<&str> = watched
        .iter()
        .enumerate()
        .filter(|(at, watched)| growth(&samples, *at) > allowed(&samples, watched.issuer))
        .map(|(_, watched)| watched.name)
        .collect();
    assert!(grown.is_empty(), "{grown:?} grew beyond what is remembered");
    Ok(())
}

async fn drive(issuers: &[Issuer], watched: &[Watched], length: Duration) -> Vec<Sample> {
    let begun = Instant::now();
    let (mut samples, mut minted) = (Vec::new(), vec![0; issuers.len()]);
    let mut second = 0;
    while begun.elapsed() < length {
        let next = Instant::now() + Duration::from_secs(1);
        for (issuer, minted) in issuers.iter().zip(&mut minted) {
            *minted += load(issuer, second).await;
        }
        if begun.elapsed() >= length / SAMPLES * samples.len() as u32 {
            let bytes =
                watched.iter().map(|watched| process::memory_bytes(watched.process_id)).collect();
            samples.push(Sample { at: begun.elapsed(), minted: minted.clone(), bytes });
        }
        tokio::time::sleep_until(next.into()).await;
        second += 1;
    }
    let bytes = watched.iter().map(|watched| process::memory_bytes(watched.process_id)).collect();
    samples.push(Sample { at: begun.elapsed(), minted, bytes });
    samples
}

/// One second's load, and how many were minted.
async fn load(issuer: &Issuer, second: usize) -> u64 {
    let plan = issuer.plan(second, TTL_SECONDS, Keys::Fresh);
    let mut bench = Bench::open(&Arc::clone(&plan), WORKERS).await.unwrap();
    let mut minted = 0;
    for (step, at_most) in [(Step::Life, LIVES), (Step::Mint, LEFT_ALONE)] {
        let tally = bench.turn(step, at_most).await;
        assert!(tally.refused().is_empty(), "{:?}", tally.refused());
        minted += tally.done();
    }
    minted
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let each = entries.map(|entry| {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() { folder_bytes(&entry.path()) } else { metadata.len() }
    });
    each.sum()
}

/// The sample at the middle, and the last.
fn second_half(samples: &[Sample]) -> (&Sample, &Sample) {
    (&samples[samples.len() / 2], samples.last().unwrap())
}

fn growth(samples: &[Sample], of: usize) -> u64 {
    let (middle, last) = second_half(samples);
    last.bytes[of].saturating_sub(middle.bytes[of])
}

fn allowed(samples: &[Sample], issuer: usize) -> u64 {
    let (middle, last) = second_half(samples);
    GROWTH_BYTES_MAX + REMEMBERED_BYTES_MAX * (last.minted[issuer] - middle.minted[issuer])
}

fn page(watched: &[Watched], samples: &[Sample], (expired, kept): ([u64; 2], [u64; 2])) -> String {
    let minutes = samples.last().unwrap().at.as_secs_f64() / 60.0;
    let mut text = format!("# Under load for {minutes:.0} minutes\n\n{HOW}\n| minutes |");
    let names = watched.iter().map(|watched| watched.name);
    names.clone().for_each(|name| text.push_str(&format!(" {name}, MB |")));
    text.push_str(" grants on Redis | in a file |\n|---:|---:|---:|---:|---:|---:|\n");
    for sample in samples {
        let _ = write!(text, "| {:.1} |", sample.at.as_secs_f64() / 60.0);
        sample.bytes.iter().for_each(|bytes| text.push_str(&format!(" {:.1} |", mega(*bytes))));
        sample.minted.iter().for_each(|minted| text.push_str(&format!(" {minted} |")));
        text.push('\n');
    }
    text.push_str("\n| second half | grown by, MB | at most, MB | bytes for each grant |\n|---|---:|---:|---:|\n");
    let (middle, last) = second_half(samples);
    for (at, watched) in watched.iter().enumerate() {
        let (grown, most) = (growth(samples, at), allowed(samples, watched.issuer));
        let minted = last.minted[watched.issuer] - middle.minted[watched.issuer];
        let mark = if grown <= most { "✓" } else { "✗" };
        let (name, each) = (watched.name, grown as f64 / minted.max(1) as f64);
        let _ = writeln!(
            text,
            "| {name} | {:.1} | {:.1} {mark} | {each:.0} |",
            mega(grown),
            mega(most)
        );
    }
    let [redis, file] = expired;
    let [redis_kept, file_kept] = kept.map(mega);
    let _ = writeln!(
        text,
        "\nAt the end {redis} and {file} grants were remembered that had expired unspent. The issuers kept {redis_kept:.0} and \
         {file_kept:.0} MB on disk, nearly all of it the record."
    );
    text
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

const HOW: &str = "\
Made by `cargo run --release --manifest-path benches/Cargo.toml --bin farebox-http-bench -- --soak 1200`. In each second
eight workers live whole lives of grants at each issuer for 200 ms, and mint for 20 ms what nobody uses and what ends after
ten seconds; each mint has an `Idempotency-Key`. A refusal would have ended the run. The memory is the resident set.

An issuer remembers on purpose: who has a grant until 16 minutes after its end, where the record has it for 76 minutes,
and its key for a day. So memory grows with the grants of that time and stands still only after it; the second half may
take 400 bytes for each of its grants and 16 MB beside, and no more.
";
