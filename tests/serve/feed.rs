//! The feed of revocations, followed as an API follows it that verifies without a store.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farebox_verifier::feed::{FeedError, Follower};
use farebox_verifier::keys::{KeyFormat, parse};
use farebox_verifier::{
    Action, Audience, Clock as _, FreshTokens, KeyRing, Keys, Outputs, Params, Presented,
    Registered, Request, Resource, Sent, SystemClock, Verifier,
};
use serde_json::json;

use super::scene::{POLICIES, Scene, transfer, until};

pub(super) const FRESH: &str =
    "\nallow if action(\"reports.read\"), reuse(\"allowed\"), ttl(600);\n";
/// Longer than a busy machine lets a follower wait for a head.
pub(super) const STALE_SECONDS: u64 = 20;

/// An API that follows: its verifier, its follower, and its key at the issuer.
pub(super) struct Api {
    verifier: Verifier,
    follower: Arc<Follower>,
    key: String,
}

pub(super) fn scene() -> Scene {
    Scene::with(&format!("{POLICIES}{FRESH}"))
}

impl Api {
    pub(super) fn new(scene: &Scene, key: &str, stale_seconds: u64) -> Api {
        let keys = scene.data().join("keys");
        let pinned = fs::read_to_string(keys.join("feed.pem")).unwrap();
        let pinned = parse(&pinned, KeyFormat::Pem).unwrap();
        let published = scene.call_with("GET", "/.well-known/farebox-keys", &[], None).json();
        assert_eq!(published["feed"][0]["hex"], json!(pinned.to_string()));
        let follower = Arc::new(Follower::new(vec![pinned], stale_seconds));
        let ring = Keys::new(KeyRing::load(&keys).unwrap());
        let verifier = Verifier::new(ring.into(), Registered::In(std::num::NonZeroUsize::MIN));
        let verifier = verifier.following(Arc::clone(&follower));
        Api { verifier, follower, key: key.to_owned() }
    }

    /// What comes behind the cursor, or a snapshot.
    pub(super) fn asks(&self, scene: &Scene, wait_seconds: u64) -> String {
        let path = match self.follower.cursor() {
            Some(cursor) => {
                format!("/v1/revocations/feed?after={cursor}&wait_seconds={wait_seconds}")
            }
            None => "/v1/revocations/feed".to_owned(),
        };
        let reply = scene.call("GET", &path, &self.key, None);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    pub(super) fn takes(&self, document: &str) -> Result<(), FeedError> {
        self.follower.take(document.as_bytes(), SystemClock.now())
    }

    pub(super) fn follows(&self, scene: &Scene, wait_seconds: u64) {
        self.takes(&self.asks(scene, wait_seconds)).unwrap();
    }

    pub(super) fn says(&self, token: &str) -> String {
        verdict(&self.verifier, token)
    }
}

fn verdict(verifier: &Verifier, token: &str) -> String {
    let params = Params::empty();
    let request = Request {
        audience: &Audience::parse("reports-api").unwrap(),
        action: &Action::parse("reports.read").unwrap(),
        resource: &Resource::parse("report/7").unwrap(),
        sent: Sent::Params(&params),
        proofs: &[],
        outputs: Outputs::Unseen,
    };
    match verifier.verify(Presented::read(token).unwrap(), &request) {
        Ok(_) => "taken".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

pub(super) fn mint(scene: &Scene, agent: &str) -> (String, String) {
    let wanted =
        json!({ "action": "reports.read", "resource": "report/7", "audience": "reports-api" });
    let minted = scene.call("POST", "/v1/grants", agent, Some(&wanted));
    assert_eq!(minted.status, 201, "{}", minted.body);
    (minted.text("grant"), minted.text("token"))
}

pub(super) fn revoke(scene: &Scene, by: &str, value: &str) {
    let body = json!({ "by": by, "value": value, "reason": "a test" });
    let revoked = scene.admin("POST", "/v1/revocations", Some(&body));
    assert_eq!(revoked.status, 200, "{}", revoked.body);
}

fn number(cursor: &Option<String>) -> u64 {
    cursor.as_deref().unwrap().split_once('.').unwrap().1.parse().unwrap()
}

#[test]
fn what_is_revoked_is_refused_by_who_asked_to_be_told() {
    let scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, STALE_SECONDS);
    let (_, token) = mint(&scene, &agent);
    assert_eq!(api.says(&token), "feed-stale");
    api.follows(&scene, 0);
    assert_eq!(api.says(&token), "taken");
    // It waits, and hears of it at once.
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| api.asks(&scene, 25));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished());
        revoke(&scene, "agent", "key:agent");
        let told = waiting.join().unwrap();
        assert!(told.contains("revoked agent key:agent"), "{told}");
        api.takes(&told).unwrap();
    });
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(api.says(&token), "revoked");
    // What is minted later is no part of it.
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(api.says(&mint(&scene, &agent).1), "taken");
    // Somebody who knows nothing yet hears the same from a snapshot.
    let late = Api::new(&scene, &key, STALE_SECONDS);
    late.follows(&scene, 0);
    assert_eq!(
        (late.says(&token), late.follower.cursor()),
        ("revoked".into(), api.follower.cursor())
    );
    // Without the feed such a token is refused, or taken blindly where that is asked for.
    let ring = KeyRing::load(&scene.data().join("keys")).unwrap();
    let blind = Verifier::new(Keys::new(ring).into(), Registered::Anyhow);
    assert_eq!(verdict(&blind, &token), "bad-token");
    assert_eq!(verdict(&blind.with_fresh_tokens(FreshTokens::Taken), &token), "taken");
}

