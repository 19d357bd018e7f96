//! What is told in the feed, and how soon.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::feed::{Api, FRESH, STALE_SECONDS, Stream, mint, revoke, scene};
use super::scene::{Scene, farebox, until};

#[test]
fn whatever_takes_something_away_is_in_the_feed() {
    let mut scene = scene();
    let (agent, key) = scene.parties();
    let people = ["ann", "bob"].map(|name| {
        scene.caller(name, &["--role", "approve", "--group", "finance", "--owner", name])
    });
    let api = Api::new(&scene, &key, STALE_SECONDS);
    let (_, token) = mint(&scene, &agent);
    api.follows(&scene, 0);
    let told = |scene: &Scene, wanted: &str| {
        until(|| {
            let told = api.asks(scene, 1);
            api.takes(&told).unwrap();
            serde_json::from_str::<Value>(&told).unwrap()["events"]
                .as_str()
                .is_some_and(|events| events.contains(wanted))
        });
    };
    let block = json!({ "by": "action", "value": "payments.refund", "reason": "a test" });
    assert_eq!(scene.admin("POST", "/v1/blocks", Some(&block)).status, 200);
    told(&scene, "blocked action payments.refund");
    assert_eq!(scene.admin("POST", "/v1/blocks/lift", Some(&block)).status, 200);
    told(&scene, "lifted action payments.refund");
    let both = json!({ "by": "agent", "value": "key:b", "reason": "a test", "block": true });
    assert_eq!(scene.admin("POST", "/v1/revocations", Some(&both)).status, 200);
    told(&scene, "blocked agent key:b");
    // An approval that is withdrawn takes its grant with it.
    let wire = json!({ "action": "payments.wire", "resource": "a/1", "audience": "payments-api" });
    let asked = scene.call("POST", "/v1/grants", &agent, Some(&wire)).text("grant");
    for person in &people {
        let path = format!("/v1/approvals/{asked}/decisions");
        let yes = json!({ "decision": "approve", "reason": "it is due" });
        let said = scene.call("POST", &path, person, Some(&yes));
        assert_eq!(said.status, 200, "{}", said.body);
    }
    let paid = scene.call("POST", &format!("/v1/grants/{asked}/token"), &agent, None);
    let withdrawn = scene.call("POST", &format!("/v1/approvals/{asked}/withdraw"), &agent, None);
    assert_eq!((paid.status, withdrawn.status), (201, 200), "{} {}", paid.body, withdrawn.body);
    told(&scene, &format!("revoked grant {}", paid.text("grant")));
    assert_eq!(api.says(&token), "taken");
    // Other policies, while it runs.
    let file = scene.policies().join("all.datalog");
    fs::write(&file, format!("{FRESH}// another\n")).unwrap();
    scene.reload();
    told(&scene, "revoked policy ");
    assert_eq!(api.says(&token), "revoked");
    // And policies and keys that went while it did not run.
    let (_, token) = mint(&scene, &agent);
    api.follows(&scene, 0);
    assert_eq!(api.says(&token), "taken");
    scene.stop();
    fs::write(&file, format!("{FRESH}// a third\n")).unwrap();
    let keys = |arguments: &[&str]| {
        let mut command = farebox();
        let output = command.arg("keys").args(arguments).arg("--dir");
        assert!(output.arg(scene.data().join("keys")).output().unwrap().status.success());
    };
    keys(&["new"]);
    keys(&["retire", "1"]);
    scene.start();
    scene.knows(&key);
    api.follows(&scene, 0);
    until(|| {
        api.follows(&scene, 1);
        api.says(&token) == "revoked"
    });
    let late = Api::new(&scene, &key, STALE_SECONDS);
    let snapshot = late.asks(&scene, 0);
    for standing in ["revoked key 1", "blocked key 1", "blocked agent key:b"] {
        assert!(snapshot.contains(standing), "{standing} {snapshot}");
    }
}

#[test]
fn a_revocation_is_refused_soon_after_it_was_acknowledged() {
    let scene = scene();
    let (agent, key) = scene.parties();
    let api = Api::new(&scene, &key, STALE_SECONDS);
    api.follows(&scene, 0);
    let over = AtomicBool::new(false);
    let mut millis: Vec<f64> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = Stream::open(&scene, &api);
            while !over.load(Ordering::Relaxed) {
                api.takes(&stream.next().unwrap()).unwrap();
            }
        });
        let measured = (0..200).map(|_| {
            let (grant, token) = mint(&scene, &agent);
            assert_eq!(api.says(&token), "taken");
            revoke(&scene, "grant", &grant);
            let acknowledged = Instant::now();
            while api.says(&token) == "taken" {
                assert!(acknowledged.elapsed() < Duration::from_secs(20));
            }
            acknowledged.elapsed().as_secs_f64() * 1_000.0
        });
        let measured = measured.collect();
        over.store(true, Ordering::Relaxed);
        measured
    });
    millis.sort_by(f64::total_cmp);
    let at = |percent: usize| millis[millis.len() * percent / 100];
    println!(
        "from an acknowledged revocation to its refusal, {} times: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        millis.len(),
        at(50),
        at(99),
        millis[millis.len() - 1]
    );
    // A head is signed each second whatever happens: were nobody woken, half would wait for half a second.
    assert!(at(50) < 500.0, "{}", at(50));
}
