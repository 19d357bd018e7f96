//! A disk that is full: said plainly, nothing that was answered is lost, and room makes it good again.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use farebox::log::{AppendError, DiskError};
use farebox::store::registration::RegisterError;
use farebox::store::view::Filter;
use farebox::store::{Embedded, GrantStore};
use farebox_verifier::ManualClock;

use super::child;
use super::scene::{
    NOW, Scene, ended, events_after, issue, open_at, register, registration, spend, wait,
};

/// Runs the part behind a shell that changes what the system allows.
fn behind(shell: &[&str], folder: &Path) -> Command {
    let played = child::command("full disk", folder);
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("sh").arg(played.get_program()).args(played.get_args());
    command.envs(played.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// The part of a process on a disk with little room.
pub(super) fn full_disk(folder: &Path) {
    wait(async {
        let (path, clock) = (folder.join("store"), Arc::new(ManualClock::at(NOW)));
        let (store, first) = open_at(&path, &clock).unwrap();
        let registered = fill(&store).await;
        assert!(registered > 100, "{registered}");
        let trouble = store.trouble().unwrap();
        let AppendError::Disk(DiskError::NoSpace { .. }) = &trouble else { panic!("{trouble:?}") };
        let cause = std::error::Error::source(&trouble).unwrap().to_string();
        assert!(cause.contains("free some") && cause.contains("/store"), "{cause}");
        // The process lives, and shows what it has.
        assert!(store.count(&Filter::default()).await >= registered);
        drop(store);

        // Still full: either it says so at once, or it has room for a few words more.
        match open_at(&path, &clock) {
            Err(error) => assert!(format!("{error}").contains("/store"), "{error}"),
            Ok((store, opened)) => {
                assert_ne!(opened.life, first.life);
                let over = &ended(&*store).await[0];
                let events = events_after(&*store, &over.life, 0).await;
                assert!(events.len() as u64 > registered, "{} {registered}", events.len());
                fill(&store).await;
            }
        }
    });
}

/// Registers until the disk is full, and gives how many grants were.
async fn fill(store: &Embedded) -> u64 {
    for number in 0.. {
        match register(store, registration(number, NOW)).await {
            Ok(_) => {}
            Err(RegisterError::InDoubt) => {
                let refused = register(store, registration(number + 1, NOW)).await;
                assert_eq!(refused, Err(RegisterError::Down));
                return number;
            }
            Err(other) => panic!("{other}"),
        }
    }
    0
}

fn room_makes_it_good(scene: &Scene) {
    wait(async {
        let (store, opened) = scene.try_open().unwrap();
        let first = &ended(&*store).await[0];
        assert_eq!(events_after(&*store, &first.life, 0).await.len() as u64, first.last);
        let ticket = issue(scene, &*store, 1 << 30).await;
        spend(&*store, &ticket, 1).await.unwrap();
        store.compact().await.unwrap();
        assert_ne!(opened.life, first.life);
        store.close().await.unwrap();
    });
    wait(async { assert!(scene.open_sealed().count(&Filter::default()).await > 100) });
}

#[test]
fn a_limit_on_file_sizes_is_an_error_that_room_mends() {
    let scene = Scene::new();
    let shell = ["sh", "-c", r#"trap "" XFSZ; ulimit -f 1024; exec "$@""#];
    child::succeeds(&mut behind(&shell, scene.folder()));
    room_makes_it_good(&scene);
}

#[test]
fn a_full_file_system_is_the_same_error() {
    let scene = Scene::new();
    let arguments = ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let tried = Command::new("unshare").args(arguments).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        println!("no mounts are allowed here: the limit on file sizes stands in for it");
        return;
    }
    let mount = r#"mount -t tmpfs -o size=768k tmpfs "$STORE_TEST_FOLDER" && exec "$@""#;
    let shell = ["unshare", "-Urm", "sh", "-c", mount];
    child::succeeds(&mut behind(&shell, scene.folder()));
}
