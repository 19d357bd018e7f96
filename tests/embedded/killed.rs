//! A process is killed under load, wherever it stands: what it answered is known to the next.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farebox::log::RewriteError;
use farebox::store::embedded::Start;
use farebox::store::{Embedded, GrantStore};
use farebox_verifier::{ManualClock, Outcome, SpendStore as _};
use tokio::task::JoinSet;

use super::child;
use super::scene::{
    Dice, NOW, Scene, attempt, ended, no_lease, open_at, register, registration, seat, spend, wait,
};
use super::told::Told;

const TASKS: u64 = 16;
const ROUNDS: usize = 24;
/// Stands before what is said, for the test harness says something too, at times on the same line.
const SAID: &str = "told: ";

/// The part that registers, spends and settles until it is killed.
pub(super) fn hammer(folder: &Path, rewrites: bool) {
    let clock = Arc::new(ManualClock::at(NOW));
    let (store, opened) = open_at(&folder.join("store"), &clock).unwrap();
    say(&format!("life {}", opened.life.generation));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        // No two lives register the same grant: the first numbers of each are its own.
        let start = u64::from_be_bytes(opened.life.generation.as_bytes()[..8].try_into().unwrap());
        let next = Arc::new(AtomicU64::new(start >> 24 << 20));
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(live_for_ever(Arc::clone(&store), Arc::clone(&next)));
        }
        if rewrites {
            tasks.spawn(rewrite_for_ever(store));
        }
        tasks.join_next().await
    });
    panic!("a task came to an end");
}

async fn live_for_ever(store: Arc<Embedded>, next: Arc<AtomicU64>) {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let ticket = register(&*store, registration(number, NOW)).await.unwrap();
        let sequence = seat(&ticket).sequence;
        say(&format!("registered {number} {sequence}"));
        spend(&*store, &ticket, 1).await.unwrap();
        say(&format!("spent {number} {sequence}"));
        if number.is_multiple_of(2) {
            store.settle(&ticket, &attempt(1), Outcome::Succeeded).await.unwrap();
            say(&format!("settled {number} {sequence}"));
        }
    }
}

async fn rewrite_for_ever(store: Arc<Embedded>) {
    loop {
        match store.compact().await {
            Ok(()) | Err(RewriteError::Busy) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "how a child tells its parent")]
fn say(line: &str) {
    println!("{SAID}{line}");
}

/// Starts the part, kills it after so many lines, and takes in what it said.
fn kill_after(part: &str, folder: &Path, lines: usize, told: &mut Told) {
    let mut process = child::command(part, folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut hear = |line: String| {
        if let Some((_, line)) = line.split_once(SAID) {
            told.hear(line);
        }
    };
    said.by_ref().take(lines).for_each(|line| hear(line.unwrap()));
    process.kill().unwrap();
    said.for_each(|line| hear(line.unwrap()));
    assert!(!process.wait().unwrap().success());
}

fn survives(part: &str, seed: u64) {
    let (scene, mut dice) = (Scene::new(), Dice(seed));
    // All that was ever told, of which no ticket is spent again; and what this round has told.
    let (mut ever, mut steps) = (Told::default(), 0);
    for round in 0..ROUNDS {
        // Some are killed as they start, and most somewhere in a sync.
        let lines = if round % 8 == 0 { dice.below(6) } else { dice.below(400) };
        let mut told = Told::default();
        kill_after(part, scene.folder(), lines, &mut told);
        wait(async {
            let (store, opened) = scene.try_open().unwrap();
            assert!(matches!(opened.start, Start::Created | Start::Unsealed { .. }), "{opened:?}");
            told.check(&store).await;
            ever.check_tickets(&store).await;
            for journal in ended(&*store).await {
                store.trim(&journal.life, u64::MAX, no_lease()).await.unwrap();
                store.forget(&journal.life).await;
            }
            // Every other child goes on with a life that was closed.
            if round % 2 == 0 {
                store.close().await.unwrap();
            }
        });
        steps += told.steps();
        ever.remember(told, 20);
    }
    assert!(steps > 1_500, "{steps} answers in {ROUNDS} rounds");
}

#[test]
fn a_process_that_is_killed_has_kept_what_it_answered() {
    survives("hammer", 0xdead);
}

#[test]
fn a_process_that_is_killed_while_it_rewrites_has_kept_it_too() {
    survives("rewriting hammer", 0xbeef);
}
