//! Policies that change while they decide.

use std::fs;

use serde_json::json;

use super::scene::{POLICIES, Scene, presented, transfer, until};

#[test]
fn what_is_no_longer_allowed_is_dead_at_once_and_a_broken_edit_changes_nothing() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let token = scene.call("POST", "/v1/grants", &agent, Some(&transfer(4000))).text("token");
    let file = scene.policies().join("all.datalog");

    fs::write(&file, "allow if action(\"payments.transfer\", broken").unwrap();
    scene.reload();
    let metrics = || scene.call_with("GET", "/metrics", &[], None).body;
    until(|| metrics().contains("farebox_policy_reloads_total{result=\"refused\"}"));
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(4000))).status, 201);

    fs::write(&file, POLICIES.replace("$a <= 5000, ttl(60)", "$a <= 100, ttl(60)")).unwrap();
    scene.reload();
    until(|| scene.call("POST", "/v1/grants", &agent, Some(&transfer(4000))).status == 403);
    let dead = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 4000, "a")));
    assert_eq!((dead.status, dead.code()), (401, "revoked".into()), "{}", dead.body);
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(100))).status, 201);
}

#[test]
fn policies_that_change_under_load_never_grant_what_neither_allows() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let file = scene.policies().join("all.datalog");
    let low = POLICIES.replace("$a <= 5000", "$a <= 100");
    std::thread::scope(|scope| {
        let edits = scope.spawn(|| {
            for round in 0..40 {
                let text = match round % 4 {
                    0 => low.as_str(),
                    1 => "allow if action(",
                    2 => POLICIES,
                    _ => "",
                };
                fs::write(&file, text).unwrap();
                scene.reload();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            fs::write(&file, &low).unwrap();
            scene.reload();
        });
        while !edits.is_finished() {
            let never = scene.call("POST", "/v1/grants", &agent, Some(&transfer(5001)));
            assert_eq!(never.code(), "denied", "{}", never.body);
            let asked = scene.call("POST", "/v1/grants", &agent, Some(&transfer(5000)));
            assert!(asked.status == 201 || asked.code() == "denied", "{}", asked.body);
        }
    });
    // The last of them are still on their way. Once they are in force, whatever is outstanding was allowed by them: what
    // others allowed lives longer than this waits.
    until(|| {
        let denied = scene.call("POST", "/v1/grants", &agent, Some(&transfer(5000)));
        let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(100)));
        let presented = presented(&minted.text("token"), 100, "a");
        let spent = scene.call("POST", "/v1/spend", &api, Some(&presented));
        let path = format!("/v1/grants/{}", minted.text("grant"));
        let policy = scene.admin("GET", &path, None).text("policy");
        let outstanding = scene.admin("GET", "/v1/grants?state=issued", None).json();
        let mut of = outstanding["items"].as_array().unwrap().iter().map(|grant| &grant["policy"]);
        denied.status == 403 && spent.status == 200 && of.all(|of| *of == json!(policy))
    });
}
