//! A process is killed under load, wherever it stands: what it was told is there.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use farebox::log::{Log, RewriteError};
use tokio::task::JoinSet;

use super::child;
use super::scene::{Dice, Scene, all_below, count, numbered, open};

const TASKS: u32 = 16;
const ROUNDS: usize = 40;
const ACKNOWLEDGED: &str = "acknowledged ";

/// A state as a store has it: what is next, and the log, under one lock.
struct State {
    log: Log,
    next: u32,
}

/// The part that appends until it is killed.
pub(super) fn flood(folder: &Path) {
    run(folder, false);
}

/// The part that rewrites meanwhile, again and again.
pub(super) fn rewriting_flood(folder: &Path) {
    run(folder, true);
}

fn run(folder: &Path, rewrites: bool) {
    let opened = open(&folder.join("log")).unwrap();
    let state = State { next: count(&opened.payloads), log: opened.log };
    let state = Arc::new(Mutex::new(state));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(append_for_ever(Arc::clone(&state)));
        }
        if rewrites {
            tasks.spawn(rewrite_for_ever(state));
        }
        tasks.join_next().await
    });
    panic!("a task came to an end");
}

async fn append_for_ever(state: Arc<Mutex<State>>) {
    loop {
        let (number, pending) = {
            let mut state = state.lock().unwrap();
            let number = state.next;
            let pending = state.log.append(&[numbered(number)]).unwrap();
            state.next += 1;
            (number, pending)
        };
        pending.await.unwrap();
        say(number);
    }
}

#[expect(clippy::print_stdout, reason = "how a child tells its parent")]
fn say(number: u32) {
    println!("{ACKNOWLEDGED}{number}");
}

async fn rewrite_for_ever(state: Arc<Mutex<State>>) {
    loop {
        let rewriting = {
            let state = state.lock().unwrap();
            let next = state.next;
            // Now short, now as long as what it replaces.
            let whole = next.is_multiple_of(2);
            let short = (!whole).then(|| all_below(next));
            let long = (0..if whole { next } else { 0 }).map(numbered);
            state.log.rewrite(short.into_iter().chain(long))
        };
        match rewriting {
            Ok(rewriting) => rewriting.await.unwrap(),
            Err(RewriteError::Busy) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Starts the part, kills it after so many lines, and gives the highest number that it was told of.
fn kill_after(part: &str, folder: &Path, lines: usize) -> Option<u32> {
    let mut process = child::command(part, folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut highest = None;
    let mut hear = |line: String| {
        // The test harness says something too, at times on the same line.
        if let Some((_, number)) = line.split_once(ACKNOWLEDGED) {
            highest = highest.max(Some(number.parse::<u32>().unwrap()));
        }
    };
    said.by_ref().take(lines).for_each(|line| hear(line.unwrap()));
    process.kill().unwrap();
    said.for_each(|line| hear(line.unwrap()));
    assert!(!process.wait().unwrap().success());
    highest
}

fn survives(part: &str, seed: u64) {
    let (scene, mut dice) = (Scene::new(), Dice(seed));
    let (mut found, mut told) = (0, 0);
    for round in 0..ROUNDS {
        // Some are killed as they start, and most somewhere in a sync.
        let lines = if round % 8 == 0 { dice.below(4) } else { dice.below(300) };
        let highest = kill_after(part, scene.folder(), lines);
        let before = found;
        let (payloads, recovered) = scene.read();
        found = count(&payloads);
        assert!(!recovered.sealed);
        assert!(found >= before && highest.is_none_or(|highest| highest < found), "{highest:?}");
        told += u32::from(highest.is_some());
    }
    assert!(told > 20 && found > 1_000, "{told} of {ROUNDS} rounds, {found} appends");
}

#[test]
fn a_process_that_is_killed_has_kept_what_it_acknowledged() {
    survives("flood", 0xdead);
}

#[test]
fn a_process_that_is_killed_while_it_rewrites_has_kept_it_too() {
    survives("rewriting flood", 0xbeef);
}
