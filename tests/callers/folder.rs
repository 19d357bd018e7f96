//! The folder of accounts: what is wrong in it locks out whom it is about, and nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use farebox::callers::{Callers, CallersError, Settings};
use farebox_verifier::{ManualClock, UnixSeconds};

use super::ground::{Ground, NOW, minting, name};

#[tokio::test]
async fn a_slip_in_one_file_neither_hides_a_retirement_nor_locks_out_the_others() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let add = |text| folder.add(&name(text), minting(), None, UnixSeconds(NOW)).unwrap().1;
    let (slip, gone, other) = (add("slip"), add("gone"), add("other"));
    let _reread = ground.callers.tend().unwrap();
    let file = ground.path().join("callers/slip.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"mint\"", "\"mnt\"")).unwrap();
    folder.retire(&name("gone")).unwrap();
    let reread = ground.callers.tend().unwrap();
    assert!(matches!(&reread.broken[..], [CallersError::Account { path, .. }] if *path == file));
    assert!(ground.who(slip.expose()).await.is_err());
    assert!(ground.who(gone.expose()).await.is_err());
    assert!(ground.who(other.expose()).await.is_ok());
    // A start is another matter: somebody is there to read what is said.
    let clock = Arc::new(ManualClock::at(UnixSeconds(NOW)));
    assert!(Callers::open(ground.path(), Settings::default(), clock).is_err());
    fs::write(&file, text).unwrap();
    assert!(ground.callers.tend().unwrap().broken.is_empty());
    assert!(ground.who(slip.expose()).await.is_ok());
}

#[tokio::test]
async fn what_others_could_have_written_is_nobody() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let (_, key) = folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    let file = ground.path().join("callers/ci.json");
    for mode in [0o620, 0o602, 0o644, 0o640] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let reread = ground.callers.tend().unwrap();
        let found = &reread.broken[..];
        assert!(matches!(found, [CallersError::Exposed { mode: m, .. }] if *m == mode));
        assert!(ground.who(key.expose()).await.is_err(), "{mode:o}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let _reread = ground.callers.tend().unwrap();
    assert!(ground.who(key.expose()).await.is_ok());
}

#[tokio::test]
async fn a_copy_under_another_name_is_nobody_and_neither_is_a_shared_key() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let (_, key) = folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    let (file, copy) =
        (ground.path().join("callers/ci.json"), ground.path().join("callers/cd.json"));
    fs::copy(&file, &copy).unwrap();
    let reread = ground.callers.tend().unwrap();
    assert!(matches!(&reread.broken[..], [CallersError::Misnamed { .. }]));
    assert!(ground.who(key.expose()).await.is_ok());
    let text = fs::read_to_string(&file).unwrap().replace("\"ci\"", "\"cd\"");
    fs::write(&copy, text.replace("\"mint\"", "\"admin\"")).unwrap();
    let reread = ground.callers.tend().unwrap();
    assert!(matches!(&reread.broken[..], [CallersError::KeyTwice { .. }]));
    assert!(ground.who(key.expose()).await.is_err(), "nobody can tell whose it is");
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_passed_over() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    fs::write(ground.path().join("callers/.ci.json.new"), "{ half").unwrap();
    assert!(ground.callers.tend().unwrap().broken.is_empty());
    folder.retire(&name("ci")).unwrap();
    assert!(!ground.path().join("callers/.ci.json.new").exists());
}

#[test]
fn of_many_who_take_one_name_at_once_one_gets_it() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let made: usize = std::thread::scope(|scope| {
        let one = || folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).is_ok();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(made, 1);
    // And no rotation of several at once is lost.
    let rotated: Vec<_> = std::thread::scope(|scope| {
        let one = || folder.rotate(&name("ci"), 60, None, UnixSeconds(NOW)).unwrap().1;
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().id()).collect()
    });
    let account = folder.accounts().unwrap().remove(0);
    assert!(rotated.iter().all(|id| account.keys.iter().any(|key| key.id == *id)));
    assert_eq!(account.keys.len(), 7);
    folder.rotate(&name("ci"), 60, None, UnixSeconds(NOW)).unwrap();
    let full = folder.rotate(&name("ci"), 60, None, UnixSeconds(NOW)).err().unwrap();
    assert!(matches!(full, CallersError::TooManyKeys { .. }));
    assert!(folder.rotate(&name("ci"), 60, None, UnixSeconds(NOW + 61)).is_ok());
}