#[test]
fn the_feed_is_for_those_who_verify_and_asks_for_sense() {
    let scene = scene();
    let (agent, key) = scene.parties();
    let ask = |key: &str, query: &str| {
        scene.call("GET", &format!("/v1/revocations/feed{query}"), key, None)
    };
    assert_eq!(ask(&agent, "").code(), "forbidden");
    for query in ["?wait_seconds=31", "?wait_seconds=x", "?from=1"] {
        assert_eq!(ask(&key, query).code(), "bad-request", "{query}");
    }
    // A cursor of nobody's is answered with all there is.
    for query in ["?after=x", "?after=00.7", &format!("?after={}.99", "00".repeat(16))] {
        assert!(ask(&key, query).json()["snapshot"].is_string(), "{query}");
    }
}

/// Documents as they come, until it is told to stop.
pub(super) struct Stream {
    stream: TcpStream,
    heard: String,
}

impl Stream {
    pub(super) fn open(scene: &Scene, api: &Api) -> Stream {
        let more = format!("{}\r\naccept: text/event-stream", api.key);
        let after = api.follower.cursor().map(|cursor| format!("?after={cursor}"));
        let path = format!("/v1/revocations/feed{}", after.unwrap_or_default());
        let stream = scene.begun(&path, &more);
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Stream { stream, heard: String::new() }
    }

    /// The next document; nothing where the other side hung up.
    pub(super) fn next(&mut self) -> Option<String> {
        loop {
            // Each event is a chunk of its own.
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let data = event.split_once("data: ").map(|(_, data)| data.to_owned());
                self.heard = rest.to_owned();
                return data;
            }
            let mut some = [0; 16 << 10];
            let read = self.stream.read(&mut some).ok().filter(|read| *read > 0)?;
            self.heard.push_str(std::str::from_utf8(&some[..read]).unwrap());
        }
    }
}

#[test]
fn a_stream_keeps_a_follower_fresh_and_its_silence_makes_it_stale() {
    let scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, 3);
    let (grant, token) = mint(&scene, &agent);
    let (_, other) = mint(&scene, &agent);
    let mut stream = Stream::open(&scene, &api);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        api.takes(&stream.next().unwrap()).unwrap();
        assert_eq!(api.says(&token), "taken");
    }
    revoke(&scene, "grant", &grant);
    until(|| {
        api.takes(&stream.next().unwrap()).unwrap();
        api.says(&token) == "revoked"
    });
    assert_eq!(api.says(&other), "taken");
    // It hangs up, hears nothing, and comes back where it was.
    drop(stream);
    until(|| api.says(&other) == "feed-stale");
    revoke(&scene, "agent", "key:agent");
    let known = number(&api.follower.cursor());
    let mut stream = Stream::open(&scene, &api);
    until(|| {
        let told = stream.next().unwrap();
        assert!(!told.contains("snapshot"), "{told}");
        api.takes(&told).unwrap();
        api.says(&other) == "revoked"
    });
    assert!(number(&api.follower.cursor()) > known);
}

