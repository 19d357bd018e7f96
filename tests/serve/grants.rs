//! Grants: asked for, asked for again, listed, refused.

use serde_json::json;

use super::scene::{Scene, presented, transfer, until};

#[test]
fn a_token_is_minted_used_once_and_settled() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(4000)));
    assert_eq!(minted.status, 201, "{}", minted.body);
    assert!(minted.text("rule").contains("all.datalog"), "{}", minted.body);
    let (grant, token) = (minted.text("grant"), minted.text("token"));

    let spent = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 4000, "one")));
    assert_eq!((spent.status, spent.text("agent")), (200, "key:agent".into()), "{}", spent.body);
    assert_eq!(spent.json()["repeat"], json!(false));
    let again = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 4000, "one")));
    assert_eq!((again.status, again.json()["repeat"].clone()), (200, json!(true)));
    let replayed = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 4000, "two")));
    assert_eq!((replayed.status, replayed.code()), (401, "already-spent".into()));

    let settle = json!({ "attempt": "one", "outcome": "succeeded" });
    let path = format!("/v1/grants/{grant}/settle");
    assert_eq!(scene.call("POST", &path, &api, Some(&settle)).status, 200);
    assert_eq!(scene.call("POST", &path, &api, Some(&settle)).status, 200);
    let other = json!({ "attempt": "one", "outcome": "failed" });
    let conflict = scene.call("POST", &path, &api, Some(&other));
    assert_eq!((conflict.status, conflict.code()), (409, "idempotency-conflict".into()));
    let stranger = json!({ "attempt": "two", "outcome": "succeeded" });
    assert_eq!(scene.call("POST", &path, &api, Some(&stranger)).status, 403);
    let shown = scene.call("GET", &format!("/v1/grants/{grant}"), &agent, None);
    assert_eq!(shown.text("state"), "succeeded", "{}", shown.body);
}

#[test]
fn what_no_policy_allows_is_denied_and_the_rule_that_denied_is_named() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let much = scene.call("POST", "/v1/grants", &agent, Some(&transfer(5001)));
    assert_eq!((much.status, much.code()), (403, "denied".into()));
    let mut mallory = transfer(1);
    mallory["params"]["to"] = json!("mallory");
    let denied = scene.call("POST", "/v1/grants", &agent, Some(&mallory));
    assert_eq!((denied.status, denied.code()), (403, "denied".into()));
    assert!(denied.text("rule").contains("all.datalog"), "{}", denied.body);
}

#[test]
fn the_same_key_gives_the_same_bytes_and_another_request_a_conflict() {
    let mut scene = Scene::new();
    let (agent, api) = scene.parties();
    let bearer = format!("Bearer {agent}");
    let ask = |scene: &Scene, key: &str, amount| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(amount)))
    };
    let first = ask(&scene, "k-1", 10);
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(ask(&scene, "k-1", 10).json(), first.json());
    assert_eq!(ask(&scene, "\"k-1\"", 10).json(), first.json());
    assert_ne!(ask(&scene, "k-2", 10).text("grant"), first.text("grant"));
    let conflict = ask(&scene, "k-1", 11);
    assert_eq!((conflict.status, conflict.code()), (409, "idempotency-conflict".into()));

    // A stop in good order changes nothing of it.
    scene.stop();
    scene.start();
    assert_eq!(ask(&scene, "k-1", 10).json(), first.json());
    let spent = presented(&first.text("token"), 10, "a");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&spent)).status, 200);
    let over = ask(&scene, "k-1", 10);
    assert_eq!(
        (over.status, over.text("state"), over.text("token")),
        (200, "spent".into(), String::new())
    );
}

#[test]
fn a_key_whose_grant_is_fenced_gives_no_second_token() {
    let mut scene = Scene::new();
    let (agent, _) = scene.parties();
    let bearer = format!("Bearer {agent}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    assert_eq!(scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(1))).status, 201);
    scene.kill();
    scene.start();
    let fenced = scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(1)));
    assert_eq!((fenced.status, fenced.code()), (409, "fenced".into()), "{}", fenced.body);
}

#[test]
fn a_budget_is_never_passed_and_what_was_void_is_given_back() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let refund =
        json!({ "action": "payments.refund", "resource": "order/1", "audience": "payments-api" });
    let ask = || scene.call("POST", "/v1/grants", &agent, Some(&refund));
    let granted: Vec<_> = (0..3).map(|_| ask()).collect();
    assert!(granted.iter().all(|reply| reply.status == 201), "{granted:?}");
    let over = ask();
    assert_eq!((over.status, over.code()), (403, "over-budget".into()));
    assert_eq!(over.json()["left"], json!(0));

    let mut presented = refund.clone();
    presented["token"] = json!(granted[0].text("token"));
    presented["attempt"] = json!("one");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&presented)).status, 200);
    let path = format!("/v1/grants/{}/settle", granted[0].text("grant"));
    let void = json!({ "attempt": "one", "outcome": "void" });
    assert_eq!(scene.call("POST", &path, &api, Some(&void)).status, 200);
    until(|| ask().status == 201);
    assert_eq!(ask().code(), "over-budget");
}

