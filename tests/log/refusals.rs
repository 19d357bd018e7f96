//! What is not opened, and what is said of it: each case by its own error, and nothing of it is changed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use farebox::log::{DiskError, OpenError};

use super::child;
use super::full::{behind, small_file_system};
use super::scene::{Scene, append_numbers, count, open, refusal, wait};

/// Changes the bytes of a closed log, and gives why it does not open. It must not have been touched by that.
fn refused(scene: &Scene, change: impl FnOnce(&mut Vec<u8>)) -> OpenError {
    let mut bytes = scene.bytes();
    change(&mut bytes);
    fs::write(scene.path(), &bytes).unwrap();
    let why = scene.refusal();
    assert_eq!(scene.bytes(), bytes, "{why}");
    assert!(why.to_string().contains(scene.path().to_str().unwrap()), "{why}");
    why
}

/// Where frames begin, by the tag that all of them bear.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let tag = &bytes[16..24];
    let mut found: Vec<usize> =
        (48..bytes.len() - 8).filter(|at| bytes[*at..*at + 8] == *tag).collect();
    found.push(bytes.len());
    found
}

/// A log of several frames, closed without zeros at its end.
fn three_frames() -> Scene {
    let scene = Scene::quick();
    let log = scene.open().log;
    (0..3).for_each(|number| append_numbers(&log, number..number + 1));
    wait(log.seal()).unwrap();
    scene
}

#[test]
fn another_programs_file_is_no_log() {
    for content in ["SQLite format 3\0 and more", "#", "{\"a\": 1}", "\u{8e}fbxlog"] {
        let scene = Scene::new();
        fs::write(scene.path(), content).unwrap();
        let why = refused(&scene, |_| ());
        assert!(matches!(why, OpenError::Foreign { .. }), "{content}: {why}");
    }
}

#[test]
fn a_newer_format_names_its_version() {
    let why = refused(&Scene::quick().filled(1), |bytes| {
        bytes[8] = 2;
        // Whatever else a newer header says.
        bytes.truncate(20);
    });
    assert!(matches!(why, OpenError::Newer { version: 2, .. }), "{why}");
}

#[test]
fn a_log_that_ends_in_its_header_is_truncated() {
    for length in [0, 1, 8, 11, 47] {
        let why = refused(&Scene::quick().filled(1), |bytes| bytes.truncate(length));
        let length = u64::try_from(length).unwrap();
        assert!(matches!(why, OpenError::Truncated { bytes, .. } if bytes == length), "{why}");
    }
}

#[test]
fn a_damaged_header_is_found_at_every_byte_of_it() {
    for at in 8..48 {
        let why = refused(&Scene::quick().filled(1), |bytes| bytes[at] ^= 1);
        assert!(matches!(why, OpenError::Header { .. } | OpenError::Newer { .. }), "{at}: {why}");
    }
}

#[test]
fn damage_before_the_last_frame_is_never_cut_off() {
    let scene = three_frames();
    let (bytes, starts) = (scene.bytes(), frames(&scene.bytes()));
    assert_eq!(starts.len(), 5, "three frames and a seal");
    for at in starts[0]..starts[3] {
        fs::write(scene.path(), &bytes).unwrap();
        let frame = starts.iter().rfind(|start| **start <= at).unwrap();
        let why = refused(&scene, |bytes| bytes[at] ^= 0x10);
        let OpenError::Damaged { offset, .. } = why else { panic!("{at}: {why}") };
        assert_eq!(usize::try_from(offset).unwrap(), *frame, "byte {at}");
    }
}

#[test]
fn frames_that_are_missing_swapped_or_doubled_are_damage() {
    let scene = three_frames();
    let (bytes, at) = (scene.bytes(), frames(&scene.bytes()));
    let (head, one, two) = (&bytes[..48], &bytes[at[0]..at[1]], &bytes[at[1]..at[2]]);
    let rest = &bytes[at[2]..];
    for parts in [
        vec![head, two, rest],
        vec![head, one, rest],
        vec![head, two, one, rest],
        vec![head, one, one, two, rest],
        vec![head, one, two, &[0; 700], rest],
        vec![head, one, &two[..20], rest],
        vec![head, one, &vec![0; 3_000_000], rest],
    ] {
        let why = refused(&scene, |bytes| *bytes = parts.concat());
        assert!(matches!(why, OpenError::Damaged { .. }), "{why}");
    }
}

#[test]
fn damage_to_the_last_frame_alone_is_a_write_cut_short() {
    let scene = three_frames();
    let (bytes, starts) = (scene.bytes(), frames(&scene.bytes()));
    for at in starts[2]..starts[3] {
        let mut torn = bytes[..starts[3]].to_vec();
        torn[at] ^= 0x10;
        fs::write(scene.path(), torn).unwrap();
        let (payloads, recovered) = scene.read();
        assert_eq!((count(&payloads), recovered.sealed), (2, false), "byte {at}");
        assert!(recovered.cut_bytes > 0);
        assert_eq!(scene.bytes().len(), starts[2]);
    }
}

