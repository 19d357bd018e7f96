//! The seal: it holds for the very file that was closed last, and for nothing else.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use farebox::log::OpenError;

use super::scene::{Scene, append_numbers, count, wait};

fn run(program: &str, arguments: &[&str], paths: [&Path; 2]) {
    let status = Command::new(program).args(arguments).args(paths).status().unwrap();
    assert!(status.success(), "{program}");
}

/// The log must open, hold so many numbers, and not be sealed.
fn is_not_sealed(scene: &Scene, numbers: u32, what: &str) {
    let (payloads, recovered) = scene.read();
    assert_eq!((count(&payloads), recovered.sealed), (numbers, false), "{what}");
}

#[test]
fn a_log_that_was_closed_in_good_order_is_sealed_once() {
    let scene = Scene::sealed(3);
    let mut numbers = 3;
    for _ in 0..3 {
        let opened = scene.open();
        assert!(opened.recovered.sealed);
        assert_eq!(count(&opened.payloads), numbers);
        append_numbers(&opened.log, numbers..numbers + 2);
        wait(opened.log.seal()).unwrap();
        numbers += 2;
    }
    assert!(scene.read().1.sealed);
    // The last one closed it without.
    is_not_sealed(&scene, numbers, "dropped");
}

#[test]
fn a_seal_is_broken_before_an_opened_log_is_written() {
    let scene = Scene::sealed(3);
    let seal = fs::read(scene.beside(".seal")).unwrap();
    let opened = scene.open();
    assert!(opened.recovered.sealed && !scene.beside(".seal").exists());
    append_numbers(&opened.log, 3..4);
    drop(opened);
    // Even if somebody kept it.
    fs::write(scene.beside(".seal"), seal).unwrap();
    is_not_sealed(&scene, 4, "an old seal");
}

#[test]
fn an_empty_log_can_be_sealed_and_a_new_one_is_not() {
    let scene = Scene::sealed(0);
    let seal = fs::read(scene.beside(".seal")).unwrap();
    assert!(scene.read().1.sealed);
    fs::remove_file(scene.path()).unwrap();
    fs::write(scene.beside(".seal"), seal).unwrap();
    let opened = scene.open();
    assert!(opened.recovered.created && !opened.recovered.sealed);
    assert!(!scene.beside(".seal").exists());
}

#[test]
fn a_backup_that_was_put_back_is_not_sealed() {
    for copy in [&["-f"][..], &["-p"]] {
        for side_file_too in [false, true] {
            for over_the_same_inode in [false, true] {
                let what = format!("cp {copy:?}, {side_file_too}, {over_the_same_inode}");
                let scene = Scene::sealed(3);
                let (log, seal) = (scene.path(), scene.beside(".seal"));
                let (kept, kept_seal) = (scene.beside(".kept"), scene.beside(".kept-seal"));
                run("cp", copy, [&log, &kept]);
                run("cp", copy, [&seal, &kept_seal]);
                let opened = scene.open();
                append_numbers(&opened.log, 3..5);
                wait(opened.log.seal()).unwrap();
                drop(opened);

                let inode = log.metadata().unwrap().ino();
                if !over_the_same_inode {
                    // Kept, so that the system does not give out its inode again.
                    fs::rename(&log, scene.beside(".old")).unwrap();
                }
                run("cp", copy, [&kept, &log]);
                if side_file_too {
                    run("cp", copy, [&kept_seal, &seal]);
                }
                assert_eq!(log.metadata().unwrap().ino() == inode, over_the_same_inode, "{what}");
                is_not_sealed(&scene, 3, &what);
            }
        }
    }
}

