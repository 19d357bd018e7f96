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

/// More grants than the little room has bytes for.
const TOO_MANY: u64 = 100_000;

/// Registers until the disk is full, and gives how many grants were.
async fn fill(store: &Embedded) -> u64 {
    for number in 0..TOO_MANY {
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
    panic!("{TOO_MANY} grants and no end of the room");
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

/// A file system with little room, where whoever stands behind it works.
const LITTLE_ROOM: &str =
    r#"mount -t tmpfs -o size=768k tmpfs "$FAREBOX_TEST_FOLDER" && exec "$@""#;

/// Whether this system lets a test mount one, and holds it to its size: some that allow the mount do not.
fn room_can_be_little(folder: &Path) -> bool {
    let more =
        r#"timeout 20 dd if=/dev/zero of="$FAREBOX_TEST_FOLDER/more" bs=4k count=512 conv=fsync"#;
    let mut probe = Command::new("timeout");
    probe.args(["30", "unshare", "-Urm", "sh", "-c", LITTLE_ROOM, "sh", "sh", "-c", more]);
    let probed = probe.env("FAREBOX_TEST_FOLDER", folder).env("LC_ALL", "C").output();
    probed.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("No space left"))
}

#[test]
fn a_full_file_system_is_the_same_error() {
    let scene = Scene::new();
    if !room_can_be_little(scene.folder()) {
        println!(
            "no small file system is to be had here: the limit on file sizes stands in for it"
        );
        return;
    }
    let shell = ["unshare", "-Urm", "sh", "-c", LITTLE_ROOM];
    child::succeeds(&mut behind(&shell, scene.folder()));
}