#[test]
fn the_frames_of_another_log_are_no_frames() {
    let (scene, other) = (three_frames(), three_frames());
    let starts = frames(&other.bytes());
    let mut bytes = scene.bytes();
    bytes.truncate(frames(&bytes)[2]);
    bytes.extend_from_slice(&other.bytes()[starts[2]..]);
    fs::write(scene.path(), bytes).unwrap();
    assert_eq!(count(&scene.read().0), 2);
}

#[test]
fn a_log_in_use_is_locked_for_this_process_and_for_others() {
    let scene = Scene::sealed(2);
    let opened = scene.open();
    append_numbers(&opened.log, 2..3);
    assert!(matches!(scene.refusal(), OpenError::Locked { .. }));
    // By another name, too.
    let link = scene.beside(".link");
    symlink(scene.path(), &link).unwrap();
    assert!(matches!(refusal(&link), OpenError::Locked { .. }));
    let other = scene.beside(".other");
    fs::hard_link(scene.path(), &other).unwrap();
    assert!(matches!(refusal(&other), OpenError::Locked { .. }));
    let flock = |expected| {
        let status = Command::new("flock").arg("-n").arg(scene.path()).arg("true").status();
        assert_eq!(status.unwrap().success(), expected);
    };
    flock(false);
    drop(opened);
    flock(true);
    assert_eq!(count(&open(&link).unwrap().payloads), 3);
}

#[test]
fn what_is_no_file_and_what_is_nowhere_is_said() {
    let scene = Scene::new();
    assert!(matches!(refusal(scene.folder()), OpenError::NotAFile { .. }));
    assert!(matches!(refusal(Path::new("/dev/null")), OpenError::NotAFile { .. }));
    let nowhere = scene.folder().join("nowhere/log");
    assert!(matches!(refusal(&nowhere), OpenError::Folder { .. }));
    let link = scene.beside(".link");
    symlink("nothing", &link).unwrap();
    assert!(matches!(refusal(&link), OpenError::Folder { .. }));
}

/// The part of a user without rights.
pub(super) fn locked_out(folder: &Path) {
    let why = refusal(&folder.join("closed/log"));
    assert!(matches!(why, OpenError::Disk(DiskError::ReadOnly { .. })), "{why}");
    assert!(why.to_string().contains("closed/log"), "{why}");
    let why = refusal(&folder.join("theirs"));
    assert!(matches!(why, OpenError::Unreadable { .. }), "{why}");
}

#[test]
fn a_user_without_rights_is_told_which() {
    let scene = Scene::new();
    let closed = scene.folder().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(scene.folder().join("theirs"), "").unwrap();
    let program = scene.folder().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (path, mode) in [("", 0o755), ("closed", 0o555), ("theirs", 0), ("program", 0o755)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(scene.folder().join(path), permissions).unwrap();
    }
    let mut command = Command::new(&program);
    let played = child::command("locked out", scene.folder());
    command.args(played.get_args()).current_dir("/");
    command.envs(played.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Nothing is closed to root.
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    child::succeeds(&mut command);
}

#[test]
fn a_link_in_the_place_of_a_new_log_is_not_followed() {
    let scene = Scene::new();
    let (theirs, link) = (scene.folder().join("theirs"), scene.folder().join("log.new"));
    fs::write(&theirs, b"a file of somebody else").unwrap();
    symlink(&theirs, &link).unwrap();
    let why = refusal(&scene.folder().join("log"));
    assert!(matches!(why, OpenError::NotAFile { .. }), "{why}");
    assert_eq!(fs::read(&theirs).unwrap(), b"a file of somebody else");
}

/// The part of a process whose disk turns read-only.
pub(super) fn read_only_mount(folder: &Path) {
    let path = folder.join("log");
    drop(open(&path).unwrap());
    let remount = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(folder).status();
    assert!(remount.unwrap().success());
    let why = refusal(&path);
    assert!(matches!(why, OpenError::Disk(DiskError::ReadOnly { .. })), "{why}");
    let why = refusal(&folder.join("other"));
    assert!(matches!(why, OpenError::Disk(DiskError::ReadOnly { .. })), "{why}");
}

#[test]
fn a_read_only_mount_is_said() {
    let scene = Scene::new();
    match small_file_system() {
        Some(shell) => child::succeeds(&mut behind(&shell, "read-only mount", scene.folder())),
        None => println!("no mounts are allowed here: a closed folder stands in for it"),
    }
}