#[test]
fn the_same_bytes_in_another_file_are_not_sealed() {
    let scene = Scene::sealed(3);
    run("cp", &["-p"], [&scene.path(), &scene.beside(".copy")]);
    fs::rename(scene.beside(".copy"), scene.path()).unwrap();
    is_not_sealed(&scene, 3, "a copy in its place");

    let scene = Scene::sealed(3);
    run("cp", &["-p"], [&scene.path(), &scene.beside(".copy")]);
    run("cp", &["-p"], [&scene.beside(".copy"), &scene.path()]);
    is_not_sealed(&scene, 3, "the same bytes over it");

    let scene = Scene::sealed(3);
    let other = Scene::new();
    run("cp", &["-p"], [&scene.path(), &other.path()]);
    run("cp", &["-p"], [&scene.beside(".seal"), &other.beside(".seal")]);
    is_not_sealed(&other, 3, "a copied folder");
    assert!(scene.read().1.sealed, "the one that was copied from");
}

#[test]
fn whatever_touches_the_file_breaks_the_seal() {
    type Touch = (&'static str, fn(&Scene));
    let touches: [Touch; 5] = [
        ("chmod", |scene| {
            fs::set_permissions(scene.path(), Permissions::from_mode(0o600)).unwrap()
        }),
        ("link", |scene| fs::hard_link(scene.path(), scene.beside(".link")).unwrap()),
        ("times", |scene| {
            let file = OpenOptions::new().write(true).open(scene.path()).unwrap();
            let metadata = file.metadata().unwrap();
            file.set_modified(metadata.modified().unwrap()).unwrap();
        }),
        ("write", |scene| {
            let bytes = scene.bytes();
            fs::write(scene.path(), bytes).unwrap();
        }),
        ("no seal", |scene| fs::remove_file(scene.beside(".seal")).unwrap()),
    ];
    for (what, touch) in touches {
        let scene = Scene::sealed(3);
        touch(&scene);
        is_not_sealed(&scene, 3, what);
    }
    // Reading is no touch: backups may be made.
    let scene = Scene::sealed(3);
    run("cp", &["-a"], [&scene.path(), &scene.beside(".backup")]);
    assert!(scene.read().1.sealed);
}

#[test]
fn a_seal_that_is_cut_short_or_changed_is_none() {
    let length = fs::read(Scene::quick().filled(1).beside(".seal")).unwrap().len();
    for at in 0..length {
        for cut in [false, true] {
            let scene = Scene::quick().filled(1);
            let mut seal = fs::read(scene.beside(".seal")).unwrap();
            if cut {
                seal.truncate(at);
            } else {
                seal[at] ^= 0x40;
            }
            fs::write(scene.beside(".seal"), seal).unwrap();
            is_not_sealed(&scene, 1, &format!("byte {at}, {cut}"));
        }
    }
}

#[test]
fn rot_under_a_good_seal_is_damage() {
    let scene = Scene::new();
    let log = scene.open().log;
    (0..3).for_each(|number| append_numbers(&log, number..number + 1));
    wait(log.seal()).unwrap();
    drop(log);
    let whole = scene.bytes();
    // The seal's frame, its middle, and the end of the frame before it.
    for at in [whole.len() - 1, whole.len() - 30, whole.len() - 49] {
        let mut rotten = whole.clone();
        rotten[at] ^= 1;
        fs::write(scene.path(), &rotten).unwrap();
        seal_again(&scene);
        let why = scene.refusal();
        assert!(matches!(why, OpenError::Damaged { .. }), "byte {at}: {why}");
    }
    fs::write(scene.path(), &whole).unwrap();
    seal_again(&scene);
    assert!(scene.read().1.sealed, "the seal of this test is like the real one");
}

/// Makes the seal say that the file was closed as it is now: a disk that rots changes no times.
fn seal_again(scene: &Scene) {
    let (metadata, path) = (scene.path().metadata().unwrap(), scene.beside(".seal"));
    let mut seal = fs::read(&path).unwrap();
    seal[24..32].copy_from_slice(&metadata.ctime().to_le_bytes());
    seal[32..40].copy_from_slice(&metadata.ctime_nsec().to_le_bytes());
    let check = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seal[..64]);
    seal[64..].copy_from_slice(&check.as_ref()[..16]);
    fs::write(path, seal).unwrap();
}
