//! What attackers and bad days once got out of an issuer, and do not any more.

use serde_json::{Value, json};

use super::scene::{Scene, farebox, presented, transfer, until};

#[test]
fn every_request_that_was_begun_is_ended_in_the_record() {
    let mut scene = Scene::new();
    let (agent, _) = scene.parties();
    let refund =
        json!({ "action": "payments.refund", "resource": "order/1", "audience": "payments-api" });
    for _ in 0..6 {
        scene.call("POST", "/v1/grants", &agent, Some(&refund));
    }
    let body = json!({ "by": "agent", "value": "key:agent", "reason": "a test", "block": true });
    assert_eq!(scene.admin("POST", "/v1/revocations", Some(&body)).status, 200);
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).code(), "blocked");
    scene.stop();
    let keys = scene.data().join("keys");
    let output = farebox()
        .args(["record", "verify", "--json", "--keys"])
        .arg(keys)
        .arg("--data")
        .arg(scene.data())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["chains"][0]["open"], json!(0), "{report}");
}

#[test]
fn refusals_eat_no_budget() {
    let policies = r#"
allow if action("payments.transfer"), int("/amount", $a), agent($g), budget("transfers", $g, $a, 100, 86400);
"#;
    let scene = Scene::with(policies);
    let (agent, _) = scene.parties();
    let mint = |amount| scene.call("POST", "/v1/grants", &agent, Some(&transfer(amount)));
    assert_eq!(mint(10).status, 201);
    // Long enough for what is looked after each second to come by several times.
    let began = std::time::Instant::now();
    while began.elapsed() < std::time::Duration::from_secs(3) {
        assert_eq!(mint(95).code(), "over-budget");
    }
    assert_eq!(mint(90).status, 201);
    assert_eq!(mint(1).code(), "over-budget");
}

#[test]
fn nobody_signs_with_a_key_that_was_retired_though_it_was_the_last() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let output =
        farebox().args(["keys", "retire", "1", "--dir"]).arg(scene.data().join("keys")).output();
    assert!(output.unwrap().status.success());
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status == 503);
    assert_eq!(scene.call_with("GET", "/readyz", &[], None).status, 503);
    let output = farebox().args(["keys", "new", "--dir"]).arg(scene.data().join("keys")).output();
    assert!(output.unwrap().status.success());
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status == 201);
}

#[test]
fn a_token_that_may_be_used_again_is_blocked_like_any_other_and_counts_no_budget() {
    let policies = r#"
allow if action("reports.read"), reuse("allowed");
allow if action("reports.count"), agent($g), reuse("allowed"), budget("reports", $g, 1, 3, 86400);
"#;
    let scene = Scene::with(policies);
    let (agent, _) = scene.parties();
    let mint = |action: &str| {
        let wanted = json!({ "action": action, "resource": "report/1", "audience": "reports-api" });
        scene.call("POST", "/v1/grants", &agent, Some(&wanted))
    };
    assert_eq!(mint("reports.read").status, 201);
    assert_eq!(mint("reports.count").code(), "denied");
    let block = json!({ "by": "action", "value": "reports.read", "reason": "a test" });
    assert_eq!(scene.admin("POST", "/v1/blocks", Some(&block)).status, 200);
    assert_eq!(mint("reports.read").code(), "blocked");
}

#[test]
fn a_rotation_keeps_the_answers_of_the_key_before() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let bearer = format!("Bearer {agent}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    let ask = || scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(7)));
    let first = ask();
    let output = farebox().args(["keys", "new", "--dir"]).arg(scene.data().join("keys")).output();
    assert!(output.unwrap().status.success());
    until(|| {
        scene.call_with("GET", "/.well-known/farebox-keys", &[], None).body.contains("\"id\":2")
    });
    assert_eq!(ask().json(), first.json());
    let spent =
        scene.call("POST", "/v1/spend", &api, Some(&presented(&first.text("token"), 7, "a")));
    assert_eq!(spent.status, 200, "{}", spent.body);
}

#[test]
fn an_id_that_nobody_issued_costs_nothing_to_ask_for() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let mut wanted = transfer(1);
    wanted["retry_of"] = json!("ab".repeat(16));
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&wanted)).code(), "bad-request");
    let settle = json!({ "attempt": "a", "outcome": "succeeded" });
    let path = format!("/v1/grants/{}/settle", "ab".repeat(16));
    assert_eq!(scene.call("POST", &path, &api, Some(&settle)).code(), "unknown-grant");
}

#[test]
fn two_reloads_at_once_leave_the_store_and_the_issuer_of_one_mind() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let file = scene.policies().join("all.datalog");
    for round in 0..10 {
        std::fs::write(&file, super::scene::POLICIES.replace("5000", &format!("{}", 5000 + round)))
            .unwrap();
        scene.reload();
        scene.reload();
    }
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&transfer(5009))).status == 201);
}

#[test]
fn a_key_is_retired_though_the_policies_are_gone() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    std::fs::remove_dir_all(scene.policies()).unwrap();
    let output =
        farebox().args(["keys", "retire", "1", "--dir"]).arg(scene.data().join("keys")).output();
    assert!(output.unwrap().status.success());
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status == 503);
}

#[test]
fn asking_again_over_budget_uses_up_nothing_that_others_need() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let bearer = format!("Bearer {agent}");
    let refund =
        json!({ "action": "payments.refund", "resource": "order/1", "audience": "payments-api" });
    let ask = |key: &str| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        scene.call_with("POST", "/v1/grants", &headers, Some(&refund))
    };
    for key in ["k-1", "k-2", "k-3"] {
        assert_eq!(ask(key).status, 201);
    }
    for _ in 0..20 {
        assert_eq!(ask("k-4").code(), "over-budget");
    }
    // The key passed from one grant to the next, and no store had to refuse one of them for good.
    let entries = |kind: &str| {
        scene.admin("GET", &format!("/v1/record?kind={kind}&limit=100"), None).json()["items"]
            .clone()
    };
    until(|| entries("renewed").as_array().unwrap().len() == 19);
    assert_eq!(entries("abandoned"), json!([]));
}

#[test]
fn a_key_that_was_retired_while_nobody_served_is_revoked_at_the_start() {
    let mut scene = Scene::new();
    let (agent, _) = scene.parties();
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(1)));
    scene.stop();
    for change in [&["retire", "1"][..], &["new"]] {
        let mut command = farebox();
        command.arg("keys").args(change).arg("--dir").arg(scene.data().join("keys"));
        assert!(command.output().unwrap().status.success(), "{change:?}");
    }
    scene.start();
    let path = format!("/v1/grants/{}", minted.text("grant"));
    until(|| scene.call("GET", &path, &agent, None).text("state") == "revoked");
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status, 201);
}

#[test]
fn a_revocation_without_a_reason_is_told_what_is_missing() {
    let scene = Scene::new();
    for path in ["/v1/revocations", "/v1/blocks", "/v1/blocks/lift"] {
        let body = json!({ "by": "agent", "value": "key:agent", "reason": "" });
        let reply = scene.admin("POST", path, Some(&body));
        let said = (reply.status, reply.text("detail"));
        assert_eq!(said, (400, "reason: reason is empty".to_owned()));
    }
}