#[test]
fn a_step_waits_for_the_step_before_it() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let step = |step: &str, after: &[String]| {
        json!({
            "action": "deploy.step", "resource": "app/1", "audience": "payments-api",
            "workflow": "run-1", "step": step, "after": after,
        })
    };
    let mint = |wanted: &serde_json::Value| scene.call("POST", "/v1/grants", &agent, Some(wanted));
    let spend = |wanted: &serde_json::Value, token: &str, attempt: &str| {
        let presented = json!({
            "token": token, "attempt": attempt, "action": wanted["action"],
            "resource": wanted["resource"], "audience": wanted["audience"],
        });
        scene.call("POST", "/v1/spend", &api, Some(&presented))
    };
    let first = mint(&step("1", &[]));
    assert_eq!(first.status, 201, "{}", first.body);
    let wanted = step("2", &[first.text("grant")]);
    let second = mint(&wanted);
    assert_eq!(second.status, 201, "{}", second.body);
    let early = spend(&wanted, &second.text("token"), "b");
    assert_eq!((early.status, early.code()), (409, "predecessor-unsettled".into()));
    assert_eq!(spend(&step("1", &[]), &first.text("token"), "a").status, 200);
    let path = format!("/v1/grants/{}/settle", first.text("grant"));
    let settled = json!({ "attempt": "a", "outcome": "succeeded" });
    assert_eq!(scene.call("POST", &path, &api, Some(&settled)).status, 200);
    assert_eq!(spend(&wanted, &second.text("token"), "b").status, 200);
    let failed = json!({ "attempt": "b", "outcome": "failed" });
    let path = format!("/v1/grants/{}/settle", second.text("grant"));
    assert_eq!(scene.call("POST", &path, &api, Some(&failed)).status, 200);
    let third = mint(&step("3", &[second.text("grant")]));
    assert_eq!(
        (third.status, third.code()),
        (409, "predecessor-unsettled".into()),
        "{}",
        third.body
    );
}

#[test]
fn a_listing_goes_on_where_it_stopped_and_shows_an_agent_its_own_alone() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let other = scene.caller("other", &["--role", "mint"]);
    for amount in 1..=5 {
        assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(amount))).status, 201);
    }
    assert_eq!(scene.call("POST", "/v1/grants", &other, Some(&transfer(9))).status, 201);
    let own = scene.call("GET", "/v1/grants?limit=3", &agent, None).json();
    assert_eq!((own["items"].as_array().unwrap().len(), own["total"].clone()), (3, json!(5)));
    let path = format!("/v1/grants?limit=3&cursor={}", own["next"].as_str().unwrap());
    let rest = scene.call("GET", &path, &agent, None).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2, "{rest}");
    let all = scene.admin("GET", "/v1/grants?state=issued", None).json();
    assert_eq!(all["total"], json!(6));
    let theirs =
        all["items"].as_array().unwrap().last().unwrap()["grant"].as_str().unwrap().to_owned();
    let hidden = scene.call("GET", &format!("/v1/grants/{theirs}"), &agent, None);
    assert_eq!((hidden.status, hidden.code()), (404, "unknown-grant".into()));
    let forged = scene.call("GET", "/v1/grants?agent=key:other", &agent, None).json();
    assert_eq!(forged["total"], json!(0));
}

#[test]
fn a_member_that_may_vary_is_bounded_and_one_that_may_not_is_denied() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let mut wanted = transfer(1);
    wanted["params"] = json!({ "to": "acme" });
    wanted["bounds"] = json!({ "/amount": { "max": 4000 } });
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
    assert_eq!(minted.status, 201, "{}", minted.body);
    let token = minted.text("token");
    let over = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 4001, "a")));
    assert_eq!((over.status, over.code()), (403, "caveat-failed".into()));
    let within = scene.call("POST", "/v1/spend", &api, Some(&presented(&token, 3999, "a")));
    assert_eq!(within.status, 200, "{}", within.body);
    wanted["bounds"] = json!({ "/amount": { "max": 5001 } });
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&wanted)).code(), "denied");
    wanted["params"] = json!({ "amount": 3 });
    wanted["bounds"] = json!({ "/to": { "one_of": ["acme"] } });
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&wanted)).code(), "denied");
}
