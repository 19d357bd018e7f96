//! A server: started, killed, stopped, frozen, restarted, and never left behind.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Mutex;
use std::time::Duration;

use farebox_lab::{Connection, Fsync, Options, Redis, until};

use super::memory::{remember, remembered};

/// Gone, or dead and waiting for whoever inherited it.
fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.rsplit(") ").next().unwrap().starts_with(['Z', 'X']))
}

#[test]
fn a_server_says_who_it_is() {
    let redis = Redis::start(Options::plain());
    let identity = redis.identity();
    assert!(["redis", "valkey"].contains(&identity.name.as_str()), "{identity:?}");
    assert!(identity.version.starts_with(|c: char| c.is_ascii_digit()), "{identity:?}");
    assert_eq!(identity.run_id.len(), 40);
    assert_eq!(redis.count("process_id"), u64::from(redis.process_id().unwrap()));
    assert_eq!(redis.url(), format!("redis://{}", redis.address()));
}

#[test]
fn a_killed_server_comes_back_without_what_it_knew() {
    let redis = Redis::start(Options::plain());
    redis.command(&["SET", "key", "value"]);
    let (run_id, address) = (redis.run_id(), redis.address());
    redis.kill();
    assert!(redis.connect().is_err());
    redis.restart();
    assert_eq!((redis.address(), redis.command(&["DBSIZE"]).integer()), (address, Some(0)));
    assert_ne!(redis.run_id(), run_id);
}

#[test]
fn a_killed_server_keeps_what_it_wrote_to_files() {
    let saved = Redis::start(Options::plain());
    saved.command(&["SET", "early", "1"]);
    saved.save();
    saved.command(&["SET", "late", "1"]);
    let appended = Redis::start(Options::plain().aof(Fsync::Never));
    appended.command(&["SET", "early", "1"]);
    appended.command(&["SET", "late", "1"]);
    let keys = |redis: &Redis| redis.command(&["EXISTS", "early", "late"]).integer().unwrap();
    for (redis, kept) in [(&saved, 1), (&appended, 2)] {
        redis.restart();
        assert_eq!(keys(redis), kept);
    }
    appended.stop();
    appended.restart();
    assert_eq!(keys(&appended), 2);
}

#[test]
fn a_frozen_server_takes_what_it_is_sent_and_answers_when_it_resumes() {
    let redis = Redis::start(Options::plain());
    remember(&redis);
    redis.freeze();
    let mut connection = Connection::open(redis.address(), Duration::from_secs(5)).unwrap();
    connection.send(b"INCR key\r\n").unwrap();
    assert!(connection.hears_nothing(Duration::from_millis(100)).unwrap());
    redis.resume();
    assert_eq!(connection.receive().unwrap().integer(), Some(1));
    assert_eq!(remembered(&redis), 1, "it is the same process");
}

#[test]
fn a_start_that_fails_says_why() {
    let start = || Redis::start(Options::plain().with("no-such-setting", "1"));
    let why = catch_unwind(AssertUnwindSafe(start)).unwrap_err();
    let why = why.downcast_ref::<String>().unwrap();
    assert!(why.contains("no-such-setting"), "{why}");
}

#[test]
fn a_restart_on_a_port_that_somebody_took_fails() {
    let redis = Redis::start(Options::plain());
    redis.kill();
    let _taken = TcpListener::bind(redis.address()).unwrap();
    let why = catch_unwind(AssertUnwindSafe(|| redis.restart())).unwrap_err();
    assert!(why.downcast_ref::<String>().unwrap().contains("Address already in use"));
}

#[test]
fn users_may_what_their_rules_say() {
    let user = "api on >secret ~fb1:* +get";
    let redis = Redis::start(Options::plain().user("default off").user(user));
    let mut api = Connection::open(redis.address(), Duration::from_secs(5)).unwrap();
    assert!(api.call(&["GET", "fb1:x"]).unwrap().text().starts_with("NOAUTH"));
    assert_eq!(api.call(&["AUTH", "api", "secret"]).unwrap().text(), "OK");
    for (command, refused) in
        [(["GET", "fb1:x"], false), (["GET", "other"], true), (["DEL", "fb1:x"], true)]
    {
        let reply = api.call(&command).unwrap();
        assert_eq!(reply.text().starts_with("NOPERM"), refused, "{command:?}");
    }
    assert_eq!(redis.command(&["DBSIZE"]).integer(), Some(0), "the laboratory may everything");
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    let left: Mutex<Option<(u32, PathBuf)>> = Mutex::new(None);
    catch_unwind(AssertUnwindSafe(|| {
        let redis = Redis::start(Options::plain());
        redis.freeze();
        *left.lock().unwrap() = Some((redis.process_id().unwrap(), redis.data()));
        panic!("a test that fails");
    }))
    .unwrap_err();
    let (process, folder) = left.lock().unwrap().take().unwrap();
    assert!(has_ended(process) && !folder.exists());
}

/// Says to this binary, run again, that it is the process that dies.
const DYING: &str = "FAREBOX_LAB_DYING";

#[test]
fn a_test_process_that_is_killed_leaves_no_server() {
    if let Some(note) = env::var_os(DYING) {
        let redis = Redis::start(Options::plain());
        redis.freeze();
        fs::write(note, redis.process_id().unwrap().to_string()).unwrap();
        process::abort();
    }
    let folder = tempfile::tempdir().unwrap();
    let died = run_dying(folder.path());
    assert!(!died.success());
    let folders =
        || folder.path().read_dir().unwrap().filter(|e| e.as_ref().unwrap().path().is_dir());
    let server: u32 = fs::read_to_string(folder.path().join("note")).unwrap().parse().unwrap();
    until("the server to end with it", || has_ended(server));
    until("its files to go too", || folders().count() == 0);
}

fn run_dying(folder: &Path) -> process::ExitStatus {
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", "instruments::server::a_test_process_that_is_killed_leaves_no_server"]);
    again.env(DYING, folder.join("note")).env("TMPDIR", folder).output().unwrap().status
}
