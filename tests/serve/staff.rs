//! What staff do: revoke, block, lift; and keys that are retired.

use serde_json::json;

use super::scene::{Scene, farebox, presented, transfer, until};

#[test]
fn each_selector_ends_what_it_names_and_nothing_else() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let other = scene.caller("other", &["--role", "mint"]);
    let policy = scene.admin("GET", "/v1/grants", None);
    assert_eq!(policy.status, 200);
    for (by, value) in [
        ("agent", "key:agent"),
        ("audience", "payments-api"),
        ("action", "payments.transfer"),
        ("key", "1"),
        ("all", ""),
    ] {
        let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(7)));
        let (token, spared) =
            (minted.text("token"), scene.call("POST", "/v1/grants", &other, Some(&transfer(7))));
        let mut body = json!({ "by": by, "reason": "a test" });
        if !value.is_empty() {
            body["value"] = json!(value);
        }
        let mut dry = body.clone();
        dry["dry_run"] = json!(true);
        let dry = scene.admin("POST", "/v1/revocations", Some(&dry)).json();
        let revoked = scene.admin("POST", "/v1/revocations", Some(&body)).json();
        assert_eq!(
            (&revoked["revoked"], &revoked["unreached"]),
            (&dry["revoked"], &json!([])),
            "{by}"
        );
        let dead = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 7, "a")));
        assert_eq!((dead.status, dead.code()), (401, "revoked".into()), "{by}");
        let theirs =
            scene.call("POST", "/v1/spend", &api, Some(&presented(&spared.text("token"), 7, "a")));
        assert_eq!(theirs.status == 200, by == "agent", "{by} {}", theirs.body);
    }
}

#[test]
fn one_grant_is_revoked_and_its_neighbour_is_not() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let [dead, living] =
        [1, 2].map(|_| scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))));
    let body = json!({ "by": "grant", "value": dead.text("grant"), "reason": "leaked" });
    let revoked = scene.admin("POST", "/v1/revocations", Some(&body)).json();
    assert_eq!((&revoked["found"], &revoked["revoked"]), (&json!("unspent"), &json!(1)));
    let spend =
        |token: &str| scene.call("POST", "/v1/spend", &api, Some(&presented(token, 7, "a"))).status;
    assert_eq!((spend(&dead.text("token")), spend(&living.text("token"))), (401, 200));
    let unknown = json!({ "by": "grant", "value": "00".repeat(16), "reason": "a guess" });
    assert_eq!(
        scene.admin("POST", "/v1/revocations", Some(&unknown)).json()["found"],
        json!("unknown")
    );
}

#[test]
fn a_block_outlives_a_restart_and_ends_when_it_is_lifted() {
    let mut scene = Scene::new();
    let (agent, _) = scene.parties();
    let other = scene.caller("other", &["--role", "mint"]);
    let body =
        json!({ "by": "agent", "value": "key:agent", "reason": "looks stolen", "block": true });
    assert_eq!(scene.admin("POST", "/v1/revocations", Some(&body)).json()["blocked"], json!(true));
    let mint =
        |scene: &Scene, key: &str| scene.call("POST", "/v1/grants", key, Some(&transfer(7))).code();
    assert_eq!(mint(&scene, &agent), "blocked");
    assert_eq!(mint(&scene, &other), "");
    scene.kill();
    scene.start();
    assert_eq!(mint(&scene, &agent), "blocked");
    let blocks = scene.admin("GET", "/v1/blocks", None).json();
    assert_eq!(blocks["items"][0]["reason"], json!("looks stolen"), "{blocks}");
    let lift = json!({ "by": "agent", "value": "key:agent", "reason": "it was a drill" });
    assert_eq!(scene.admin("POST", "/v1/blocks/lift", Some(&lift)).status, 200);
    assert_eq!(mint(&scene, &agent), "");
}

#[test]
fn a_retired_key_kills_its_tokens_and_the_next_one_signs() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let old = scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))).text("token");
    let keys = scene.data().join("keys");
    let run = |arguments: &[&str]| {
        let output =
            farebox().arg("keys").args(arguments).arg("--dir").arg(&keys).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["new"]);
    let signing = || {
        let keys = scene.call_with("GET", "/.well-known/farebox-keys", &[], None).json();
        let all = keys["keys"].as_array().unwrap().clone();
        all.iter().find(|key| key["state"] == json!("signing")).unwrap()["id"].clone()
    };
    until(|| signing() == json!(2));
    let new = scene.call("POST", "/v1/grants", &agent, Some(&transfer(7))).text("token");
    let spend = |token: &str, attempt: &str| {
        let reply = scene.call("POST", "/v1/spend", &api, Some(&presented(token, 7, attempt)));
        (reply.status, reply.code())
    };
    run(&["retire", "1"]);
    until(|| spend(&old, "a").1 == "unknown-key");
    assert_eq!(spend(&new, "b").0, 200);
}

#[test]
fn staff_words_are_for_staff() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let body = json!({ "by": "all", "reason": "mischief" });
    for key in [&agent, &api] {
        for path in ["/v1/revocations", "/v1/blocks", "/v1/blocks/lift"] {
            let refused = scene.call("POST", path, key, Some(&body));
            assert_eq!((refused.status, refused.code()), (403, "forbidden".into()), "{path}");
        }
    }
}

#[test]
fn staff_of_a_tenant_name_no_run_of_another() {
    let scene = Scene::new();
    let [ours, theirs] = ["acme", "other"].map(|tenant| {
        scene.caller(&format!("agent-{tenant}"), &["--role", "mint", "--tenant", tenant])
    });
    let staff = scene.caller("staff", &["--role", "revoke", "--tenant", "acme"]);
    let mut wanted = transfer(7);
    wanted["workflow"] = json!("run-81");
    wanted["step"] = json!("1");
    for key in [&ours, &theirs] {
        assert_eq!(scene.call("POST", "/v1/grants", key, Some(&wanted)).status, 201);
    }
    let revoke = |run: &str| {
        let body = json!({ "by": "workflow", "value": run, "reason": "a test" });
        scene.call("POST", "/v1/revocations", &staff, Some(&body))
    };
    assert_eq!(revoke("@other/run-81").status, 400);
    assert_eq!(revoke("run-81").json()["revoked"], json!(1));
    let left = scene.admin("GET", "/v1/grants?state=issued&workflow=@other/run-81", None).json();
    assert_eq!(left["total"], json!(1), "{left}");
}