#[test]
fn a_killed_issuer_goes_on_with_the_next_number() {
    let mut scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, STALE_SECONDS);
    api.follows(&scene, 0);
    for round in 0..5 {
        let (grant, token) = mint(&scene, &agent);
        api.follows(&scene, 0);
        assert_eq!(api.says(&token), "taken");
        let known = number(&api.follower.cursor());
        revoke(&scene, "grant", &grant);
        // Right behind the answer: the feed may or may not have told of it.
        if round % 2 == 1 {
            api.follows(&scene, 5);
        }
        scene.kill();
        scene.start();
        scene.knows(&key);
        let told = api.asks(&scene, 0);
        assert!(!told.contains("snapshot"), "{told}");
        api.takes(&told).unwrap();
        assert_eq!(api.says(&token), "revoked", "{round}");
        // A store's journal may say the same once more, of a second later.
        assert!(number(&api.follower.cursor()) > known);
    }
}

#[test]
fn a_feed_that_was_set_back_is_refused_and_one_that_lost_its_file_begins_again() {
    let mut scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, STALE_SECONDS);
    let (grant, token) = mint(&scene, &agent);
    let file = scene.data().join("feed");
    api.follows(&scene, 0);
    scene.stop();
    let earlier = scratch(&scene);
    scene.start();
    scene.knows(&key);
    revoke(&scene, "grant", &grant);
    api.follows(&scene, 5);
    assert_eq!(api.says(&token), "revoked");
    // All of its data as it was before, as from a backup.
    scene.stop();
    fs::remove_dir_all(scene.data()).unwrap();
    fs::rename(&earlier, scene.data()).unwrap();
    scene.start();
    scene.knows(&key);
    let told = api.asks(&scene, 0);
    assert!(matches!(api.takes(&told), Err(FeedError::Back { .. })), "{told}");
    assert_eq!(api.says(&token), "revoked");
    // Without its file it names another epoch, which begins with a snapshot.
    scene.stop();
    fs::remove_file(&file).unwrap();
    scene.start();
    scene.knows(&key);
    api.follows(&scene, 0);
    assert_eq!(api.says(&token), "revoked");
    assert_eq!(api.says(&mint(&scene, &agent).1), "taken");
}

/// A copy of its data.
fn scratch(scene: &Scene) -> std::path::PathBuf {
    let copy = scene.data().with_extension("earlier");
    let copied = std::process::Command::new("cp").arg("-a").arg(scene.data()).arg(&copy).status();
    assert!(copied.unwrap().success());
    copy
}

#[test]
fn a_feed_is_silent_where_nothing_can_be_written_down() {
    let scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, 3);
    let (grant, token) = mint(&scene, &agent);
    api.follows(&scene, 0);
    // A limit on the size of files is what a full disk is to a process.
    let mut wanted = transfer(1);
    wanted["params"]["note"] = json!("x".repeat(10_000));
    scene.limit_files(scene.largest_file() + 200_000);
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&wanted)).status == 503);
    // Whether or not it is in force somewhere, it is not in the record: nobody may think that all is well.
    let body = json!({ "by": "grant", "value": grant, "reason": "a test" });
    scene.admin("POST", "/v1/revocations", Some(&body));
    until(|| {
        // What it is told is an old head, which makes nobody fresh.
        let (Ok(()) | Err(_)) = api.takes(&api.asks(&scene, 0));
        api.says(&token) == "feed-stale"
    });
    std::thread::sleep(Duration::from_secs(2));
    let (Ok(()) | Err(_)) = api.takes(&api.asks(&scene, 0));
    assert_eq!(api.says(&token), "feed-stale");
}
