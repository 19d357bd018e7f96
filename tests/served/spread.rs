//! Three servers that share the work: one that is gone takes its own tokens with it, and no others.

use std::time::{Duration, Instant};

use serde_json::json;

use super::ground::Ground;

#[test]
fn minting_goes_on_elsewhere_and_a_restart_fences_one_servers_tokens_alone() {
    let ground = Ground::new("spread", 3);
    let (_, first) = ground.mint();
    ground.servers[0].kill();
    let began = Instant::now();
    let (_, second) = ground.mint();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(ground.spent(&first, "a"), "store-down");
    assert_eq!(ground.spent(&second, "a"), "spent");
    ground.servers[0].restart();
    assert_eq!(ground.spent_at_last(&first, "b"), "fenced");
    assert_eq!(ground.spent(&second, "b"), "already-spent");
    ground.recovers();
    ground.record_is_whole();
}

#[test]
fn a_revocation_reaches_every_server_or_says_which_it_did_not() {
    let ground = Ground::new("spread", 3);
    let (_, on_first) = ground.mint();
    // Whoever is slow is asked last from then on.
    ground.servers[0].kill();
    let (_, on_second) = ground.mint();
    let body = ground.revoke_agent();
    assert_eq!(ground.spent(&on_second, "a"), "revoked");
    let unreached = body["unreached"].as_array().unwrap();
    assert_eq!(unreached.len(), 1, "{body}");
    assert_eq!(unreached[0]["store"], json!("r1"));
    ground.servers[0].restart();
    assert_eq!(ground.spent_at_last(&on_first, "a"), "fenced");
    // That the life on it is over only the server's old process could say: until its last token ends it may
    // live behind a cut wire.
    let body = ground.revoke_agent();
    assert!(body["unreached"].as_array().unwrap().iter().all(|life| life["store"] == json!("r1")));
    let (_, fresh) = ground.mint();
    assert_eq!(ground.spent(&fresh, "a"), "spent");
}

#[test]
fn tokens_of_two_servers_die_of_one_revocation() {
    let ground = Ground::new("spread", 3);
    let (_, on_first) = ground.mint();
    ground.servers[0].freeze();
    let mut others = Vec::new();
    crate::scene::until(|| {
        let minted = ground.ask(None, 7);
        others.extend((minted.status == 201).then(|| minted.text("token")));
        !others.is_empty()
    });
    ground.servers[0].resume();
    // While the link to it rests, the answer says that it has not heard.
    crate::scene::until(|| ground.revoke_agent()["unreached"] == json!([]));
    assert_eq!(ground.spent_at_last(&on_first, "a"), "revoked");
    assert_eq!(ground.spent(&others[0], "a"), "revoked");
}
