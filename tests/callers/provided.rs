//! A provider whose server of keys is down, slow, sends garbage, sends us elsewhere, or changes its keys.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use farebox::callers::Reason;
use farebox::callers::jwt::KeysAt;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::ground::{Ground, at, oidc};
use super::provider::{Answer, Provider};
use super::signing::{Key, claims, head};

fn token(key: &Key, kid: &str) -> String {
    // The clock of the tests moves, and this is not about the end of tokens.
    let mut claims = claims();
    claims["exp"] = serde_json::json!(super::ground::NOW + 1_000_000);
    key.token(&head("EdDSA", kid), &claims)
}

/// Waits until what was begun has ended, however it did.
async fn until(ground: &Ground, done: impl Fn(&farebox::callers::jwt::SourceState) -> bool) {
    let wait = async {
        while !done(&ground.callers.sources()[0]) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_fails_keeps_its_last_good_keys_for_a_while() {
    let key = Key::ed25519(1);
    let provider = Provider::start(Answer::Keys(vec![key.jwk("e")])).await;
    let ground = Ground::taking(oidc(at(&provider.url())));
    let good = token(&key, "e");
    assert!(ground.who(&good).await.is_ok());
    let elsewhere = Provider::start(Answer::Keys(vec![Key::ed25519(66).jwk("e")])).await;
    let before = provider.asked();
    let bad = [
        Answer::Text("<html>".into()),
        Answer::Text("{\"keys\":[]}".into()),
        Answer::Text("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}".into()),
        Answer::Sent("500 Internal Server Error", String::new()),
        Answer::Sent("302 Found", elsewhere.url()),
        Answer::Sent("307 Temporary Redirect", elsewhere.url()),
        Answer::Half,
        Answer::Endless,
    ];
    for (wanted, bad) in (before + 1..).zip(bad) {
        provider.answers(bad);
        ground.clock.advance(301);
        let _reread = ground.callers.tend().unwrap();
        until(&ground, |_| provider.asked() == wanted).await;
        // A token with an unknown key waits for the reading that runs.
        assert_eq!(ground.who(&token(&key, "unknown")).await, Err(Reason::UnknownKey));
        assert!(ground.callers.sources()[0].failure.is_some());
        assert!(ground.who(&good).await.is_ok(), "the last good keys stay");
    }
    assert_eq!(elsewhere.asked(), 0, "nobody follows where it sends us");
    // But not for ever: a key that was withdrawn meanwhile would be taken as long as the provider can be kept down.
    ground.clock.advance(3_601);
    assert_eq!(ground.who(&good).await, Err(Reason::NoKeys));
    provider.answers(Answer::Keys(vec![key.jwk("e")]));
    ground.clock.advance(11);
    assert!(ground.who(&good).await.is_ok());
    assert!(ground.callers.sources()[0].failure.is_none());
}

#[tokio::test]
async fn a_provider_that_is_down_keeps_nobody_from_starting() {
    let key = Key::ed25519(1);
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", unused.local_addr().unwrap());
    drop(unused);
    let ground = Ground::taking(oidc(at(&url)));
    let _reread = ground.callers.tend().unwrap();
    assert_eq!(ground.who(&token(&key, "e")).await, Err(Reason::NoKeys));
    let state = ground.callers.sources().remove(0);
    assert_eq!((state.keys, state.read), (0, None));
    let why = state.failure.unwrap().to_string();
    assert_eq!(why, "server cannot be reached");
    // API keys have nothing to do with it.
    let folder = ground.callers.folder();
    let now = farebox_verifier::UnixSeconds(super::ground::NOW);
    let rights = super::ground::minting();
    let (_, secret) = folder.add(&super::ground::name("ci"), rights, None, now).unwrap();
    let _reread = ground.callers.tend().unwrap();
    assert!(ground.who(secret.expose()).await.is_ok());
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_a_withdrawn_one_is_dropped() {
    let (old, new) = (Key::ed25519(1), Key::ed25519(2));
    let provider = Provider::start(Answer::Keys(vec![old.jwk("1")])).await;
    let ground = Ground::taking(oidc(at(&provider.url())));
    assert!(ground.who(&token(&old, "1")).await.is_ok());
    provider.answers(Answer::Keys(vec![old.jwk("1"), new.jwk("2")]));
    assert_eq!(ground.who(&token(&new, "2")).await, Err(Reason::UnknownKey), "within ten seconds");
    ground.clock.advance(10);
    assert!(ground.who(&token(&new, "2")).await.is_ok());
    assert!(ground.who(&token(&old, "1")).await.is_ok(), "both, while it rotates");
    provider.answers(Answer::Keys(vec![new.jwk("2")]));
    ground.clock.advance(300);
    let _reread = ground.callers.tend().unwrap();
    until(&ground, |state| state.keys == 1).await;
    assert_eq!(ground.who(&token(&old, "1")).await, Err(Reason::UnknownKey));
}

#[tokio::test]
async fn many_who_wait_for_one_key_ask_once_and_nobody_else_waits() {
    let (old, new) = (Key::ed25519(1), Key::ed25519(2));
    let provider = Provider::start(Answer::Keys(vec![old.jwk("1")])).await;
    let ground = Arc::new(Ground::taking(oidc(at(&provider.url()))));
    assert!(ground.who(&token(&old, "1")).await.is_ok());
    ground.clock.advance(10);
    let gate = Arc::new(Semaphore::new(0));
    provider.answers(Answer::Held(vec![old.jwk("1"), new.jwk("2")], Arc::clone(&gate)));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (ground, token) = (Arc::clone(&ground), token(&new, "2"));
        waiting.spawn(async move { ground.who(&token).await.is_ok() });
    }
    // One of them hangs up, and it may be the one that asked.
    let hung_up = {
        let (ground, token) = (Arc::clone(&ground), token(&new, "2"));
        waiting.spawn(async move { ground.who(&token).await.is_ok() })
    };
    let asked = async {
        while provider.asked() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), asked).await.unwrap();
    hung_up.abort();
    // However long it takes: a second reading beside the first would bring nothing that the first does not.
    ground.clock.advance(3_000);
    {
        let (ground, token) = (Arc::clone(&ground), token(&new, "2"));
        waiting.spawn(async move { ground.who(&token).await.is_ok() });
    }
    tokio::task::yield_now().await;
    // Whoever's key is known is served while the provider takes its time.
    assert!(ground.who(&token(&old, "1")).await.is_ok());
    gate.add_permits(1);
    let mut fine = 0;
    while let Some(done) = waiting.join_next().await {
        fine += usize::from(done.unwrap_or(false));
    }
    assert_eq!((fine, provider.asked()), (51, 2));
}

#[tokio::test]
async fn whoever_asked_and_hung_up_does_not_break_it_off_for_others() {
    let key = Key::ed25519(1);
    let gate = Arc::new(Semaphore::new(0));
    let provider = Provider::start(Answer::Held(vec![key.jwk("e")], Arc::clone(&gate))).await;
    let ground = Ground::taking(oidc(at(&provider.url())));
    let good = token(&key, "e");
    let gone = timeout(Duration::from_millis(1), ground.who(&good)).await;
    assert!(gone.is_err(), "it hung up while the provider took its time");
    gate.add_permits(1);
    assert!(ground.who(&good).await.is_ok());
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_silent_provider_costs_its_own_tokens_a_few_seconds_and_no_more() {
    let key = Key::ed25519(1);
    let provider = Provider::start(Answer::Silence).await;
    let ground = Ground::taking(oidc(at(&provider.url())));
    let refused = timeout(Duration::from_secs(9), ground.who(&token(&key, "e"))).await.unwrap();
    assert_eq!(refused, Err(Reason::NoKeys));
    let why = ground.callers.sources()[0].failure.as_ref().unwrap().to_string();
    assert_eq!(why, "not read within 5 s");
    // The next one is refused at once.
    let refused = timeout(Duration::from_secs(1), ground.who(&token(&key, "e"))).await.unwrap();
    assert_eq!(refused, Err(Reason::NoKeys));
}

#[tokio::test]
async fn keys_in_a_file_are_read_again_too() {
    let (old, new) = (Key::ed25519(1), Key::ed25519(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let put = |keys: &[serde_json::Value]| {
        fs::write(&file, serde_json::json!({ "keys": keys }).to_string()).unwrap();
    };
    let ground = Ground::taking(oidc(KeysAt::File(file.clone())));
    assert_eq!(ground.who(&token(&old, "1")).await, Err(Reason::NoKeys), "not there yet");
    put(&[old.jwk("1")]);
    ground.clock.advance(10);
    assert!(ground.who(&token(&old, "1")).await.is_ok());
    put(&[new.jwk("2")]);
    ground.clock.advance(10);
    assert!(ground.who(&token(&new, "2")).await.is_ok());
    assert!(ground.who(&token(&old, "1")).await.is_err());
    fs::write(&file, vec![b' '; 300 << 10]).unwrap();
    ground.clock.advance(10);
    assert!(ground.who(&token(&old, "1")).await.is_err());
    assert!(ground.who(&token(&new, "2")).await.is_ok());
}

/// The same server, spoken to over TLS with a certificate that this authority vouches for.
async fn encrypted(authority: &farebox_lab::Authority, answer: Answer) -> (Provider, String) {
    let provider = Provider::start(answer).await;
    let (chain, key) = authority.server();
    let port = provider.encrypt(&chain, &key).await;
    (provider, format!("https://localhost:{port}/jwks"))
}

#[tokio::test]
async fn keys_over_tls_come_from_whom_the_authority_vouches_for() {
    let key = Key::ed25519(1);
    let (ours, theirs) = (farebox_lab::Authority::new(), farebox_lab::Authority::new());
    let answer = Answer::Keys(vec![key.jwk("e")]);
    let (_provider, url) = encrypted(&ours, answer).await;
    let url = farebox::callers::jwt::JwksUrl::parse(&url).unwrap();
    for (authority, taken) in [(Some(&ours), true), (Some(&theirs), false), (None, false)] {
        let ca = authority.map(farebox_lab::Authority::certificate);
        let ground = Ground::taking(oidc(KeysAt::Url { url: url.clone(), ca }));
        let verdict = ground.who(&token(&key, "e")).await;
        assert_eq!(verdict.is_ok(), taken, "{verdict:?}");
    }
}
