//! A store that is away: nothing is granted, that is said in time, and it ends by itself.

use std::time::{Duration, Instant};

use super::ground::{DEADLINE, Ground};

/// What a busy machine may take beside waiting.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn a_server_that_is_gone_grants_nothing_and_comes_back_by_itself() {
    let ground = Ground::new("single", 1);
    let (_, token) = ground.mint();
    assert_eq!(ground.ready().status, 200);
    ground.servers[0].kill();
    let began = Instant::now();
    let refused = ground.ask(None, 7);
    assert_eq!((refused.status, refused.code()), (503, "store-down".into()), "{}", refused.body);
    assert!(refused.head.to_lowercase().contains("retry-after: "), "{}", refused.head);
    assert_eq!(ground.spent(&token, "a"), "store-down");
    assert!(began.elapsed() < 2 * DEADLINE + SLACK, "{:?}", began.elapsed());
    crate::scene::until(|| ground.ready().status == 503);
    let ready = ground.ready();
    // Which servers there are is not for everybody: the log says it.
    assert_eq!(ready.text("detail"), "grant store does not serve");
    let numbers = ground.issuer.call_with("GET", "/metrics", &[], None).body;
    assert!(numbers.contains("\nfarebox_ready 0\n"), "{numbers}");
    assert_eq!(ground.issuer.call_with("GET", "/healthz", &[], None).status, 200);
    ground.servers[0].restart();
    let took = ground.recovers();
    assert!(took < Duration::from_secs(8), "{took:?}");
    crate::scene::until(|| ground.ready().status == 200);
    assert_eq!(ground.spent_at_last(&token, "b"), "fenced");
    ground.record_is_whole();
}

#[test]
fn a_server_that_says_nothing_is_waited_for_no_longer_than_was_set() {
    let ground = Ground::new("single", 1);
    let ((_, first), (_, second)) = (ground.mint(), ground.mint());
    ground.servers[0].freeze();
    for (what, ask) in [
        ("mint", &(|| ground.ask(Some("in-doubt"), 7).code()) as &dyn Fn() -> String),
        ("spend", &|| ground.spent(&first, "a")),
    ] {
        let began = Instant::now();
        assert_eq!(ask(), "store-down", "{what}");
        assert!(began.elapsed() < DEADLINE + SLACK, "{what} {:?}", began.elapsed());
    }
    ground.servers[0].resume();
    ground.recovers();
    // The life went on: what was outstanding is good, and what was in doubt is used at most once.
    assert_eq!(ground.spent_at_last(&second, "a"), "spent");
    let uses = ["other", "a"].map(|attempt| ground.spent_at_last(&first, attempt));
    let once = [["already-spent", "repeat"], ["spent", "already-spent"]];
    assert!(once.iter().any(|known| uses == *known), "{uses:?}");
    crate::scene::until(|| ground.ask(Some("in-doubt"), 7).status == 201);
    let again = ground.ask(Some("in-doubt"), 7);
    assert_eq!(ground.spent(&again.text("token"), "a"), "spent");
    assert_eq!(ground.spent(&again.text("token"), "b"), "already-spent");
    ground.record_is_whole();
}

#[test]
fn an_issuer_that_starts_without_its_store_grants_nothing_until_it_is_there() {
    let mut ground = Ground::new("single", 1);
    ground.issuer.stop();
    ground.servers[0].kill();
    ground.issuer.start();
    assert_eq!(ground.ask(None, 7).code(), "store-down");
    assert_eq!(ground.ready().status, 503);
    ground.servers[0].restart();
    ground.recovers();
}

#[test]
fn a_retired_key_is_revoked_in_a_store_that_was_away_when_it_is_back() {
    let ground = Ground::new("single", 1);
    let (grant, _) = ground.mint();
    let keys = ground.issuer.data().join("keys");
    ground.servers[0].freeze();
    for change in [&["retire", "1"][..], &["new"]] {
        let mut command = crate::scene::farebox();
        let changed = command.arg("keys").args(change).arg("--dir").arg(&keys).output();
        assert!(changed.unwrap().status.success(), "{change:?}");
    }
    let published = || ground.issuer.call_with("GET", "/.well-known/farebox-keys", &[], None).body;
    crate::scene::until(|| published().contains("retired"));
    // Long enough for it to have been said once, to nobody.
    std::thread::sleep(DEADLINE + SLACK);
    ground.servers[0].resume();
    let path = format!("/v1/grants/{grant}");
    crate::scene::until(|| ground.issuer.admin("GET", &path, None).text("state") == "revoked");
    ground.recovers();
    ground.record_is_whole();
}
