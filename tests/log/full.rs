//! A disk that is full: said plainly, nothing acknowledged is lost, and room makes it good again.
//!
//! It is a real small file system where this user may mount one, and always the limit on the size of files, at
//! which the system refuses a write in the same way, half done.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use farebox::log::{AppendError, DiskError, Log};

use super::child;
use super::scene::{Scene, all_below, append, count, numbered, open, wait};

/// Runs a part behind a shell that changes what the system allows.
pub(super) fn behind(shell: &[&str], part: &str, folder: &Path) -> Command {
    let played = child::command(part, folder);
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("sh").arg(played.get_program()).args(played.get_args());
    command.envs(played.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// A shell with mounts of its own, and a small file system over the folder; `None` where that is not allowed.
pub(super) fn small_file_system() -> Option<Vec<&'static str>> {
    let mount = r#"mount -t tmpfs -o size=768k tmpfs "$FAREBOX_TEST_FOLDER" && exec "$@""#;
    let arguments = ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let tried = Command::new("unshare").args(arguments).output();
    let allowed = tried.is_ok_and(|output| output.status.success());
    allowed.then(|| vec!["unshare", "-Urm", "sh", "-c", mount])
}

/// The part of a process on a disk with little room.
pub(super) fn full_disk(folder: &Path) {
    let path = folder.join("log");
    let filler = folder.join("filler");
    fs::write(&filler, vec![1; 200_000]).unwrap();
    let log = open(&path).unwrap().log;
    let acknowledged = fill(&log, 0, &path);
    assert!(acknowledged > 200, "{acknowledged}");
    let refused = append(&log, &numbered(acknowledged)).unwrap_err();
    assert!(matches!(refused, AppendError::Disk(DiskError::NoSpace { .. })), "{refused:?}");
    drop(log);

    // Still full: it opens, with all that was acknowledged, and is full again.
    let opened = open(&path).unwrap();
    let found = count(&opened.payloads);
    assert!(found >= acknowledged && !opened.recovered.sealed);
    let acknowledged = fill(&opened.log, found, &path);
    drop(opened);

    fs::remove_file(&filler).unwrap();
    let opened = open(&path).unwrap();
    let found = count(&opened.payloads);
    assert!(found >= acknowledged);
    wait(opened.log.rewrite([all_below(found)].into_iter()).unwrap()).unwrap();
    append(&opened.log, &numbered(found)).unwrap();
    wait(opened.log.seal()).unwrap();
    drop(opened);
    let opened = open(&path).unwrap();
    assert!(opened.recovered.sealed && count(&opened.payloads) == found + 1);
}

/// Appends until the disk is full, and gives how many numbers are acknowledged.
fn fill(log: &Log, mut next: u32, path: &Path) -> u32 {
    loop {
        // Long ones are cut in two by the end of the disk.
        let Err(error) = append(log, &numbered(next)) else {
            next += 1;
            continue;
        };
        let AppendError::Disk(disk) = &error else { panic!("{error:?}") };
        let DiskError::NoSpace { path: at, bytes, source } = disk else { panic!("{error:?}") };
        assert!(at == path && *bytes > 48, "{disk}");
        let kinds = [ErrorKind::StorageFull, ErrorKind::FileTooLarge];
        assert!(kinds.contains(&source.kind()), "{source:?}");
        let said = disk.to_string();
        assert!(said.contains(&format!("{bytes} more bytes")) && said.contains("/log"), "{said}");
        return next;
    }
}

#[test]
fn a_full_file_system_is_an_error_that_room_mends() {
    let scene = Scene::new();
    match small_file_system() {
        Some(shell) => child::succeeds(&mut behind(&shell, "full disk", scene.folder())),
        None => println!("no mounts are allowed here: the limit on file sizes stands in for it"),
    }
}

#[test]
fn a_limit_on_file_sizes_is_the_same_error() {
    let scene = Scene::new();
    let shell = ["sh", "-c", r#"trap "" XFSZ; ulimit -f 1024; exec "$@""#];
    child::succeeds(&mut behind(&shell, "full disk", scene.folder()));
}

#[test]
fn a_rewrite_that_finds_no_room_leaves_the_log_in_use() {
    let scene = Scene::new();
    let opened = scene.open();
    append(&opened.log, &numbered(0)).unwrap();
    // A folder stands where the new file would be made.
    let obstacle = scene.beside(".rewrite");
    fs::create_dir(&obstacle).unwrap();
    let refused = wait(opened.log.rewrite([all_below(1)].into_iter()).unwrap());
    assert!(refused.is_err());
    append(&opened.log, &numbered(1)).unwrap();
    fs::remove_dir(&obstacle).unwrap();
    wait(opened.log.rewrite([all_below(2)].into_iter()).unwrap()).unwrap();
    drop(opened);
    let (payloads, _) = scene.read();
    assert_eq!((payloads.len(), count(&payloads)), (1, 2));
}
