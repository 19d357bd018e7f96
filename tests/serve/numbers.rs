//! The numbers that alarms are made of: each moves when what it speaks of happens.

use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::{Presented, Resource};
use serde_json::json;

use super::scene::{POLICIES, Scene, presented, transfer, until};

/// A number as it is now.
fn number(scene: &Scene, series: &str) -> u64 {
    let text = scene.call_with("GET", "/metrics", &[], None).body;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

#[test]
fn replays_and_forged_grants_are_counted() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let mint = || scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))).text("token");
    let spend = |token: &str, attempt: &str| {
        scene.call("POST", "/v1/spend", &api, Some(&presented(token, 7, attempt))).code()
    };
    let used = mint();
    assert_eq!(
        (number(&scene, "farebox_replayed_grants_total"), spend(&used, "a")),
        (0, "".into())
    );
    assert_eq!(spend(&used, "b"), "already-spent");
    until(|| number(&scene, "farebox_replayed_grants_total") == 1);

    // Whoever has the issuer's key writes another resource into a grant that is registered.
    let key = PrivateKey::load(&scene.data().join("keys/private/1.pem")).unwrap();
    let mut grant = Presented::read(&mint()).unwrap().unverified().grant().clone();
    grant.resource = Resource::parse("account/43").unwrap();
    let forged = Signer::new(1, key).mint(&grant).unwrap();
    let mut body = presented(forged.expose(), 7, "a");
    body["resource"] = json!("account/43");
    assert_eq!(number(&scene, "farebox_forged_grants_total"), 0);
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).code(), "unknown-grant");
    until(|| number(&scene, "farebox_forged_grants_total") == 1);
}

#[test]
fn decisions_and_refused_evidence_are_counted_by_what_came_of_them() {
    let failing = r#"
allow if action("payments.sum"), int("/amount", $a), $a + 9223372036854775807 > 0;
"#;
    let scene = Scene::with(&format!("{POLICIES}{failing}"));
    let (agent, _) = scene.parties();
    let outcome =
        |word: &str| number(&scene, &format!("farebox_decisions_total{{outcome=\"{word}\"}}"));
    let mut sum = transfer(1);
    sum["action"] = json!("payments.sum");
    let mut told = transfer(1);
    told["evidence"] = json!(["x.y.z"]);
    for (body, code, word) in [
        (transfer(1), "", "allow"),
        (transfer(9000), "denied", "deny"),
        (sum, "policy-error", "error"),
    ] {
        assert_eq!(outcome(word), 0);
        assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&body)).code(), code);
        assert_eq!(outcome(word), 1);
    }
    assert_eq!(outcome("timeout"), 0);
    assert_eq!(number(&scene, "farebox_evidence_refused_total"), 0);
    let refused = scene.call("POST", "/v1/grants", &agent, Some(&told)).code();
    assert_eq!((refused.as_str(), outcome("deny")), ("evidence-invalid", 1));
    assert_eq!(number(&scene, "farebox_evidence_refused_total"), 1);
}

#[test]
fn another_life_is_counted_and_a_good_stop_begins_none() {
    let mut scene = Scene::new();
    until(|| number(&scene, "farebox_lives_opened_total") == 1);
    scene.stop();
    scene.start();
    let (agent, _) = scene.parties();
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))).status, 201);
    until(|| number(&scene, "farebox_outstanding_grants") == 1);
    assert_eq!(number(&scene, "farebox_lives_opened_total"), 0);
    scene.kill();
    scene.start();
    until(|| number(&scene, "farebox_lives_opened_total") == 1);
}

#[test]
fn what_is_not_signed_for_yet_and_what_waits_are_counted() {
    let every = "[record]\ncheckpoint_seconds = 3600\n";
    let scene = Scene::configured(POLICIES, every);
    let (agent, _) = scene.parties();
    let before = number(&scene, "farebox_record_unsigned_entries");
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))).status, 201);
    assert!(number(&scene, "farebox_record_unsigned_entries") >= before + 2);
    // Keys that were claimed go from the ledger to the record, and none of them stays.
    let bearer = format!("Bearer {agent}");
    let mut most = 0;
    for key in 0..40 {
        let key = format!("k-{key}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
        assert_eq!(scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(7))).status, 201);
        most = most.max(number(&scene, "farebox_ledger_lag_events"));
    }
    assert!(most > 0, "it never waited");
    until(|| number(&scene, "farebox_ledger_lag_events") == 0);
}
