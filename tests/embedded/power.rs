//! The power goes: at every call of a store's life, with states that the disk may then be in.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use farebox::store::embedded::Start;
use farebox::store::event::OldGrants;
use farebox::store::{Embedded, GrantStore};
use farebox_verifier::{ManualClock, Outcome, PolicyHash, Selector, SpendStore as _};

use super::disk::{Disk, Image};
use super::scene::{
    Dice, NOW, Scene, attempt, close, drain, id, living, open_at, register, registration, seat,
    spend, wait,
};
use super::told::{Told, claim, take};
use super::trace::{Call, watch};

/// One state in so many is looked at, of all that there are: the log's own tests look at each.
const ONE_IN: usize = 12;
const MARKS: &str = "marks";

/// A store, and a file in the watched folder that says what this process was told by then.
struct Diary {
    store: Arc<Embedded>,
    marks: File,
    policy: PolicyHash,
}

impl Diary {
    async fn open(folder: &Path, policy: PolicyHash) -> Diary {
        let clock = Arc::new(ManualClock::at(NOW));
        let (store, opened) = open_at(&folder.join("store"), &clock).unwrap();
        let marks = OpenOptions::new().append(true).create(true).open(folder.join(MARKS)).unwrap();
        let mut diary = Diary { store, marks, policy };
        diary.note(&format!("life {}", opened.life.generation));
        diary
    }

    fn note(&mut self, line: &str) {
        // One write for one line, so that none is heard in part.
        self.marks.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The grants with these numbers, each to its end or some of the way.
    async fn live(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let mut fresh = registration(number, NOW);
            fresh.ticket.policy = self.policy;
            let ticket = register(&*self.store, fresh).await.unwrap();
            let sequence = seat(&ticket).sequence;
            self.note(&format!("registered {number} {sequence}"));
            if number % 3 == 0 {
                continue;
            }
            spend(&*self.store, &ticket, 1).await.unwrap();
            self.note(&format!("spent {number} {sequence}"));
            if number % 3 == 1 {
                self.store.settle(&ticket, &attempt(1), Outcome::Succeeded).await.unwrap();
                self.note(&format!("settled {number} {sequence}"));
            }
        }
    }

    async fn claim(&mut self, number: u64) {
        self.store.ledger().claim_key(&claim(number)).await.unwrap();
        self.note(&format!("claimed {number}"));
    }

    async fn hold(&mut self, number: u64) {
        self.store.take(&take(number)).await.unwrap();
        self.note(&format!("held {number}"));
    }
}

/// The part that does everything a store does in its life.
pub(super) fn history(folder: &Path) {
    wait(async {
        let old = registration(0, NOW).ticket.policy;
        let mut diary = Diary::open(folder, old).await;
        diary.live(0..5).await;
        diary.store.open_budgets(&[]).await.unwrap();
        diary.hold(1).await;
        diary.claim(1).await;
        assert!(diary.store.block(&Selector::Key(99)).await.unwrap().everywhere());
        diary.note("blocked 99");
        diary.store.abandon(id(1_000)).await.unwrap();
        diary.note("abandoned 1000");
        close(diary.store).await;

        // It goes on: the same life.
        let mut diary = Diary::open(folder, old).await;
        diary.live(5..8).await;
        let policy = PolicyHash::from_bytes([6; 32]);
        assert!(diary.store.set_policy(policy, OldGrants::Kept).await.unwrap().everywhere());
        diary.policy = policy;
        diary.note("policy 6");
        diary.live(8..10).await;
        drop(diary);

        // It was not closed: another life.
        let mut diary = Diary::open(folder, policy).await;
        diary.live(10..14).await;
        diary.claim(2).await;
        diary.store.compact().await.unwrap();
        diary.live(14..17).await;
        diary.hold(2).await;
        let (life, lease) = (living(&*diary.store).await, drain(&*diary.store).await);
        diary.store.trim(&life, 3, lease).await.unwrap();
        diary.note("trimmed 3");
        diary.store.abandon(id(1_001)).await.unwrap();
        diary.note("abandoned 1001");
        diary.store.compact().await.unwrap();
        diary.live(17..19).await;
        close(diary.store).await;
    });
}

/// Looks at crashes of a traced life.
fn look_at_crashes(calls: &[Call]) -> usize {
    let (mut disk, mut told, mut dice) = (Disk::default(), Told::default(), Dice(0x5eed));
    let (mut looks, mut marks_inode) = (0, None);
    for call in calls {
        match call {
            Call::Made { inode, name } if name == MARKS => marks_inode = Some(*inode),
            Call::Wrote { inode, bytes, .. } if Some(*inode) == marks_inode => {
                std::str::from_utf8(bytes).unwrap().lines().for_each(|line| told.hear(line));
            }
            call => disk.apply(call),
        }
        let mut chosen = Dice(dice.0);
        disk.images(&mut dice, |image| {
            if chosen.below(ONE_IN) == 0 {
                look(image, &told);
                looks += 1;
            }
        });
    }
    assert!(told.steps() > 30, "or this shows little");
    looks
}

/// Opens what the power cut left.
fn look(image: &Image, told: &Told) {
    let scene = Scene::quick();
    for (name, bytes) in image {
        fs::write(scene.folder().join(name), bytes).unwrap();
    }
    let (store, opened) = scene.try_open().unwrap();
    let began = matches!(opened.start, Start::Created | Start::Unsealed { .. });
    assert!(began && (opened.start != Start::Created || !told.knows_a_life()), "{opened:?}");
    wait(told.check(&store));
}

#[test]
fn what_was_answered_outlives_a_power_cut_at_any_moment() {
    let scene = Scene::new();
    let calls = watch("history", scene.folder(), None);
    let looks = look_at_crashes(&calls);
    // A shim that saw nothing, or a disk that offers nothing, would pass any store.
    let syncs = calls.iter().filter(|call| matches!(call, Call::Synced { .. })).count();
    let renames = calls.iter().filter(|call| matches!(call, Call::Renamed { .. })).count();
    assert!(syncs > 40 && renames == 3 && looks > 500, "{syncs} {renames} {looks}");
    println!("{} calls, {syncs} syncs, {looks} power cuts", calls.len());
}

#[test]
fn a_store_that_did_not_sync_would_be_found_out() {
    let scene = Scene::new();
    let mut calls = watch("history", scene.folder(), None);
    calls.retain(|call| !matches!(call, Call::Synced { name, .. } if name == "store"));
    let found_out = std::panic::catch_unwind(|| look_at_crashes(&calls));
    assert!(found_out.is_err(), "the test above cannot fail");
}
